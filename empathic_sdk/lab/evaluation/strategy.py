"""The support planner on ESConv: its figures beside those of its baselines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.dialogue.planner import Planner
from empathic_sdk.errors import DataError, ModelError
from empathic_sdk.lab.corpora.esconv import SupportTalk, digest, read_esconv
from empathic_sdk.lab.corpora.support_moments import Scene, observed, scene, text_mark
from empathic_sdk.lab.evaluation.dialogue_metrics import paired_bootstrap
from empathic_sdk.lab.evaluation.metrics import classification
from empathic_sdk.lab.evaluation.spread import summary
from empathic_sdk.lab.recipes.strategy import measure
from empathic_sdk.lab.records import FOLDERS, find_records, predictions_of, read_rows
from empathic_sdk.recognition.recognizer import EmotionRecognizer


def evaluate_strategy(
    *,
    data: Path,
    split: str,
    results: Path,
    checkpoint: Path | None = None,
    cache: Path | None = None,
) -> dict[str, Any]:
    """Measure a planner on ESConv beside its baselines; see docs/evaluation.md for the keys."""
    planner = Planner(checkpoint)
    recognizer = EmotionRecognizer()
    if planner.about.get("text_sha256") != text_mark(recognizer):
        raise ModelError(
            f"the planner {planner.about.get('name')!r} was trained with another text encoder than "
            "the one that ships: its vectors mean nothing to it"
        )
    talks = read_esconv(data, split)
    seen = scene(talks, observed(talks, recognizer, cache))
    probabilities = planner.distribution(seen.moments.features)
    report: dict[str, Any] = {
        "dataset": "esconv",
        "model": str(planner.about["name"]),
        "split": split,
        "n": len(seen.talk),
        "causal": True,
        **measure(seen, probabilities),
    }
    gold = seen.moments.strategies
    train = read_esconv(data, "train")
    common = np.bincount([s for t in train for s in t.strategies if s >= 0]).argmax()
    majority = np.full(len(gold), common)
    for key, value in classification(gold, majority).items():
        if key != "uar":
            report[f"majority_{key}"] = value
    report["runs"] = {"n": 0}
    if split == "test":
        report |= _recorded(
            results, talks, seen, probabilities.argmax(1), majority, report["model"]
        )
    return report


def _recorded(
    results: Path,
    talks: Sequence[SupportTalk],
    seen: Scene,
    said: NDArray[np.int64],
    majority: NDArray[np.int64],
    name: str,
) -> dict[str, Any]:
    """Rescore the recorded runs; compare what was measured now with the baselines."""
    gold = seen.moments.strategies
    mark = digest(talks)
    runs: list[dict[str, Any]] = []
    words: list[dict[str, float]] = []
    rival: NDArray[np.int64] | None = None
    for path, record in find_records(results / FOLDERS["strategy"], "strategy-seed*.json"):
        if record.data["test"]["sha256"] != mark:
            raise DataError(f"{path} records a run on other test talks")
        rows = read_rows(predictions_of(path))
        found = measure(seen, np.array([row["probabilities"] for row in rows]))
        runs.append(found)
        alone = np.array([row["text_only"] for row in rows], np.int64)
        words.append({k: v for k, v in classification(gold, alone).items() if k != "uar"})
        if rival is None or record.name == name:
            rival = alone

    extra: dict[str, Any] = {
        "runs": summary(runs),
        "bootstrap_majority": _compare(seen, said, majority),
    }
    if rival is not None:
        for key in words[0]:
            extra[f"text_only_{key}"] = float(np.mean([one[key] for one in words]))
        extra["text_only_runs"] = summary(words)
        extra["bootstrap_text_only"] = _compare(seen, said, rival)
    return extra


def _compare(seen: Scene, one: NDArray[np.int64], other: NDArray[np.int64]) -> dict[str, float]:
    cuts = np.flatnonzero(np.diff(seen.talk)) + 1
    gold, a, b = (np.split(x, cuts) for x in (seen.moments.strategies, one, other))
    return paired_bootstrap(gold, a, b, metric="accuracy")
