"""Days and weeks of one person: level, variability, inertia, distress, and lasting changes.

A day's level is compared with the person's own earlier days, never with other people. Changes are
found by the Page-Hinkley test (Page 1954), a one-sided CUSUM around the running mean: it looks at
each day once, knows nothing of the days to come, and so warns while a change happens; an offline
method (PELT, binary segmentation) needs the days after the change to place it. ``river`` keeps the
test; its numbers below were fixed on simulated courses (docs/state.md, docs/LOG.md).
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
"""How far back is looked, in days with a turn."""
BASELINE = 14
"""Days with a turn that say what is usual for somebody; before them nothing can be found."""
GAP_DAYS = 30
"""Somebody away for longer is compared with themselves anew."""
FRESH_DAYS = 30
"""An older change is no news."""
QUIET_DAYS = 28
"""Between two hints about the same person lie at least so many days."""
DELTA = 0.25
"""Drift that is let pass, in standard deviations of a day (both tests)."""
LEVEL = 7.0
"""Where the sum of what is beyond the drift counts as a change of level, in deviations."""
SPREAD = 9.0
"""The same for a change of variability."""

_FAR = 3.0  # one odd day must not be a change
_PAIRS = 5
_TURN_VARIANCE, _DAY_VARIANCE = 0.05, 0.01  # what is expected of a stranger, worth five days
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
        """Return those from ``start`` to before ``stop``."""
        here = slice(start, stop)
        return _Days(self.number[here], self.turns[here], self.level[here], self.variance[here])


def report(days: Sequence[DaySummary]) -> MonitorReport:
    """Summarise days and find the changes between them; the warning is left to the caller.

    Args:
        days: In any order; no day twice.

    Raises:
        InputError: A day is there twice.
        MissingExtraError: There are days enough to look for changes, and ``river`` is missing.
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

    The mean product of deviations over the pairs ``(t, t + 1)`` that are there, over the mean
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
    """Find lasting changes, oldest first; what is found on a day depends on no later day.

    After a change, and after an absence of more than ``GAP_DAYS``, the next ``BASELINE`` days say
    what is usual now.

    Raises:
        InputError: A day is there twice.
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
    """Return kind, first day and day of discovery (places) of the first change, if there is one."""
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
            # Only a day beyond the running mean can take its sum over the threshold.
            up = x > level[: at + 1].mean()
            kind = ChangeKind.IMPROVEMENT if up else ChangeKind.DECLINE
            return kind, _onset(level[: at + 1]), at
        if swings.drift_detected:
            return ChangeKind.INSTABILITY, _onset(spread[: at + 1]), at
    return None


def _onset(scores: Floats) -> int:
    """Return the place from which on another mean is most likely (Gaussian, one spread)."""
    n = len(scores)
    k = np.arange(1, n)
    off = np.cumsum(scores - scores.mean())[:-1]
    return int((off**2 / (k * (n - k))).argmax()) + 1


def _level_scores(days: _Days) -> Floats:
    """Return the levels in standard deviations of such a day from the baseline's mean.

    A day of two turns says less than one of twenty: its variance is that between days plus that
    of a turn over their number. Both are estimated on the baseline, and held to what is expected
    of a stranger as if five days had said so.
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
