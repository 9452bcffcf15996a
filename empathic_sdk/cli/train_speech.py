"""``empathic train speech``."""

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
@click.option("--data-set", type=click.Choice(["ravdess", "emodb"]), required=True)
@click.option(
    "--model",
    type=click.Choice(["ped", "lstm"]),
    default="ped",
    show_default=True,
    help="ped: log-mel, convolution, BiGRU, attention. lstm: 13 MFCCs, two LSTMs.",
)
@seed_option
@click.option(
    "--epochs", type=click.IntRange(min=1), help="[default: 40, for emodb 12 from --start]"
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the run: its network, and for ravdess speech.safetensors. What is finished "
    "there is not trained again.  [default: runs/speech-DATA_SET-MODEL-seedN]",
)
@click.option(
    "--start",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="emodb: folder of a ravdess run of the same model, whose network each fold starts from.",
)
@results_option
@cache_option
@threads_option
def speech(
    data: Path,
    as_json: bool,
    data_set: str,
    model: str,
    seed: int,
    epochs: int | None,
    out: Path | None,
    start: Path | None,
    results: Path,
    cache: Path,
    threads: int | None,
) -> None:
    """Train a speech network on acted clips, from nothing.

    ravdess: by actors; dev actors choose, the test actors' predictions are stored. emodb: two
    speakers are left out at a time, a third one chooses. `empathic evaluate` scores what is stored.
    """
    import torch

    from empathic_sdk.lab.recipes.speech import SpeechRecipe
    from empathic_sdk.lab.runs.speech import train_emodb, train_ravdess

    if start and data_set != "emodb":
        raise click.UsageError("--start is for --data-set emodb")
    if threads:
        torch.set_num_threads(threads)
    tuned = SpeechRecipe.of(model, started=start is not None, seed=seed, epochs=epochs)
    out = out or Path("runs") / f"speech-{data_set}-{model}-seed{seed}"
    if data_set == "ravdess":
        record = train_ravdess(tuned, data=data, out=out, results=results, cache=cache)
        dev = record["dev"]
    else:
        record = train_emodb(tuned, data=data, out=out, results=results, cache=cache, start=start)
        folds = [f["dev_figures"] for f in record["folds"]]
        dev = {k: sum(f[k] for f in folds) / len(folds) for k, v in folds[0].items()
               if isinstance(v, float)}  # fmt: skip
    if as_json:
        click.echo(json.dumps(record))
        return
    figures = "  ".join(f"{k} {v:.4f}" for k, v in dev.items() if isinstance(v, float))
    click.echo(f"dev: {figures}")
    click.echo(f"run: {out}   record: {results / 'speech' / record['name']}.json")
