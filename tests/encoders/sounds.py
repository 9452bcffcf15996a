"""Sounds made by formulas: something like a voice, and things that are none."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from empathic_sdk.encoders.audio import RATE


def vowels(seconds: float, *, hz: float = 130.0, seed: int = 0) -> np.ndarray:
    """Syllables: a pulse train of wavering pitch through formants that change four times a second.

    A source-filter voice (Fant 1960), float32 ``[n]``; silero-vad takes it for one.
    """
    draw = np.random.default_rng(seed)
    n = round(seconds * RATE)
    t = np.arange(n) / RATE
    pitch = hz * (1 + 0.12 * np.sin(2 * np.pi * 1.3 * t) + 0.05 * np.sin(2 * np.pi * 3.1 * t))
    phase = np.cumsum(pitch) / RATE
    source = np.diff(np.floor(phase), prepend=0.0) + 0.01 * draw.normal(size=n)
    formants = [(730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480)]
    out = np.zeros(n)
    step = RATE // 4
    for k, start in enumerate(range(0, n, step)):
        piece = source[start : start + step]
        for f in formants[k % len(formants)]:
            r = np.exp(-np.pi * 90 / RATE)
            piece = lfilter([1 - r], [1, -2 * r * np.cos(2 * np.pi * f / RATE), r * r], piece)
        swell = np.sin(np.pi * np.arange(len(piece)) / step) ** 0.5
        out[start : start + step] = piece / (np.abs(piece).max() + 1e-9) * swell
    return (0.3 * out).astype(np.float32)


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
