"""``empathic report NAME``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from empathic_sdk.cli.options import cache_option, data_option, json_option, results_option
from empathic_sdk.cli.printing import print_report

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
def command(name: str, as_json: bool, **given: Any) -> None:
    """Write a report on a dialogue model as one self-contained HTML page.

    It shows the texts of one test dialogue: keep it to those who may read the corpus.
    """
    from empathic_sdk.lab.reports.page import write_report

    written = write_report(name, **given)
    report = {"dataset": name, "out": str(written), "bytes": written.stat().st_size}
    print_report(report, as_json, lambda r: click.echo(f"{r['out']}, {r['bytes'] / 1024:.0f} KB"))
