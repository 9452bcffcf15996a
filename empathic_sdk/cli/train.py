"""``empathic train RECIPE``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from empathic_sdk.cli.options import (
    data_option,
    json_option,
    results_option,
    seed_option,
    threads_option,
)
from empathic_sdk.cli.train_behaviour import behaviour
from empathic_sdk.cli.train_dialogue import dialogue, fusion, joint, table
from empathic_sdk.cli.train_face import face
from empathic_sdk.cli.train_guard import guard
from empathic_sdk.cli.train_personal import personal
from empathic_sdk.cli.train_safety import safety
from empathic_sdk.cli.train_speech import speech
from empathic_sdk.cli.train_strategy import strategy


@click.group(name="train")
def command() -> None:
    """Train a model from public corpora. Needs the extra "train"."""


command.add_command(behaviour)
command.add_command(dialogue)
command.add_command(fusion)
command.add_command(face)
command.add_command(joint)
command.add_command(guard)
command.add_command(safety)
command.add_command(table)
command.add_command(speech)
command.add_command(strategy)
command.add_command(personal)


@command.command()
@data_option
@json_option
@seed_option
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the run; one that was cut off there is continued.  [default: runs/text-seedN]",
)
@results_option
@click.option(
    "--init",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the pretrained network.  [default: the installed all-MiniLM-L6-v2]",
)
@click.option(
    "--encoder",
    metavar="NAME|FOLDER",
    help="Train only heads, for this sentence-transformers model as it is.",
)
@click.option("--limit", type=click.IntRange(min=8), help="Items a corpus at most (a trial).")
@click.option(
    "--without",
    multiple=True,
    type=click.Choice(["meld"]),
    help="Leave it out of training: a start for `train joint`.",
)
@click.option("--shuffle-labels", is_flag=True, help="A control: the result must be chance.")
@threads_option
@click.option(
    "--average",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    help="Do not train: average the finished runs in these folders (give it once a run).",
)
@click.option(
    "--test",
    is_flag=True,
    help="Score the finished run on the test splits and complete its record; train nothing.",
)
def text(
    data: Path,
    as_json: bool,
    seed: int,
    out: Path | None,
    results: Path,
    init: Path | None,
    encoder: str | None,
    limit: int | None,
    without: tuple[str, ...],
    shuffle_labels: bool,
    threads: int | None,
    average: tuple[Path, ...],
    test: bool,
) -> None:
    """Fine-tune the text encoder and its heads on several corpora at once.

    Dev data choose the epoch, the temperature and the thresholds; the choice is written to the
    run record. Test data are read by a second call, with --test, once that choice stands.
    """
    import torch

    from empathic_sdk.lab.recipes.text import TextRecipe, without_corpora
    from empathic_sdk.lab.runs.text import average_text, score_test, train_encoder_heads, train_text

    if threads:
        torch.set_num_threads(threads)
    if without and (encoder or average):
        raise click.UsageError("--without does not go with --encoder or --average")
    part = "".join(f"-without-{c}" for c in without)
    name = "text-average" if average else f"text{part}-seed{seed}"
    if encoder:
        name = f"heads-{Path(encoder).name}-seed{seed}"
    out = out or Path("runs") / name
    if test:
        record = score_test(out / "text.safetensors", data=data, results=results)
    elif encoder:
        recipe = TextRecipe(seed=seed, limit=limit, shuffle_labels=shuffle_labels)
        record = train_encoder_heads(recipe, encoder=encoder, data=data, out=out, results=results)
    elif average:
        record = average_text(average, data=data, out=out, results=results, init=init)
    else:
        recipe = TextRecipe(seed=seed, limit=limit, shuffle_labels=shuffle_labels)
        recipe = without_corpora(recipe, without)
        record = train_text(recipe, data=data, out=out, results=results, init=init)
    if as_json:
        click.echo(json.dumps(record))
        return
    split = "test" if test else "dev"
    for corpus, metrics in record[split].items():
        figures = "  ".join(f"{k} {v:.4f}" for k, v in metrics.items() if isinstance(v, float))
        click.echo(f"{split} {corpus}: {figures}")
    weights = "heads.safetensors" if encoder else "text.safetensors"
    click.echo(f"weights: {out / weights}   record: {results / record['name']}.json")
