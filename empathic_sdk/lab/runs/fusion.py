"""Training the dialogue model that ships: MELD's texts with borrowed voices, faces, behaviour.

What the media are, and why nothing here is evidence about people: ``lab/corpora/pairing.py``.
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
from empathic_sdk.lab.recipes.dialogue import DialogueRecipe, Statistics, example
from empathic_sdk.lab.runs.dialogue import (
    CHECKPOINT,
    FOLDER,
    Scored,
    calibrate,
    dev_score,
    load,
    load_checkpoint,
    mark,
    measure,
    record_head,
    run_name,
    scored,
    with_vectors,
    write_json,
    write_predictions,
)
from empathic_sdk.lab.training.dialogue_loop import Prediction, fit, predict
from empathic_sdk.models.mdget import MDGET
from empathic_sdk.recognition.calibration import Calibration, probabilities
from empathic_sdk.recognition.recognizer import EmotionRecognizer
from empathic_sdk.runtime import checkpoints

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
) -> dict[str, Any]:
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
    name = run_name("meld", "shipped", recipe)
    about: dict[str, Any] = {
        "name": name,
        "configuration": network.config.as_dict(),
        "classes": list(dev.classes),
        "text_sha256": mark(None),
        "encoders": encoders.marks(),
        "calibration": Calibration().model_dump(),
    }
    checkpoints.save(out / CHECKPOINT, network.state_dict(), about)
    network, _ = load_checkpoint(out / CHECKPOINT)
    calibration = calibrate_fusion(network, dev)
    about["calibration"] = calibration.model_dump()
    tensors, _ = checkpoints.load(out / CHECKPOINT)
    checkpoints.save(out / CHECKPOINT, tensors, about)
    record = record_head("meld", "shipped", recipe, (train, dev, test), beside) | {
        "encoders": about["encoders"],
        "reliability": {
            s.split: {m: reliability(s, pool[m]) for m in MODALITIES[1:]}
            for s, pool in ((train, known), (dev, held))
        },
        "run": ran,
        "calibration": calibration.model_dump(),
        **on_dev(network, dev, calibration),
        "checkpoint": {"bytes": (out / CHECKPOINT).stat().st_size,
                       "sha256": mark(out / CHECKPOINT), "text_sha256": about["text_sha256"]},
    }  # fmt: skip
    for condition, there in CONDITIONS.items():
        items = limited(test, there)
        found = scored(predictions(network, items), calibration)
        write_predictions(
            results / FUSION / f"{name}-{condition}.predictions.jsonl.gz", test, found
        )
        if condition == "text":
            write_predictions(results / FOLDER / f"{name}.predictions.jsonl.gz", test, found)
    write_json(results / FOLDER / f"{name}.json", record)
    return record


def predictions(network: MDGET, items: DialogueSet) -> list[Prediction]:
    """Return what a network that reads raw vectors says of dialogues."""
    return predict(network, [example(d, Statistics()) for d in items.dialogues])


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


def store(
    network: MDGET, test: DialogueSet, calibration: Calibration, results: Path, name: str
) -> None:
    """Store the test predictions of every condition, unseen."""
    for condition in CONDITIONS:
        found = read(network, test, condition, calibration)
        write_predictions(
            results / FUSION / f"{name}-{condition}.predictions.jsonl.gz", test, found
        )
        if condition == "text":
            write_predictions(results / FOLDER / f"{name}.predictions.jsonl.gz", test, found)


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
