"""Fine-tunes a text encoder with its heads: the plan of batches, the loss, the run.

Batches hold one corpus each and are interleaved evenly, so that every corpus is seen from the
first to the last step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from empathic_sdk.encoders.tokens import TextTokenizer, truncate
from empathic_sdk.lab.corpora.text import TextItems
from empathic_sdk.lab.recipes.text_numbers import EMOTION_CORPORA, FINE_LABELS, TextRecipe
from empathic_sdk.lab.training.padding import pad
from empathic_sdk.lab.training.trainer import Trainer, adamw, linear
from empathic_sdk.models.minilm import MiniLM
from empathic_sdk.models.utterance import UtteranceClassifier, UtteranceLogits

Batch = tuple[str, np.ndarray]
Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]
Read = Callable[[Sequence[str], str | None], Arrays]
Score = Callable[[Read], dict[str, float]]


class TextModel(nn.Module):
    """Encoder and heads together, with the finer labels that only training needs."""

    def __init__(self, encoder: MiniLM, corpora: Sequence[str] = EMOTION_CORPORA) -> None:
        super().__init__()
        width = encoder.config.width
        self.encoder = encoder
        self.heads = UtteranceClassifier(width=width, corpora=corpora)
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


def marks_of(steps: int, evaluations: int) -> set[int]:
    """Return the steps after which dev is asked, evenly spread."""
    return {round(steps * (k + 1) / evaluations) for k in range(evaluations)}


class TextTrainer(Trainer):
    """One run of the recipe ``text``.

    Args:
        recipe: Its numbers.
        model: Encoder and heads, freshly made.
        tokenizer: Of the encoder.
        data: Training items by corpus.
        score: Scores a reader on dev data; the higher its ``"objective"``, the better.
        folder: Where checkpoints go; a run found there under the same recipe is continued.
        checkpoint_every: Steps between two checkpoints.
    """

    def __init__(
        self,
        *,
        recipe: TextRecipe,
        model: TextModel,
        tokenizer: TextTokenizer,
        data: Mapping[str, TextItems],
        score: Score,
        folder: Path,
        checkpoint_every: int = 200,
    ) -> None:
        self.recipe, self.model, self.tokenizer = recipe, model, tokenizer
        self.data = {c: prepare(recipe, data[c]) for c in recipe.epochs}
        self.ids = {
            c: [truncate(row, recipe.max_tokens) for row in tokenizer(items.texts)]
            for c, items in self.data.items()
        }
        self.batches = self._plan()
        total = len(self.batches)
        warm = max(1, round(recipe.warmup * total))
        groups: dict[float, list[nn.Parameter]] = {}
        for name, p in model.named_parameters():
            if p.requires_grad:
                groups.setdefault(self._peak(name), []).append(p)
        super().__init__(
            module=model,
            optimizer=adamw(groups, weight_decay=recipe.weight_decay, fused=True),
            batches=lambda _: self.batches,
            loss=lambda batch: self._loss(*batch),
            score=lambda: score(self.read),
            per_epoch=total,
            rate=lambda step: linear(step, total, warm=warm),
            clip=1.0,
            average=recipe.average,
            marks=marks_of(total, recipe.evaluations),
            counter="step",
            folder=folder,
            numbers=self._numbers(),
            checkpoint_every=checkpoint_every,
            name=f"seed {recipe.seed}",
        )

    def run(self, *, stop_after: int | None = None) -> dict[str, Any]:
        """Train to the end, or for ``stop_after`` steps; see :meth:`Trainer.run`."""
        torch.manual_seed(self.recipe.seed)
        return super().run(stop_after=stop_after)

    def read(self, texts: Sequence[str], corpus: str | None) -> Arrays:
        """Return the three heads' logits of ``texts`` under the weights as they are now."""
        rows = [truncate(r, self.recipe.max_tokens) for r in self.tokenizer(texts)]
        order = np.argsort([len(r) for r in rows], kind="stable")
        parts: list[UtteranceLogits] = []
        self.model.eval()
        with torch.inference_mode():
            for start in range(0, len(order), 128):
                ids, mask = pad([rows[i] for i in order[start : start + 128]])
                with torch.autocast("cpu", torch.bfloat16, enabled=self.recipe.bfloat16):
                    parts.append(self.model(ids, mask, corpus or "")[0])
        back = np.argsort(order)
        emotion, present, affect = (
            torch.cat([p[k].float() for p in parts]).numpy()[back] for k in range(3)
        )
        return emotion, present, affect

    def _plan(self) -> list[Batch]:
        lengths = {c: np.array([len(r) for r in rows]) for c, rows in self.ids.items()}
        return plan(self.recipe, self.data, lengths)

    def _peak(self, name: str) -> float:
        """Return the highest learning rate of a parameter."""
        body = name.startswith("encoder.")
        return self.recipe.learning_rate if body else self.recipe.head_learning_rate

    def _loss(self, corpus: str, index: np.ndarray) -> Tensor:
        """Return the loss of one batch."""
        ids, mask = pad([self.ids[corpus][i] for i in index])
        with torch.autocast("cpu", torch.bfloat16, enabled=self.recipe.bfloat16):
            logits, fine = self.model(ids, mask, corpus)
        loss = batch_loss(logits, fine, targets(self.data[corpus], index))
        return loss + self.recipe.offset_penalty * self.model.heads.offset.square().sum()

    def _numbers(self) -> dict[str, object]:
        """Return the numbers that a run must share to be continued."""
        return self.recipe.as_dict()
