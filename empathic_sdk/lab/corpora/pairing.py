"""Dialogues with voices, faces and behaviour that were never theirs: a construction.

No public set of dialogues with seven emotions has raw media of every modality here. So every
utterance of a text corpus is given a recording, a face and interaction events of the emotion it is
labelled with, from people who stay the same for a speaker. **This is no evidence about people**:
what somebody says and how they look agree here because a label says so. It teaches the dialogue
model to read several channels, to live without any of them, and how far to believe each.

How far is the point. An encoder knows the media it was trained on too well, and a dialogue model
that learns from those would trust it too much. Media for training are therefore drawn by *answer*:
for an utterance of an emotion, a held-out signal of that emotion is drawn, and then a training
signal that the encoder answers with the same emotion, and as nearly as sure of it as there is. What
it says of the paired media is then as often right, as often wrong in the same way, and about as
sure as it is on people it has not seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np

from empathic_sdk.errors import DataError
from empathic_sdk.lab.corpora.dialogues import Dialogue, DialogueSet

ALIKE = 5


@dataclass(frozen=True)
class MediaPool:
    """Signals of one modality with a known emotion, as an encoder reads them.

    Attributes:
        modality: Whose.
        vectors: float32 ``[k, width]``.
        probabilities: float32 ``[k, 7]``, what the encoder itself answers.
        labels: int64 ``[k]`` index into ``Emotion``.
        people: Who shows it; a speaker keeps one of them.
    """

    modality: str
    vectors: np.ndarray
    probabilities: np.ndarray
    labels: np.ndarray
    people: tuple[str, ...]

    def __post_init__(self) -> None:
        k = len(self.vectors)
        if not k or {len(self.probabilities), len(self.labels), len(self.people)} != {k}:
            raise DataError(f"a pool of {self.modality} needs as many labels as vectors, and some")

    def __len__(self) -> int:
        return len(self.labels)


def pair(
    data: DialogueSet, pool: MediaPool, *, like: MediaPool | None = None, seed: int = 0
) -> DialogueSet:
    """Give every labelled utterance a signal of its emotion from ``pool``.

    Args:
        data: Dialogues whose labels are emotions; unlabelled utterances get nothing.
        pool: Where signals come from.
        like: Held-out signals: the pool's are then drawn to be answered like those (see above).
            ``None`` draws any of the right emotion, for a pool that is itself held out.
        seed: Of every draw.

    Returns:
        The dialogues with one more modality.
    """
    rng = np.random.default_rng(seed)
    pick = _Picker(pool, like, rng)
    names = sorted(set(pool.people))
    out = []
    for d in data.dialogues:
        rows = np.zeros((len(d), pool.vectors.shape[1]), np.float32)
        there = np.zeros(len(d), bool)
        for i, (speaker, label) in enumerate(zip(d.speakers, d.labels.tolist(), strict=True)):
            if label < 0:
                continue
            found = pick(label, names[_number(speaker, seed) % len(names)])
            if found is not None:
                rows[i], there[i] = pool.vectors[found], True
        out.append(
            replace(
                d, features={**d.features, pool.modality: rows},
                present={**d.present, pool.modality: there},
            )
        )  # fmt: skip
    return replace(data, dialogues=out)


class _Picker:
    """Draws one signal of a label, of a person where they have some."""

    def __init__(self, pool: MediaPool, like: MediaPool | None, rng: np.random.Generator) -> None:
        self._pool, self._rng = pool, rng
        self._like = like
        self._of: dict[str, np.ndarray] = {
            name: np.array([i for i, p in enumerate(pool.people) if p == name])
            for name in set(pool.people)
        }
        self._labelled = {
            label: np.flatnonzero(pool.labels == label) for label in set(pool.labels.tolist())
        }
        # Distances between square roots of distributions: Hellinger's.
        self._roots = np.sqrt(pool.probabilities)
        self._said = pool.probabilities.argmax(1)

    def __call__(self, label: int, person: str) -> int | None:
        mine = self._of[person]
        if self._like is not None:
            held = np.flatnonzero(self._like.labels == label)
            if not len(held):
                return None
            wanted = self._like.probabilities[self._rng.choice(held)]
            # The same answer first of all, of this person if they give it, else of anybody.
            said = self._said[mine] == wanted.argmax()
            some = mine[said] if said.any() else np.flatnonzero(self._said == wanted.argmax())
            some = some if len(some) else mine
            far = ((self._roots[some] - np.sqrt(wanted)) ** 2).sum(1)
            nearest = np.argpartition(far, min(ALIKE, len(some)) - 1)[:ALIKE]
            return int(some[self._rng.choice(nearest)])
        fitting = mine[self._pool.labels[mine] == label]
        if not len(fitting):
            fitting = self._labelled.get(label, np.zeros(0, int))
        return int(self._rng.choice(fitting)) if len(fitting) else None


def replaced(
    data: DialogueSet,
    junk: Mapping[str, Sequence[np.ndarray | None]],
    *,
    share: float = 1.0,
    seed: int = 0,
) -> DialogueSet:
    """Put signals that mean nothing in the place of real ones.

    Args:
        data: Dialogues with media.
        junk: By modality what an encoder made of each signal: ``[width]``, or ``None`` where it
            found nothing in it, which makes the modality absent.
        share: Of the utterances, at random.
        seed: Of the draw.
    """
    rng = np.random.default_rng(seed)
    out = []
    for d in data.dialogues:
        features, present = dict(d.features), dict(d.present)
        for m, rows in junk.items():
            if m not in features:
                continue
            features[m], present[m] = features[m].copy(), present[m].copy()
            for i in np.flatnonzero(present[m] & (rng.random(len(d)) < share)):
                row = rows[int(rng.integers(len(rows)))]
                features[m][i], present[m][i] = (0.0, False) if row is None else (row, True)
        out.append(replace(d, features=features, present=present))
    return replace(data, dialogues=out)


def limited(data: DialogueSet, modalities: Sequence[str]) -> DialogueSet:
    """Return the same dialogues with every other modality absent."""
    return replace(
        data,
        dialogues=[
            replace(d, present={m: p & (m in modalities) for m, p in d.present.items()})
            for d in data.dialogues
        ],
    )


def reliability(data: DialogueSet, pool: MediaPool) -> dict[str, float]:
    """Return how often the encoder alone is right on what the dialogues were paired with.

    ``accuracy`` counts utterances, ``uar`` is its mean over emotions, ``sure`` the mean
    probability of its answer.
    """
    answer = {row.tobytes(): p for row, p in zip(pool.vectors, pool.probabilities, strict=True)}
    right: dict[int, list[bool]] = {}
    sure = []
    for d, i in _paired(data, pool.modality):
        p = answer[d.features[pool.modality][i].tobytes()]
        right.setdefault(int(d.labels[i]), []).append(int(p.argmax()) == int(d.labels[i]))
        sure.append(float(p.max()))
    every = [hit for hits in right.values() for hit in hits]
    return {
        "accuracy": float(np.mean(every)),
        "uar": float(np.mean([np.mean(hits) for hits in right.values()])),
        "sure": float(np.mean(sure)),
    }


def _paired(data: DialogueSet, modality: str) -> Iterator[tuple[Dialogue, int]]:
    for d in data.dialogues:
        for i in np.flatnonzero(d.present[modality]):
            yield d, int(i)


def _number(name: str, seed: int) -> int:
    """Return a number for a name that is the same in every process."""
    return int.from_bytes(sha256(f"{seed} {name}".encode("utf-8", "surrogatepass")).digest()[:4])
