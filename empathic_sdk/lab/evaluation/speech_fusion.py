"""Late fusion of a voice with the action units of the same clip's video, offline only.

Nothing in this package computes action units from pixels; the corpus's owners' statistics (35 a
clip, by OpenFace) serve to measure what a face adds to a voice.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from empathic_sdk.errors import DataError
from empathic_sdk.lab.corpora.clips import Clips
from empathic_sdk.lab.evaluation.calibrate import fit_temperature
from empathic_sdk.recognition.calibration import probabilities

Fused = Callable[[np.ndarray, np.ndarray], np.ndarray]

_STRENGTHS = (0.01, 0.03, 0.1, 0.3, 1.0)
_WEIGHTS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0)


def action_units(data: Path, clips: Clips) -> np.ndarray:
    """Return the action-unit statistics of clips, float64 ``[n, 35]``.

    Raises:
        DataError: The file is not there, or lacks a clip.
    """
    path = data / "ravdess_action_units.npz"
    if not path.is_file():
        raise DataError(f"there is no {path}; see docs/data.md for the layout")
    with np.load(path, allow_pickle=False) as stored:
        names = [str(c).removesuffix(".flac") for c in stored["clip"]]
        units = stored["action_units"].astype(np.float64)
    place = {name: i for i, name in enumerate(names)}
    missing = [i for i in clips.ids if i not in place]
    if missing:
        raise DataError(f"{path} lacks {len(missing)} clips, {missing[0]} the first of them")
    rows: np.ndarray = units[[place[i] for i in clips.ids]]
    return rows


def fit_fusion(
    train: np.ndarray, labels: np.ndarray, dev: np.ndarray, p_dev: np.ndarray, gold: np.ndarray
) -> tuple[Fused, dict[str, float]]:
    """Fit the face's classifier on train, and fix penalty, weight and temperature on dev.

    ``log p = (w log p_voice + log p_face) / T``. Action units are standardised by the training
    set's statistics; nothing is normalised by actor, which would need clips from the future.

    Args:
        train: Action units ``[n, 35]``.
        labels: int ``[n]``.
        dev: Action units ``[m, 35]``.
        p_dev: What the voice says of dev, ``[m, classes]``.
        gold: int ``[m]``.

    Returns:
        The function from action units and the voice's probabilities to probabilities, and the
        chosen numbers.
    """
    tried = []
    for strength in _STRENGTHS:
        face = fit_face(train, labels, strength)
        for weight in _WEIGHTS:
            logits = weight * np.log(p_dev) + face(dev)
            temperature = fit_temperature(logits, gold)
            p = probabilities(logits, temperature)
            loss = -float(np.log(p[np.arange(len(gold)), gold]).mean())
            tried.append((loss, strength, weight, temperature))
    loss, strength, weight, temperature = min(tried)
    numbers = {
        "strength": strength, "weight": weight, "temperature": temperature, "dev_log_loss": loss,
        "dev_accuracy": 0.0, "dev_face_alone": 0.0,
    }  # fmt: skip
    fused = fusion(train, labels, numbers)
    numbers["dev_accuracy"] = float((fused(dev, p_dev).argmax(1) == gold).mean())
    numbers["dev_face_alone"] = float(
        (fit_face(train, labels, strength)(dev).argmax(1) == gold).mean()
    )
    return fused, numbers


def fusion(train: np.ndarray, labels: np.ndarray, numbers: dict[str, Any]) -> Fused:
    """Return the fusion with numbers that dev has fixed before."""
    face = fit_face(train, labels, numbers["strength"])

    def fused(units: np.ndarray, p_voice: np.ndarray) -> np.ndarray:
        logits = numbers["weight"] * np.log(p_voice) + face(units)
        return np.asarray(probabilities(logits, numbers["temperature"]))

    return fused


def fit_face(
    units: np.ndarray, labels: np.ndarray, strength: float
) -> Callable[[np.ndarray], np.ndarray]:
    """Fit a logistic regression; return the function to log-probabilities ``[n, classes]``."""
    mean, std = units.mean(0), units.std(0) + 1e-9
    fitted = LogisticRegression(C=strength, max_iter=3000).fit((units - mean) / std, labels)
    return lambda x: np.asarray(fitted.predict_log_proba((x - mean) / std))
