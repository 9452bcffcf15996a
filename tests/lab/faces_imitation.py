"""Imitations of FER2013: patterns whose direction is the class."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from empathic_sdk.lab.corpora.faces import Faces

CLASSES = np.array(["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"])


def pictures(labels: np.ndarray, seed: int) -> np.ndarray:
    """Return noisy gratings uint8 ``[n, 48, 48]``, finer the higher the label."""
    rng = np.random.default_rng(seed)
    x = np.arange(48)[None, None, :] + rng.uniform(0, 9, (len(labels), 1, 1))
    wave = np.sin(x * (labels[:, None, None] + 1) * 0.2)
    noise = rng.normal(0, 0.3, (len(labels), 48, 48))
    return (127 + 60 * np.clip(wave + noise, -2, 2)).astype(np.uint8)


def imitate(n: int, *, seed: int) -> Faces:
    labels = np.arange(n) % 7
    return Faces(pictures(labels, seed), labels, np.arange(n))


def write_fer2013(path: Path, *, per_split: int) -> None:
    """Write train, dev and test, each with its classes in order."""
    labels = np.tile(np.sort(np.arange(per_split) % 7), 3).astype(np.uint8)
    np.savez(
        path, images=pictures(labels, 5), labels=labels, classes=CLASSES,
        split=np.repeat([0, 1, 2], per_split).astype(np.uint8),
    )  # fmt: skip
