"""Sounds made by formulas: something like a voice, and things that are none."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from empathic_sdk.encoders.audio import RATE
from empathic_sdk.lab.benchmarks.speech import vowels


def _noises() -> dict[str, np.ndarray]:
    draw = np.random.default_rng(0)
    n = 3 * RATE
    t = np.arange(n) / RATE
    white = draw.normal(size=n)
    notes = draw.choice([262.0, 294.0, 330.0, 392.0, 440.0], 8)
    melody = np.concatenate(
        [np.sin(2 * np.pi * f * t[: n // 8]) * np.exp(-3 * t[: n // 8]) for f in notes]
    )
    made = {
        "white noise": white,
        "brown noise": np.cumsum(white) - np.cumsum(white).mean(),
        "low rumble": lfilter([1], [1, -0.9], white) * (1 + np.sin(2 * np.pi * 4 * t)),
        "mains hum": np.sin(2 * np.pi * 50 * t) + 0.5 * np.sin(2 * np.pi * 150 * t),
        "chord": sum(np.sin(2 * np.pi * f * t) for f in (262, 330, 392)),
        "melody": melody,
        "clicks": (draw.random(n) < 3e-4).astype(float),
        "beeps": np.sin(2 * np.pi * 1000 * t) * (np.sin(2 * np.pi * 2 * t) > 0),
        "sweep": np.sin(2 * np.pi * (100 * t + 400 * t**2)),
    }
    out = {k: (0.1 * v / np.abs(v).max()).astype(np.float32) for k, v in made.items()}
    out["silence"] = np.zeros(n, np.float32)
    out["a constant"] = np.full(n, 0.2, np.float32)
    return out


NOISES = _noises()

__all__ = ["NOISES", "vowels"]
