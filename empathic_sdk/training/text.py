"""Recipe ``text``: fine-tune MiniLM with its heads on several corpora at once.

Batches hold one corpus each and are interleaved evenly, so that every corpus is seen from the
first to the last step. The learning rate warms up and falls linearly; an exponential moving
average of the weights is what is evaluated and kept. The plan of batches is a pure function of
the configuration, and a checkpoint holds weights, averages, optimiser and generator state, so a
run that was cut off goes on to the same result.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from empathic_sdk.encoders.minilm import MiniLM
from empathic_sdk.encoders.tokens import TextTokenizer, pad
from empathic_sdk.models.utterance import UtteranceClassifier, UtteranceLogits
from empathic_sdk.training.corpora import TextItems

EMOTION_CORPORA = ("meld", "goemotions", "dailydialog", "empathetic")


@dataclass(frozen=True)
class TextRecipe:
    """Every number of the run. ``epochs`` says how often each corpus is seen (0 leaves it out)."""

    seed: int = 1
    epochs: Mapping[str, float] = field(
        default_factory=lambda: {
            "meld": 4.0,
            "goemotions": 3.0,
            "dailydialog": 1.0,
            "empathetic": 1.5,
            "emobank": 4.0,
        }
    )
    batch_size: int = 64
    max_tokens: int = 64
    learning_rate: float = 1e-4
    head_learning_rate: float = 1e-3
    weight_decay: float = 0.01
    warmup: float = 0.06
    average: float = 0.998
    neutral_share: float = 0.4
    bfloat16: bool = True
    evaluations: int = 8

    def as_dict(self) -> dict[str, object]:
        """Return plain JSON values."""
        return asdict(replace(self, epochs=dict(self.epochs)))


class TextModel(nn.Module):
    """Encoder and heads together, with the heads that only training needs."""

    def __init__(self, encoder: MiniLM, *, fine_labels: int = 28) -> None:
        super().__init__()
        width = encoder.config.width
        self.encoder = encoder
        self.heads = UtteranceClassifier(width=width, corpora=EMOTION_CORPORA)
        self.fine = nn.Linear(width, fine_labels)
        self.private = nn.Linear(width, 7)

    def forward(self, ids: Tensor, mask: Tensor, corpus: str) -> tuple[UtteranceLogits, Tensor, Tensor]:
        """Return the heads' logits and the fine labels' logits ``[batch, 28]``."""
        pooled = self.encoder(ids, mask).pooled
        named = corpus if corpus in EMOTION_CORPORA else None
        return self.heads(pooled, named), self.fine(pooled), self.private(pooled)


def concordance(predicted: Tensor, target: Tensor) -> Tensor:
    """Lin's concordance correlation coefficient a column; 1 = equal. ``[n, k] -> [k]``."""
    pm, tm = predicted.mean(0), target.mean(0)
    pv, tv = predicted.var(0, correction=0), target.var(0, correction=0)
    cov = ((predicted - pm) * (target - tm)).mean(0)
    return 2 * cov / (pv + tv + (pm - tm) ** 2 + 1e-6)


def plan(recipe: TextRecipe, data: Mapping[str, TextItems], lengths: Mapping[str, np.ndarray]):
    """Return the batches of the whole run: a list of (corpus, indices)."""
    rng = np.random.default_rng(recipe.seed)
    placed: list[tuple[float, str, np.ndarray]] = []
    for corpus, epochs in recipe.epochs.items():
        if epochs <= 0:
            continue
        index = _drawn(recipe, data[corpus], epochs, rng)
        batches = _bucketed(index, lengths[corpus], recipe.batch_size, rng)
        offset = rng.random(len(batches))
        placed += [
            ((k + u) / len(batches), corpus, batch)
            for k, (u, batch) in enumerate(zip(offset, batches, strict=True))
        ]
    placed.sort(key=lambda entry: entry[0])
    return [(corpus, batch) for _, corpus, batch in placed]


def _drawn(
    recipe: TextRecipe, items: TextItems, epochs: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw the items of all epochs in order; part of the neutral ones where they swamp the rest."""
    parts = []
    for e in range(math.ceil(epochs)):
        index = rng.permutation(len(items))
        if items.corpus == "dailydialog":
            felt = items.emotion[index] > 0
            keep = int(felt.sum() * recipe.neutral_share / (1 - recipe.neutral_share))
            index = rng.permutation(np.concatenate([index[felt], index[~felt][:keep]]))
        parts.append(index[: round(len(index) * min(1.0, epochs - e))])
    return np.concatenate(parts)


def _bucketed(
    index: np.ndarray, lengths: np.ndarray, size: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """Cut into batches of alike length: sort within windows of 32 batches, then shuffle those."""
    batches: list[np.ndarray] = []
    for start in range(0, len(index), 32 * size):
        window = index[start : start + 32 * size]
        window = window[np.argsort(lengths[window], kind="stable")]
        cut = [window[i : i + size] for i in range(0, len(window), size)]
        batches += [cut[i] for i in rng.permutation(len(cut))]
    return batches


def loss_of(corpus: str, out, target: Mapping[str, Tensor]) -> Tensor:
    """Return the batch loss of one corpus."""
    logits, fine, private = out
    loss = torch.zeros(())
    labelled = target["emotion"] >= 0
    if labelled.any():
        weight = 0.5 if corpus == "goemotions" else 1.0
        loss = loss + weight * F.cross_entropy(
            logits.emotion.float()[labelled], target["emotion"][labelled]
        )
    if corpus == "meld":
        loss = loss + F.cross_entropy(private.float(), target["emotion"])
    if "present" in target:
        bce = F.binary_cross_entropy_with_logits(
            logits.present.float(), target["present"], reduction="none"
        )
        loss = loss + 3 * bce.mean()
    if "fine" in target:
        bce = F.binary_cross_entropy_with_logits(fine.float(), target["fine"], reduction="none")
        loss = loss + 10 * bce.mean()
    if "affect" in target:
        affect = logits.affect.float()
        loss = loss + (1 - concordance(affect, target["affect"])).mean()
        loss = loss + F.mse_loss(affect, target["affect"])
    return loss
