"""``empathic train dialogue``, ``fusion``, ``joint`` and ``table``."""

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

set_option = click.option(
    "--data-set", type=click.Choice(["meld", "iemocap", "mosi"]), required=True
)
features_option = click.option(
    "--features",
    metavar="minilm|shipped|given|CHECKPOINT",
    help="Text vectors: of all-MiniLM-L6-v2 as it is, of the shipped encoder, the corpus's own, "
    "or of a checkpoint of `train text`.  [default: given for mosi, else minilm]",
)


@click.command()
@data_option
@json_option
@set_option
@features_option
@click.option(
    "--model",
    type=click.Choice(["mdget", "linear", "gru", "transformer", "dialogue-rnn", "cfn-esa"]),
    default="mdget",
    show_default=True,
)
@click.option("--bidirectional", is_flag=True, help="Read the whole dialogue, as published.")
@click.option("--modalities", help="Which to use, as text+speech.  [default: all of the data set]")
@click.option("--timing", is_flag=True, help="Read gaps, durations and lengths, too (mdget).")
@click.option("--ablation", default="full", show_default=True, help="A row of Table 6 (mdget).")
@click.option("--paper", is_flag=True, help="Table 2's numbers instead of those dev chose.")
@click.option("--runtime", is_flag=True, help="The recipe of what ships: more corpora beside MELD.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for dialogue.safetensors, which EmotionRecognizer(dialogue=...) reads.",
)
@click.option("--learned-balance", is_flag=True, help="Learn lambda instead of fixing it.")
@click.option(
    "--reweight-groups",
    is_flag=True,
    help="Let speakers' genders count alike, with the same mix of labels each (meld, iemocap).",
)
@click.option("--tau", type=click.FloatRange(0, 1, max_open=True), help="Threshold of eq 39.")
@seed_option
@click.option("--epochs", type=click.IntRange(min=1), help="At most (for trials).")
@results_option
@cache_option
@threads_option
def dialogue(
    data: Path,
    as_json: bool,
    data_set: str,
    features: str | None,
    model: str,
    bidirectional: bool,
    modalities: str | None,
    timing: bool,
    ablation: str,
    paper: bool,
    runtime: bool,
    out: Path | None,
    learned_balance: bool,
    reweight_groups: bool,
    tau: float | None,
    seed: int,
    epochs: int | None,
    results: Path,
    cache: Path,
    threads: int | None,
) -> None:
    """Train one dialogue model on given features.

    Dev data choose the epoch and calibrate; test predictions are stored, and scored by
    `empathic evaluate`. Numbers that `train table --tune` chose are used where they are there.
    """
    from dataclasses import replace

    import torch

    from empathic_sdk.lab.recipes.dialogue import paper as paper_numbers
    from empathic_sdk.lab.recipes.dialogue import runtime as runtime_numbers
    from empathic_sdk.lab.runs.dialogue import train_dialogue
    from empathic_sdk.lab.runs.grid import BASE, default_features, tuned, tuning_path

    if runtime and (paper or bidirectional or data_set != "meld" or model != "mdget"):
        raise click.UsageError("--runtime is one recipe: the causal mdget on meld, without --paper")
    if threads:
        torch.set_num_threads(threads)
    features = features or default_features(data_set)
    recipe = replace(BASE[data_set], model=model, causal=not bidirectional)
    if paper:
        recipe = replace(paper_numbers(data_set), modalities=recipe.modalities,
                         causal=recipe.causal, model=model)  # fmt: skip
    elif runtime:
        recipe = runtime_numbers()
    elif tuning_path(data_set, features, results).is_file():
        recipe = tuned(data_set, features, model, not bidirectional, results)
    recipe = replace(
        recipe,
        seed=seed,
        timing=timing,
        ablation=ablation,
        modalities=tuple(modalities.split("+")) if modalities else recipe.modalities,
        balance=None if learned_balance else recipe.balance,
        tau=recipe.tau if tau is None else tau,
        reweight_groups=reweight_groups,
        epochs=epochs or recipe.epochs,
    )
    record = train_dialogue(
        recipe, data_set=data_set, features=features, data=data, results=results, cache=cache,
        out=out,
    )  # fmt: skip
    if as_json:
        click.echo(json.dumps(record))
        return
    figures = "  ".join(f"{k} {v:.4f}" for k, v in record["dev"].items() if isinstance(v, float))
    click.echo(f"dev {data_set}: {figures}")
    click.echo(f"record: {results / 'dialogue' / record['name']}.json")


