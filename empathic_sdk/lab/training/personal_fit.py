"""Trains a head that reads a person's history beside a frozen model's answer.

Everything is read from vectors that are there already, so a run takes a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from empathic_sdk.lab.recipes.numbers import Numbers, Seed
from empathic_sdk.lab.training.trainer import Trainer, adamw
from empathic_sdk.models.personal import PersonalHead

HISTORIES = (0, 1, 5, 20)
MOST = HISTORIES[-1]
PROJECTED = 16


@dataclass(frozen=True)
class History:
    """What a frozen model made of one person's ``n`` utterances, oldest first.

    Attributes:
        name: Who.
        state: float32 ``[n, d]``.
        fused: float32 ``[n, f]``.
        logits: float32 ``[n, classes]``, calibrated.
        labels: int64 ``[n]``.
        affect: float32 ``[n, 2]`` valence and arousal.
    """

    name: str
    state: np.ndarray
    fused: np.ndarray
    logits: np.ndarray
    labels: np.ndarray
    affect: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, kw_only=True)
class PersonalRecipe(Numbers):
    """Every number of a run.

    Attributes:
        seed: Of initial weights, histories and dropout.
        width: Of the user embedding.
        dropout: See the head.
        steps: Batches.
        batch_size: Utterances a batch.
        learning_rate: Of AdamW.
        weight_decay: Of AdamW.
        every: Steps between two looks at dev.
    """

    seed: Seed = 1
    width: int = 16
    dropout: float = 0.3
    steps: int = 600
    batch_size: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 0.1
    every: int = 50


def profile_of(person: History, rows: Sequence[int] | np.ndarray) -> np.ndarray:
    """Return p_u of eq 59 of a history: float32 ``[3 * classes + 4 + 3 + 16 + 1]``.

    Label histogram; what the general model said on average, and how far that was off (both a
    class); mean and variance of valence and arousal; share of utterances that feel as the one
    before, of those that left it for neutral, and of those that left neutral; the mean state,
    projected by a fixed random matrix; log(1 + k). A history of nothing is all zeros.
    """
    classes = person.logits.shape[1]
    out = np.zeros(3 * classes + 4 + 3 + PROJECTED + 1, np.float32)
    rows = np.asarray(rows, int)
    if not len(rows):
        return out
    felt = np.eye(classes)[person.labels[rows]]
    z = person.logits[rows].astype(np.float64)
    p = np.exp(z - z.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    labels, affect = person.labels[rows], person.affect[rows]
    before, after = labels[:-1], labels[1:]
    moved = [(before == after), (before != 0) & (after == 0), (before == 0) & (after != 0)]
    transitions = [float(m.mean()) if len(m) else 0.0 for m in moved]
    projection = _projection(person.state.shape[1])
    parts = [felt.mean(0), p.mean(0), (felt - p).mean(0), affect.mean(0), affect.var(0),
             transitions, person.state[rows].mean(0) @ projection,
             [np.log1p(len(rows))]]  # fmt: skip
    return np.concatenate(parts).astype(np.float32)


@lru_cache(maxsize=4)
def _projection(width: int) -> np.ndarray:
    drawn = np.random.default_rng(0).standard_normal((width, PROJECTED))
    return np.asarray(drawn / np.sqrt(width))


def split_history(person: History) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows kept as history and those that are scored: the same ones for every k."""
    return np.arange(min(MOST, len(person))), np.arange(min(MOST, len(person)), len(person))


def train_head(
    recipe: PersonalRecipe,
    train: Sequence[History],
    dev: Sequence[History],
    score: Callable[[Sequence[np.ndarray]], float],
) -> tuple[PersonalHead, dict[str, Any]]:
    """Train the head on people of ``train``; ``score`` of dev chooses the step.

    A history of k utterances is drawn from those of the same person, in their order, and an
    utterance beside it is predicted. Step 0, where nothing is added, competes: a head that does not
    help stays at it.

    Args:
        recipe: Its numbers.
        train: Those with more utterances than the longest history.
        dev: Others, or later utterances of them.
        score: Of dev's logits with the longest history, an array a person; the higher the better.
    """
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    known = [p for p in train if len(p) > MOST]
    first = known[0]
    head = PersonalHead(
        profile=len(profile_of(first, ())), state=first.state.shape[1],
        fused=first.fused.shape[1], classes=first.logits.shape[1], width=recipe.width,
        dropout=recipe.dropout,
    )  # fmt: skip
    share = np.array([len(p) for p in known], float) ** 0.5
    share /= share.sum()

    def loss(_: int) -> Tensor:
        drawn = [
            _example(known[i], rng) for i in rng.choice(len(known), recipe.batch_size, p=share)
        ]
        profile, state, fused, logits = (
            torch.from_numpy(np.stack(column)) for column in list(zip(*drawn, strict=True))[:4]
        )
        labels = torch.tensor([d[4] for d in drawn])
        there = profile.abs().sum(1) > 0
        return F.cross_entropy(logits + head(profile, there, state, fused), labels)

    trainer = Trainer(
        module=head,
        optimizer=adamw(
            head.parameters(), rate=recipe.learning_rate, weight_decay=recipe.weight_decay
        ),
        batches=lambda _: range(recipe.steps),
        loss=loss,
        score=lambda: {"dev": score([read(head, p, MOST) for p in dev])},
        per_epoch=recipe.steps,
        marks=range(recipe.every, recipe.steps + 1, recipe.every),
        counter="step",
        objective="dev",
        from_start=True,
        tells=("chosen", "parameters"),
        name=f"seed {recipe.seed}",
    )
    ran = trainer.run()
    return head, {**ran, "dev": max(h["dev"] for h in ran["history"])}


def read(head: PersonalHead, person: History, k: int) -> np.ndarray:
    """Return logits of the scored utterances of a person, with the last k of their history."""
    kept, scored = split_history(person)
    profile = profile_of(person, kept[len(kept) - k :] if k else ())
    n = len(scored)
    head.eval()
    with torch.inference_mode():
        added: Tensor = head(
            torch.from_numpy(np.tile(profile, (n, 1))),
            torch.full((n,), k > 0),
            torch.from_numpy(person.state[scored]),
            torch.from_numpy(person.fused[scored]),
        )
    return np.asarray(person.logits[scored] + added.numpy())


def _example(
    person: History, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int]:
    k = int(rng.choice(HISTORIES[1:]))
    rows = rng.permutation(len(person))[: k + 1]
    target, past = int(rows[0]), np.sort(rows[1:])
    return (
        profile_of(person, past), person.state[target], person.fused[target],
        person.logits[target], int(person.labels[target]),
    )  # fmt: skip
