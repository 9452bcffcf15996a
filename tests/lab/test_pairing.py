"""Dialogues with borrowed voices and faces: who, how reliable, and what can be taken away."""

from __future__ import annotations

import numpy as np
import pytest

from empathic_sdk.errors import DataError
from empathic_sdk.lab.corpora.dialogues import SEVEN, Dialogue, DialogueSet
from empathic_sdk.lab.corpora.pairing import MediaPool, limited, pair, reliability, replaced


def dialogues(n: int = 40, length: int = 25) -> DialogueSet:
    rng = np.random.default_rng(5)
    made = []
    for k in range(n):
        labels = rng.integers(7, size=length)
        labels[0] = -1
        made.append(
            Dialogue(
                id=f"d{k}", ids=[f"d{k}-{i}" for i in range(length)], texts=["x"] * length,
                speakers=[f"speaker {(k + i) % 6}" for i in range(length)], labels=labels,
                features={"text": np.zeros((length, 2), np.float32)},
                present={"text": np.ones(length, bool)}, times=np.full((length, 2), np.nan),
            )
        )  # fmt: skip
    return DialogueSet(corpus="made", split="train", classes=SEVEN, dialogues=made)


def pool(
    k: int, sharp: float, people: int, seed: int, *, least: float | None = None, width: int = 3
) -> MediaPool:
    """Draw answers the righter the higher ``sharp`` (from ``least`` on); all vectors differ."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(7, size=k)
    clear = rng.uniform(sharp if least is None else least, sharp, (k, 1))
    logits = rng.standard_normal((k, 7)) + clear * np.eye(7)[labels]
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return MediaPool(
        modality="speech", vectors=rng.standard_normal((k, width)).astype(np.float32),
        probabilities=p.astype(np.float32), labels=labels,
        people=tuple(f"p{i % people}" for i in range(k)),
    )  # fmt: skip


def held_out_accuracy(of: MediaPool) -> tuple[float, float]:
    """Mean over emotions of how often it is right, and how sure it is of its answers."""
    right = of.probabilities.argmax(1) == of.labels
    sure = of.probabilities.max(1)
    classes = [of.labels == c for c in range(7)]
    return float(np.mean([right[c].mean() for c in classes])), float(
        np.mean([sure[c].mean() for c in classes])
    )


def test_media_for_training_are_as_reliable_as_media_that_are_held_out() -> None:
    known, strange = pool(9000, 9.0, 6, seed=1, least=1.0), pool(2000, 1.5, 4, seed=2)
    accuracy, sure = held_out_accuracy(strange)
    assert held_out_accuracy(known)[0] > 0.85 > 0.6 > accuracy
    data = dialogues()
    found = reliability(pair(data, known, like=strange), known)
    assert found["uar"] == pytest.approx(accuracy, abs=0.03)
    assert found["sure"] == pytest.approx(sure, abs=0.08)
    # Drawn by label alone it would be known as well as the media the encoder was trained on.
    assert reliability(pair(data, known), known)["uar"] > 0.85


def test_a_held_out_pool_is_drawn_by_label_and_a_speaker_keeps_one_person() -> None:
    some = pool(3000, 2.0, 5, seed=3)
    where = {row.tobytes(): i for i, row in enumerate(some.vectors)}
    people: dict[str, set[str]] = {}
    for d in pair(dialogues(), some).dialogues:
        assert not d.present["speech"][0]  # no label, no voice
        for i in range(1, len(d)):
            drawn = where[d.features["speech"][i].tobytes()]
            assert some.labels[drawn] == d.labels[i]
            people.setdefault(d.speakers[i], set()).add(some.people[drawn])
    assert all(len(p) == 1 for p in people.values()) and len(people) == 6


def test_drawing_is_repeatable_and_depends_on_the_seed() -> None:
    some = pool(500, 2.0, 5, seed=3)
    digests = [pair(dialogues(3), some, seed=s).digest() for s in (1, 1, 2)]
    assert digests[0] == digests[1] != digests[2]


def test_noise_takes_the_place_of_what_was_there() -> None:
    data = pair(dialogues(), pool(500, 2.0, 5, seed=3))
    noise = [np.full(3, 9.0, np.float32)] * 4
    d = replaced(data, {"speech": noise, "face": noise}).dialogues[0]
    assert (d.features["speech"][1:] == 9).all() and not d.present["speech"][0]
    assert "face" not in d.features
    gone = replaced(data, {"speech": [None]}).dialogues[0]
    assert not gone.present["speech"].any()
    half = replaced(data, {"speech": noise}, share=0.5)
    struck = np.mean([(x.features["speech"][1:] == 9).all(1).mean() for x in half.dialogues])
    assert 0.45 < struck < 0.55
    assert data.dialogues[0].present["speech"][1:].all()  # the original is as it was


def test_channels_are_closed() -> None:
    data = limited(pair(dialogues(2), pool(500, 2.0, 5, seed=3)), ["speech"])
    assert not data.dialogues[0].present["text"].any()
    assert data.dialogues[0].present["speech"][1:].all()


def test_a_pool_must_fit_together() -> None:
    with pytest.raises(DataError, match="speech"):
        MediaPool("speech", np.zeros((2, 3), np.float32), np.zeros((2, 7)), np.zeros(1), ("a", "b"))
