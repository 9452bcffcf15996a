"""``empathic train safety``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from empathic_sdk.cli.options import (
    data_folder,
    json_option,
    results_option,
    seed_option,
    threads_option,
)


@click.command()
@data_folder(required=False)
@click.option(
    "--free", is_flag=True, help="Learn from the labelled lines alone; no corpus is read."
)
@click.option(
    "--text",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="text.safetensors that it will be used with.  [default: the one that ships]",
)
@json_option
@click.option(
    "--lines",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The labelled lines.  [default: those of the package]",
)
@seed_option
@click.option("--epochs", type=click.IntRange(min=1), help="Passes over the lines.  [default: 6]")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the run.  [default: runs/safety-seedN]",
)
@results_option
@threads_option
def safety(
    data: Path | None,
    free: bool,
    text: Path | None,
    as_json: bool,
    lines: Path | None,
    seed: int,
    epochs: int | None,
    out: Path | None,
    results: Path,
    threads: int | None,
) -> None:
    """Tune the risk model on labelled lines and everyday conversation.

    Dev lines choose the epoch and the limits. The held-out lines are not read: `evaluate safety`
    does.
    """
    if data is None and not free:
        raise click.UsageError("give --data (or EMPATHIC_DATA), or --free")

    import torch

    from empathic_sdk.lab.evaluation.safety import train_safety
    from empathic_sdk.lab.recipes.risk import SafetyRecipe

    if threads:
        torch.set_num_threads(threads)
    recipe = SafetyRecipe(seed=seed) if epochs is None else SafetyRecipe(seed=seed, epochs=epochs)
    out = out or Path("runs") / f"safety-seed{seed}"
    record = train_safety(
        recipe, lines=lines, data=data, out=out, results=results, free=free, text=text,
        note=lambda line: click.echo(line, err=True),
    )  # fmt: skip
    if as_json:
        click.echo(json.dumps(record))
        return
    for key in ("recall", "false_alarm_rate"):
        found = record["scored"]["intervals"][key]
        click.echo(f"{key:22} {found['value']:.4f}  [{found['low']:.4f}, {found['high']:.4f}]")
    click.echo(f"{'background alarms':22} {record['background_alarm_rate']}")
    click.echo(f"weights: {out / 'safety.safetensors'}   record: {results / record['name']}.json")
