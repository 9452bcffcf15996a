"""Recipe ``text``: fine-tune MiniLM with its heads on several corpora at once.

Batches hold one corpus each and are interleaved evenly, so that every corpus is seen from the
first to the last step. What is written here is a pure function of configuration and data; the
loop in ``loop.py`` runs it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.lab.corpora.text import TextItems
from empathic_sdk.models.minilm import MiniLM
from empathic_sdk.models.utterance import UtteranceClassifier, UtteranceLogits

# The first one's annotators speak at run time: MELD is spoken conversation.
EMOTION_CORPORA = ("meld", "goemotions", "dailydialog", "empathetic")
FINE_LABELS = 28
Batch = tuple[str, np.ndarray]


def _default_epochs() -> dict[str, float]:
    return {
        "meld": 3.0,
        "goemotions": 2.5,
        "dailydialog": 1.0,
        "empathetic": 1.5,
        "emobank": 6.0,
    }


@dataclass(frozen=True)
class TextRecipe:
    """Every number of the run.

    Attributes:
        seed: Of batches, dropout and everything else that is drawn.
        epochs: How often each corpus is seen; one that is not named is left out.
        batch_size: Texts a batch.
        max_tokens: Word pieces a text at most.
        learning_rate: Peak, of the encoder; it warms up and then falls linearly to zero.
        head_learning_rate: Peak, of the heads.
        weight_decay: Of AdamW.
        warmup: Share of the steps.
        average: Decay of the moving average of the weights that is evaluated and kept.
        offset_penalty: On the squared corpus offsets of the emotion head.
        neutral_share: Share of neutral turns kept of DailyDialog (83 % of it are neutral).
        bfloat16: Multiply matrices in bfloat16.
        evaluations: How often dev is scored; the best of them is kept.
        limit: Items a corpus at most (for tests and trials).
        shuffle_labels: Give every item the labels of another one: the result must be chance.
    """

    seed: int = 1
    epochs: Mapping[str, float] = field(default_factory=_default_epochs)
    batch_size: int = 64
    max_tokens: int = 64
    learning_rate: float = 1e-4
    head_learning_rate: float = 1e-3
    weight_decay: float = 0.01
    warmup: float = 0.06
    average: float = 0.998
    offset_penalty: float = 0.01
    neutral_share: float = 0.4
    bfloat16: bool = True
    evaluations: int = 6
    limit: int | None = None
    shuffle_labels: bool = False

    def __post_init__(self) -> None:
        if not self.epochs or min(self.epochs.values()) <= 0:
            raise ConfigurationError("epochs must name at least one corpus, each above 0")
        if self.batch_size < 2 or self.max_tokens < 4 or self.evaluations < 1:
            raise ConfigurationError("batch_size >= 2, max_tokens >= 4 and evaluations >= 1")

    def as_dict(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {**asdict(self), "epochs": dict(self.epochs)}


# What stays of each corpus's epochs where others are left out: such a run is a start for another.
_SHORTER = {"goemotions": 2.0, "dailydialog": 1.0, "empathetic": 1.25, "emobank": 4.0}


def without_corpora(recipe: TextRecipe, corpora: Sequence[str]) -> TextRecipe:
    """Return a shorter recipe that leaves ``corpora`` out and scores dev three times."""
    if not corpora:
        return recipe
    kept = {c: min(n, _SHORTER.get(c, n)) for c, n in recipe.epochs.items() if c not in corpora}
    return replace(recipe, epochs=kept, evaluations=3)


class TextModel(nn.Module):
    """Encoder and heads together, with the finer labels that only training needs."""

    def __init__(self, encoder: MiniLM) -> None:
        super().__init__()
        width = encoder.config.width
        self.encoder = encoder
        self.heads = UtteranceClassifier(width=width, corpora=EMOTION_CORPORA)
        self.fine = nn.Linear(width, FINE_LABELS)
        nn.init.zeros_(self.fine.weight)
        # 30,522 x 384 numbers of which a batch touches a few hundred: frozen, they cost nothing.
        encoder.word.weight.requires_grad_(False)

    def forward(self, ids: Tensor, mask: Tensor, corpus: str) -> tuple[UtteranceLogits, Tensor]:
        """Return the heads' logits and the fine labels' logits ``[batch, 28]``."""
        pooled = self.encoder(ids, mask).pooled
        return self.heads(pooled, annotators(corpus)), self.fine(pooled)


def annotators(corpus: str | None) -> str | None:
    """Return ``corpus`` where its annotators chose emotions; ``None`` is the head's default."""
    return corpus if corpus in EMOTION_CORPORA else None


