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


class Embedding(Value):
    """What an encoder made of one utterance's signal of one modality.

    Attributes:
        modality: Whose it is.
        vector: float32 ``[width]``: what the dialogue model reads; zeros where it is missing.
        probabilities: float32 ``[7]`` in the order of ``Emotion``: what the encoder's own head
            says of this signal alone, or ``None`` where it has none or the signal is missing.
        missing: Why there is nothing to be read ("no voice in 2.1 s of audio"), or ``None``.
    """

    modality: Modality
    vector: np.ndarray
    probabilities: np.ndarray | None = None
    missing: str | None = None

    @property
    def present(self) -> bool:
        """Whether there is something to be read."""
        return self.missing is None

    @model_validator(mode="after")
    def _vector(self) -> Embedding:
        if self.vector.ndim != 1 or self.vector.dtype != np.float32:
            raise ValueError("vector must be float32 [width]")
        if not np.isfinite(self.vector).all():
            raise ValueError("vector holds a NaN or an infinity")
        return self
