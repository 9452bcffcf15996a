"""Heads for a plugged-in encoder: its vectors stay as they are, only the heads learn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from torch import nn

from empathic_sdk.lab.corpora.text import TextItems
from empathic_sdk.lab.recipes.text import (
    EMOTION_CORPORA,
    FINE_LABELS,
    TextRecipe,
    annotators,
    batch_loss,
    plan,
    prepare,
    targets,
)
from empathic_sdk.lab.training.loop import Arrays, Score
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
    heads = UtteranceClassifier(width=width, corpora=EMOTION_CORPORA)
    fine = nn.Linear(width, FINE_LABELS)
    optimizer = torch.optim.AdamW(
        [*heads.parameters(), *fine.parameters()],
        lr=recipe.head_learning_rate,
        weight_decay=recipe.weight_decay,
    )
    known: dict[str, np.ndarray] = {}

    def read(texts: Sequence[str], corpus: str | None) -> Arrays:
        new = [t for t in texts if t not in known]
        known.update(zip(new, encode(new), strict=True) if new else ())
        heads.eval()
        with torch.inference_mode():
            x = torch.from_numpy(np.stack([known[t] for t in texts]))
            out = heads(x, annotators(corpus))
        heads.train()
        return out.emotion.numpy(), out.present.numpy(), out.affect.numpy()

    lengths = {c: np.zeros(len(i), int) for c, i in items.items()}
    batches = plan(recipe, items, lengths)
    marks = {round(len(batches) * (k + 1) / recipe.evaluations) for k in range(recipe.evaluations)}
    history: list[dict[str, float]] = []
    best: dict[str, torch.Tensor] = {}
    steps = track(enumerate(batches, 1), "heads", len(batches), console=Console(stderr=True))
    for step, (corpus, index) in steps:
        for group in optimizer.param_groups:
            group["lr"] = recipe.head_learning_rate * (1 - (step - 1) / len(batches))
        x = vectors[corpus][torch.from_numpy(index)]
        logits = heads(x, annotators(corpus))
        loss = batch_loss(logits, fine(x), targets(items[corpus], index))
        loss = loss + recipe.offset_penalty * heads.offset.square().sum()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if step in marks:
            scored = {"step": float(step), **score(read)}
            if not history or scored["objective"] > max(h["objective"] for h in history):
                best = {k: v.clone() for k, v in heads.state_dict().items()}
            history.append(scored)
    heads.load_state_dict(best)
    chosen = max(history, key=lambda h: h["objective"])
    return heads, {
        "finished": True,
        "steps": len(batches),
        "chosen_step": int(chosen["step"]),
        "history": history,
    }
