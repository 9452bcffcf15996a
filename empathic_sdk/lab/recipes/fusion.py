"""Recipe ``fusion``: train the dialogue model that ships: text, speech, face and behaviour.

MELD's texts with borrowed voices, faces, behaviour. What the media are, and why nothing here is
evidence about people: ``lab/corpora/pairing.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from empathic_sdk.encoders.behaviour import BehaviourEncoder
from empathic_sdk.encoders.face import FaceEncoder
from empathic_sdk.encoders.speech import SpeechEncoder
from empathic_sdk.lab.corpora.dialogues import DialogueSet, further_dialogues
from empathic_sdk.lab.corpora.encoded_media import Encoders, junk, pools
from empathic_sdk.lab.corpora.pairing import MediaPool, limited, pair, reliability, replaced
from empathic_sdk.lab.corpora.text_vectors import load, mark, with_vectors
from empathic_sdk.lab.evaluation.dialogue_figures import (
    Scored,
    calibrate,
    dev_score,
    measure,
    scored,
    write_predictions,
)
from empathic_sdk.lab.recipes.dialogue import (
    CHECKPOINT,
    predictions,
    record_head,
    run_name,
    write_checkpoint,
)
from empathic_sdk.lab.recipes.dialogue_numbers import DialogueRecipe
from empathic_sdk.lab.recipes.dialogue_numbers import fusion as fusion_numbers
from empathic_sdk.lab.records import (
    PREDICTIONS,
    RunRecord,
    predictions_of,
    weights_entry,
)
from empathic_sdk.lab.registry import Command, Outcome
from empathic_sdk.lab.runs.runner import folder
from empathic_sdk.lab.training.dialogue_batches import Prediction
from empathic_sdk.lab.training.dialogue_fit import fit
from empathic_sdk.models.mdget import MDGET
from empathic_sdk.recognition.calibration import Calibration, probabilities
from empathic_sdk.recognition.recognizer import EmotionRecognizer

FUSION = "fusion"
MODALITIES = ("text", "speech", "face", "behaviour")
# What is present in each row of the table; all of it is read by the same weights.
CONDITIONS: Mapping[str, tuple[str, ...]] = {
    "text": ("text",),
    "speech": ("speech",),
    "face": ("face",),
    "behaviour": ("behaviour",),
    "text+speech": ("text", "speech"),
    "text+face": ("text", "face"),
    "text+behaviour": ("text", "behaviour"),
    "speech+face": ("speech", "face"),
    "text+speech+face": ("text", "speech", "face"),
    "all": MODALITIES,
}
# In training, so many of the voices and faces are noise.
NOISY = 0.05


def embedded() -> Encoders:
    """Return the encoders that ship."""
    return Encoders(SpeechEncoder(), FaceEncoder(), BehaviourEncoder())


def with_media(
    items: DialogueSet,
    drawn: Mapping[str, MediaPool],
    like: Mapping[str, MediaPool] | None = None,
    *,
    seed: int = 0,
) -> DialogueSet:
    """Pair dialogues with all pools; voices and faces like those of ``like``, where given."""
    for m, pool in drawn.items():
        known = like is not None and m != "behaviour"  # nobody trained on those people
        items = pair(items, pool, like=like[m] if known and like is not None else None, seed=seed)
    return items


def train_fusion(
    recipe: DialogueRecipe, *, data: Path, results: Path, cache: Path, out: Path
) -> RunRecord:
    """Train one run on the vectors of the encoders that ship; dev chooses its epoch.

    Dev is read twice, typed alone and with everything, so that the epoch suits both.

    Returns:
        The run record. ``results/dialogue`` gets it with the test predictions for text alone, and
        ``results/fusion`` those of every condition.
    """
    encoders = embedded()
    held, known = (pools(s, data, encoders, cache) for s in ("dev", "train"))
    strange = pools("test", data, encoders, cache)
    texts = {
        s: load("meld", s, data=data, features="shipped", cache=cache)
        for s in ("train", "dev", "test")
    }
    noise = junk(encoders)
    train = with_media(texts["train"], known, held, seed=recipe.seed)
    dev, test = with_media(texts["dev"], held), with_media(texts["test"], strange)
    beside = [
        with_media(
            with_vectors(further_dialogues(c, data, recipe.beside_size), "shipped", cache),
            known, held, seed=recipe.seed,
        )
        for c in recipe.beside
    ]  # fmt: skip
    typed = limited(dev, ("text",))
    both = replace(dev, dialogues=[*typed.dialogues, *dev.dialogues])
    network, statistics, ran = fit(
        recipe, replaced(train, noise, share=NOISY, seed=recipe.seed), both, dev_score(both), beside
    )
    assert isinstance(network, MDGET)
    statistics.fold(network)
    path, text, marks = out / CHECKPOINT, mark(None), encoders.marks()
    about = {
        "name": run_name("meld", "shipped", recipe),
        "classes": list(dev.classes),
        "text_sha256": text,
        "encoders": marks,
    }
    network, calibration = write_checkpoint(
        path, network, about, lambda n: calibrate_fusion(n, dev)
    )
    record = RunRecord(
        **record_head("meld", "shipped", recipe, (train, dev, test), beside),
        encoders=marks,
        reliability={
            s.split: {m: reliability(s, pool[m]) for m in MODALITIES[1:]}
            for s, pool in ((train, known), (dev, held))
        },
        run=ran,
        calibration=calibration.model_dump(),
        **on_dev(network, dev, calibration),
        checkpoint=weights_entry(path, text_sha256=text),
    )
    for condition, there in CONDITIONS.items():
        found = scored(predictions(network, limited(test, there)), calibration)
        write_predictions(results / FUSION / f"{record.name}-{condition}{PREDICTIONS}", test, found)
        if condition == "text":
            write_predictions(predictions_of(record.path(results)), test, found)
    record.write(results)
    return record


def calibrate_fusion(network: MDGET, dev: DialogueSet) -> Calibration:
    """Fix everything on dev: by typed text alone, and once more for where there is more."""
    typed = limited(dev, ("text",))
    on_typed = predictions(network, typed)
    alone = calibrate(typed, on_typed)
    more = [limited(dev, there) for c, there in CONDITIONS.items() if c != "text"]
    union = replace(dev, dialogues=[d for some in more for d in some.dialogues])
    fused = calibrate(union, predictions(network, union))
    return alone.model_copy(
        update={
            "fused_temperature": fused.temperature,
            "fused_threshold": fused.threshold,
            "affect": affect_of(typed, on_typed, alone),
        }
    )


def read(network: MDGET, items: DialogueSet, condition: str, calibration: Calibration) -> Scored:
    """Return calibrated predictions with only a condition's modalities present."""
    some = limited(items, CONDITIONS[condition])
    return scored(
        predictions(network, some), calibration if condition == "text" else calibration.fused()
    )


