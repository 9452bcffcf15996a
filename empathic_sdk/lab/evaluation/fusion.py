"""``empathic evaluate fusion``: what the shipped weights make of several modalities at once.

The media are borrowed (``lab/corpora/pairing.py``): these figures say that the fusion works, not
how well feelings can be read off people.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from empathic_sdk.errors import DataError, ModelError
from empathic_sdk.lab.corpora.dialogues import read_dialogues
from empathic_sdk.lab.corpora.encoded_media import Encoders, pools
from empathic_sdk.lab.corpora.pairing import reliability, replaced
from empathic_sdk.lab.corpora.text_vectors import load
from empathic_sdk.lab.evaluation.configurations import siblings
from empathic_sdk.lab.evaluation.dialogue_figures import read_predictions
from empathic_sdk.lab.evaluation.dialogue_metrics import paired_bootstrap
from empathic_sdk.lab.evaluation.metrics import classification, expected_calibration_error
from empathic_sdk.lab.evaluation.nuisance import MUSIC, PICTURES, RATE, packaged, pictures, sounds
from empathic_sdk.lab.evaluation.spread import summary
from empathic_sdk.lab.recipes.fusion import (
    CONDITIONS,
    FUSION,
    MODALITIES,
    embedded,
    read,
    with_media,
)
from empathic_sdk.lab.training.dialogue_fit import load_checkpoint
from empathic_sdk.recognition.calibration import Calibration
from empathic_sdk.runtime.networks import shipped
from empathic_sdk.types import Embedding
from empathic_sdk.types.utterance import Audio, Frame

Floats = list[np.ndarray]


def evaluate_fusion(
    *, data: Path, split: str, results: Path, cache: Path, checkpoint: Path | None = None
) -> dict[str, Any]:
    """Measure every condition; the object that ``empathic evaluate fusion`` prints.

    ``weighted_f1`` and its like are those with everything present; ``weighted_f1_CONDITION`` names
    the others, ``weighted_f1_noise`` is text with noise for a voice and pictures without a face,
    ``gain`` and ``noise_loss`` compare with text alone (paired bootstrap over dialogues in
    ``intervals``), ``reliability`` is what each encoder says of its own signals.
    """
    path = checkpoint or shipped("dialogue")
    network, about = load_checkpoint(path)
    if set(network.config.inputs) != set(MODALITIES):
        raise ModelError(f"{path} reads only {', '.join(network.config.inputs)}: nothing to fuse")
    encoders = embedded()
    if about.get("encoders") != encoders.marks():
        raise ModelError(f"{path} was trained with other encoders than those that ship")
    calibration = Calibration(**about["calibration"])
    drawn = pools(split, data, encoders, cache)
    items = with_media(load("meld", split, data=data, features="shipped", cache=cache), drawn)

    found = {c: read(network, items, c, calibration).probabilities for c in CONDITIONS}
    heard, passed = nuisance(encoders)
    struck = replaced(items, heard)
    found["noise"] = read(network, struck, "text+speech+face", calibration).probabilities
    gold = np.concatenate([d.labels for d in items.dialogues])
    known = gold >= 0
    every = np.concatenate(found["all"])[known]
    report: dict[str, Any] = {
        "dataset": "fusion",
        "model": about["name"],
        "split": split,
        "n": int(known.sum()),
        "causal": True,
        **classification(gold[known], every.argmax(1)),
        "ece": expected_calibration_error(every, gold[known]),
    }
    for condition, p in found.items():
        said = np.concatenate(p)[known].argmax(1)
        report[f"weighted_f1_{condition}"] = classification(gold[known], said)["weighted_f1"]
    labels = [d.labels for d in items.dialogues]
    intervals = {
        "gain": paired_bootstrap(labels, _said(found["all"]), _said(found["text"])),
        "gain_text+speech+face": paired_bootstrap(
            labels, _said(found["text+speech+face"]), _said(found["text"])
        ),
        "noise_loss": paired_bootstrap(labels, _said(found["text"]), _said(found["noise"])),
    }
    report |= {k: v["difference"] for k, v in intervals.items()}
    report["intervals"] = intervals
    report["noise_read_as_a_voice"] = passed["speech"]
    report["pictures_read_as_a_face"] = passed["face"]
    report["reliability"] = {m: reliability(items, drawn[m]) for m in MODALITIES[1:]}
    report["runs"] = recorded(about["name"], results, data) if split == "test" else {"n": 0}
    return report


def nuisance(encoders: Encoders) -> tuple[dict[str, list[np.ndarray | None]], dict[str, float]]:
    """Return what the encoders make of noise and of pictures without a face, and how many pass."""
    noise: list[Audio] = [*((wave, RATE) for wave in sounds()), *packaged(MUSIC)]
    images: list[Frame] = [*pictures(), *packaged(PICTURES)]
    made: dict[str, Sequence[Embedding]] = {
        "speech": encoders.speech.encode(noise),
        "face": encoders.face.encode([[p] for p in images]),
    }
    rows = {m: [e.vector if e.present else None for e in some] for m, some in made.items()}
    return rows, {m: float(np.mean([r is not None for r in some])) for m, some in rows.items()}


def recorded(name: str, results: Path, data: Path) -> dict[str, Any]:
    """Return ``runs`` of a run and its siblings, rescored from their stored predictions."""
    _, records = siblings(results, "meld", name)
    test = read_dialogues("meld", data, "test")
    gold = np.concatenate([d.labels for d in test.dialogues])
    known = gold >= 0
    figures = []
    for record in records:
        f1 = {}
        for condition in CONDITIONS:
            path = results / FUSION / f"{record['name']}-{condition}.predictions.jsonl.gz"
            if not path.is_file():
                raise DataError(f"{path} is missing: train the run again")
            p = np.concatenate(read_predictions(path, test).probabilities)[known]
            f1[condition] = classification(gold[known], p.argmax(1))["weighted_f1"]
        every = {f"weighted_f1_{condition}": value for condition, value in f1.items()}
        figures.append({**every, "weighted_f1": f1["all"], "gain": f1["all"] - f1["text"]})
    return summary(figures)


def _said(p: Floats) -> Floats:
    return [row.argmax(1) for row in p]
