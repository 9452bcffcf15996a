"""``empathic train guard``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from empathic_sdk.cli.options import data_folder, json_option


@click.command()
@data_folder(required=False)
@json_option
@click.option(
    "--lines",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The labelled sentences.  [default: those of the package]",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("runs/guard"),
    show_default=True,
    help="Folder for guard.safetensors.",
)
@click.option(
    "--text",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="text.safetensors that it reads with.  [default: the one that ships]",
)
@click.option(
    "--risk",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="safety.safetensors that it reads with.  [default: the one that ships]",
)
@click.option("--free", is_flag=True, help="Leave ESConv out, which is for non-commercial use.")
def guard(
    data: Path | None,
    as_json: bool,
    lines: Path | None,
    out: Path,
    text: Path | None,
    risk: Path | None,
    free: bool,
) -> None:
    """Fit the guard's second opinion on labelled sentences and on what ESConv's supporters said."""
    from empathic_sdk.lab.evaluation.guard import train_guard
    from empathic_sdk.lab.recipes.guard import GuardRecipe

    if data is None and not free:
        raise click.UsageError("give --data DIR with ESConv (or EMPATHIC_DATA), or --free")
    record = train_guard(
        GuardRecipe(),
        data=None if free else data,
        lines=lines,
        out=out,
        text_path=text,
        risk_path=risk,
    )
    if as_json:
        click.echo(json.dumps(record))
        return
    for key, value in record["out_of_fold"].items():
        click.echo(f"{key:24} {value:.4f}")
    click.echo(f"weights: {out / 'guard.safetensors'}")
