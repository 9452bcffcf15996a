"""Recipe ``speech``: train a speech network from nothing on acted clips.

A run writes ``NAME.json`` (what was run, and what dev says) and ``NAME.predictions.jsonl.gz``
(probabilities of every test clip). No test figure is computed here: ``empathic evaluate`` does that
from the stored predictions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

from empathic_sdk.encoders.speech import SpeechEncoder
from empathic_sdk.errors import ConfigurationError
from empathic_sdk.lab.corpora.clips import (
    CLASSES,
    EMODB_CLASSES,
    RAVDESS_CLASSES,
    load_voices,
    ravdess_split,
    read_clips,
    speaker_folds,
)
from empathic_sdk.lab.evaluation.calibrate import fit_temperature
from empathic_sdk.lab.evaluation.speech_figures import across, heard, measure, shared_clips
from empathic_sdk.lab.evaluation.speech_fusion import action_units, fit_fusion
from empathic_sdk.lab.recipes.speech_numbers import SpeechRecipe
from empathic_sdk.lab.records import (
    RunRecord,
    data_entry,
    item_rows,
)
from empathic_sdk.lab.registry import Command, Option, Outcome, UsageError
from empathic_sdk.lab.runs.runner import (
    figures,
    folder,
    record_run,
    save_calibrated,
    temperature_on,
)
from empathic_sdk.lab.training.speech_fit import SpeechModel, Voices, predict, train_speech
from empathic_sdk.lab.training.speech_statistics import (
    SPEEDS,
    choose_second,
    second_opinion,
    statistics_of,
)
from empathic_sdk.lab.training.trainer import save_state
from empathic_sdk.models.speech import StatisticsClassifier
from empathic_sdk.recognition.calibration import probabilities
from empathic_sdk.runtime import checkpoints

CHECKPOINT = "speech.safetensors"


def train_ravdess(
    recipe: SpeechRecipe, *, data: Path, out: Path, results: Path, cache: Path
) -> RunRecord:
    """Train on RAVDESS by actors, let dev choose, store test predictions, record the run.

    Args:
        recipe: Its numbers.
        data: Folder of the corpora.
        out: Folder of the run: ``network.safetensors`` (a run whose network is there is not
            trained again) and ``speech.safetensors``, which ``SpeechEncoder`` reads.
        results: Folder of the run records.
        cache: Folder in which voiced samples and statistics are kept between runs.

    Returns:
        The run record.
    """
    clips = read_clips("ravdess", data)
    voices = Voices(clips, load_voices(clips, cache=cache / "ravdess-voices.npz"))
    parts = {s: ravdess_split(clips, s) for s in ("train", "dev", "test")}
    train, dev = (voices.of(sorted(set(parts[s].speakers))) for s in ("train", "dev"))
    gold = dev.clips.labels
    model, ran = network(recipe, {"ravdess": train}, dev, out)
    by_net = predict(model, dev)
    choice: dict[str, Any] = {"share": 1.0}
    second: StatisticsClassifier | None = None
    if recipe.model == "ped":
        rows = {v: statistics_of(train, v, cache) for v in SPEEDS}
        second, choice = choose_second(rows, train.clips, statistics_of(dev, 1.0, cache), dev.clips,
                                       by_net)  # fmt: skip
    name = f"ravdess-{recipe.model}-seed{recipe.seed}"
    path = out / CHECKPOINT
    tensors, about = checkpoint_of(model, name=name, recipe=recipe, second=second, choice=choice)

    fix = temperature_on(gold, lambda p: heard(SpeechEncoder(p), parts["dev"]))
    calibration = save_calibrated(path, tensors, about, fix, start={"temperature": 1.0})
    encoder = SpeechEncoder(path)
    p_dev, p_test = heard(encoder, parts["dev"]), heard(encoder, parts["test"])
    answers = [("ravdess", parts["test"].ids, p_test)]
    fusion = None
    if (data / "ravdess_action_units.npz").is_file():
        fused, fusion = fit_fusion(
            action_units(data, parts["train"]), parts["train"].labels,
            action_units(data, parts["dev"]), p_dev, gold,
        )  # fmt: skip
        p_fused = fused(action_units(data, parts["test"]), p_test)
        answers.append(("ravdess+action-units", parts["test"].ids, p_fused))
    if (data / "emodb").is_dir():
        other = shared_clips(read_clips("emodb", data))
        answers.append(("emodb", other.ids, across(encoder, other)))
    return record_run(
        results, recipe, _rows(answers), weights=path, recipe="speech", name=name,
        data_set="ravdess", data={s: data_entry(c) for s, c in parts.items()}, run=ran,
        second=choice, fusion=fusion, calibration=calibration,
        dev=measure(gold, p_dev, RAVDESS_CLASSES),
        dev_network_alone=measure(gold, probabilities(by_net), RAVDESS_CLASSES),
    )  # fmt: skip


def train_emodb(
    recipe: SpeechRecipe,
    *,
    data: Path,
    out: Path,
    results: Path,
    cache: Path,
    start: Path | None = None,
) -> RunRecord:
    """Leave two speakers of EMO-DB out at a time, five folds; record all test predictions.

    In each fold a third speaker chooses the epoch, the penalty and share of the second opinion, and
    the temperature.

    Args:
        recipe: Its numbers.
        data: Folder of the corpora.
        out: Folder of the run; a fold that is finished there is not trained again.
        results: Folder of the run records.
        cache: As for :func:`train_ravdess`.
        start: Folder of a RAVDESS run with the same network, whose weights each fold starts from.
    """
    clips = read_clips("emodb", data)
    voices = Voices(clips, load_voices(clips, cache=cache / "emodb-voices.npz"))
    begin = None if start is None else load_file(start / "network.safetensors")
    p = np.zeros((len(clips), len(EMODB_CLASSES)))
    folds = []
    for k, fold in enumerate(speaker_folds(clips.speakers.tolist())):
        train, dev, test = (voices.of(s) for s in (fold.train, fold.dev, fold.test))
        own = replace(recipe, seed=recipe.seed * 100 + k)
        model, ran = network(own, {"emodb": train}, dev, out / f"fold{k}", begin=begin)
        on_dev, on_test = predict(model, dev), predict(model, test)
        choice: dict[str, Any] = {"share": 1.0}
        if recipe.model == "ped":
            rows = {v: statistics_of(train, v, cache) for v in SPEEDS}
            linear, choice = choose_second(
                rows, train.clips, statistics_of(dev, 1.0, cache), dev.clips, on_dev
            )
            on_dev, on_test = (
                choice["share"] * net + (1 - choice["share"]) * second_opinion(linear, v, cache)
                for net, v in ((on_dev, dev), (on_test, test))
            )
        temperature = fit_temperature(on_dev, dev.clips.labels)
        p[np.isin(clips.speakers, fold.test)] = probabilities(on_test, temperature)
        figures = measure(dev.clips.labels, probabilities(on_dev, temperature), EMODB_CLASSES)
        folds.append(
            {
                "train": fold.train, "dev": fold.dev, "test": fold.test, "run": ran,
                "second": choice, "temperature": temperature, "dev_figures": figures,
            }
        )  # fmt: skip
    begun = None if start is None else checkpoints.sha256(start / "network.safetensors")
    return record_run(
        results, recipe, _rows([("emodb", clips.ids, p)]), recipe="speech",
        name=f"emodb-{recipe.model}-seed{recipe.seed}", data_set="emodb", start=begun,
        data={"all": data_entry(clips)}, folds=folds,
    )  # fmt: skip


def _rows(answers: Sequence[tuple[str, Sequence[str], np.ndarray]]) -> Iterator[dict[str, Any]]:
    """Yield what was said of each corpus's clips: their names and probabilities."""
    for corpus, ids, p in answers:
        yield from item_rows(ids, p, 5, c=corpus)


