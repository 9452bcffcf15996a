"""Protocols of the text corpora: what is scored how."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from empathic_sdk.lab.corpora.text import TextItems
from empathic_sdk.lab.evaluation.calibrate import fit_thresholds
from empathic_sdk.lab.evaluation.metrics import (
    classification,
    expected_calibration_error,
    multi_label,
    pearson,
    per_class_f1,
)
from empathic_sdk.lab.training.text_fit import Read
from empathic_sdk.recognition.calibration import Calibration, probabilities
from empathic_sdk.types import Emotion

NAMES = tuple(str(e) for e in Emotion)


def predict(read: Read, items: TextItems, calibration: Calibration) -> np.ndarray:
    """Return what is scored, one row an item.

    MELD and its like: seven calibrated probabilities. GoEmotions: seven independent ones.
    EmoBank: valence and arousal.
    """
    corpus = None if items.corpus == "emobank" else items.corpus
    emotion, present, affect = read(items.texts, corpus)
    if items.corpus == "emobank":
        return np.clip(affect, -1.0, 1.0)
    if items.corpus == "goemotions":
        return 1 / (1 + np.exp(-present.astype(np.float64)))
    return probabilities(emotion, calibration.temperature)


def measure(
    items: TextItems, predicted: np.ndarray, calibration: Calibration
) -> dict[str, float | dict[str, float]]:
    """Return the metrics of ``predicted`` (see :func:`predict`) against the corpus's labels."""
    if items.affect is not None:
        return {
            "pearson_valence": pearson(predicted[:, 0], items.affect[:, 0]),
            "pearson_arousal": pearson(predicted[:, 1], items.affect[:, 1]),
        }
    if items.present is not None:
        thresholds = np.array(calibration.present)
        decided = predicted > thresholds
        return {
            **multi_label(items.present, predicted, thresholds),
            "f1": {
                n: per_class_f1(
                    items.present[:, k].astype(int), decided[:, k].astype(int), ("", n)
                )[n]
                for k, n in enumerate(NAMES)
            },
        }
    label = predicted.argmax(1)
    sure = predicted.max(1) >= calibration.threshold
    return {
        **classification(items.emotion, label),
        "ece": expected_calibration_error(predicted, items.emotion),
        "coverage": float(sure.mean()),
        "accuracy_when_sure": float((label == items.emotion)[sure].mean()) if sure.any() else 0.0,
        "f1": per_class_f1(items.emotion, label, NAMES),
    }


def dev_score(dev: Mapping[str, TextItems]) -> Callable[[Read], dict[str, float]]:
    """Return the function that chooses between epochs: the mean of the headline dev figures."""

    def score(read: Read) -> dict[str, float]:
        out: dict[str, float] = {}
        for name, items in dev.items():
            calibration = Calibration()
            predicted = predict(read, items, calibration)
            if name == "goemotions" and items.present is not None:
                calibration = Calibration(present=tuple(fit_thresholds(items.present, predicted)))
            metrics = measure(items, predicted, calibration)
            for key in HEADLINES[name]:
                value = metrics[key]
                assert isinstance(value, float)
                out[f"{name}_{key}"] = value
        out["objective"] = float(np.mean(list(out.values())))
        return out

    return score


HEADLINES: Mapping[str, tuple[str, ...]] = {
    "meld": ("weighted_f1",),
    "goemotions": ("macro_f1",),
    "emobank": ("pearson_valence", "pearson_arousal"),
    "empathetic": ("accuracy",),
    "dailydialog": ("macro_f1",),
}
