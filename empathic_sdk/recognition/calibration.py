"""Calibration: logits to calibrated probabilities (Guo et al. 2017), and when to abstain."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from empathic_sdk.types.base import Value


class Calibration(Value):
    """Calibration parameters, fitted on dev data."""

    temperature: Annotated[float, Field(gt=0.0)] = Field(
        default=1.0,
        description="The logits are divided by it before the softmax.",
    )
    threshold: Annotated[float, Field(ge=0.0, le=1.0)] = Field(
        default=0.0,
        description="A state whose confidence lies below is `uncertain`.",
    )
    present: tuple[float, ...] = Field(
        default=(0.5,) * 7,
        description="Decision threshold of each emotion for the multi-label head.",
    )
    shift_scale: Annotated[float, Field(gt=0.0)] = Field(
        default=1.0,
        description="The transfer module's log-odds of a change are multiplied by it.",
    )
    shift_bias: float = Field(
        default=0.0,
        description="Added to the scaled log-odds of a change (Platt 1999).",
    )
    shift_threshold: Annotated[float, Field(ge=0.0, le=1.0)] = Field(
        default=0.5,
        description="From this probability on a change is called one.",
    )
    fused_temperature: Annotated[float, Field(gt=0.0)] | None = Field(
        default=None,
        description="The temperature where more than a text was read; `None`: the same.",
    )
    fused_threshold: Annotated[float, Field(ge=0.0, le=1.0)] | None = Field(
        default=None,
        description="The threshold there.",
    )
    affect: tuple[tuple[float, float], ...] = Field(
        default=(),
        description=(
            "Valence and arousal of each emotion, for what no text says; empty where nothing but "
            "text is read."
        ),
    )

    def fused(self) -> Calibration:
        """Return the parameters for utterances with more than text."""
        if self.fused_temperature is None or self.fused_threshold is None:
            return self
        return self.model_copy(
            update={"temperature": self.fused_temperature, "threshold": self.fused_threshold}
        )

    def shift(self, raw: float) -> float:
        """Return the calibrated probability of a change."""
        odds = math.log(max(raw, 1e-7)) - math.log(max(1.0 - raw, 1e-7))
        return 1.0 / (1.0 + math.exp(-(self.shift_scale * odds + self.shift_bias)))


def personal(p: NDArray[np.float64], bias: Sequence[float]) -> NDArray[np.float64]:
    """Return softmax(log p + bias), ``[7]``: p adapted to one person's corrections."""
    z = np.log(np.maximum(p, 1e-6)) + np.asarray(bias, np.float64)
    e = np.exp(z - z.max())
    return np.asarray(e / e.sum())


def probabilities(logits: NDArray[np.floating], temperature: float = 1.0) -> NDArray[np.float64]:
    """Return softmax(logits / temperature) over the last axis, ``[..., classes]``."""
    scaled = np.asarray(logits, np.float64) / temperature
    scaled -= scaled.max(-1, keepdims=True)
    e = np.exp(scaled)
    return np.asarray(e / e.sum(-1, keepdims=True))