def network(
    recipe: SpeechRecipe,
    train: Mapping[str, Voices],
    dev: Voices,
    out: Path,
    *,
    begin: Mapping[str, Tensor] | None = None,
) -> tuple[SpeechModel, dict[str, Any]]:
    """Train a network, or read the one that this very recipe left in ``out``.

    Raises:
        ConfigurationError: ``out`` holds a network with other numbers.
    """
    path = out / "network.safetensors"
    numbers = json.loads(json.dumps(recipe.as_dict()))
    if path.is_file():
        with safe_open(str(path), "pt") as f:
            about = json.loads(f.metadata()["about"])
        if about["recipe"] != numbers:
            raise ConfigurationError(
                f"{out} holds a run with other numbers; give another --out, or remove it"
            )
        model = SpeechModel(recipe, tuple(train))
        model.load_state_dict(load_file(path))
        return model.eval(), about["run"]
    gold = dev.clips.labels
    model, ran = train_speech(
        recipe, train, dev, lambda logits: float((logits.argmax(1) == gold).mean()), begin=begin
    )
    save_state(model.state_dict(), path, {"recipe": numbers, "run": ran})
    return model, ran


def checkpoint_of(
    model: SpeechModel,
    *,
    name: str,
    recipe: SpeechRecipe,
    second: StatisticsClassifier | None,
    choice: Mapping[str, Any],
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return tensors and description of what :class:`SpeechEncoder` reads."""
    tensors = {k: v for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked")}
    if second is not None:
        tensors |= {f"statistics.{k}": v for k, v in second.state_dict().items()}
    corpus = next(iter(model.heads.heads))
    about = {
        "name": name,
        "kind": recipe.model,
        "front": {"kind": model.front.kind, "bands": recipe.bands},
        "network": {
            "bands": recipe.bands, "channels": list(recipe.channels), "hidden": recipe.hidden,
        },
        "width": model.network.width,
        "head": corpus,
        "classes": {corpus: list(CLASSES[corpus])},
        "share": choice["share"],
        "strength": choice.get("strength"),
    }  # fmt: skip
    return tensors, about


def run(
    numbers: Mapping[str, Any],
    *,
    data: Path,
    data_set: Annotated[str, Option("What to train on.", choices=("ravdess", "emodb"))],
    out: Path | None,
    start: Annotated[
        Path | None,
        Option(
            "emodb: folder of a ravdess run of the same model, whose network each fold starts "
            "from.",
            exists=True,
        ),
    ] = None,
    results: Path,
    cache: Path,
) -> Outcome:
    """Train a speech network on acted clips, from nothing.

    ravdess: by actors; dev actors choose, the test actors' predictions are stored. emodb: two
    speakers are left out at a time, a third one chooses. `empathic evaluate` scores what is stored.
    """
    if start and data_set != "emodb":
        raise UsageError("--start is for --data-set emodb")
    recipe = SpeechRecipe.of(**{"model": "ped", **numbers}, started=start is not None)
    out = folder(f"speech-{data_set}-{recipe.model}-seed{recipe.seed}", out)
    where: dict[str, Any] = {"data": data, "out": out, "results": results, "cache": cache}
    if data_set == "ravdess":
        record = train_ravdess(recipe, **where)
        dev = record.dev
    else:
        record = train_emodb(recipe, **where, start=start)
        folds = [f["dev_figures"] for f in record.details["folds"]]
        dev = {k: sum(f[k] for f in folds) / len(folds) for k, v in folds[0].items()
               if isinstance(v, float)}  # fmt: skip
    return Outcome(record, [figures("dev", dev), f"run: {out}   record: {record.path(results)}"])


COMMAND = Command(run=run, recipe=SpeechRecipe)
