"""Feature vectors over time, embeddings and aligned windows: the output of encoders."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pydantic import Field, model_validator

from empathic_sdk.types.base import Value
from empathic_sdk.types.emotion import Modality


class FeatureSequence(Value):
    """Feature vectors of one modality."""

    modality: Modality = Field(description="The modality that the vectors describe.")
    values: np.ndarray = Field(description="Vectors, float32 `[time, width]`.")
    times: np.ndarray = Field(
        description=(
            "When each vector holds, float64 `[time]`, in seconds since the utterance began."
        )
    )
    mask: np.ndarray = Field(description="Which vectors are real, bool `[time]`, `True` = real.")

    @model_validator(mode="after")
    def _shapes(self) -> FeatureSequence:
        time = len(self.values)
        if self.values.ndim != 2 or self.times.shape != (time,) or self.mask.shape != (time,):
            raise ValueError("values must be [time, width], times and mask [time]")
        if self.mask.dtype != bool:
            raise ValueError("mask must be bool, True = real")
        return self


class Embedding(Value):
    """An encoder's vector for one utterance and one modality."""

    modality: Modality = Field(description="The modality that was encoded.")
    vector: np.ndarray = Field(
        description="Float32 `[width]`: what the dialogue model reads; zeros where it is missing."
    )
    probabilities: np.ndarray | None = Field(
        default=None,
        description=(
            "Float32 `[7]` in the order of `Emotion`: what the encoder's own head says of this "
            "signal alone, or `None` where it has none or the signal is missing."
        ),
    )
    missing: str | None = Field(
        default=None,
        description='Why there is nothing to be read ("no voice in 2.1 s of audio"), or `None`.',
    )

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


class AlignedWindows(Value):
    """Several modalities on one clock: one row per time window (PED eq 14-16)."""

    times: np.ndarray = Field(
        description=(
            "Float64 `[k]`: when each window begins, in seconds; it ends `window_s` later, and "
            "its own end is no part of it."
        )
    )
    window_s: float = Field(gt=0, allow_inf_nan=False, description="Length of a window in seconds.")
    values: Mapping[Modality, np.ndarray] = Field(
        description="Vectors by modality, float32 `[k, width]`; zeros where it is missing."
    )
    masks: Mapping[Modality, np.ndarray] = Field(
        description="Which windows are real, bool `[k]` for each key of `values`, `True` = real."
    )

    def __len__(self) -> int:
        """Number of windows."""
        return len(self.times)

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """The modalities in these windows, in the order of :class:`Modality`."""
        return tuple(m for m in Modality if m in self.values)

    @model_validator(mode="after")
    def _shapes(self) -> AlignedWindows:
        k = len(self.times)
        if self.times.ndim != 1 or set(self.values) != set(self.masks):
            raise ValueError("times must be [k]; values and masks must have the same modalities")
        for m, rows in self.values.items():
            if rows.ndim != 2 or len(rows) != k or self.masks[m].shape != (k,):
                raise ValueError(f"{m}: values must be [{k}, width] and masks [{k}]")
            if self.masks[m].dtype != bool or rows.dtype != np.float32:
                raise ValueError(f"{m}: values must be float32, masks bool, True = real")
            if not np.isfinite(rows).all() or rows[~self.masks[m]].any():
                raise ValueError(f"{m}: values must be finite, and zeros where it is missing")
        return self
