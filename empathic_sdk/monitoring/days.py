"""Statistics and lasting changes of one person's days: level, variability, inertia, distress.

A day's level is compared with the person's own earlier days, never with other people. Changes are
found by the Page-Hinkley test (Page 1954), a one-sided CUSUM around the running mean: it looks at
each day once and is causal, so it warns while a change happens; an offline method (PELT, binary
segmentation) needs the days after the change to place it. ``river`` implements the test; its
parameters below were chosen on simulated trajectories (docs/state.md, docs/LOG.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.errors import InputError, MissingExtraError
from empathic_sdk.types.monitor import (
    WARNED_OF,
    ChangeKind,
    ChangePoint,
    DaySummary,
    MonitorReport,
)

DAYS = 180
"""Number of past days with a turn that are examined."""
BASELINE = 14
"""Days with a turn that form a person's baseline; no change is found before."""
GAP_DAYS = 30
"""After a longer absence, a new baseline is formed."""
FRESH_DAYS = 30
"""Older changes cause no warning."""
QUIET_DAYS = 28
"""Minimum days between two warnings about the same person."""
DELTA = 0.25
"""Tolerated drift, in standard deviations of a day (both tests)."""
LEVEL = 7.0
"""Threshold of the sum beyond the drift for a change of level, in deviations."""
SPREAD = 9.0
"""The same for a change of variability."""

_FAR = 3.0  # a single odd day is not a change
_PAIRS = 5
_TURN_VARIANCE, _DAY_VARIANCE = 0.05, 0.01  # prior variances, worth five days
_PRIOR_DAYS = 5.0

Floats = NDArray[np.float64]


class _Days(NamedTuple):
    """Days as columns.

    Attributes:
        number: int64 ``[n]``, ordinal days.
        turns: float64 ``[n]``.
        level: float64 ``[n]``.
        variance: float64 ``[n]``, within the day.
    """

    number: NDArray[np.int64]
    turns: Floats
    level: Floats
    variance: Floats

    def of(self, start: int, stop: int) -> _Days:
        """Return the days from ``start`` to before ``stop``."""
        here = slice(start, stop)
        return _Days(self.number[here], self.turns[here], self.level[here], self.variance[here])


def report(days: Sequence[DaySummary]) -> MonitorReport:
    """Summarise days and find the changes between them; the warning is left to the caller.

    Args:
        days: In any order; no day twice.

    Raises:
        InputError: A day occurs twice.
        MissingExtraError: There are enough days to look for changes, and ``river`` is missing.
    """
    ordered = sorted(days, key=lambda d: d.day)
    if not ordered:
        return MonitorReport()
    columns = _columns(ordered)
    turns = int(columns.turns.sum())
    distressed = sum(d.distress * d.turns for d in ordered)
    return MonitorReport(
        days=tuple(ordered),
        level=float(columns.level.mean()),
        variability=float(columns.level.std(ddof=1)) if len(ordered) > 1 else None,
        inertia=inertia(columns.number, columns.level),
        distress_share=min(1.0, float(distressed / turns)),
        change_points=tuple(changes(ordered)),
    )


def standing(changes: Sequence[ChangePoint], today: date) -> ChangePoint | None:
    """Return the newest change if it is worth a hint ``today``, else ``None``."""
    last = changes[-1] if changes else None
    if last is None or last.kind not in WARNED_OF:
        return None
    return last if today - last.found <= timedelta(days=FRESH_DAYS) else None


def inertia(number: NDArray[np.int64], level: Floats) -> float | None:
    """Return the lag-1 autocorrelation over neighbouring calendar days.

    The mean product of deviations over the existing pairs ``(t, t + 1)``, over the mean
    squared deviation of all days. ``None`` below five pairs or without any spread.

    Args:
        number: ``[n]`` ordinal days, ascending.
        level: ``[n]``.
    """
    pair = np.flatnonzero(np.diff(number) == 1)
    off = level - level.mean()
    variance = float((off**2).mean())
    if len(pair) < _PAIRS or variance < 1e-12:
        return None
    return float(np.clip((off[pair] * off[pair + 1]).mean() / variance, -1.0, 1.0))


