"""A linear classifier on utterance statistics, the second opinion beside the speech network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from empathic_sdk.encoders.acoustics import level
from empathic_sdk.encoders.prosody import WIDTH, statistics
from empathic_sdk.lab.training.sound_augmentation import at_speed
from empathic_sdk.models.speech import StatisticsClassifier

SPEEDS = (1.0, 0.94, 1.06)
"""Each training clip is read at these: more vocal tracts than there are speakers."""


def rows_of(samples: Sequence[np.ndarray], speed: float = 1.0) -> np.ndarray:
    """Return the statistics of voices (int16 ``[n]`` each) at a speed, float32 ``[n, 289]``."""
    return np.stack(
        [
            statistics(
                level(torch.from_numpy(at_speed(s, speed).astype(np.float32) / 32768.0))
            ).numpy()
            for s in samples
        ]
    )


def fit_statistics(
    rows: Mapping[float, np.ndarray], labels: np.ndarray, *, classes: int, strength: float
) -> StatisticsClassifier:
    """Fit on training clips at several speeds.

    Args:
        rows: ``[n, 289]`` a speed.
        labels: int ``[n]``; every class must occur.
        classes: How many there are.
        strength: Inverse of the L2 penalty (scikit-learn's ``C``), a clip.
    """
    x = np.concatenate(list(rows.values()))
    mean, std = x.mean(0), x.std(0) + 1e-6
    z = np.clip((x - mean) / std, -5.0, 5.0)
    fitted = LogisticRegression(C=strength / len(rows), max_iter=2000)
    fitted.fit(z, np.tile(labels, len(rows)))
    if not np.array_equal(fitted.classes_, np.arange(classes)):
        raise ValueError(f"the training clips show only the classes {fitted.classes_.tolist()}")
    model = StatisticsClassifier(width=WIDTH, classes=classes)
    model.load_state_dict(
        {
            "mean": torch.from_numpy(mean).float(),
            "std": torch.from_numpy(std).float(),
            "linear.weight": torch.from_numpy(fitted.coef_).float(),
            "linear.bias": torch.from_numpy(fitted.intercept_).float(),
        }
    )
    return model.eval()
