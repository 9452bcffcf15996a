"""Running mean and deviation of a stream, independent of how it is cut into chunks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from empathic_sdk.encoders.alignment.rows import Floats, Rows


class Moments(NamedTuple):
    """Count, mean and deviation of the values, one row each.

    Attributes:
        number: float64 ``[n, 1]`` of real rows.
        mean: float64 ``[n, width]``; 0 where there are none.
        deviation: float64 ``[n, width]`` population standard deviation; 0 where there are none.
    """

    number: Floats
    mean: Floats
    deviation: Floats


def moments(rows: Rows) -> Moments:
    """Return count, mean and deviation over all real rows, as one row (it looks ahead)."""
    real = rows.values[rows.mask]
    if not len(real):
        nothing = np.zeros((1, rows.width))
        return Moments(np.zeros((1, 1)), nothing, nothing)
    return Moments(np.full((1, 1), float(len(real))), real.mean(0)[None], real.std(0)[None])


@dataclass
class RunningMoments:
    """Count, mean and deviation of the real rows so far.

    Sums are of differences from the first real row: sums of squares of the values themselves
    would lose a small deviation around a large mean. ``add`` works row by row, so a stream gives
    bit-identical results however it is cut.
    """

    first: Floats | None = None
    count: float = 0.0
    total: Floats | None = None
    square: Floats | None = None

    def add(self, rows: Rows) -> tuple[Moments, Moments]:
        """Add rows; return the moments before each row, and those including it."""
        width = rows.width
        if self.first is None and rows.mask.any():
            self.first = rows.values[rows.mask][0]
        origin = np.zeros(width) if self.first is None else self.first
        start = np.zeros(width)
        away = np.where(rows.mask[:, None], rows.values - origin, 0.0)
        total = _running(start if self.total is None else self.total, away)
        square = _running(start if self.square is None else self.square, away**2)
        count = _running(np.array([self.count]), rows.mask[:, None].astype(np.float64))
        self.total, self.square, self.count = total[-1], square[-1], float(count[-1, 0])
        some = np.maximum(count, 1.0)
        mean = total / some
        spread = np.sqrt(np.maximum(square / some - mean**2, 0.0))
        mean = np.where(count > 0, mean + origin, 0.0)
        return (
            Moments(count[:-1], mean[:-1], spread[:-1]),
            Moments(count[1:], mean[1:], spread[1:]),
        )


def _running(start: Floats, rows: Floats) -> Floats:
    """Return running sums ``[n + 1, ...]``, ``start`` first."""
    return np.asarray(np.add.accumulate(np.concatenate([start[None], rows])), np.float64)
