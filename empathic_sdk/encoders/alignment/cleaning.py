"""PED eq 10-13: outliers, gaps, smoothing, normalisation, each in two forms.

The function reads the whole sequence, as published, so it looks ahead. The class of the same step
is causal and takes chunks; the rows do not depend on how the sequence is cut into chunks.

Input and output rows are in order of time (see ``rows.py``). A step never turns a missing row into
zeros that look real: it stays masked, or becomes a value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from empathic_sdk.encoders.alignment.rows import Floats, Rows, empty, joined
from empathic_sdk.encoders.alignment.running import Moments, RunningMoments, moments
from empathic_sdk.errors import ConfigurationError

# With fewer real rows before it, no row counts as an outlier.
WARM_UP = 8


def z_scores(rows: Rows) -> Floats:
    """PED eq 10: ``z = (x - mean) / deviation`` ``[n, width]``; 0 if constant or missing."""
    return _z(rows, moments(rows))


def _z(rows: Rows, known: Moments) -> Floats:
    varies = known.deviation > 0
    z = (rows.values - known.mean) / np.where(varies, known.deviation, 1.0)
    return np.where(varies & rows.mask[:, None], z, 0.0)


def clean_outliers(rows: Rows, *, limit: float = 3.0, drop: bool = False) -> Rows:
    """PED eq 10: correct or eliminate rows more than ``limit`` deviations from the mean.

    Looks ahead: mean and deviation are those of the whole sequence. None of n real rows can lie
    further out than ``(n - 1) / sqrt(n)``, so below 11 rows a limit of 3 does nothing.

    Args:
        rows: In order of time.
        limit: Delta, > 0.
        drop: ``True`` eliminates: the row is missing from then on. ``False`` corrects: the value
            moves to the limit.
    """
    return _cleaned(rows, moments(rows), _positive(limit, "limit"), drop)


def _cleaned(rows: Rows, known: Moments, limit: float, drop: bool) -> Rows:
    out = np.abs(_z(rows, known)) > limit
    if drop:
        return rows.with_values(rows.values, rows.mask & ~out.any(1))
    reach = limit * known.deviation
    corrected = np.clip(rows.values, known.mean - reach, known.mean + reach)
    return rows.with_values(np.where(out, corrected, rows.values))


@dataclass
class CausalOutliers:
    """The causal form of :func:`clean_outliers`.

    Each row is compared with the rows before it as they came (including earlier spikes, so that
    a lasting change of level is eventually accepted). The first ``WARM_UP`` rows pass.
    """

    limit: float = 3.0
    drop: bool = False
    _known: RunningMoments = field(default_factory=RunningMoments, repr=False)

    def __post_init__(self) -> None:
        _positive(self.limit, "limit")

    def push(self, rows: Rows) -> Rows:
        """Clean the next rows."""
        before, _ = self._known.add(rows)
        ready = before.number >= WARM_UP
        # Without deviation there is no outlier, see `_z`.
        known = before._replace(deviation=np.where(ready, before.deviation, 0.0))
        return _cleaned(rows, known, self.limit, self.drop)


def interpolate(rows: Rows, *, max_gap_s: float | None = None) -> Rows:
    """PED eq 11: fill missing rows by linear interpolation.

    Looks ahead to the next real row. Rows before the first and after the last real row stay
    missing.

    Args:
        rows: In order of time.
        max_gap_s: Wider gaps between real rows are not filled; ``None``: fill all.
    """
    real = np.flatnonzero(rows.mask)
    gone = np.flatnonzero(~rows.mask)
    if not len(real) or not len(gone):
        return rows
    after = np.searchsorted(real, gone)
    inside = (after > 0) & (after < len(real))
    gone, after = gone[inside], after[inside]
    left, right = real[after - 1], real[after]
    span = rows.times[right] - rows.times[left]
    near = span <= (np.inf if max_gap_s is None else _positive(max_gap_s, "max_gap_s"))
    gone, left, right, span = gone[near], left[near], right[near], span[near]
    share = np.where(
        span > 0, (rows.times[gone] - rows.times[left]) / np.where(span > 0, span, 1), 0
    )
    values, mask = rows.values.copy(), rows.mask.copy()
    values[gone] = values[left] + share[:, None] * (values[right] - values[left])
    mask[gone] = True
    return Rows(values, rows.times, mask)


@dataclass
class CausalHold:
    """The causal form of :func:`interpolate`: a missing row repeats the last real one.

    Args:
        max_gap_s: Maximum seconds to repeat it; ``None``: no maximum.
    """

    max_gap_s: float | None = None
    _last: Rows | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.max_gap_s is not None:
            _positive(self.max_gap_s, "max_gap_s")

    def push(self, rows: Rows) -> Rows:
        """Fill the next rows."""
        kept = self._last if self._last is not None else empty(rows.width)
        whole = joined([kept, rows])
        if not whole.mask.any():
            return rows
        latest = np.maximum.accumulate(np.where(whole.mask, np.arange(len(whole)), -1))
        source = np.maximum(latest, 0)
        near = whole.times - whole.times[source] <= (
            np.inf if self.max_gap_s is None else self.max_gap_s
        )
        mask = (latest >= 0) & near
        held = whole.with_values(whole.values[source], mask)
        end = int(latest[-1])
        self._last = whole.take(slice(end, end + 1))
        return held.take(slice(len(kept), None))


def moving_average(rows: Rows, k: int) -> Rows:
    """PED eq 12: the mean of each row and the ``k`` rows on either side.

    Looks ahead: ``k`` rows. At the ends, and beside missing rows, the mean covers the existing
    rows; a missing row stays missing.
    """
    return _averaged(rows, range(-_not_negative(k), k + 1))


def _averaged(rows: Rows, offsets: Sequence[int]) -> Rows:
    """Average over rows at these offsets, added in order."""
    n = len(rows)
    total, count = np.zeros_like(rows.values), np.zeros((n, 1))
    for offset in offsets:
        to = slice(max(0, -offset), min(n, n - offset))
        source = slice(max(0, offset), min(n, n + offset))
        if to.start < to.stop:
            total[to] += rows.values[source]  # zeros where missing
            count[to] += rows.mask[source, None]
    return rows.with_values(total / np.maximum(count, 1.0))


@dataclass
class CausalAverage:
    """The causal form of :func:`moving_average`: each row and the ``2 k`` before it.

    It has as many rows as the published mean: equally smooth, and ``k`` rows late.
    """

    k: int
    _past: Rows | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        _not_negative(self.k)

    def push(self, rows: Rows) -> Rows:
        """Smooth the next rows."""
        past = self._past if self._past is not None else empty(rows.width)
        whole = joined([past, rows])
        self._past = whole.take(slice(max(0, len(whole) - 2 * self.k), None))
        return _averaged(whole, range(-2 * self.k, 1)).take(slice(len(past), None))


def normalise(rows: Rows, *, epsilon: float = 1e-6, known: Moments | None = None) -> Rows:
    """PED eq 13: ``(x - mean) / (deviation + epsilon)``.

    Looks ahead: mean and deviation are those of the whole sequence, unless ``known`` gives them,
    for instance those of a training set, which makes it causal.
    """
    return _normalised(rows, moments(rows) if known is None else known, epsilon)


def _normalised(rows: Rows, known: Moments, epsilon: float) -> Rows:
    return rows.with_values((rows.values - known.mean) / (known.deviation + epsilon))


@dataclass
class CausalNormalise:
    """The causal form of :func:`normalise`: mean and deviation of the rows so far.

    The first real row is its own mean and becomes zeros, so a sequence of one row is lost, and
    early rows are unstable. Prefer :func:`normalise` with a training set's statistics.
    """

    epsilon: float = 1e-6
    _known: RunningMoments = field(default_factory=RunningMoments, repr=False)

    def __post_init__(self) -> None:
        _positive(self.epsilon, "epsilon")

    def push(self, rows: Rows) -> Rows:
        """Normalise the next rows."""
        _, upto = self._known.add(rows)
        return _normalised(rows, upto, self.epsilon)


def _positive(value: float, name: str) -> float:
    if not value > 0:
        raise ConfigurationError(f"{name} must be above 0, not {value!r}")
    return value


def _not_negative(k: int) -> int:
    if k < 0:
        raise ConfigurationError(f"k must be 0 or more rows, not {k!r}")
    return k
