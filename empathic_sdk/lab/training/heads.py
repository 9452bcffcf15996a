"""Heads for a plugged-in encoder: its vectors stay as they are, only the heads learn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from empathic_sdk.lab.corpora.text import TextItems
from empathic_sdk.lab.recipes.text_numbers import FINE_LABELS, TextRecipe
from empathic_sdk.lab.training.text_fit import (
    Arrays,
    Batch,
    Score,
    annotators,
    batch_loss,
    marks_of,
    plan,
    prepare,
    targets,
)
from empathic_sdk.lab.training.trainer import Trainer, adamw
from empathic_sdk.models.utterance import UtteranceClassifier

Encode = Callable[[Sequence[str]], np.ndarray]


def train_heads(
    recipe: TextRecipe, *, encode: Encode, data: Mapping[str, TextItems], score: Score
) -> tuple[UtteranceClassifier, dict[str, Any]]:
    """Train the heads on vectors ``[n, width]`` that ``encode`` gives, each text encoded once.

    The recipe is that of ``text`` with its head learning rate; the weights that score best on
    dev are returned, with what was measured there. Deterministic given the seed.
    """
    torch.manual_seed(recipe.seed)
    items = {c: prepare(recipe, data[c]) for c in recipe.epochs}
    vectors = {c: torch.from_numpy(encode(i.texts)) for c, i in items.items()}
    width = next(iter(vectors.values())).shape[1]
    heads = UtteranceClassifier(width=width, corpora=recipe.emotion_corpora)
    fine = nn.Linear(width, FINE_LABELS)
    known: dict[str, np.ndarray] = {}

    def read(texts: Sequence[str], corpus: str | None) -> Arrays:
        new = [t for t in texts if t not in known]
        known.update(zip(new, encode(new), strict=True) if new else ())
        with torch.inference_mode():
            x = torch.from_numpy(np.stack([known[t] for t in texts]))
            out = heads(x, annotators(corpus))
        return out.emotion.numpy(), out.present.numpy(), out.affect.numpy()

    def loss(batch: Batch) -> Tensor:
        corpus, index = batch
        x = vectors[corpus][torch.from_numpy(index)]
        found = batch_loss(heads(x, annotators(corpus)), fine(x), targets(items[corpus], index))
        return found + recipe.offset_penalty * heads.offset.square().sum()

    batches = plan(recipe, items, {c: np.zeros(len(i), int) for c, i in items.items()})
    both = nn.ModuleList([heads, fine])
    ran = Trainer(
        module=both,
        optimizer=adamw(
            both.parameters(), rate=recipe.head_learning_rate, weight_decay=recipe.weight_decay
        ),
        batches=lambda _: batches,
        loss=loss,
        score=lambda: score(read),
        per_epoch=len(batches),
        rate=lambda step: 1 - step / len(batches),
        marks=marks_of(len(batches), recipe.evaluations),
        counter="step",
        tells=("finished", "steps", "chosen"),
        name="heads",
    ).run()
    return heads, ran
