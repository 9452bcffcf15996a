"""``empathic train face``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from empathic_sdk.cli.options import (
    data_option,
    json_option,
    results_option,
    seed_option,
    threads_option,
)


@click.command()
@data_option
@json_option
@click.option(
    "--model",
    type=click.Choice(["net", "cnn"]),
    default="net",
    show_default=True,
    help="The network that ships, or Table 5 of the adaptive paper.",
)
@seed_option
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the run; one that was cut off there is continued.  [default: runs/NAME]",
)
@results_option
@click.option("--epochs", type=click.IntRange(min=1), help="How many, at 40 pixels (a trial).")
@click.option("--limit", type=click.IntRange(min=8), help="Faces a split at most (a trial).")
@click.option("--shuffle-labels", is_flag=True, help="A control: the result must be chance.")
@threads_option
@click.option(
    "--test",
    is_flag=True,
    help="Score the finished run on the test split and complete its record; train nothing.",
)
def face(
    data: Path,
    as_json: bool,
    model: str,
    seed: int,
    out: Path | None,
    results: Path,
    epochs: int | None,
    limit: int | None,
    shuffle_labels: bool,
    threads: int | None,
    test: bool,
) -> None:
    """Train the face network on FER2013.

    The public test split chooses the epoch, calibrates, and is what the record holds. The private
    test split is read by a second call, with --test, once that choice stands.
    """
    import torch

    from empathic_sdk.lab.recipes.face import recipe_for
    from empathic_sdk.lab.runs.face import CHECKPOINT, run_name, score_test, train_face

    if threads:
        torch.set_num_threads(threads)
    given: dict[str, Any] = {"seed": seed, "limit": limit, "shuffle_labels": shuffle_labels}
    recipe = recipe_for(model, **given, **({"sizes": ((40, epochs),)} if epochs else {}))
    name = run_name(recipe)
    out = out or Path("runs") / name
    if test:
        record = score_test(out / CHECKPOINT, data=data, results=results)
    else:
        record = train_face(recipe, data=data, out=out, results=results)
    if as_json:
        click.echo(json.dumps(record))
        return
    split = "test" if test else "dev"
    figures = "  ".join(f"{k} {v:.4f}" for k, v in record[split].items() if isinstance(v, float))
    click.echo(f"{split} fer2013: {figures}")
    click.echo(f"weights: {out / CHECKPOINT}   record: {results / 'face' / record['name']}.json")
