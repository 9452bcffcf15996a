"""Runs of the recipe ``dialogue``: features, training, dev's choice, the record, stored tests.

A run writes ``NAME.json`` (what was run, and what dev says) and ``NAME.predictions.jsonl.gz``
(calibrated probabilities of every test utterance). No test figure is computed here: that is done
from the stored predictions, by ``empathic evaluate``, once dev has chosen.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors.numpy import load_file, save_file

from empathic_sdk.encoders.text import TextEncoder
from empathic_sdk.errors import ConfigurationError, DataError, ModelError
from empathic_sdk.lab.corpora.dialogues import DialogueSet, further_dialogues, read_dialogues
from empathic_sdk.lab.evaluation.calibrate import fit_abstention, fit_platt, fit_temperature
from empathic_sdk.lab.evaluation.dialogue_metrics import best_threshold, changed, shift_f1
from empathic_sdk.lab.evaluation.metrics import (
    classification,
    expected_calibration_error,
    per_class_f1,
)
from empathic_sdk.lab.recipes.dialogue import DialogueRecipe, Statistics, example, with_text
from empathic_sdk.lab.runs.text import find_minilm
from empathic_sdk.lab.training.dialogue_loop import Prediction, Score, fit, predict
from empathic_sdk.models.mdget import MDGET, MDGETConfig
from empathic_sdk.recognition.calibration import Calibration, probabilities
from empathic_sdk.runtime import checkpoints

DATA_SETS = ("meld", "iemocap", "mosi")
FEATURES = ("minilm", "shipped", "given")
FOLDER = "dialogue"
CHECKPOINT = "dialogue.safetensors"


class Scored(NamedTuple):
    """Predictions as they are stored and measured, one entry a dialogue.

    Attributes:
        probabilities: float ``[n, classes]``, calibrated.
        shift: float ``[n]``, NaN where there is none.
    """

    probabilities: list[np.ndarray]
    shift: list[np.ndarray]


def headline(data_set: str) -> str:
    """Return the metric that chooses: accuracy for CMU-MOSI's two classes, else weighted F1."""
    return "accuracy" if data_set == "mosi" else "weighted_f1"


def load(data_set: str, split: str, *, data: Path, features: str, cache: Path) -> DialogueSet:
    """Read a split with its text features.

    Args:
        data_set: ``meld``, ``iemocap`` or ``mosi``.
        split: ``train``, ``dev`` or ``test``.
        data: Folder of the corpora.
        features: ``minilm`` (all-MiniLM-L6-v2 as its authors left it), ``shipped`` (the encoder
            of this package), ``given`` (the corpus's own), or a checkpoint of ``train text``;
            several joined by ``+`` stand side by side.
        cache: Folder in which vectors are kept between runs.
    """
    items = read_dialogues(data_set, data, split)
    if features == "given":
        if "text" not in items.dialogues[0].features:
            raise ConfigurationError(f"{data_set} brings no text features; name an encoder")
        return items
    if "text" in items.dialogues[0].features:
        raise ConfigurationError(f"{data_set} brings its own features; give --features given")
    return with_vectors(items, features, cache)


def with_vectors(items: DialogueSet, features: str, cache: Path) -> DialogueSet:
    """Return dialogues with the text vectors of these encoders (see :func:`load`)."""
    parts = [_vectors(items, kind, cache) for kind in features.split("+")]
    return with_text(items, np.concatenate(parts, axis=1))


def load_checkpoint(path: Path) -> tuple[MDGET, dict[str, Any]]:
    """Read a dialogue checkpoint: the network in eval mode, and its description.

    Raises:
        ModelError: It holds something else.
    """
    tensors, about = checkpoints.load(path)
    try:
        network = MDGET(MDGETConfig.from_dict(about["configuration"]))
        network.load_state_dict(tensors)
    except (KeyError, ConfigurationError, RuntimeError) as error:
        raise ModelError(f"{path} holds no dialogue model that fits: {error}") from error
    return network.eval(), about


def _vectors(items: DialogueSet, kind: str, cache: Path) -> np.ndarray:
    """Return one encoder's vectors of all utterances ``[n, width]``, from the cache if there."""
    model = _encoder(kind)
    texts = [t for d in items.dialogues for t in d.texts]
    digest = hashlib.sha256(json.dumps([kind, mark(model), texts]).encode()).hexdigest()
    path = cache / f"{items.corpus}-{items.split}-{digest[:16]}.safetensors"
    if not path.is_file():
        vectors = TextEncoder(model).encode(texts)
        cache.mkdir(parents=True, exist_ok=True)
        # Two processes may come here for the same texts: each writes a file of its own.
        part = path.with_suffix(f".{os.getpid()}.part")
        save_file({"text": vectors}, part)
        part.replace(path)
    return load_file(path)["text"]


