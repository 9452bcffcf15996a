"""What is measured of the encoder of interaction events, on simulated people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from empathic_sdk.encoders.behaviour import BehaviourEncoder
from empathic_sdk.lab.evaluation.metrics import classification, labelled
from empathic_sdk.lab.evaluation.spread import summary
from empathic_sdk.lab.records import FOLDERS, find_records, predictions_of, read_items
from empathic_sdk.lab.simulation.behaviour import BehaviourItems, simulate
from empathic_sdk.recognition.calibration import probabilities
from empathic_sdk.types import Emotion

DATASET = "simulated-behaviour"
Score = Callable[[np.ndarray], Mapping[str, float]]


def dev_score(dev: BehaviourItems) -> Score:
    """Return the function that chooses between epochs: log-likelihood.

    Feelings show so little here that F1 jumps with a handful of messages; likelihood does not.
    """

    def score(logits: np.ndarray) -> dict[str, float]:
        p = probabilities(logits, 1.0)
        likely = float(np.log(p[np.arange(len(dev)), dev.emotion] + 1e-12).mean())
        figures = classification(dev.emotion, p.argmax(1))
        return {"weighted_f1": figures["weighted_f1"], "objective": likely}

    return score


def read(encoder: BehaviourEncoder, items: BehaviourItems) -> np.ndarray:
    """Return the encoder's probabilities of every message, ``[n, 7]``."""
    found = [e.probabilities for e in encoder.encode(items.events())]
    return np.stack([p for p in found if p is not None]).astype(np.float64)


def measure(
    items: BehaviourItems, p: np.ndarray, frequency: np.ndarray
) -> dict[str, float | dict[str, float]]:
    """Return all figures of probabilities ``[n, 7]``.

    ``majority_weighted_f1`` is what always saying the commonest emotion reaches, ``uar_even``
    the recall over the classes when probabilities are divided by how common each is: chance is
    1/7.
    """
    commonest = np.full(len(items), int(frequency.argmax()))
    even = p / np.maximum(frequency, 1e-9)
    return {
        **labelled(items.emotion, p, tuple(e.value for e in Emotion)),
        "uar_even": classification(items.emotion, even.argmax(1))["uar"],
        "majority_weighted_f1": classification(items.emotion, commonest)["weighted_f1"],
        "log_loss": float(-np.log(p[np.arange(len(p)), items.emotion] + 1e-12).mean()),
    }


def recorded(results: Path, test: BehaviourItems, pooling: str = "gated") -> dict[str, Any]:
    """Rescore every recorded run from its stored predictions: ``{n, METRIC: {mean, std}}``.

    Raises:
        DataError: Predictions are not those of these messages.
    """
    scored = []
    for path, record in find_records(results / FOLDERS["behaviour"], "behaviour-*.json"):
        if record.configuration["pooling"] == pooling:
            p = read_items(predictions_of(path), test.ids, "the simulated test messages")
            scored.append(measure(test, p, np.array(record.details["frequency"])))
    return summary(scored)


def evaluate_simulated(
    *, split: str, results: Path, checkpoint: Path | None = None
) -> dict[str, Any]:
    """Measure a checkpoint on the simulated people of ``split``, and the recorded runs.

    ``runs`` are those of the pooling that ships, ``max_mean`` those of the other; both only of the
    test split.
    """
    encoder = BehaviourEncoder(checkpoint)
    items = simulate(split)
    test = split == "test"
    return {
        "dataset": DATASET,
        "model": encoder.name,
        "split": split,
        "n": len(items),
        "causal": True,
        **measure(items, read(encoder, items), np.array(encoder.about["frequency"])),
        "runs": recorded(results, items) if test else {"n": 0},
        "max_mean": {"runs": recorded(results, items, "max_mean") if test else {"n": 0}},
    }