def prepare(recipe: TextRecipe, items: TextItems) -> TextItems:
    """Cut a training corpus to ``limit`` and shuffle its labels, where the recipe says so."""
    rng = np.random.default_rng([recipe.seed, 7])
    if recipe.limit is not None and len(items) > recipe.limit:
        items = items.take(np.sort(rng.permutation(len(items))[: recipe.limit]))
    if recipe.shuffle_labels:
        other = items.take(rng.permutation(len(items)))
        items = replace(other, ids=items.ids, texts=items.texts)
    return items


def plan(
    recipe: TextRecipe, data: Mapping[str, TextItems], lengths: Mapping[str, np.ndarray]
) -> list[Batch]:
    """Return the batches of the whole run, in order."""
    rng = np.random.default_rng(recipe.seed)
    placed: list[tuple[float, str, np.ndarray]] = []
    for corpus, epochs in recipe.epochs.items():
        index = _drawn(recipe, data[corpus], epochs, rng)
        batches = _bucketed(index, lengths[corpus], recipe.batch_size, rng)
        places = (np.arange(len(batches)) + rng.random(len(batches))) / len(batches)
        placed += [(p, corpus, b) for p, b in zip(places.tolist(), batches, strict=True)]
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
        parts.append(index[: max(1, round(len(index) * min(1.0, epochs - e)))])
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


def targets(items: TextItems, index: np.ndarray) -> dict[str, Tensor]:
    """Return the targets of one batch that its corpus has."""
    out = {"emotion": torch.from_numpy(items.emotion[index])}
    for name in ("present", "affect", "fine"):
        values = getattr(items, name)
        if values is not None:
            out[name] = torch.from_numpy(values[index])
    return out


def concordance(predicted: Tensor, target: Tensor) -> Tensor:
    """Lin's concordance correlation coefficient a column, 1 = equal: ``[n, k] -> [k]``."""
    pm, tm = predicted.mean(0), target.mean(0)
    pv, tv = predicted.var(0, correction=0), target.var(0, correction=0)
    cov = ((predicted - pm) * (target - tm)).mean(0)
    return 2 * cov / (pv + tv + (pm - tm) ** 2 + 1e-6)


def batch_loss(logits: UtteranceLogits, fine: Tensor, target: Mapping[str, Tensor]) -> Tensor:
    """Return the loss of one batch: the sum over the kinds of label its corpus has.

    Cross-entropy for one emotion (half where a multi-label target says more), binary
    cross-entropy summed over labels (halved) for several, and for valence and arousal one minus
    the concordance plus the squared error.
    """
    loss = logits.emotion.new_zeros((), dtype=torch.float32)
    labelled = target["emotion"] >= 0
    if labelled.any():
        ce = F.cross_entropy(logits.emotion.float()[labelled], target["emotion"][labelled])
        loss = loss + (0.5 if "present" in target else 1.0) * ce
    for name, scores in (("present", logits.present), ("fine", fine)):
        if name in target:
            bce = F.binary_cross_entropy_with_logits(scores.float(), target[name])
            loss = loss + 0.4 * scores.shape[1] * bce
    if "affect" in target:
        affect = logits.affect.float()
        loss = loss + (1 - concordance(affect, target["affect"])).mean()
        loss = loss + F.mse_loss(affect, target["affect"])
    return loss
