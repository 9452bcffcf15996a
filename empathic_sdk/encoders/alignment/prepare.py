"""The steps of PED eq 10-13 in order, over a whole sequence or over a stream."""

from __future__ import annotations

from dataclasses import dataclass

from empathic_sdk.encoders.alignment.cleaning import (
    CausalAverage,
    CausalHold,
    CausalNormalise,
    CausalOutliers,
    clean_outliers,
    interpolate,
    moving_average,
    normalise,
)
from empathic_sdk.encoders.alignment.rows import Rows, once, rows_of, sequence_of
from empathic_sdk.errors import ConfigurationError
from empathic_sdk.types import FeatureSequence


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """The steps applied to the rows of a modality before windowing.

    Attributes:
        outlier_limit: delta of eq 10; ``None`` leaves outliers alone.
        drop_outliers: Eliminate them instead of correcting them.
        fill: Fill missing rows (eq 11).
        max_gap_s: Over how many seconds at most; ``None``: however many.
        smooth: k of eq 12; 0 does not smooth.
        normalise: Normalise (eq 13). Off by default: a model was trained on the scale of an
            encoder's vectors, which the statistics of a few rows would change.
    """

    outlier_limit: float | None = 3.0
    drop_outliers: bool = False
    fill: bool = True
    max_gap_s: float | None = 1.0
    smooth: int = 0
    normalise: bool = False

    def __post_init__(self) -> None:
        if self.outlier_limit is not None and not self.outlier_limit > 0:
            raise ConfigurationError("outlier_limit must be above 0, or None")
        if self.max_gap_s is not None and not self.max_gap_s > 0:
            raise ConfigurationError("max_gap_s must be above 0, or None")
        if self.smooth < 0:
            raise ConfigurationError("smooth must be 0 or more rows")

    @classmethod
    def published(cls, *, smooth: int = 2) -> Preparation:
        """Return all of eq 10-13; the paper gives no delta and k, so we use 3 and 2.

        The paper smooths speech and behaviour only: for text and faces give ``smooth=0``.
        """
        return cls(max_gap_s=None, smooth=smooth, normalise=True)


NOTHING = Preparation(outlier_limit=None, fill=False)
"""No steps; duplicates and broken rows are still handled."""


class Preparing:
    """The causal form of every step, for a stream."""

    def __init__(self, preparation: Preparation) -> None:
        p = preparation
        self._steps: list[CausalOutliers | CausalHold | CausalAverage | CausalNormalise] = []
        if p.outlier_limit is not None:
            self._steps.append(CausalOutliers(p.outlier_limit, p.drop_outliers))
        if p.fill:
            self._steps.append(CausalHold(p.max_gap_s))
        if p.smooth:
            self._steps.append(CausalAverage(p.smooth))
        if p.normalise:
            self._steps.append(CausalNormalise())

    def push(self, rows: Rows) -> Rows:
        """Prepare the next rows, in order of time and without duplicates."""
        for step in self._steps:
            rows = step.push(rows)
        return rows


def prepare_rows(rows: Rows, preparation: Preparation, *, causal: bool) -> Rows:
    """Prepare a whole sequence of rows, in order of time and without duplicates."""
    if causal:
        return Preparing(preparation).push(rows)
    p = preparation
    if p.outlier_limit is not None:
        rows = clean_outliers(rows, limit=p.outlier_limit, drop=p.drop_outliers)
    if p.fill:
        rows = interpolate(rows, max_gap_s=p.max_gap_s)
    if p.smooth:
        rows = moving_average(rows, p.smooth)
    return normalise(rows) if p.normalise else rows


def prepare(
    sequence: FeatureSequence, preparation: Preparation | None = None, *, causal: bool = True
) -> FeatureSequence:
    """Return one sequence cleaned, filled, smoothed and normalised (PED eq 10-13).

    Rows are put in order of time, duplicates dropped, rows that are not finite marked missing.

    Args:
        sequence: The sequence; it is not changed.
        preparation: The steps; ``None``: the default.
        causal: Use the causal form of every step.

    Raises:
        InputError: A time is not finite.
    """
    rows = once(rows_of(sequence))
    done = prepare_rows(rows, preparation or Preparation(), causal=causal)
    return sequence_of(done, sequence.modality)
