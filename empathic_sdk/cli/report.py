"""``empathic report NAME``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from empathic_sdk.cli.options import (
    cache_option,
    data_option,
    json_option,
    results_option,
)

NAMES = ("meld", "iemocap", "mosi")


@click.command(name="report")
@click.argument("name", type=click.Choice(NAMES), metavar="|".join(NAMES))
@data_option
@json_option
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("report.html"),
    show_default=True,
    help="File to write.",
)
@results_option
@click.option(
    "--configuration",
    metavar="NAME",
    help="Recorded runs that the report is about.  [default: the whole causal mdget]",
)
@click.option("--dialogue", metavar="ID", help="Test dialogue to show in depth.")
@click.option(
    "--live",
    is_flag=True,
    help="Train the configuration once more (seed 1) to show gates and transfer matrix.",
)
@cache_option
def command(
    name: str,
    data: Path,
    as_json: bool,
    out: Path,
    results: Path,
    configuration: str | None,
    dialogue: str | None,
    live: bool,
    cache: Path,
) -> None:
    """Write all that is known of a dialogue model as one HTML page that needs nothing else.

    It shows the texts of one test dialogue: keep it to those who may read the corpus.
    """
    from empathic_sdk.lab.reports.page import write_report

    written = write_report(
        name,
        out=out,
        data=data,
        results=results,
        cache=cache,
        configuration=configuration,
        dialogue=dialogue,
        live=live,
    )
    size = written.stat().st_size
    if as_json:
        click.echo(json.dumps({"dataset": name, "out": str(written), "bytes": size}))
        return
    click.echo(f"{written}, {size / 1024:.0f} KB")
