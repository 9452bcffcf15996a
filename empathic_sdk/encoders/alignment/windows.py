"""PED eq 14-16, 20, 25 and 28: time windows, and aggregates of the rows in one.

An :class:`Aggregate` turns the real rows of one window into one vector. Only windows with at
least one real row are aggregated: the others are zeros under a ``False`` mask (eq 16).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from empathic_sdk.encoders.alignment.rows import Floats, Rows
from empathic_sdk.errors import ConfigurationError


class Aggregate(NamedTuple):
    """Agg of PED eq 15.

    Attributes:
        name: For messages.
        apply: ``(values [n, width], times [n], window_s) -> [out]``, n >= 1, all rows real.
        width: Output width for an input width.
    """

    name: str
    apply: Callable[[Floats, Floats, float], Floats]
    width: Callable[[int], int]


def _same(width: int) -> int:
    return width


MEAN = Aggregate("mean", lambda values, _times, _window: values.mean(0), _same)
"""Mean over the rows: PED eq 23 for speech."""

LAST = Aggregate("last", lambda values, _times, _window: values[-1], _same)
"""The latest row: for states that already contain the past."""

MAX_MEAN = Aggregate(
    "max_mean",
    lambda values, _times, _window: np.concatenate([values.max(0), values.mean(0)]),
    lambda width: 2 * width,
)
"""``[max; mean]``: PED eq 28 for behaviour."""


def attention(query: Floats) -> Aggregate:
    """Weights ``softmax(query . row)`` over the rows: PED eq 20 for text, eq 25 for faces.

    Args:
        query: ``[width]``, learned elsewhere; zeros give the mean.
    """
    query = np.asarray(query, np.float64)
    if query.ndim != 1 or not np.isfinite(query).all():
        raise ConfigurationError("a query must be finite numbers [width]")

    def width(given: int) -> int:
        if given != len(query):
            raise ConfigurationError(f"the query has {len(query)} numbers, a row {given}")
        return given

    def apply(values: Floats, _times: Floats, _window: float) -> Floats:
        scores = values @ query
        weights = np.exp(scores - scores.max())
        return np.asarray(weights @ values / weights.sum(), np.float64)

    return Aggregate("attention", apply, width)


def _statistics(values: Floats, times: Floats, window_s: float) -> Floats:
    gaps = intervals(times)[1:]
    between = [gaps.mean(), gaps.std()] if len(gaps) else [window_s, 0.0]
    return np.concatenate([[len(values) / window_s], between, values.mean(0)])


STATISTICS = Aggregate("statistics", _statistics, lambda width: 3 + width)
"""For raw event streams, as in the text below PED eq 15: events per second, mean and
deviation of the seconds between them (the window's length and 0 for a single event), and the
mean of the values (for pauses, the average stay)."""


def intervals(times: Floats) -> Floats:
    """PED eq 26: seconds since the previous row, ``[n]``; 0 for the first."""
    times = np.asarray(times, np.float64)
    return np.asarray(np.diff(times, prepend=times[:1]), np.float64)


def interval_code(seconds: Floats) -> Floats:
    """Return intervals as ``log1p`` of seconds, for PED eq 26 and 42 where nothing is learned.

    The behaviour network (``models/behaviour.py``) has a finer code of its own.
    """
    return np.asarray(np.log1p(np.maximum(seconds, 0.0)), np.float64)


def windows(
    until: float, window_s: float, hop_s: float, *, origin: float = 0.0, first: int = 0
) -> tuple[Floats, Floats]:
    """PED eq 14: starts and ends of the windows that start before ``until``, in seconds.

    Window k is ``[origin + k * hop_s, origin + k * hop_s + window_s)``; ``k`` counts from
    ``first``. Where one window ends as another starts, both numbers are identical: 3 * 0.1 is not
    0.2 + 0.1 in floating point, and a row in between would count twice or not at all.
    """
    count = int(max(0.0, np.ceil((until - origin) / hop_s)))
    number = np.arange(first, max(first, count + 1))
    starts = np.asarray(origin + number * hop_s, np.float64)
    hops = round(window_s / hop_s)
    meets = abs(hops * hop_s - window_s) <= 1e-9 * window_s
    ends = np.asarray(origin + (number + hops) * hop_s if meets else starts + window_s, np.float64)
    return starts[starts < until], ends[starts < until]


def windowed(
    rows: Rows, starts: Floats, ends: Floats, window_s: float, aggregate: Aggregate
) -> tuple[np.ndarray, np.ndarray]:
    """PED eq 15-16: float32 ``[k, width]`` and bool ``[k]``, ``True`` = some row is real.

    Args:
        rows: In order of time.
        starts: ``[k]`` ascending.
        ends: ``[k]``, exclusive.
        window_s: Length of a window, for the aggregate.
        aggregate: Turns the rows of a window into one.
    """
    out = np.zeros((len(starts), aggregate.width(rows.width)), np.float32)
    real = rows.take(rows.mask)
    first = np.searchsorted(real.times, starts, side="left")
    last = np.searchsorted(real.times, ends, side="left")
    limit = float(np.finfo(np.float32).max)
    for k in np.flatnonzero(last > first):
        some = slice(first[k], last[k])
        found = aggregate.apply(real.values[some], real.times[some], window_s)
        out[k] = np.clip(found, -limit, limit)
    return out, last > first
