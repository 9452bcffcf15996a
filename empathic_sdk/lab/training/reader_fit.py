"""Trains a reader, teacher or student: batches of one corpus each, a loss a head."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from empathic_sdk.encoders.tokens import TextTokenizer, in_context, truncate
from empathic_sdk.lab.corpora.in_context import ReaderItems
from empathic_sdk.lab.recipes.reader_numbers import ReaderRecipe
from empathic_sdk.lab.training.text_fit import concordance, marks_of
from empathic_sdk.lab.training.trainer import Trainer, adamw, linear
from empathic_sdk.models.reader import Reader

Batch = tuple[str, np.ndarray]
Logits = dict[str, np.ndarray]
Row = tuple[list[int], list[int]]


def tokenize(
    tokenizer: TextTokenizer, items: ReaderItems, recipe: ReaderRecipe, *, alone: bool = False
) -> list[Row]:
    """Return ids and roles of every item; ``alone`` leaves out what came before."""
    own = [truncate(r, recipe.max_tokens) for r in tokenizer(items.texts)]
    if alone or not any(items.before):
        return [(ids, [0] * len(ids)) for ids in own]
    known: dict[str, list[int]] = {}
    new = sorted({text for turns in items.before for _, text in turns})
    known.update(zip(new, tokenizer(new), strict=True))
    return [
        in_context(
            ids,
            [(same, truncate(known[text], recipe.context)) for same, text in turns],
            context=recipe.context,
        )
        for ids, turns in zip(own, items.before, strict=True)
    ]


def pad_rows(rows: Sequence[Row], filler: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Return ids, mask and roles ``[batch, time]``."""
    longest = max(len(ids) for ids, _ in rows)
    ids = torch.full((len(rows), longest), filler, dtype=torch.long)
    mask = torch.zeros(len(rows), longest, dtype=torch.bool)
    roles = torch.zeros(len(rows), longest, dtype=torch.long)
    for i, (row, role) in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row)
        roles[i, : len(row)] = torch.tensor(role)
        mask[i, : len(row)] = True
    return ids, mask, roles


