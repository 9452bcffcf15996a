"""``empathic train behaviour``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from empathic_sdk.cli.options import (
    json_option,
    results_option,
    seed_option,
    threads_option,
)


@click.command()
@json_option
@seed_option
@click.option(
    "--pooling",
    type=click.Choice(["gated", "max_mean"]),
    default="gated",
    show_default=True,
    help="How events become one vector: PED eq 44, or eq 28.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for behaviour.safetensors.  [default: runs/behaviour-seedN]",
)
@results_option
@click.option("--people", type=click.IntRange(min=2), help="Simulated people (a trial).")
@click.option("--epochs", type=click.IntRange(min=1), help="How many (for trials).")
@click.option("--shuffle-labels", is_flag=True, help="A control: the result must be chance.")
@threads_option
def behaviour(
    as_json: bool,
    seed: int,
    pooling: str,
    out: Path | None,
    results: Path,
    people: int | None,
    epochs: int | None,
    shuffle_labels: bool,
    threads: int | None,
) -> None:
    """Train the behaviour encoder on simulated people: no corpus of such events is public.

    Dev data choose the epoch and calibrate; test predictions are stored, and scored by
    `empathic evaluate behaviour`.
    """
    from dataclasses import replace

    import torch

    from empathic_sdk.lab.recipes.behaviour import BehaviourRecipe
    from empathic_sdk.lab.runs.behaviour import run_name, train_behaviour

    if threads:
        torch.set_num_threads(threads)
    recipe = BehaviourRecipe(
        seed=seed, pooling=pooling, people=people, shuffle_labels=shuffle_labels
    )
    recipe = replace(recipe, epochs=epochs or recipe.epochs)
    out = out or Path("runs") / run_name(recipe)
    record = train_behaviour(recipe, out=out, results=results)
    if as_json:
        click.echo(json.dumps(record))
        return
    figures = "  ".join(f"{k} {v:.4f}" for k, v in record["dev"].items() if isinstance(v, float))
    click.echo(f"dev {record['data_set']}: {figures}")
    click.echo(
        f"weights: {out / 'behaviour.safetensors'}   "
        f"record: {results / 'behaviour' / record['name']}.json"
    )