@click.command()
@data_option
@json_option
@seed_option
@click.option("--epochs", type=click.IntRange(min=1), help="At most (for trials).")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for dialogue.safetensors.  [default: runs/fusion-seedN]",
)
@results_option
@cache_option
@threads_option
def fusion(
    data: Path,
    as_json: bool,
    seed: int,
    epochs: int | None,
    out: Path | None,
    results: Path,
    cache: Path,
    threads: int | None,
) -> None:
    """Train the dialogue model that ships: text, speech, face and behaviour.

    MELD's texts with borrowed voices, faces and simulated behaviour, as the shipped encoders read
    them: a construction, which says nothing about people. Dev data choose the epoch and calibrate.
    """
    import logging
    from dataclasses import replace

    import torch

    from empathic_sdk.lab.recipes.dialogue import fusion as numbers
    from empathic_sdk.lab.runs.fusion import train_fusion

    if threads:
        torch.set_num_threads(threads)
    log = logging.getLogger("empathic_sdk")
    if not log.handlers:  # ten minutes are long without a word: a line an epoch
        log.addHandler(logging.StreamHandler())
        log.setLevel(logging.INFO)
    recipe = replace(numbers(), seed=seed)
    recipe = replace(recipe, epochs=epochs or recipe.epochs)
    out = out or Path("runs") / f"fusion-seed{seed}"
    record = train_fusion(recipe, data=data, results=results, cache=cache, out=out)
    if as_json:
        click.echo(json.dumps(record))
        return
    for condition, figures in record["dev_conditions"].items():
        click.echo(f"dev {condition}: weighted F1 {figures['weighted_f1']:.4f}")
    click.echo(f"weights: {out}/dialogue.safetensors")


@click.command()
@data_option
@json_option
@click.option(
    "--start",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("runs/text-without-meld-seed1/text.safetensors"),
    show_default=True,
    help="Text checkpoint to start from; one that has not seen MELD (`train text --without meld`).",
)
@seed_option
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the run; one that was cut off there is continued.  [default: runs/joint-seedN]",
)
@click.option("--limit", type=click.IntRange(min=8), help="Items a corpus at most (a trial).")
@click.option("--test", is_flag=True, help="Store the finished run's test predictions.")
@results_option
@threads_option
def joint(
    data: Path,
    as_json: bool,
    start: Path,
    seed: int,
    out: Path | None,
    limit: int | None,
    test: bool,
    results: Path,
    threads: int | None,
) -> None:
    """Fine-tune text encoder, utterance heads and dialogue model together.

    Dev data choose the step and calibrate. Test data are read by a second call, with --test, once
    that choice stands.
    """
    import torch

    from empathic_sdk.lab.recipes.joint import JointRecipe
    from empathic_sdk.lab.runs.joint import score_joint, train_joint

    if threads:
        torch.set_num_threads(threads)
    out = out or Path("runs") / f"joint-seed{seed}"
    if test:
        record = score_joint(out, data=data, results=results)
    else:
        recipe = JointRecipe(seed=seed, limit=limit)
        record = train_joint(recipe, start=start, data=data, out=out, results=results)["dialogue"]
    if as_json:
        click.echo(json.dumps(record))
        return
    figures = "  ".join(f"{k} {v:.4f}" for k, v in record["dev"].items() if isinstance(v, float))
    click.echo(f"dev {record['data_set']}: {figures}")
    click.echo(f"weights: {out}/text.safetensors, {out}/dialogue.safetensors")


@click.command()
@data_option
@json_option
@set_option
@features_option
@click.option("--tune", "only_tune", is_flag=True, help="Run only the tuning trials.")
@click.option("--seeds", default=3, show_default=True, type=click.IntRange(min=1))
@click.option("--workers", default=2, show_default=True, type=click.IntRange(min=1))
@results_option
@cache_option
def table(
    data: Path,
    as_json: bool,
    data_set: str,
    features: str | None,
    only_tune: bool,
    seeds: int,
    workers: int,
    results: Path,
    cache: Path,
) -> None:
    """Run the whole table of a data set: tuning trials, baselines, modalities, ablations.

    Each worker is one process of one thread. A table that was cut off goes on where it stopped.
    """
    from empathic_sdk.lab.runs.grid import default_features, run, tune, tuning_path
    from empathic_sdk.lab.runs.grid import table as jobs_of

    features = features or default_features(data_set)
    if not tuning_path(data_set, features, results).is_file():
        tune(data_set, features, data=data, results=results, cache=cache, workers=workers)
    done = []
    if not only_tune:
        jobs = jobs_of(data_set, features, results, range(1, seeds + 1))
        done = run(jobs, data=data, results=results, cache=cache, workers=workers)
    seconds = sum(r["run"]["seconds"] for r in done)
    if as_json:
        click.echo(json.dumps({"data_set": data_set, "runs": len(done), "seconds": seconds}))
        return
    click.echo(f"{len(done)} runs, {seconds / 3600:.2f} hours of one core; records in {results}")