def bucketed(
    index: np.ndarray, lengths: np.ndarray, tokens: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """Cut into batches of alike length and about as many pieces."""
    batches: list[np.ndarray] = []
    for start in range(0, len(index), 1024):
        window = index[start : start + 1024]
        window = window[np.argsort(lengths[window], kind="stable")]
        cut, at = [], 0
        while at < len(window):
            size = 4
            while at + size < len(window) and (size + 1) * lengths[window[at + size]] <= tokens:
                size += 1
            cut.append(window[at : at + size])
            at += size
        batches += [cut[i] for i in rng.permutation(len(cut))]
    return batches


def loss_of(
    out: Mapping[str, Tensor], items: ReaderItems, index: np.ndarray, weights: Mapping[str, float]
) -> Tensor:
    """Return the loss of one batch: the weighted sum over the targets that its corpus has."""
    loss = out["emotion"].new_zeros((), dtype=torch.float32)
    for name, values in items.targets.items():
        target = torch.from_numpy(values[index])
        head = "emotion" if name in ("felt", "emotion") else name
        scores = out[head].float()
        if target.ndim == 1:
            there = target >= 0
            if not there.any():
                continue
            if name == "change":
                found = F.binary_cross_entropy_with_logits(scores[there, 0], target[there].float())
            else:
                found = F.cross_entropy(scores[there], target[there])
        else:
            there = ~target.isnan().any(1)
            if not there.any():
                continue
            scores, target = scores[there], target[there]
            if name == "felt":
                found = F.cross_entropy(scores, target)
            elif name in ("present", "fine"):
                found = target.shape[1] * F.binary_cross_entropy_with_logits(scores, target)
            else:
                found = (1 - concordance(scores, target)).mean() + F.mse_loss(scores, target)
        loss = loss + weights.get(name, 1.0) * found
    return loss


class ReaderTrainer(Trainer):
    """One run of the recipe ``reader``.

    Args:
        recipe: Its numbers.
        model: The reader, freshly made or started from another run.
        tokenizer: Of its encoder.
        data: Training items by corpus.
        score: Scores a reader on dev data; the higher its ``"objective"``, the better.
        folder: Where checkpoints go; a run found there under the same recipe is continued.
    """

    def __init__(
        self,
        *,
        recipe: ReaderRecipe,
        model: Reader,
        tokenizer: TextTokenizer,
        data: Mapping[str, ReaderItems],
        score: Callable[[Any], dict[str, float]],
        folder: Path | None,
        checkpoint_every: int = 100,
    ) -> None:
        self.recipe, self.model, self.tokenizer, self.data = recipe, model, tokenizer, dict(data)
        self.rows = {c: tokenize(tokenizer, items, recipe) for c, items in self.data.items()}
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
            score=lambda: score(self),
            per_epoch=total,
            rate=lambda step: linear(step, total, warm=warm),
            clip=1.0,
            average=recipe.average,
            marks=marks_of(total, recipe.evaluations),
            counter="step",
            folder=folder,
            numbers=recipe.as_dict(),
            checkpoint_every=checkpoint_every,
            name=f"seed {recipe.seed}",
        )

    def read(
        self, items: ReaderItems, annotator: str | None = None, *, alone: bool = False
    ) -> Logits:
        """Return the logits of every head for ``items`` under the weights as they are now."""
        rows = tokenize(self.tokenizer, items, self.recipe, alone=alone)
        return read_rows(self.model, rows, annotator, bfloat16=self.recipe.bfloat16)

    def _plan(self) -> list[Batch]:
        rng = np.random.default_rng(self.recipe.seed)
        placed: list[tuple[float, str, np.ndarray]] = []
        for corpus, epochs in self.recipe.epochs.items():
            if corpus not in self.data:
                continue
            items = self.data[corpus]
            lengths = np.array([len(ids) for ids, _ in self.rows[corpus]])
            index = np.concatenate([rng.permutation(len(items)) for _ in range(int(epochs) + 1)])
            index = index[: max(1, round(len(items) * epochs))]
            batches = bucketed(index, lengths, self.recipe.tokens, rng)
            places = (np.arange(len(batches)) + rng.random(len(batches))) / len(batches)
            placed += [(p, corpus, b) for p, b in zip(places.tolist(), batches, strict=True)]
        placed.sort(key=lambda entry: entry[0])
        return [(corpus, batch) for _, corpus, batch in placed]

    def _peak(self, name: str) -> float:
        body = name.startswith("encoder.")
        return self.recipe.learning_rate if body else self.recipe.head_learning_rate

    def _loss(self, corpus: str, index: np.ndarray) -> Tensor:
        ids, mask, roles = pad_rows([self.rows[corpus][i] for i in index])
        with torch.autocast("cpu", torch.bfloat16, enabled=self.recipe.bfloat16):
            out = self.model(ids, mask, roles, self.data[corpus].corpus)
        loss = loss_of(out, self.data[corpus], index, self.recipe.weights)
        return loss + self.recipe.offset_penalty * self.model.heads.offset.square().sum()


def read_rows(
    model: Reader, rows: Sequence[Row], annotator: str | None, *, bfloat16: bool
) -> Logits:
    """Return the logits of every head, float32, in the order of ``rows``."""
    order = np.argsort([len(ids) for ids, _ in rows], kind="stable")
    parts: dict[str, list[Tensor]] = {}
    model.eval()
    with torch.inference_mode():
        for start in range(0, len(order), 64):
            batch = pad_rows([rows[i] for i in order[start : start + 64]])
            with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
                out = model(*batch, annotator)
            for name, value in out.items():
                parts.setdefault(name, []).append(value.float())
    back = np.argsort(order)
    return {name: torch.cat(found).numpy()[back] for name, found in parts.items()}
