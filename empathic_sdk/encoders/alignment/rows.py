"""Timed rows of one modality, which the preparation steps work on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.errors import InputError
from empathic_sdk.types import FeatureSequence, Modality

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# A value beyond the range of float32 is no measurement; its square still fits a float64.
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class Rows:
    """Observations o_i with their timestamps tau_i (PED eq 5), in order of time.

    Attributes:
        values: float64 ``[n, width]``; zeros where the mask is ``False``.
        times: float64 ``[n]`` seconds, ascending; duplicates are allowed.
        mask: bool ``[n]``, ``True`` = real.
    """

    values: Floats
    times: Floats
    mask: Bools

    @property
    def width(self) -> int:
        """Length of one row."""
        return int(self.values.shape[1])

    def __len__(self) -> int:
        return len(self.times)

    def take(self, index: NDArray[np.integer] | Bools | slice) -> Rows:
        """Return some of the rows."""
        return Rows(self.values[index], self.times[index], self.mask[index])

    def with_values(self, values: Floats, mask: Bools | None = None) -> Rows:
        """Return the rows with new values; missing rows are zeros."""
        mask = self.mask if mask is None else mask
        return Rows(np.where(mask[:, None], values, 0.0), self.times, mask)


def empty(width: int) -> Rows:
    """Return no rows of this width."""
    return Rows(np.zeros((0, width)), np.zeros(0), np.zeros(0, bool))


def joined(parts: list[Rows]) -> Rows:
    """Return rows one after the other; at least one part."""
    return Rows(
        np.concatenate([p.values for p in parts]),
        np.concatenate([p.times for p in parts]),
        np.concatenate([p.mask for p in parts]),
    )


def rows_of(sequence: FeatureSequence) -> Rows:
    """Return a sequence as float64 rows in order of time.

    A row with a NaN or an infinity is marked missing. Rows of equal time keep their order.

    Raises:
        InputError: A timestamp is not finite.
    """
    times = np.asarray(sequence.times, np.float64)
    if not np.isfinite(times).all():
        i = int(np.flatnonzero(~np.isfinite(times))[0])
        raise InputError(f"{sequence.modality}: row {i} has no finite time")
    order = np.argsort(times, kind="stable")
    values = np.asarray(sequence.values, np.float64)[order]
    with np.errstate(invalid="ignore"):
        sound = (np.abs(values) <= _LARGEST).all(1)  # a NaN is not <= anything
    mask = sequence.mask[order] & sound
    return Rows(np.where(mask[:, None], values, 0.0), times[order], mask)


def sequence_of(rows: Rows, modality: Modality) -> FeatureSequence:
    """Return rows as a sequence of float32 values."""
    return FeatureSequence(
        modality=modality, values=rows.values.astype(np.float32), times=rows.times, mask=rows.mask
    )


def once(rows: Rows, before: Rows | None = None) -> Rows:
    """Drop duplicates: rows with the time and values of an earlier row.

    A missing row is a duplicate if any row of its time precedes it. Different values at one time
    are kept: two things may happen at once.

    Args:
        rows: In order of time.
        before: Earlier rows; only those of the last time matter.
    """
    keep = np.ones(len(rows), bool)
    known = before if before is not None and len(before) else empty(rows.width)
    same = np.diff(rows.times) == 0
    suspect = np.isin(rows.times, known.times)
    suspect[1:] |= same
    suspect[:-1] |= same
    seen: list[int] = []  # rows of this moment that are kept
    for i in np.flatnonzero(suspect):
        if seen and rows.times[seen[-1]] != rows.times[i]:
            seen = []
        old = known.times == rows.times[i]
        if rows.mask[i]:
            twin = any(rows.mask[j] and (rows.values[j] == rows.values[i]).all() for j in seen)
            twin |= bool((known.mask & old & (known.values == rows.values[i]).all(1)).any())
            keep[i] = not twin
        else:
            keep[i] = not seen and not old.any()
        if keep[i]:
            seen.append(int(i))
    return rows.take(keep)