def changes(days: Sequence[DaySummary]) -> list[ChangePoint]:
    """Find lasting changes causally, oldest first.

    After a change, and after an absence of more than ``GAP_DAYS``, the next ``BASELINE`` days form
    a new baseline.

    Raises:
        InputError: A day occurs twice.
        MissingExtraError: ``river`` is missing, and there are more than ``BASELINE`` days.
    """
    columns = _columns(sorted(days, key=lambda d: d.day))
    edges = [0, *(np.flatnonzero(np.diff(columns.number) > GAP_DAYS) + 1), len(columns.number)]
    found: list[ChangePoint] = []
    for start, stop in pairwise(edges):
        place = int(start)
        while stop - place > BASELINE:
            change = _first(columns.of(place, int(stop)))
            if change is None:
                break
            kind, since, at = change
            when = [date.fromordinal(int(columns.number[place + k])) for k in (since, at)]
            found.append(ChangePoint(kind=kind, since=when[0], found=when[1]))
            place += at + 1
    return found


def detector() -> Callable[..., Any]:
    """Return river's Page-Hinkley test. The first call imports it, which takes a second or two.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        from river.drift import PageHinkley
    except ImportError as error:
        raise MissingExtraError("monitor", "Finding changes over days and weeks") from error
    test: Callable[..., Any] = PageHinkley
    return test


def _first(days: _Days) -> tuple[ChangeKind, int, int] | None:
    """Return kind, first day and day of discovery (indices) of the first change, if any."""
    level, spread = _level_scores(days), _spread_scores(days)
    make = detector()

    def test(mode: str, threshold: float) -> Any:
        return make(
            min_instances=BASELINE + 1, delta=DELTA, threshold=threshold, alpha=1.0, mode=mode
        )

    moves, swings = test("both", LEVEL), test("up", SPREAD)
    for at, (x, y) in enumerate(zip(level.tolist(), spread.tolist(), strict=True)):
        moves.update(x)
        swings.update(y)
        if moves.drift_detected:
            # Only a day beyond the running mean can push the sum over the threshold.
            up = x > level[: at + 1].mean()
            kind = ChangeKind.IMPROVEMENT if up else ChangeKind.DECLINE
            return kind, _onset(level[: at + 1]), at
        if swings.drift_detected:
            return ChangeKind.INSTABILITY, _onset(spread[: at + 1]), at
    return None


def _onset(scores: Floats) -> int:
    """Return the most likely index of a change of mean (Gaussian, equal variance)."""
    n = len(scores)
    k = np.arange(1, n)
    off = np.cumsum(scores - scores.mean())[:-1]
    return int((off**2 / (k * (n - k))).argmax()) + 1


def _level_scores(days: _Days) -> Floats:
    """Return the levels in standard deviations of such a day from the baseline's mean.

    A day of two turns is less certain than one of twenty: its variance is that between days plus
    that of a turn divided by their number. Both are estimated on the baseline, with a prior worth
    five days.
    """
    n, x, v = (column[:BASELINE] for column in (days.turns, days.level, days.variance))
    degrees = float((n - 1).sum())
    turn = (_TURN_VARIANCE * _PRIOR_DAYS + float((n * v).sum())) / (_PRIOR_DAYS + degrees)
    between = max(0.0, float(x.var(ddof=1)) - turn * float((1 / n).mean()))
    day = (_DAY_VARIANCE * _PRIOR_DAYS + between * len(x)) / (_PRIOR_DAYS + len(x))
    mean = float((n * x).sum() / n.sum())
    scores = (days.level - mean) / np.sqrt(day + turn / days.turns)
    return np.asarray(np.clip(scores, -_FAR, _FAR), np.float64)


def _spread_scores(days: _Days) -> Floats:
    """Return how far the turns of each day lie from the baseline's mean, standardised on it."""
    n = days.turns[:BASELINE]
    mean = float((n * days.level[:BASELINE]).sum() / n.sum())
    far = np.sqrt(days.variance + (days.level - mean) ** 2)
    usual = far[:BASELINE]
    scale = max(float(usual.std(ddof=1)), 0.05)
    return np.asarray(np.clip((far - usual.mean()) / scale, -_FAR, _FAR), np.float64)


def _columns(days: Sequence[DaySummary]) -> _Days:
    number = np.array([d.day.toordinal() for d in days], np.int64)
    if (np.diff(number) == 0).any():
        raise InputError("a day may be given only once")
    return _Days(
        number,
        np.array([d.turns for d in days], np.float64),
        np.array([d.level for d in days], np.float64),
        np.array([d.variability for d in days], np.float64) ** 2,
    )
