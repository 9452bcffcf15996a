"""Vectors of one modality over time: what encoders give to the rest of the house."""

from __future__ import annotations

import numpy as np
from pydantic import model_validator

from empathic_sdk.types.base import Value
from empathic_sdk.types.emotion import Modality


class FeatureSequence(Value):
    """Feature vectors of one modality.

    Attributes:
        modality: Whose they are.
        values: float32 ``[time, width]``.
        times: float64 ``[time]``, seconds since the utterance began.
        mask: bool ``[time]``, ``True`` = real.
    """

    modality: Modality
    values: np.ndarray
    times: np.ndarray
    mask: np.ndarray

    @model_validator(mode="after")
    def _shapes(self) -> FeatureSequence:
        time = len(self.values)
        if self.values.ndim != 2 or self.times.shape != (time,) or self.mask.shape != (time,):
            raise ValueError("values must be [time, width], times and mask [time]")
        if self.mask.dtype != bool:
            raise ValueError("mask must be bool, True = real")
        return self
