"""``empathic train strategy``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from empathic_sdk.cli.options import (
    cache_option,
    data_option,
    json_option,
    results_option,
    seed_option,
    threads_option,
)


@click.command()
@data_option
@json_option
@seed_option
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for strategy.safetensors.  [default: runs/strategy-seedN]",
)
@results_option
@cache_option
@click.option("--limit", type=click.IntRange(min=8), help="Talks of the train split at most.")
@threads_option
def strategy(
    data: Path,
    as_json: bool,
    seed: int,
    out: Path | None,
    results: Path,
    cache: Path,
    limit: int | None,
    threads: int | None,
) -> None:
    """Fit the support planner on ESConv's train split, and its text-only baseline.

    Dev chooses the epoch; the answers on the test split are stored, and `empathic evaluate
    strategy` scores them.
    """
    import torch

    from empathic_sdk.lab.evaluation.strategy import train_strategy
    from empathic_sdk.lab.recipes.strategy import StrategyRecipe

    if threads:
        torch.set_num_threads(threads)
    out = out or Path("runs") / f"strategy-seed{seed}"
    record = train_strategy(
        StrategyRecipe(seed=seed), data=data, out=out, results=results, cache=cache, limit=limit
    )
    if as_json:
        click.echo(json.dumps(record))
        return
    figures = "  ".join(f"{k} {v:.4f}" for k, v in record["dev"].items() if isinstance(v, float))
    click.echo(f"dev: {figures}")
    click.echo(f"weights: {out / 'strategy.safetensors'}")