def _encoder(features: str) -> Path | None:
    """Return where the encoder of this name is; ``None`` is the one that ships."""
    if features == "shipped":
        return None
    if features == "minilm":
        return find_minilm(None)
    path = Path(features)
    if not path.is_file() and not (path / "model.safetensors").is_file():
        raise ConfigurationError(
            f"no text features are named {features!r}: give one of {', '.join(FEATURES)}, or a "
            "checkpoint of `train text`"
        )
    return path


def mark(model: Path | None) -> str:
    """Tell checkpoints of one name apart."""
    if model is None:
        from empathic_sdk.runtime.resources import weights_dir

        model = weights_dir() / "text.safetensors"
    if model.is_dir():
        model = model / "model.safetensors"
    return checkpoints.sha256(model)


def record_head(
    data_set: str,
    features: str,
    recipe: DialogueRecipe,
    splits: Sequence[DialogueSet],
    beside: Sequence[DialogueSet],
) -> dict[str, Any]:
    """Return what the record of a run says before anything was measured."""
    return {
        "recipe": "dialogue",
        "name": run_name(data_set, features, recipe),
        "configuration_name": configuration_name(data_set, features, recipe),
        "data_set": data_set,
        "features": features,
        "configuration": recipe.as_dict(),
        "data": {
            s.split: {"dialogues": len(s.dialogues), "n": len(s), "sha256": s.digest()}
            for s in splits
        },
        "beside": {b.corpus: {"dialogues": len(b.dialogues), "n": len(b), "sha256": b.digest()}
                   for b in beside},
        "environment": {"python": platform.python_version(), "torch": torch.__version__,
                        "processor": platform.machine(), "threads": torch.get_num_threads()},
    }  # fmt: skip


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


def train_dialogue(
    recipe: DialogueRecipe,
    *,
    data_set: str,
    features: str,
    data: Path,
    results: Path,
    cache: Path,
    out: Path | None = None,
) -> dict[str, Any]:
    """Train one run, let dev choose and calibrate, store the test predictions unseen.

    Args:
        recipe: Its numbers.
        data_set: ``meld``, ``iemocap`` or ``mosi``.
        features: See :func:`load`.
        data: Folder of the corpora.
        results: Folder of the run records.
        cache: Folder in which vectors are kept between runs.
        out: Folder for ``dialogue.safetensors``, which :class:`EmotionRecognizer` reads; every
            figure is then that of this file as it is read again. MDGET on one text encoder only.

    Returns:
        The run record; a finished one of the same configuration (and of the checkpoint in ``out``,
        if that is asked for) is returned as it is.
    """
    name = run_name(data_set, features, recipe)
    folder = results / FOLDER
    known = finished(folder, name, recipe, features)
    if known is not None and (out is None or _recorded(known, out / CHECKPOINT)):
        return known
    if out is not None and (recipe.model != "mdget" or features == "given" or "+" in features):
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
    about: dict[str, Any] = {}
    if out is not None:
        assert isinstance(network, MDGET)
        statistics.fold(network)
        statistics = Statistics()
        about = {
            "name": name,
            "configuration": network.config.as_dict(),
            "classes": list(dev.classes),
            "text_sha256": mark(_encoder(features)),
            "calibration": Calibration().model_dump(),
        }
        checkpoints.save(out / CHECKPOINT, network.state_dict(), about)
        network, _ = load_checkpoint(out / CHECKPOINT)
    on_dev = predict(network, [example(d, statistics) for d in dev.dialogues])
    calibration = calibrate(dev, on_dev)
    if out is not None:
        tensors, _ = checkpoints.load(out / CHECKPOINT)
        about["calibration"] = calibration.model_dump()
        checkpoints.save(out / CHECKPOINT, tensors, about)
    stored = scored(predict(network, [example(d, statistics) for d in test.dialogues]), calibration)
    record = record_head(data_set, features, recipe, (train, dev, test), beside) | {
        "run": ran,
        "calibration": calibration.model_dump(),
        "dev": measure(dev, scored(on_dev, calibration), calibration),
    }  # fmt: skip
    if out is not None:
        path = out / CHECKPOINT
        record["checkpoint"] = {
            "bytes": path.stat().st_size,
            "sha256": mark(path),
            "text_sha256": about["text_sha256"],
        }
    write_predictions(folder / f"{name}.predictions.jsonl.gz", test, stored)
    write_json(folder / f"{name}.json", record)
    return record


def _recorded(record: Mapping[str, Any], path: Path) -> bool:
    """Tell whether the checkpoint at ``path`` is the one of this record."""
    return path.is_file() and record.get("checkpoint", {}).get("sha256") == mark(path)


def finished(
    folder: Path, name: str, recipe: DialogueRecipe, features: str
) -> dict[str, Any] | None:
    """Return the record of a run that is there already."""
    path = folder / f"{name}.json"
    if not path.is_file() or not (folder / f"{name}.predictions.jsonl.gz").is_file():
        return None
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    # A record from before a number existed was run with what is its default now.
    recorded = {**DialogueRecipe().as_dict(), **record["configuration"]}
    if json.loads(json.dumps(recorded)) != json.loads(json.dumps(recipe.as_dict())):
        raise ConfigurationError(
            f"{path} records a run with other numbers; give another --results, or remove it"
        )
    if record["features"] != features:  # two checkpoints may share the name of their file
        raise ConfigurationError(
            f"{path} records a run on the features {record['features']!r}, not {features!r}; give "
            "another --results, or remove it"
        )
    return record


