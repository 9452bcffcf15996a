"""What ``empathic evaluate`` says of dialogue models: stored runs, and the one that ships."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from empathic_sdk.encoders.text import TextEncoder
from empathic_sdk.lab.corpora.dialogues import DialogueSet, read_dialogues
from empathic_sdk.lab.evaluation.configurations import Runs, recipe_of, siblings
from empathic_sdk.lab.evaluation.dialogue_figures import Scored, measure
from empathic_sdk.lab.evaluation.dialogue_metrics import changed, shift_f1
from empathic_sdk.lab.evaluation.metrics import classification
from empathic_sdk.lab.evaluation.spread import summary
from empathic_sdk.lab.evaluation.text_runs import evaluate_text
from empathic_sdk.recognition.calibration import Calibration
from empathic_sdk.recognition.recognizer import EmotionRecognizer
from empathic_sdk.types import Emotion, EmotionState, Utterance


def evaluate_dialogue(
    name: str,
    *,
    data: Path,
    split: str,
    results: Path,
    configuration: str | None = None,
    table: bool = False,
) -> dict[str, Any]:
    """Measure recorded runs of a dialogue model; the object that ``empathic evaluate`` prints.

    No weights are needed: test figures come from the stored predictions, dev figures from the
    records.

    Args:
        name: ``meld``, ``iemocap`` or ``mosi``.
        data: Folder of the corpora.
        split: ``dev`` or ``test``.
        results: Folder of the run records.
        configuration: Which runs; default: those of the whole causal MDGET.
        table: Add every recorded configuration, see
            :meth:`~empathic_sdk.lab.evaluation.configurations.Runs.table`.

    Returns:
        ``dataset model split n causal configuration run``, the figures of that run (the one in
        the middle by the headline figure) and ``runs``: mean and spread over all of them.

    Raises:
        DataError: There are no such runs; says which there are.
    """
    runs = Runs(results, data, name)
    configuration = configuration or runs.default()
    chosen, measured = runs.median(configuration, split)
    items = runs.test if split == "test" else read_dialogues(name, data, split)
    recipe = recipe_of(chosen)
    return {
        "dataset": name,
        "model": recipe["model"],
        "split": split,
        "n": int(sum((d.labels >= 0).sum() for d in items.dialogues)),
        "causal": bool(recipe["causal"]),
        "configuration": configuration,
        "run": chosen["name"],
        **(runs.measured(chosen) if split == "test" else chosen["dev"]),
        "runs": summary(measured),
        **({"table": runs.table()} if table else {}),
    }


def evaluate_meld(
    *,
    data: Path,
    split: str,
    results: Path,
    checkpoint: Path | None = None,
    model: str = "mdget",
    configuration: str | None = None,
    table: bool = False,
) -> dict[str, Any]:
    """Measure what ships on MELD, anew and through the public API: dialogue by dialogue.

    Args:
        data: Folder of the corpora.
        split: ``dev`` or ``test``.
        results: Folder of the run records, rescored for ``runs``.
        checkpoint: Text weights, the dialogue model beside them; default: those that ship.
        model: ``mdget``, or ``text`` for the heads of single utterances alone. Where there is no
            dialogue model it is those in any case.
        configuration: Recorded runs to measure instead; see :func:`evaluate_dialogue`.
        table: Add every recorded configuration.
    """
    if configuration:
        return evaluate_dialogue(
            "meld", data=data, split=split, results=results, configuration=configuration,
            table=table,
        )  # fmt: skip
    report = _measured_anew(data, split, results, checkpoint, model)
    return {**report, "table": Runs(results, data, "meld").table()} if table else report


def _measured_anew(
    data: Path, split: str, results: Path, checkpoint: Path | None, model: str
) -> dict[str, Any]:
    recognizer = EmotionRecognizer(text=TextEncoder(checkpoint))
    if model == "text" or recognizer.dialogue is None:
        return evaluate_text("meld", data=data, split=split, checkpoint=checkpoint, results=results)
    items = read_dialogues("meld", data, split)
    heard = [
        recognizer.session().extend(
            [Utterance(text=t, speaker=s) for t, s in zip(d.texts, d.speakers, strict=True)]
        )
        for d in items.dialogues
    ]
    alone = recognizer.read([t for d in items.dialogues for t in d.texts], "meld").emotion.argmax(1)
    return {
        "dataset": "meld",
        "model": recognizer.dialogue_about["name"],
        "split": split,
        "n": int(sum((d.labels >= 0).sum() for d in items.dialogues)),
        "causal": True,
        **measure_states(items, heard, recognizer.calibration.shift_threshold),
        **_alone(items, alone),
        "runs": _recorded(recognizer.dialogue_about["name"], results, data, split),
    }


def measure_states(
    items: DialogueSet, heard: Sequence[Sequence[EmotionState]], shift_threshold: float
) -> dict[str, float | dict[str, float]]:
    """Return all metrics of states, one list a dialogue, against MELD's labels."""
    found = Scored(
        [np.array([[s.probabilities[e] for e in Emotion] for s in one]) for one in heard],
        [np.array([np.nan if s.shift is None else s.shift for s in one], float) for one in heard],
    )
    gold = np.concatenate([d.labels for d in items.dialogues])
    right = np.concatenate(found.probabilities).argmax(1) == gold
    sure = np.array([not s.uncertain for one in heard for s in one]) & (gold >= 0)
    return {
        **measure(items, found, Calibration(shift_threshold=shift_threshold)),
        "coverage": float(sure[gold >= 0].mean()),
        "accuracy_when_sure": float(right[sure].mean()) if sure.any() else 0.0,
    }


def _alone(items: DialogueSet, said: np.ndarray) -> dict[str, float]:
    """Return what the heads of single utterances reach, each utterance on its own."""
    gold = np.concatenate([d.labels for d in items.dialogues])
    truth = np.concatenate([changed(d.labels, d.speakers) for d in items.dialogues])
    known = gold >= 0
    return {
        "utterance_only_weighted_f1": classification(gold[known], said[known])["weighted_f1"],
        "utterance_only_shift_f1_labels": shift_f1(truth, _compared(items, said)),
    }


def _compared(items: DialogueSet, said: np.ndarray) -> np.ndarray:
    """Return 1.0 where a speaker's predicted label differs from their last, flat."""
    ends = np.cumsum([len(d) for d in items.dialogues])[:-1]
    parts = zip(items.dialogues, np.split(said, ends), strict=True)
    return np.concatenate([changed(part, d.speakers) for d, part in parts]).astype(float)


def _recorded(name: str, results: Path, data: Path, split: str) -> dict[str, Any]:
    """Return ``runs`` of a run and its siblings: rescored predictions, or the records' on dev."""
    configuration, records = siblings(results, "meld", name)
    if split == "dev" or not records:
        return summary([r["dev"] for r in records])
    runs = Runs(results, data, "meld")
    return summary([runs.measured(r) for r in runs.tested(configuration)])


__all__ = ["evaluate_dialogue", "evaluate_meld", "measure_states"]
