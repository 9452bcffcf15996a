"""``empathic train personal``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from empathic_sdk.cli.options import data_option, json_option


@click.command()
@data_option
@json_option
@click.option(
    "--set", "data_set", required=True, type=click.Choice(["meld", "iemocap", "ravdess"]),
    help="Where people recur.",
)  # fmt: skip
@click.option("--seed", default=1, show_default=True, type=click.IntRange(min=0))
@click.option(
    "--results",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("results"),
    show_default=True,
    help="Folder of the run records, which go to personal/ in it.",
)
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("runs/cache"),
    show_default=True,
    help="Folder in which vectors are kept between runs.",
)
@click.option("--threads", type=click.IntRange(min=1), help="Threads.  [default: all cores]")
def personal(
    data: Path,
    as_json: bool,
    data_set: str,
    seed: int,
    results: Path,
    cache: Path,
    threads: int | None,
) -> None:
    """Train the head that reads a person's history beside the general model.

    Dev chooses the step, and may choose to leave the general model as it is; the labels given on
    the test split are stored, and `empathic evaluate users` scores them. No weights are written.
    """
    import torch

    from empathic_sdk.lab.recipes.personal import PersonalRecipe
    from empathic_sdk.lab.runs.personal import train_personal

    if threads:
        torch.set_num_threads(threads)
    record = train_personal(
        PersonalRecipe(seed=seed), data_set=data_set, data=data, results=results, cache=cache
    )
    if as_json:
        click.echo(json.dumps(record))
        return
    click.echo(f"step {record['run']['chosen_step']}")
    click.echo("dev: " + "  ".join(f"{k} {v:.4f}" for k, v in record["dev"].items()))
