"""What ``empathic evaluate ravdess`` and ``emodb`` say: the network that ships, and stored runs."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from empathic_sdk.encoders.speech import SpeechEncoder
from empathic_sdk.errors import ConfigurationError, DataError
from empathic_sdk.lab.corpora.clips import Clips, ravdess_split, read_clips
from empathic_sdk.lab.evaluation.speech_figures import SHARED, across, heard, measure, shared_clips
from empathic_sdk.lab.evaluation.speech_fusion import action_units, fusion
from empathic_sdk.lab.records import FOLDERS
from empathic_sdk.runtime import checkpoints
from empathic_sdk.runtime.resources import weights_dir

Measures = dict[str, Any]


def evaluate_ravdess(
    *,
    data: Path,
    split: str,
    results: Path,
    checkpoint: Path | None = None,
    model: str = "ped",
    with_action_units: bool = False,
) -> dict[str, Any]:
    """Measure the speech network on RAVDESS's unseen actors; what ``empathic evaluate`` prints.

    Args:
        data: Folder of the corpora.
        split: ``dev`` or ``test``.
        results: Folder of the run records, rescored for ``runs``.
        checkpoint: Speech weights; default: those that ship. The public API reads every clip anew.
        model: ``ped``; or ``lstm``, of which no weights ship: the figures are those of the recorded
            run in the middle.
        with_action_units: Fuse with the action units of the clips' videos (offline features), by
            the numbers that the run's dev actors have fixed.
    """
    clips = ravdess_split(read_clips("ravdess", data), split)
    tag = "ravdess+action-units" if with_action_units else "ravdess"
    runs = _records(results, f"ravdess-{model}")
    if model != "ped":
        if split != "test" or checkpoint:
            raise ConfigurationError("of this model only recorded test predictions are there")
        return _recorded("ravdess", tag, runs, clips)
    path = checkpoint or weights_dir() / "speech.safetensors"
    encoder = SpeechEncoder(path)
    name = checkpoints.load(path)[1]["name"]
    p = heard(encoder, clips)
    if with_action_units:
        train = ravdess_split(read_clips("ravdess", data), "train")
        fused = fusion(action_units(data, train), train.labels, _fusion_of(runs, name))
        p = fused(action_units(data, clips), p)
    return {
        **_head("ravdess", name, split, clips),
        "with": "action-units" if with_action_units else None,
        **measure(clips.labels, p, clips.classes),
        "runs": _spread(runs, tag, clips) if split == "test" else {"n": 0},
    }


def evaluate_emodb(*, data: Path, results: Path, model: str = "ped") -> dict[str, Any]:
    """Rescore the runs that left EMO-DB's speakers out; what ``empathic evaluate`` prints.

    Each fold has a network of its own and none ships: the figures are those of the recorded run
    in the middle by accuracy. ``cross_corpus`` is what the shipped network, which has never heard
    EMO-DB, makes of the six classes that RAVDESS has, too.
    """
    clips = read_clips("emodb", data)
    report = _recorded("emodb", "emodb", _records(results, f"emodb-{model}"), clips)
    if model == "ped":
        shared = shared_clips(clips)
        gold = _shared_labels(shared)
        others = _records(results, "ravdess-ped")
        report["cross_corpus"] = {
            "trained_on": "ravdess",
            "n": len(shared),
            **measure(gold, across(SpeechEncoder(), shared), SHARED),
            "runs": _spread(others, "emodb", shared, gold=gold, classes=SHARED),
        }
    return report


def _head(dataset: str, model: str, split: str, clips: Clips) -> dict[str, Any]:
    """Return the keys that every report begins with.

    Causal: no clip knows another; inside a clip the network looks both ways, once it is over.
    """
    return {"dataset": dataset, "model": model, "split": split, "n": len(clips), "causal": True}


def _recorded(
    dataset: str, tag: str, runs: Sequence[Mapping[str, Any]], clips: Clips
) -> dict[str, Any]:
    middle, record = _median(tag, runs, clips)
    return {
        **_head(dataset, record["name"], "test", clips),
        **middle,
        "runs": _spread(runs, tag, clips),
    }


def _median(
    tag: str, runs: Sequence[Mapping[str, Any]], clips: Clips
) -> tuple[Measures, Mapping[str, Any]]:
    """Return figures and record of the run in the middle by accuracy."""
    scored = [
        (measure(clips.labels, stored_predictions(r, tag, clips), clips.classes), r) for r in runs
    ]
    scored.sort(key=lambda pair: (pair[0]["accuracy"], pair[1]["name"]))
    return scored[(len(scored) - 1) // 2]


def recorded_runs(
    dataset: str, results: Path, clips: Clips
) -> tuple[str, Mapping[str, np.ndarray]]:
    """Return the name of the run in the middle, and the stored probabilities of all by name."""
    runs = _records(results, f"{dataset}-ped")
    _, middle = _median(dataset, runs, clips)
    return str(middle["name"]), {r["name"]: stored_predictions(r, dataset, clips) for r in runs}


def _records(results: Path, beginning: str) -> list[dict[str, Any]]:
    """Return the records of all seeds, each knowing its folder.

    Raises:
        DataError: There is none.
    """
    paths = sorted((results / FOLDERS["speech"]).glob(f"{beginning}-seed*.json"))
    if not paths:
        raise DataError(
            f"there is no record {beginning}-seed*.json in {results / FOLDERS['speech']}"
        )
    return [
        {**json.loads(path.read_text(encoding="utf-8")), "folder": path.parent} for path in paths
    ]


def stored_predictions(record: Mapping[str, Any], tag: str, clips: Clips) -> np.ndarray:
    """Return a run's stored probabilities of these very clips, ``[n, classes]``."""
    path = record["folder"] / f"{record['name']}.predictions.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as f:
        rows = {r["id"]: r["p"] for r in map(json.loads, f) if r["c"] == tag}
    if set(rows) != set(clips.ids):
        raise DataError(f"{path} does not hold the test clips of {tag}")
    return np.array([rows[i] for i in clips.ids])


def _spread(
    runs: Sequence[Mapping[str, Any]],
    tag: str,
    clips: Clips,
    *,
    gold: np.ndarray | None = None,
    classes: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Return ``{n, METRIC: {mean, std}}`` over the stored runs, sample deviation."""
    labels = clips.labels if gold is None else gold
    scored = [
        measure(labels, stored_predictions(r, tag, clips), classes or clips.classes) for r in runs
    ]
    out: dict[str, Any] = {"n": len(scored)}
    for key, value in scored[0].items():
        if isinstance(value, float):
            values = [s[key] for s in scored]
            std = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
            out[key] = {"mean": float(np.mean(values)), "std": std}
    return out


def _fusion_of(runs: Sequence[Mapping[str, Any]], name: str) -> dict[str, Any]:
    for record in runs:
        if record["name"] == name and record["fusion"]:
            return dict(record["fusion"])
    raise DataError(f"no record of {name} holds the numbers of its fusion with action units")


def _shared_labels(clips: Clips) -> np.ndarray:
    return np.array([SHARED.index(clips.classes[k]) for k in clips.labels])


__all__ = ["evaluate_emodb", "evaluate_ravdess", "recorded_runs", "stored_predictions"]
