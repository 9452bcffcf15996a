"""Recipe ``dialogue``: train one dialogue model on features that stay as they are.

A run writes ``NAME.json`` (what was run, and what dev says) and ``NAME.predictions.jsonl.gz``
(calibrated probabilities of every test utterance). No test figure is computed here: that is done
from the stored predictions, by ``empathic evaluate``, once dev has chosen.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from torch import nn

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.lab.corpora.dialogues import DialogueSet, further_dialogues
from empathic_sdk.lab.corpora.text_vectors import encoder_path, load, mark, with_vectors
from empathic_sdk.lab.evaluation.dialogue_figures import (
    calibrate,
    dev_score,
    measure,
    scored,
    write_predictions,
)
from empathic_sdk.lab.recipes.dialogue_numbers import (
    BASE,
    DialogueRecipe,
    default_features,
    tuned,
    tuning_path,
)
from empathic_sdk.lab.recipes.dialogue_numbers import paper as paper_numbers
from empathic_sdk.lab.recipes.dialogue_numbers import runtime as runtime_numbers
from empathic_sdk.lab.records import (
    FOLDERS,
    RunRecord,
    data_entry,
    environment,
    predictions_of,
    weights_entry,
)
from empathic_sdk.lab.registry import Command, Option, Outcome, UsageError
from empathic_sdk.lab.runs.runner import outcome, save_calibrated
from empathic_sdk.lab.training.dialogue_batches import Prediction, Statistics, example, predict
from empathic_sdk.lab.training.dialogue_fit import fit, load_checkpoint
from empathic_sdk.models.mdget import MDGET
from empathic_sdk.recognition.calibration import Calibration

CHECKPOINT = "dialogue.safetensors"
DataSet = Annotated[str, Option("What to train on.", choices=tuple(BASE))]
Features = Annotated[
    str | None,
    Option(
        "Text vectors: of all-MiniLM-L6-v2 as it is, of the shipped encoder, the corpus's own, "
        "or of a checkpoint of `train text`.",
        metavar="minilm|shipped|given|CHECKPOINT",
        default="given for mosi, else minilm",
    ),
]


def configuration_name(data_set: str, features: str, recipe: DialogueRecipe) -> str:
    """Name what was run, all but the seed."""
    texts = "+".join(Path(f).stem for f in features.split("+"))
    parts = [data_set, texts, recipe.model, "causal" if recipe.causal else "both",
             "+".join(recipe.modalities)]  # fmt: skip
    if recipe.timing:
        parts.append("timing")
    if recipe.beside:
        parts.append("beside")
    if recipe.ablation != "full":
        parts.append(recipe.ablation)
    if recipe.reweight_groups:
        parts.append("groups")
    return "-".join(parts)


def run_name(data_set: str, features: str, recipe: DialogueRecipe) -> str:
    """Name one run."""
    return f"{configuration_name(data_set, features, recipe)}-seed{recipe.seed}"


def record_head(
    data_set: str,
    features: str,
    recipe: DialogueRecipe,
    splits: Sequence[DialogueSet],
    beside: Sequence[DialogueSet],
) -> dict[str, Any]:
    """Return what the record of a run says before anything was measured."""

    def entry(some: DialogueSet) -> dict[str, Any]:
        return data_entry(some, dialogues=len(some.dialogues))

    return {
        "recipe": "dialogue",
        "name": run_name(data_set, features, recipe),
        "configuration_name": configuration_name(data_set, features, recipe),
        "data_set": data_set,
        "features": features,
        "configuration": recipe.as_dict(),
        "data": {s.split: entry(s) for s in splits},
        "beside": {b.corpus: entry(b) for b in beside},
        "environment": environment(),
    }


def write_checkpoint(
    path: Path,
    network: MDGET,
    about: dict[str, Any],
    fix: Callable[[MDGET], Calibration],
) -> tuple[MDGET, Calibration]:
    """Write a network that reads raw features; return it as it is read again.

    Args:
        path: The checkpoint.
        network: Its standardisation folded in.
        about: Its name, classes and encoders.
        fix: What dev fixes of the network as it is read again.
    """
    fixed = save_calibrated(
        path,
        network.state_dict(),
        {**about, "configuration": network.config.as_dict()},
        lambda written: fix(load_checkpoint(written)[0]).model_dump(),
        start=Calibration().model_dump(),
    )
    return load_checkpoint(path)[0], Calibration(**fixed)


def train_dialogue(
    recipe: DialogueRecipe,
    *,
    data_set: str,
    features: str,
    data: Path,
    results: Path,
    cache: Path,
    out: Path | None = None,
) -> RunRecord:
    """Train one run, let dev choose and calibrate, store the test predictions unseen.

    Args:
        recipe: Its numbers.
        data_set: ``meld``, ``iemocap`` or ``mosi``.
        features: See :func:`~empathic_sdk.lab.corpora.text_vectors.load`.
        data: Folder of the corpora.
        results: Folder of the run records.
        cache: Folder in which vectors are kept between runs.
        out: Folder for ``dialogue.safetensors``, which :class:`EmotionRecognizer` reads; every
            figure is then that of this file as it is read again. MDGET on one text encoder only.

    Returns:
        The run record; a finished one of the same configuration (and of the checkpoint in ``out``,
        if that is asked for) is returned as it is.
    """
    known = finished(results, data_set, features, recipe)
    path = None if out is None else out / CHECKPOINT
    if known is not None and (path is None or _recorded(known, path)):
        return known
    if path is not None and (recipe.model != "mdget" or features == "given" or "+" in features):
        raise ConfigurationError(
            "only mdget on the vectors of one text encoder can be written to a checkpoint, not "
            f"{recipe.model} on {features}"
        )
    train, dev, test = (
        load(data_set, s, data=data, features=features, cache=cache)
        for s in ("train", "dev", "test")
    )
    beside = [
        with_vectors(further_dialogues(c, data, recipe.beside_size), features, cache)
        for c in recipe.beside
    ]
    for some in beside:
        if some.classes != train.classes:
            raise ConfigurationError(f"{some.corpus} has other classes than {data_set}")
    network, statistics, ran = fit(recipe, train, dev, dev_score(dev), beside)
    head = record_head(data_set, features, recipe, (train, dev, test), beside)
    written: dict[str, Any] = {}
    if path is None:
        calibration = calibrate(dev, predictions(network, dev, statistics))
    else:
        assert isinstance(network, MDGET)
        statistics.fold(network)
        statistics = Statistics()
        text = mark(encoder_path(features))
        about = {"name": head["name"], "classes": list(dev.classes), "text_sha256": text}
        network, calibration = write_checkpoint(
            path, network, about, lambda n: calibrate(dev, predictions(n, dev))
        )
        written["checkpoint"] = weights_entry(path, text_sha256=text)
    on_dev, on_test = (scored(predictions(network, s, statistics), calibration)
                       for s in (dev, test))  # fmt: skip
    record = RunRecord(
        **head, run=ran, calibration=calibration.model_dump(),
        dev=measure(dev, on_dev, calibration), **written,
    )  # fmt: skip
    write_predictions(predictions_of(record.path(results)), test, on_test)
    record.write(results)
    return record


def predictions(
    network: nn.Module, items: DialogueSet, statistics: Statistics | None = None
) -> list[Prediction]:
    """Return what a network says of dialogues; one without ``statistics`` reads raw vectors."""
    return predict(network, [example(d, statistics or Statistics()) for d in items.dialogues])


def _recorded(record: RunRecord, path: Path) -> bool:
    """Tell whether the checkpoint at ``path`` is the one of this record."""
    return path.is_file() and (record.checkpoint or {}).get("sha256") == mark(path)


def finished(
    results: Path, data_set: str, features: str, recipe: DialogueRecipe
) -> RunRecord | None:
    """Return the record of a run that is there already.

    Raises:
        ConfigurationError: A run of this name has other numbers or features.
    """
    path = results / FOLDERS["dialogue"] / f"{run_name(data_set, features, recipe)}.json"
    if not path.is_file() or not predictions_of(path).is_file():
        return None
    record = RunRecord.read(path)
    # A record from before a number existed was run with what is its default now.
    recorded = {**DialogueRecipe().as_dict(), **record.configuration}
    if recorded != json.loads(json.dumps(recipe.as_dict())):
        raise ConfigurationError(
            f"{path} records a run with other numbers; give another --results, or remove it"
        )
    if record.features != features:  # two checkpoints may share the name of their file
        raise ConfigurationError(
            f"{path} records a run on the features {record.features!r}, not {features!r}; give "
            "another --results, or remove it"
        )
    return record


def run(
    numbers: Mapping[str, Any],
    *,
    data: Path,
    data_set: DataSet,
    features: Features = None,
    bidirectional: Annotated[bool, Option("Read the whole dialogue, as published.")] = False,
    paper: Annotated[bool, Option("Table 2's numbers instead of those dev chose.")] = False,
    runtime: Annotated[bool, Option("The recipe of what ships: more corpora beside MELD.")] = False,
    learned_balance: Annotated[bool, Option("Learn lambda instead of fixing it.")] = False,
    out: Annotated[
        Path | None,
        Option("Folder for dialogue.safetensors, which EmotionRecognizer(dialogue=...) reads."),
    ] = None,
    results: Path,
    cache: Path,
) -> Outcome:
    """Train one dialogue model on given features.

    Dev data choose the epoch and calibrate; test predictions are stored, and scored by
    `empathic evaluate`. Numbers that `train table --tune` chose are used where they are there.
    """
    model = numbers.get("model", "mdget")
    if runtime and (paper or bidirectional or data_set != "meld" or model != "mdget"):
        raise UsageError("--runtime is one recipe: the causal mdget on meld, without --paper")
    features = features or default_features(data_set)
    recipe = replace(BASE[data_set], model=model, causal=not bidirectional)
    if paper:
        recipe = replace(paper_numbers(data_set), modalities=recipe.modalities,
                         causal=recipe.causal, model=model)  # fmt: skip
    elif runtime:
        recipe = runtime_numbers()
    elif tuning_path(data_set, features, results).is_file():
        recipe = tuned(data_set, features, model, not bidirectional, results)
    recipe = replace(recipe, **numbers)
    if learned_balance:
        recipe = replace(recipe, balance=None)
    record = train_dialogue(
        recipe, data_set=data_set, features=features, data=data, results=results, cache=cache,
        out=out,
    )  # fmt: skip
    return outcome(record, results, f"dev {data_set}")


COMMAND = Command(run=run, recipe=DialogueRecipe)
