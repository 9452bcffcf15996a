"""Metrics over dialogues: did a speaker's emotion change, and is one model better than another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.lab.evaluation.spread import difference

Floats = NDArray[np.floating]
Ints = NDArray[np.integer]


def changed(labels: Ints, speakers: Sequence[str]) -> NDArray[np.int8]:
    """Return where a speaker's label differs from their own last one in this dialogue.

    Args:
        labels: ``[n]``, -1 = unlabelled; those are stepped over.
        speakers: ``[n]`` who said it.

    Returns:
        int8 ``[n]``: 1 changed, 0 the same, -1 unlabelled or this speaker's first label.
    """
    out = np.full(len(labels), -1, np.int8)
    last: dict[str, int] = {}
    for i, (label, speaker) in enumerate(zip(labels.tolist(), speakers, strict=True)):
        if label < 0:
            continue
        if speaker in last:
            out[i] = label != last[speaker]
        last[speaker] = label
    return out


def shift_f1(gold: Ints, probability: Floats, threshold: float = 0.5) -> float:
    """F1 of "changed" where ``gold`` (see `changed`) says either; 0 where nothing is changed.

    Args:
        gold: ``[n]`` 1, 0 or -1.
        probability: ``[n]`` that it changed; not looked at where ``gold`` is -1.
        threshold: From this probability on it counts as changed.
    """
    known = gold >= 0
    true = gold[known] == 1
    said = probability[known].astype(np.float64) >= threshold
    total = int(true.sum() + said.sum())
    return 2 * int((true & said).sum()) / total if total else 0.0


def best_threshold(gold: Ints, probability: Floats) -> float:
    """Return the threshold with the best `shift_f1`: to be chosen on dev, never on test.

    The candidates are the middles between neighbouring probabilities, and 0 (all changed). Among
    equals the one nearest to 0.5 wins, then the lower; 0.5 where ``gold`` holds no change.
    """
    known = gold >= 0
    true = gold[known] == 1
    if not true.any():
        return 0.5
    p = probability[known].astype(np.float64)
    values = np.unique(p)
    middle = (values[:-1] + values[1:]) / 2
    # Between neighbouring floats there is no middle: take the upper, as its side is "changed".
    candidates = np.concatenate([[0.0], np.where(middle > values[:-1], middle, values[1:])])
    order = np.argsort(p)
    first = np.searchsorted(p[order], candidates)  # all from here on count as changed
    hits = np.concatenate([np.cumsum(true[order][::-1])[::-1], [0]])[first]
    scores = 2 * hits / (true.sum() + len(p) - first)
    top = candidates[scores == scores.max()]
    return float(top[np.argmin(np.abs(top - 0.5))])


def weighted_f1_from_counts(confusion: NDArray[np.number]) -> NDArray[np.float64]:
    """Weighted F1 of confusion counts.

    Args:
        confusion: ``[..., k, k]``, gold in rows and predicted in columns.

    Returns:
        ``[...]``: the F1 of the classes weighted by how often each is gold; 0 for empty counts.
    """
    support = confusion.sum(-1)
    f1 = 2 * np.diagonal(confusion, axis1=-2, axis2=-1) / np.maximum(support + confusion.sum(-2), 1)
    return np.asarray((support * f1).sum(-1) / np.maximum(support.sum(-1), 1), np.float64)


def _accuracy_from_counts(confusion: NDArray[np.number]) -> NDArray[np.float64]:
    right = np.trace(confusion, axis1=-2, axis2=-1)
    return np.asarray(right / np.maximum(confusion.sum((-2, -1)), 1), np.float64)


def paired_bootstrap(
    gold: Sequence[Ints],
    one: Sequence[Ints],
    other: Sequence[Ints],
    *,
    metric: Literal["weighted_f1", "accuracy"] = "weighted_f1",
    samples: int = 2000,
    seed: int = 0,
) -> dict[str, float]:
    """Compare two models on the same dialogues, drawing whole dialogues with replacement.

    Utterances of one dialogue hang together, so drawing utterances would make the interval too
    narrow.

    Args:
        gold: One array of labels a dialogue; -1 = unlabelled, not counted.
        one: Labels that one model says, in the same shape.
        other: The same of the other.
        metric: What to compare.
        samples: How many draws.
        seed: For the draws.

    Returns:
        ``difference`` one - other over all dialogues; ``low`` and ``high`` the middle 95 % of the
        draws; ``p`` twice the share of draws on the rarer side of 0 (a 0 counts on both), at
        most 1.
    """
    measures = {"weighted_f1": weighted_f1_from_counts, "accuracy": _accuracy_from_counts}
    if metric not in measures:
        raise ConfigurationError(f"no metric is named {metric!r}; there are {', '.join(measures)}")
    sizes = [[len(a) for a in side] for side in (gold, one, other)]
    if not gold or sizes[0] != sizes[1] or sizes[0] != sizes[2]:
        raise ConfigurationError("all three must hold the same dialogues, and at least one")
    label = np.concatenate(gold)
    known = label >= 0
    where = np.repeat(np.arange(len(gold)), sizes[0])[known]
    said = [np.concatenate(side)[known] for side in (one, other)]
    label = label[known]
    k = 1 + int(max((part.max(initial=0) for part in (label, *said)), default=0))
    drawn = np.random.default_rng(seed).multinomial(
        len(gold), np.full(len(gold), 1 / len(gold)), size=samples
    )
    times = np.concatenate([np.ones((1, len(gold)), np.int64), drawn]).astype(np.float64)
    scores = []
    for predicted in said:
        counts = np.zeros((len(gold), k * k))
        np.add.at(counts, (where, label.astype(np.int64) * k + predicted), 1)
        scores.append(measures[metric]((times @ counts).reshape(-1, k, k)))
    return difference(scores[0] - scores[1])  # the first is that of the dialogues as they are
