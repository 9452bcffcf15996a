"""Runs of the recipe ``speech``: training, dev's choice, the record, stored test predictions.

A run writes ``NAME.json`` (what was run, and what dev says) and ``NAME.predictions.jsonl.gz``
(probabilities of every test clip). No test figure is computed here: ``empathic evaluate`` does that
from the stored predictions.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from empathic_sdk.encoders.speech import SpeechEncoder
from empathic_sdk.errors import ConfigurationError
from empathic_sdk.lab.corpora.clips import (
    EMODB_CLASSES,
    RAVDESS_CLASSES,
    Clips,
    load_voices,
    ravdess_split,
    read_clips,
    speaker_folds,
)
from empathic_sdk.lab.evaluation.calibrate import fit_temperature
from empathic_sdk.lab.evaluation.metrics import (
    classification,
    expected_calibration_error,
    per_class_f1,
)
from empathic_sdk.lab.evaluation.speech_fusion import action_units, fit_fusion
from empathic_sdk.lab.recipes.speech import SpeechModel, SpeechRecipe, Voices, predict, train_speech
from empathic_sdk.lab.training.speech_statistics import SPEEDS, fit_statistics, rows_of
from empathic_sdk.models.speech import StatisticsClassifier
from empathic_sdk.recognition.calibration import probabilities
from empathic_sdk.runtime import checkpoints

FOLDER = "speech"
CHECKPOINT = "speech.safetensors"
SHARED = tuple(c for c in EMODB_CLASSES if c in RAVDESS_CLASSES)
"""Classes that both corpora have: what is scored across corpora."""

_STRENGTHS = (0.003, 0.01, 0.03, 0.1)
_SHARES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


def train_ravdess(
    recipe: SpeechRecipe, *, data: Path, out: Path, results: Path, cache: Path
) -> dict[str, Any]:
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
    write_checkpoint(path, model, name=name, recipe=recipe, second=second, choice=choice)
    p_dev = heard(SpeechEncoder(path), parts["dev"])
    temperature = fit_temperature(np.log(p_dev), gold)
    write_checkpoint(path, model, name=name, recipe=recipe, second=second, choice=choice,
                     temperature=temperature)  # fmt: skip
    encoder = SpeechEncoder(path)
    p_dev, p_test = heard(encoder, parts["dev"]), heard(encoder, parts["test"])
    rows_out = [("ravdess", parts["test"].ids, p_test)]
    fusion = None
    if (data / "ravdess_action_units.npz").is_file():
        fused, fusion = fit_fusion(
            action_units(data, parts["train"]), parts["train"].labels,
            action_units(data, parts["dev"]), p_dev, gold,
        )  # fmt: skip
        rows_out.append(
            (
                "ravdess+action-units",
                parts["test"].ids,
                fused(action_units(data, parts["test"]), p_test),
            )
        )
    if (data / "emodb").is_dir():
        other = shared_clips(read_clips("emodb", data))
        rows_out.append(("emodb", other.ids, across(encoder, other)))
    record = {
        "recipe": "speech",
        "name": name,
        "data_set": "ravdess",
        "configuration": recipe.as_dict(),
        "data": {s: {"n": len(c), "sha256": c.digest()} for s, c in parts.items()},
        "run": ran,
        "second": choice,
        "fusion": fusion,
        "calibration": {"temperature": temperature},
        "dev": measure(gold, p_dev, RAVDESS_CLASSES),
        "dev_network_alone": measure(gold, probabilities(by_net), RAVDESS_CLASSES),
        "checkpoint": {"bytes": path.stat().st_size, "sha256": checkpoints.sha256(path)},
        "environment": environment(),
    }
    write_run(results / FOLDER, record, rows_out)
    return record


def train_emodb(
    recipe: SpeechRecipe,
    *,
    data: Path,
    out: Path,
    results: Path,
    cache: Path,
    start: Path | None = None,
) -> dict[str, Any]:
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
                choice["share"] * net + (1 - choice["share"]) * _second(linear, v, cache)
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
    record = {
        "recipe": "speech",
        "name": f"emodb-{recipe.model}-seed{recipe.seed}",
        "data_set": "emodb",
        "configuration": recipe.as_dict(),
        "start": None if start is None else checkpoints.sha256(start / "network.safetensors"),
        "data": {"all": {"n": len(clips), "sha256": clips.digest()}},
        "folds": folds,
        "environment": environment(),
    }
    write_run(results / FOLDER, record, [("emodb", clips.ids, p)])
    return record


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
    out.mkdir(parents=True, exist_ok=True)
    tensors = {k: v.contiguous() for k, v in model.state_dict().items()}
    save_file(tensors, path, {"about": json.dumps({"recipe": numbers, "run": ran})})
    return model, ran


def choose_second(
    rows: Mapping[float, np.ndarray],
    train: Clips,
    dev_rows: np.ndarray,
    dev: Clips,
    by_net: np.ndarray,
) -> tuple[StatisticsClassifier, dict[str, Any]]:
    """Fix penalty and share of the second opinion: the least log-loss on dev, once calibrated."""
    tried = []
    for strength in _STRENGTHS:
        linear = fit_statistics(rows, train.labels, classes=len(train.classes), strength=strength)
        with torch.inference_mode():
            logits = linear(torch.from_numpy(dev_rows)).numpy()
        for share in _SHARES:
            both = share * by_net + (1 - share) * logits
            p = probabilities(both, fit_temperature(both, dev.labels))
            loss = -float(np.log(p[np.arange(len(p)), dev.labels]).mean())
            tried.append((loss, strength, share, linear, logits))
    loss, strength, share, linear, logits = min(tried, key=lambda t: t[0])
    return linear, {
        "strength": strength,
        "share": share,
        "dev_log_loss": loss,
        "dev_alone": float((logits.argmax(1) == dev.labels).mean()),
    }


def heard(encoder: SpeechEncoder, clips: Clips) -> np.ndarray:
    """Return what the public API says, ``[n, classes]``; all alike where it hears nobody."""
    said = [encoder.class_probabilities([path])[0] for path in clips.paths]
    even = np.full(len(encoder.classes), 1 / len(encoder.classes))
    return np.stack([even if p is None else p for p in said])


def shared_clips(emodb: Clips) -> Clips:
    """Return the clips of EMO-DB whose class RAVDESS has, too."""
    return emodb.only(np.isin(emodb.labels, [EMODB_CLASSES.index(c) for c in SHARED]))


def across(encoder: SpeechEncoder, clips: Clips) -> np.ndarray:
    """Return probabilities ``[n, len(SHARED)]`` by an encoder that was trained on RAVDESS.

    Calm counts as neutral; surprise, which EMO-DB has not, is left out and the rest scaled up.
    """
    p = heard(encoder, clips)
    named = {c: p[:, i].copy() for i, c in enumerate(encoder.classes)}
    named["neutral"] = named["neutral"] + named.get("calm", 0.0)
    kept = np.stack([named[c] for c in SHARED], 1)
    return np.asarray(kept / kept.sum(1, keepdims=True))


def measure(gold: np.ndarray, p: np.ndarray, classes: Sequence[str]) -> dict[str, Any]:
    """Return accuracy, UAR, macro and weighted F1, calibration error, F1 a class, confusion."""
    said = p.argmax(1)
    confusion = np.zeros((len(classes), len(classes)), int)
    np.add.at(confusion, (gold, said), 1)
    return {
        **classification(gold, said),
        "ece": expected_calibration_error(p, gold),
        "f1": per_class_f1(gold, said, tuple(classes)),
        "confusion": dict(zip(classes, confusion.tolist(), strict=True)),
    }


def statistics_of(voices: Voices, speed: float, cache: Path) -> np.ndarray:
    """Return the statistics of voices at a speed, kept in ``cache`` clip by clip."""
    name = hashlib.sha256("\n".join(voices.clips.ids).encode()).hexdigest()[:12]
    path = cache / f"{voices.clips.corpus}-statistics-{speed:.2f}-{name}.npy"
    if path.is_file():
        return np.asarray(np.load(path, allow_pickle=False))
    rows = rows_of(voices.samples, speed)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, rows)
    return rows


def write_checkpoint(
    path: Path,
    model: SpeechModel,
    *,
    name: str,
    recipe: SpeechRecipe,
    second: StatisticsClassifier | None,
    choice: Mapping[str, Any],
    temperature: float = 1.0,
) -> None:
    """Write what :class:`SpeechEncoder` reads."""
    tensors = {k: v for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked")}
    if second is not None:
        tensors |= {f"statistics.{k}": v for k, v in second.state_dict().items()}
    corpus = next(iter(model.heads.heads))
    checkpoints.save(
        path,
        tensors,
        {
            "name": name,
            "kind": recipe.model,
            "front": {"kind": model.front.kind, "bands": recipe.bands},
            "network": {
                "bands": recipe.bands, "channels": list(recipe.channels), "hidden": recipe.hidden,
            },
            "width": model.network.width,
            "head": corpus,
            "classes": {corpus: list(RAVDESS_CLASSES if corpus == "ravdess" else EMODB_CLASSES)},
            "share": choice["share"],
            "strength": choice.get("strength"),
            "calibration": {"temperature": temperature},
        },
    )  # fmt: skip


def write_run(
    folder: Path,
    record: Mapping[str, Any],
    rows: Iterable[tuple[str, Sequence[str], np.ndarray]],
) -> None:
    """Write record and predictions, each in one step."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        json.dumps({"c": corpus, "id": i, "p": [round(float(v), 5) for v in row]})
        for corpus, ids, p in rows
        for i, row in zip(ids, p, strict=True)
    ]
    with gzip.GzipFile(folder / f"{record['name']}.predictions.jsonl.gz", "wb", mtime=0) as f:
        f.write("\n".join(lines).encode() + b"\n")
    part = folder / f"{record['name']}.json.part"
    part.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    part.replace(folder / f"{record['name']}.json")


def environment() -> dict[str, Any]:
    """Return what a run was computed with."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "processor": platform.machine(),
        "threads": torch.get_num_threads(),
    }


def _second(linear: StatisticsClassifier, voices: Voices, cache: Path) -> np.ndarray:
    with torch.inference_mode():
        rows = torch.from_numpy(statistics_of(voices, 1.0, cache))
        return np.asarray(linear(rows).numpy())
