"""Metrics, as plain floats in 0-1 (correlations in [-1, 1])."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, f1_score, recall_score

Floats = NDArray[np.floating]
Ints = NDArray[np.integer]


def classification(gold: Ints, predicted: Ints) -> dict[str, float]:
    """Accuracy, weighted and macro F1, and unweighted average recall over the gold classes."""
    return {
        "accuracy": float(accuracy_score(gold, predicted)),
        "weighted_f1": float(f1_score(gold, predicted, average="weighted", zero_division=0)),
        "macro_f1": float(f1_score(gold, predicted, average="macro", zero_division=0)),
        "uar": float(
            recall_score(gold, predicted, average="macro", labels=np.unique(gold), zero_division=0)
        ),
    }


def per_class_f1(gold: Ints, predicted: Ints, names: tuple[str, ...]) -> dict[str, float]:
    """F1 of each class, by name."""
    scores = f1_score(gold, predicted, labels=np.arange(len(names)), average=None, zero_division=0)
    return dict(zip(names, map(float, scores), strict=True))


def expected_calibration_error(probabilities: Floats, gold: Ints, *, bins: int = 15) -> float:
    """Expected calibration error of the top label, equal-width bins (Guo et al. 2017, eq. 3).

    Args:
        probabilities: ``[n, classes]``.
        gold: ``[n]``.
        bins: How many.
    """
    confidence = probabilities.max(1)
    right = probabilities.argmax(1) == gold
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    error = 0.0
    for b in np.unique(bin_of):
        there = bin_of == b
        error += there.mean() * abs(right[there].mean() - confidence[there].mean())
    return float(error)


def labelled(gold: Ints, p: Floats, names: tuple[str, ...]) -> dict[str, Any]:
    """Return every figure of probabilities ``p`` ``[n, classes]`` whose greatest is the answer."""
    return {
        **classification(gold, p.argmax(1)),
        "ece": expected_calibration_error(p, gold),
        "f1": per_class_f1(gold, p.argmax(1), names),
    }


def confusion(gold: Ints, said: Ints, classes: int) -> list[list[int]]:
    """Return how often each class (a row) was answered by each (a column)."""
    counts = np.zeros((classes, classes), int)
    np.add.at(counts, (gold, said), 1)
    return [[int(n) for n in row] for row in counts]


def multi_label(gold: Floats, probabilities: Floats, thresholds: Floats) -> dict[str, float]:
    """Macro and micro F1 of independent yes/no decisions, all arrays ``[n, classes]``."""
    decided = probabilities > np.asarray(thresholds)
    return {
        "macro_f1": float(f1_score(gold, decided, average="macro", zero_division=0)),
        "micro_f1": float(f1_score(gold, decided, average="micro", zero_division=0)),
        "weighted_f1": float(f1_score(gold, decided, average="weighted", zero_division=0)),
        "accuracy": float(accuracy_score(gold, decided)),
    }


def pearson(one: Floats, other: Floats) -> float:
    """Pearson's correlation; 0 where one side does not vary."""
    if one.std() == 0 or other.std() == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])
