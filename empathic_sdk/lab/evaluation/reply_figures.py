"""Figures of replies from their rows, with intervals that draw whole talks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from empathic_sdk.lab.evaluation.empathy import KINDS
from empathic_sdk.lab.evaluation.spread import difference, interval
from empathic_sdk.types import SafetyLevel, Strategy

CONDITIONS = ("on", "off", "human")
SAMPLES = 2000
_UNPLEASANT = frozenset({"sadness", "anger", "fear", "disgust"})
# The stage that a strategy belongs to (Liu et al. 2021, Figure 3); `others` belongs to none.
STAGES = {
    Strategy.QUESTION: "exploration",
    Strategy.RESTATEMENT: "exploration",
    Strategy.REFLECTION: "comforting",
    Strategy.SELF_DISCLOSURE: "comforting",
    Strategy.AFFIRMATION: "comforting",
    Strategy.SUGGESTIONS: "action",
    Strategy.INFORMATION: "action",
    Strategy.OTHERS: "others",
}

ReplyRow = Mapping[str, Any]
Part = tuple[float, float]
Floats = NDArray[np.float64]
_NONE: Part = (0.0, 0.0)


def _planned(test: Callable[[str, Sequence[str]], bool]) -> Callable[[ReplyRow], Part]:
    def part(row: ReplyRow) -> Part:
        if not row["gold"] or "strategy" not in row:
            return _NONE
        return float(test(row["strategy"], row["gold"])), 1.0

    return part


def _share(key: str, reference: int) -> Callable[[ReplyRow], Part]:
    return lambda row: (float(row[key]), 1.0) if row["reference"] == reference else _NONE


def _distinct(n: int) -> Callable[[ReplyRow], Part]:
    return lambda row: (row["talk_distinct"][n - 1], 1.0) if "talk_distinct" in row else _NONE


def _level(k: int) -> Callable[[ReplyRow], Part]:
    return lambda row: (row["levels"][k], 1.0)


# Of each row a numerator and a denominator: a figure is the sum of the one over that of the other.
MEASURES: Mapping[str, Callable[[ReplyRow], Part]] = {
    "strategy_match": _planned(lambda said, gold: said == gold[0]),
    "strategy_match_any": _planned(lambda said, gold: said in gold),
    "stage_match": _planned(lambda said, gold: STAGES[Strategy(said)] == STAGES[Strategy(gold[0])]),
    **{kind: _level(k) for k, kind in enumerate(KINDS)},
    "empathy": lambda row: (sum(row["levels"]), 1.0),
    "words": lambda row: (row["words"], 1.0),
    "sentences": lambda row: (row["sentences"], 1.0),
    "repeated": lambda row: (row["repeated"], row["sentences"]),
    "talk_distinct_1": _distinct(1),
    "talk_distinct_2": _distinct(2),
    "celebrates_unpleasant": _share("celebrates", -1),
    "consoles_pleasant": _share("consoles", 1),
    "celebrates_pleasant": _share("celebrates", 1),
    "consoles_unpleasant": _share("consoles", -1),
}
"""What is measured; docs/evaluation.md says what each is."""

PACE: Mapping[str, tuple[str, str, bool]] = {
    "pace_intensity": ("words_per_minute", "intensity", False),
    "pace_arousal": ("words_per_minute", "arousal", False),
    "pace_intensity_when_unpleasant": ("words_per_minute", "intensity", True),
    "sentences_intensity": ("sentences", "intensity", False),
    "sentences_arousal": ("sentences", "arousal", False),
}
"""Rank correlations: of what, with what, and whether only where an unpleasant emotion was read."""


def compare(rows: Sequence[ReplyRow]) -> dict[str, Any]:
    """Return the figures of each condition, and how far on is ahead of off.

    Args:
        rows: Of one corpus, all conditions; those of *on* and *off* are of the same moments.

    Returns:
        ``talks n on off human difference``. A figure is ``{value low high}``, a difference
        ``{difference low high p}``: the middle 95 % of :data:`SAMPLES` draws of whole talks, the
        same draws for all; ``p`` is twice the share on the rarer side of 0.
    """
    talks = {name: i for i, name in enumerate(dict.fromkeys(row["talk"] for row in rows))}
    n = len(talks)
    drawn = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), size=SAMPLES)
    times = np.concatenate([np.ones((1, n), np.int64), drawn]).astype(np.float64)
    found: dict[str, dict[str, Floats]] = {}
    for who in CONDITIONS:
        own = [row for row in rows if row["who"] == who]
        where = np.array([talks[row["talk"]] for row in own], np.int64)
        found[who] = {}
        for name, part in MEASURES.items():
            sums = np.zeros((n, 2))
            np.add.at(sums, where, np.array([part(row) for row in own]).reshape(-1, 2))
            if sums[:, 1].any():
                top, below = (times @ sums).T
                found[who][name] = np.divide(top, below, out=np.zeros_like(top), where=below > 0)
        if who != "human":
            for name, (of, by, unpleasant) in PACE.items():
                kept = [
                    (i, row)
                    for i, row in zip(where, own, strict=True)
                    if row["safety"] == SafetyLevel.NONE
                    and (not unpleasant or row["label"] in _UNPLEASANT)
                ]
                if len(kept) > 2:
                    x, y = (np.array([row[key] for _, row in kept], float) for key in (of, by))
                    at = np.array([i for i, _ in kept])
                    found[who][name] = rank_correlation(x, y, at, times)
    out: dict[str, Any] = {"talks": n, "n": sum(row["who"] == "on" for row in rows)}
    for who in CONDITIONS:
        out[who] = {
            name: {"value": float(x[0]), **interval(x[1:])} for name, x in found[who].items()
        }
    on, off = found["on"], found["off"]
    return out | {"difference": {name: difference(on[name] - off[name]) for name in on}}


def rank_correlation(x: Floats, y: Floats, at: NDArray[np.int64], times: Floats) -> Floats:
    """Spearman's correlation under weights of groups; 0 where one side never varies.

    Args:
        x: ``[n]``.
        y: ``[n]``.
        at: ``[n]`` group of each.
        times: ``[draws, groups]`` how often a group counts.

    Returns:
        ``[draws]``. The ranks are those of the whole sample in every draw.
    """
    a, b = (rankdata(v) / len(v) - 0.5 for v in (x, y))
    sums = np.zeros((times.shape[1], 6))
    np.add.at(sums, at, np.stack([np.ones(len(a)), a, b, a * a, b * b, a * b], 1))
    n, sa, sb, saa, sbb, sab = (times @ sums).T
    n = np.maximum(n, 1)
    spread_ = (saa / n - (sa / n) ** 2) * (sbb / n - (sb / n) ** 2)
    ok = spread_ > 1e-12
    return np.where(ok, (sab / n - sa * sb / n**2) / np.sqrt(np.where(ok, spread_, 1)), 0.0)


def majority(rows: Sequence[ReplyRow]) -> dict[str, Any]:
    """Return what always planning one strategy would match: the one that matches most here."""
    gold = [row["gold"] for row in rows if row["who"] == "on" and row["gold"]]
    if not gold:
        return {}
    name = Counter(first for first, *_ in gold).most_common(1)[0][0]
    stage = STAGES[Strategy(name)]
    return {
        "strategy": name,
        "strategy_match": float(np.mean([g[0] == name for g in gold])),
        "strategy_match_any": float(np.mean([name in g for g in gold])),
        "stage_match": float(np.mean([STAGES[Strategy(g[0])] == stage for g in gold])),
    }
