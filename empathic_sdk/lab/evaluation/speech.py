"""What ``empathic evaluate ravdess`` and ``emodb`` say: the network that ships, and stored runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from empathic_sdk.encoders.speech import SpeechEncoder
from empathic_sdk.errors import ConfigurationError, DataError
from empathic_sdk.lab.corpora.clips import Clips, ravdess_split, read_clips
from empathic_sdk.lab.evaluation.speech_figures import SHARED, across, heard, measure, shared_clips
from empathic_sdk.lab.evaluation.speech_fusion import action_units, fusion
from empathic_sdk.lab.evaluation.spread import summary
from empathic_sdk.lab.records import (
    FOLDERS,
    RunRecord,
    find_records,
    no_runs,
    predictions_of,
    read_rows,
)

Measures = dict[str, Any]
Runs = Sequence[tuple[Path, RunRecord]]
Classes = Sequence[str] | None


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
    encoder = SpeechEncoder(checkpoint)
    name = encoder.about["name"]
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
        gold = np.array([SHARED.index(shared.classes[k]) for k in shared.labels])
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


def _recorded(dataset: str, tag: str, runs: Runs, clips: Clips) -> dict[str, Any]:
    """Return the report of the recorded run in the middle by accuracy."""
    middle, name = _median(tag, runs, clips)
    head = _head(dataset, name, "test", clips)
    return {**head, **middle, "runs": _spread(runs, tag, clips)}


def _median(tag: str, runs: Runs, clips: Clips) -> tuple[Measures, str]:
    """Return figures and name of the run in the middle by accuracy."""
    scored = [
        (measure(clips.labels, stored_predictions(path, tag, clips), clips.classes), record.name)
        for path, record in runs
    ]
    scored.sort(key=lambda pair: (pair[0]["accuracy"], pair[1]))
    return scored[(len(scored) - 1) // 2]


def recorded_runs(
    dataset: str, results: Path, clips: Clips
) -> tuple[str, Mapping[str, np.ndarray]]:
    """Return the name of the run in the middle, and the stored probabilities of all by name."""
    runs = _records(results, f"{dataset}-ped")
    _, middle = _median(dataset, runs, clips)
    return middle, {r.name: stored_predictions(path, dataset, clips) for path, r in runs}


def _records(results: Path, beginning: str) -> list[tuple[Path, RunRecord]]:
    """Return the records of all seeds with their files.

    Raises:
        DataError: There is none.
    """
    found = find_records(results / FOLDERS["speech"], f"{beginning}-seed*.json")
    if not found:
        data_set, model = beginning.split("-")
        making = f"train speech --data-set {data_set} --model {model}"
        raise no_runs(results / FOLDERS["speech"], f"{beginning}-seed*", making)
    return found


def stored_predictions(path: Path, tag: str, clips: Clips) -> np.ndarray:
    """Return the stored probabilities of these very clips by the run recorded in ``path``."""
    rows = {r["id"]: r["p"] for r in read_rows(predictions_of(path)) if r["c"] == tag}
    if set(rows) != set(clips.ids):
        raise DataError(f"{predictions_of(path)} does not hold the test clips of {tag}")
    return np.array([rows[i] for i in clips.ids])


def _spread(
    runs: Runs, tag: str, clips: Clips, gold: np.ndarray | None = None, classes: Classes = None
) -> dict[str, Any]:
    """Return ``runs`` of these stored runs."""
    labels, names = clips.labels if gold is None else gold, classes or clips.classes
    return summary([measure(labels, stored_predictions(p, tag, clips), names) for p, _ in runs])


def _fusion_of(runs: Runs, name: str) -> dict[str, Any]:
    for _, record in runs:
        if record.name == name and record.details.get("fusion"):
            return dict(record.details["fusion"])
    raise DataError(f"no record of {name} holds the numbers of its fusion with action units")


__all__ = ["evaluate_emodb", "evaluate_ravdess", "recorded_runs", "stored_predictions"]
