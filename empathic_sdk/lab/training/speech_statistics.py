"""A linear classifier on utterance statistics, the second opinion beside the speech network."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from empathic_sdk.lab.corpora.clips import Clips
from empathic_sdk.lab.corpora.opening import cached
from empathic_sdk.lab.evaluation.calibrate import fit_temperature
from empathic_sdk.lab.training.sound_augmentation import at_speed
from empathic_sdk.lab.training.speech_fit import Voices
from empathic_sdk.models.acoustics import level
from empathic_sdk.models.prosody import WIDTH, statistics
from empathic_sdk.models.speech import StatisticsClassifier
from empathic_sdk.recognition.calibration import probabilities

SPEEDS = (1.0, 0.94, 1.06)
"""Each training clip is read at these: more vocal tracts than there are speakers."""
_STRENGTHS = (0.003, 0.01, 0.03, 0.1)
_SHARES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


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


def statistics_of(voices: Voices, speed: float, cache: Path) -> np.ndarray:
    """Return the statistics of voices at a speed, kept in ``cache`` clip by clip."""
    name = hashlib.sha256("\n".join(voices.clips.ids).encode()).hexdigest()[:12]
    path = cache / f"{voices.clips.corpus}-statistics-{speed:.2f}-{name}.safetensors"
    return cached(path, lambda: {"rows": rows_of(voices.samples, speed)})["rows"]


def choose_second(
    rows: Mapping[float, np.ndarray],
    train: Clips,
    dev_rows: np.ndarray,
    dev: Clips,
    by_net: np.ndarray,
) -> tuple[StatisticsClassifier, dict[str, Any]]:
    """Fix penalty and share of the second opinion: the least log-loss on dev, once calibrated."""
    tried = []
    for strength in _STRENGTHS:
        linear = fit_statistics(rows, train.labels, classes=len(train.classes), strength=strength)
        with torch.inference_mode():
            logits = linear(torch.from_numpy(dev_rows)).numpy()
        for share in _SHARES:
            both = share * by_net + (1 - share) * logits
            p = probabilities(both, fit_temperature(both, dev.labels))
            loss = -float(np.log(p[np.arange(len(p)), dev.labels]).mean())
            tried.append((loss, strength, share, linear, logits))
    loss, strength, share, linear, logits = min(tried, key=lambda t: t[0])
    return linear, {
        "strength": strength,
        "share": share,
        "dev_log_loss": loss,
        "dev_alone": float((logits.argmax(1) == dev.labels).mean()),
    }


def second_opinion(linear: StatisticsClassifier, voices: Voices, cache: Path) -> np.ndarray:
    """Return the classifier's logits ``[n, classes]`` of voices as they are."""
    with torch.inference_mode():
        rows = torch.from_numpy(statistics_of(voices, 1.0, cache))
        return np.asarray(linear(rows).numpy())