def on_dev(network: MDGET, dev: DialogueSet, calibration: Calibration) -> dict[str, Any]:
    """Return the part of a record that says what dev says."""
    every = {c: measure(dev, read(network, dev, c, calibration), calibration) for c in CONDITIONS}
    return {"dev": every["text"], "dev_conditions": every}


def affect_of(
    items: DialogueSet, found: Sequence[Prediction], calibration: Calibration
) -> tuple[tuple[float, float], ...]:
    """Return valence and arousal of each emotion, as the text's own heads see them.

    Least squares of what the heads say of dev's texts on the dialogue model's probabilities, with
    a ridge of one utterance an emotion.
    """
    texts = [t for d in items.dialogues for t in d.texts]
    affect = EmotionRecognizer(dialogue=False).read(texts).affect
    p = np.concatenate([probabilities(f.logits, calibration.temperature) for f in found])
    means = np.linalg.solve(p.T @ p + np.eye(p.shape[1]), p.T @ affect)
    return tuple((round(float(v), 4), round(float(a), 4)) for v, a in np.clip(means, -1, 1))


def run(
    numbers: Mapping[str, Any], *, data: Path, out: Path | None, results: Path, cache: Path
) -> Outcome:
    """Train the dialogue model that ships: text, speech, face and behaviour.

    MELD's texts with borrowed voices, faces and simulated behaviour, as the shipped encoders read
    them: a construction, which says nothing about people. Dev data choose the epoch and calibrate.
    """
    recipe = replace(fusion_numbers(), **numbers)
    out = folder(f"fusion-seed{recipe.seed}", out)
    record = train_fusion(recipe, data=data, results=results, cache=cache, out=out)
    lines = [
        f"dev {condition}: weighted F1 {figures['weighted_f1']:.4f}"
        for condition, figures in record.details["dev_conditions"].items()
    ]
    return Outcome(record, [*lines, f"weights: {out / CHECKPOINT}"])


COMMAND = Command(run=run, recipe=DialogueRecipe, only=("seed", "epochs"))