def dev_score(dev: DialogueSet) -> Score:
    """Return the function that chooses between epochs."""
    gold = np.concatenate([d.labels for d in dev.dialogues])
    key = headline(dev.corpus)

    def score(predictions: Sequence[Prediction]) -> dict[str, float]:
        logits = np.concatenate([p.logits for p in predictions])
        known = gold >= 0
        figures = classification(gold[known], logits[known].argmax(1))
        return {key: figures[key], "objective": figures[key]}

    return score


def calibrate(dev: DialogueSet, predictions: Sequence[Prediction]) -> Calibration:
    """Fix on dev: temperature, abstention, and what the transfer module's answer means."""
    gold = np.concatenate([d.labels for d in dev.dialogues])
    logits = np.concatenate([p.logits for p in predictions])
    known = gold >= 0
    truth = np.concatenate([changed(d.labels, d.speakers) for d in dev.dialogues])
    shift = np.concatenate([p.shift for p in predictions])
    there = (truth >= 0) & ~np.isnan(shift)
    temperature = fit_temperature(logits[known], gold[known])
    p = probabilities(logits[known], temperature)
    out = Calibration(temperature=temperature, threshold=fit_abstention(p, gold[known]))
    if not there.any():
        return out
    scale, bias = fit_platt(shift[there], truth[there])
    out = out.model_copy(update={"shift_scale": scale, "shift_bias": bias})
    called = np.array([out.shift(float(x)) for x in shift[there]])
    return out.model_copy(update={"shift_threshold": best_threshold(truth[there], called)})


def scored(predictions: Sequence[Prediction], calibration: Calibration) -> Scored:
    """Return predictions as they are stored."""

    def shift(raw: np.ndarray) -> np.ndarray:
        return np.array([x if np.isnan(x) else calibration.shift(float(x)) for x in raw], float)

    return Scored(
        [probabilities(p.logits, calibration.temperature) for p in predictions],
        [shift(p.shift) for p in predictions],
    )


def measure(
    gold: DialogueSet, found: Scored, calibration: Calibration
) -> dict[str, float | dict[str, float]]:
    """Return all metrics of one run on one split.

    ``shift_f1`` is that of the transfer module (absent without one), ``shift_f1_labels`` that of
    comparing the predicted labels of the two utterances.
    """
    labels = np.concatenate([d.labels for d in gold.dialogues])
    p = np.concatenate(found.probabilities)
    known = labels >= 0
    labels, p = labels[known], p[known]
    out: dict[str, float | dict[str, float]] = {
        **classification(labels, p.argmax(1)),
        "ece": expected_calibration_error(p, labels),
        "f1": per_class_f1(labels, p.argmax(1), gold.classes),
    }
    if gold.corpus == "mosi":  # one speaker, and a sentence's sentiment is no state to shift
        return out
    truth = np.concatenate([changed(d.labels, d.speakers) for d in gold.dialogues])
    compared = np.concatenate(
        [
            changed(q.argmax(1), d.speakers)
            for d, q in zip(gold.dialogues, found.probabilities, strict=True)
        ]
    )
    out["shift_f1_labels"] = shift_f1(truth, compared.astype(float))
    shift = np.concatenate(found.shift)
    there = (truth >= 0) & ~np.isnan(shift)
    if there.any():
        out["shift_f1"] = shift_f1(truth[there], shift[there], calibration.shift_threshold)
    return out


def write_predictions(path: Path, gold: DialogueSet, found: Scored) -> None:
    """Store one line a dialogue: its id, probabilities and shifts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with gzip.GzipFile(part, "wb", mtime=0) as f:
        for d, p, s in zip(gold.dialogues, found.probabilities, found.shift, strict=True):
            row = {"id": d.id, "p": np.round(p, 4).tolist(),
                   "s": [None if np.isnan(x) else round(float(x), 4) for x in s]}  # fmt: skip
            f.write(json.dumps(row).encode() + b"\n")
    part.replace(path)


def read_predictions(path: Path, gold: DialogueSet) -> Scored:
    """Read what :func:`write_predictions` stored.

    Raises:
        DataError: They are not those of these dialogues.
    """
    with gzip.open(path, "rt", encoding="utf-8") as f:
        rows = [json.loads(line) for line in f]
    if [(r["id"], len(r["p"])) for r in rows] != [(d.id, len(d)) for d in gold.dialogues]:
        raise DataError(f"{path} does not hold the test dialogues of {gold.corpus}")
    return Scored(
        [np.array(r["p"], float).reshape(len(r["p"]), -1) for r in rows],
        [np.array([np.nan if x is None else x for x in r["s"]], float) for r in rows],
    )


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    """Write a record in one atomic step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    part.replace(path)
