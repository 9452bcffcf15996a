"""What is measured of a dialogue model, what dev fixes of it, and how its answers are stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from empathic_sdk.errors import DataError
from empathic_sdk.lab.corpora.dialogues import DialogueSet
from empathic_sdk.lab.evaluation.calibrate import fit_abstention, fit_platt, fit_temperature
from empathic_sdk.lab.evaluation.dialogue_metrics import best_threshold, changed, shift_f1
from empathic_sdk.lab.evaluation.metrics import classification, labelled
from empathic_sdk.lab.records import read_rows, write_rows
from empathic_sdk.lab.training.dialogue_batches import Prediction
from empathic_sdk.recognition.calibration import Calibration, probabilities

Score = Callable[[Sequence[Prediction]], Mapping[str, float]]


class Scored(NamedTuple):
    """Predictions as they are stored and measured, one entry a dialogue.

    Attributes:
        probabilities: float ``[n, classes]``, calibrated.
        shift: float ``[n]``, NaN where there is none.
    """

    probabilities: list[np.ndarray]
    shift: list[np.ndarray]


def headline(data_set: str) -> str:
    """Return the metric that chooses: accuracy for CMU-MOSI's two classes, else weighted F1."""
    return "accuracy" if data_set == "mosi" else "weighted_f1"


def dev_score(dev: DialogueSet) -> Score:
    """Return the function that chooses between epochs."""
    gold = np.concatenate([d.labels for d in dev.dialogues])
    key = headline(dev.corpus)

    def score(predictions: Sequence[Prediction]) -> dict[str, float]:
        logits = np.concatenate([p.logits for p in predictions])
        known = gold >= 0
        figures = classification(gold[known], logits[known].argmax(1))
        return {key: figures[key], "objective": figures[key]}

    return score


def calibrate(dev: DialogueSet, predictions: Sequence[Prediction]) -> Calibration:
    """Fix on dev: temperature, abstention, and what the transfer module's answer means."""
    gold = np.concatenate([d.labels for d in dev.dialogues])
    logits = np.concatenate([p.logits for p in predictions])
    known = gold >= 0
    truth = np.concatenate([changed(d.labels, d.speakers) for d in dev.dialogues])
    shift = np.concatenate([p.shift for p in predictions])
    there = (truth >= 0) & ~np.isnan(shift)
    temperature = fit_temperature(logits[known], gold[known])
    p = probabilities(logits[known], temperature)
    out = Calibration(temperature=temperature, threshold=fit_abstention(p, gold[known]))
    if not there.any():
        return out
    scale, bias = fit_platt(shift[there], truth[there])
    out = out.model_copy(update={"shift_scale": scale, "shift_bias": bias})
    called = np.array([out.shift(float(x)) for x in shift[there]])
    return out.model_copy(update={"shift_threshold": best_threshold(truth[there], called)})


def scored(predictions: Sequence[Prediction], calibration: Calibration) -> Scored:
    """Return predictions as they are stored."""

    def shift(raw: np.ndarray) -> np.ndarray:
        return np.array([x if np.isnan(x) else calibration.shift(float(x)) for x in raw], float)

    return Scored(
        [probabilities(p.logits, calibration.temperature) for p in predictions],
        [shift(p.shift) for p in predictions],
    )


def measure(
    gold: DialogueSet, found: Scored, calibration: Calibration
) -> dict[str, float | dict[str, float]]:
    """Return all metrics of one run on one split.

    ``shift_f1`` is that of the transfer module (absent without one), ``shift_f1_labels`` that of
    comparing the predicted labels of the two utterances.
    """
    labels = np.concatenate([d.labels for d in gold.dialogues])
    p = np.concatenate(found.probabilities)
    known = labels >= 0
    labels, p = labels[known], p[known]
    out: dict[str, float | dict[str, float]] = labelled(labels, p, gold.classes)
    if gold.corpus == "mosi":  # one speaker, and a sentence's sentiment is no state to shift
        return out
    truth = np.concatenate([changed(d.labels, d.speakers) for d in gold.dialogues])
    compared = np.concatenate(
        [
            changed(q.argmax(1), d.speakers)
            for d, q in zip(gold.dialogues, found.probabilities, strict=True)
        ]
    )
    out["shift_f1_labels"] = shift_f1(truth, compared.astype(float))
    shift = np.concatenate(found.shift)
    there = (truth >= 0) & ~np.isnan(shift)
    if there.any():
        out["shift_f1"] = shift_f1(truth[there], shift[there], calibration.shift_threshold)
    return out


def write_predictions(path: Path, gold: DialogueSet, found: Scored) -> None:
    """Store one line a dialogue: its id, probabilities and shifts."""
    write_rows(
        path,
        (
            {
                "id": d.id,
                "p": np.round(p, 4).tolist(),
                "s": [None if np.isnan(x) else round(float(x), 4) for x in s],
            }
            for d, p, s in zip(gold.dialogues, found.probabilities, found.shift, strict=True)
        ),
    )


def read_predictions(path: Path, gold: DialogueSet) -> Scored:
    """Read what :func:`write_predictions` stored.

    Raises:
        DataError: They are not those of these dialogues.
    """
    rows = read_rows(path)
    if [(r["id"], len(r["p"])) for r in rows] != [(d.id, len(d)) for d in gold.dialogues]:
        raise DataError(f"{path} does not hold the test dialogues of {gold.corpus}")
    return Scored(
        [np.array(r["p"], float).reshape(len(r["p"]), -1) for r in rows],
        [np.array([np.nan if x is None else x for x in r["s"]], float) for r in rows],
    )
