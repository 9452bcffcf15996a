"""Text encoder, utterance heads and dialogue model learn together.

Batches of whole dialogues (MELD, DailyDialog) are interleaved with the batches of recipe ``text``,
which keep the heads of single utterances what they were. Texts with one emotion also pass through
the dialogue model, as dialogues of one utterance: people open with more than a sitcom's lines. How
often a corpus's annotators chose each emotion is one vector a corpus, added to the logits in
training; the first corpus has none, so its annotators speak at run time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from empathic_sdk.encoders.tokens import TextTokenizer, truncate
from empathic_sdk.lab.baselines.mdget import mdget_config
from empathic_sdk.lab.corpora.dialogues import DialogueSet
from empathic_sdk.lab.corpora.text import TextItems
from empathic_sdk.lab.recipes.joint_numbers import JointRecipe
from empathic_sdk.lab.recipes.text_numbers import EMOTION_CORPORA
from empathic_sdk.lab.training.dialogue_batches import (
    Example,
    Prediction,
    Statistics,
    batches,
    collate,
    example,
    shifts,
)
from empathic_sdk.lab.training.dialogue_fit import joint_loss
from empathic_sdk.lab.training.padding import pad
from empathic_sdk.lab.training.text_fit import (
    Batch,
    Read,
    TextModel,
    TextTrainer,
    annotators,
    batch_loss,
    targets,
)
from empathic_sdk.lab.training.transfer_loss import JointLoss
from empathic_sdk.models.dialogue import DialogueBatch
from empathic_sdk.models.mdget import MDGET
from empathic_sdk.models.minilm import MiniLM

CHUNK = 32
ReadDialogues = Callable[[Sequence["Spoken"]], list[Prediction]]
ScoreJoint = Callable[[Read, ReadDialogues], dict[str, float]]


class Spoken(NamedTuple):
    """One dialogue: its tensors, and the word pieces of each utterance."""

    example: Example
    ids: list[list[int]]


class JointModel(TextModel):
    """Encoder, heads, dialogue network and loss; label frequencies of each further corpus."""

    def __init__(
        self, encoder: MiniLM, dialogue: MDGET, loss: JointLoss, further: Sequence[str] = ()
    ) -> None:
        super().__init__(encoder)
        self.dialogue = dialogue
        self.loss = loss  # a part of the model: what it weighs losses with may be learned
        self.corpora = tuple(further)
        self.frequency = nn.Parameter(torch.zeros(len(self.corpora), dialogue.config.classes))

    def as_annotated(self, logits: Tensor, corpus: str) -> Tensor:
        """Shift logits ``[..., classes]`` to how often this corpus's annotators chose each."""
        if corpus not in self.corpora:
            return logits
        return logits + self.frequency[self.corpora.index(corpus)]

    def vectors(self, ids: Sequence[Sequence[int]]) -> Tensor:
        """Encode utterances ``[n]`` to ``[n, width]``, alike lengths together."""
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        parts = [
            self.encoder(*pad([ids[i] for i in order[start : start + CHUNK]])).pooled
            for start in range(0, len(order), CHUNK)
        ]
        back = torch.empty(len(order), dtype=torch.long)
        back[order] = torch.arange(len(order))
        return torch.cat(parts)[back]


def spoken(data: DialogueSet, tokenizer: TextTokenizer, max_tokens: int) -> list[Spoken]:
    """Return the dialogues with their word pieces."""
    out = []
    for d in data.dialogues:
        ids = [truncate(row, max_tokens) for row in tokenizer(d.texts)]
        out.append(Spoken(example(d, Statistics()), ids))
    return out


class JointTrainer(TextTrainer):
    """One run of the recipe; see :class:`TextTrainer` for checkpoints and continuing.

    Args:
        recipe: Its numbers.
        model: With the encoder to start from.
        tokenizer: Of the encoder.
        dialogues: Training dialogues by corpus, the one that counts first.
        data: Training texts by corpus.
        score: Scores the two readers on dev data; the higher its ``"objective"``, the better.
        folder: Where checkpoints go.
    """

    model: JointModel

    def __init__(
        self,
        *,
        recipe: JointRecipe,
        model: JointModel,
        tokenizer: TextTokenizer,
        dialogues: Mapping[str, DialogueSet],
        data: Mapping[str, TextItems],
        score: ScoreJoint,
        folder: Path,
    ) -> None:
        self.joint = recipe
        self.spoken = {
            c: spoken(d, tokenizer, recipe.max_tokens)[: recipe.limit] for c, d in dialogues.items()
        }
        super().__init__(
            recipe=recipe.text(), model=model, tokenizer=tokenizer, data=data,
            score=lambda read: score(read, self.read_dialogues), folder=folder,
        )  # fmt: skip

    def _plan(self) -> list[Batch]:
        rng = np.random.default_rng([self.joint.seed, 3])
        placed: list[tuple[float, str, np.ndarray]] = []

        def place(name: str, some: list[np.ndarray]) -> None:
            at = (np.arange(len(some)) + rng.random(len(some))) / max(1, len(some))
            placed.extend((p, name, b) for p, b in zip(at.tolist(), some, strict=True))

        for corpus, epochs in self.joint.epochs.items():
            lengths = [len(s.ids) for s in self.spoken[corpus]]
            some: list[np.ndarray] = []
            for e in range(math.ceil(epochs)):
                share = min(1.0, epochs - e)
                whole = list(batches(lengths, self.joint.batch_size, rng))
                some += whole[: max(1, round(len(whole) * share))]
            place(f"dialogue:{corpus}", some)
        by_corpus: dict[str, list[np.ndarray]] = {}
        for corpus, index in super()._plan():
            by_corpus.setdefault(corpus, []).append(index)
        for corpus, some in by_corpus.items():
            place(corpus, some)
        placed.sort(key=lambda entry: entry[0])
        return [(name, index) for _, name, index in placed]

    def _peak(self, name: str) -> float:
        if name.startswith("dialogue."):
            return self.joint.dialogue_learning_rate
        return super()._peak(name)

    def _numbers(self) -> dict[str, object]:
        return self.joint.as_dict()

    def _loss(self, corpus: str, index: np.ndarray) -> Tensor:
        kind, _, name = corpus.rpartition(":")
        if not kind:
            return self._text_loss(name, index)
        some = [self.spoken[name][i] for i in index]
        batch, labels = collate([s.example for s in some])
        with torch.autocast("cpu", torch.bfloat16, enabled=self.recipe.bfloat16):
            vectors = self.model.vectors([row for s in some for row in s.ids])
        single = self.model.heads(vectors.float(), annotators(name)).emotion
        batch = _with_text(batch, vectors.float())
        out = self.model.dialogue(batch, pairs=self.model.loss.balance != 0.0)
        logits = self.model.as_annotated(out.logits, name)
        parts = self.model.loss(logits, labels, out.pairs, self.model.dialogue.gate_parameters())
        by_itself = F.cross_entropy(single, labels[batch.mask])
        total: Tensor = parts.total + self.joint.utterance_weight * by_itself
        return total + self.recipe.offset_penalty * self.model.heads.offset.square().sum()

    def _text_loss(self, corpus: str, index: np.ndarray) -> Tensor:
        """Return the loss of a batch of single texts, each also a dialogue of one utterance."""
        items = self.data[corpus]
        ids, mask = pad([self.ids[corpus][i] for i in index])
        with torch.autocast("cpu", torch.bfloat16, enabled=self.recipe.bfloat16):
            pooled = self.model.encoder(ids, mask).pooled
        pooled = pooled.float()
        heads = self.model.heads(pooled, annotators(corpus))
        loss = batch_loss(heads, self.model.fine(pooled), targets(items, index))
        labels = torch.from_numpy(items.emotion[index])
        if self.joint.opening_weight and (labels >= 0).any():
            out = self.model.dialogue(alone(pooled))
            logits = self.model.as_annotated(out.logits[:, 0], corpus)
            loss = loss + self.joint.opening_weight * F.cross_entropy(
                logits, labels, ignore_index=-1
            )
        return loss + self.recipe.offset_penalty * self.model.heads.offset.square().sum()

    def read_openings(self, texts: Sequence[str]) -> np.ndarray:
        """Return the dialogue model's logits ``[n, classes]`` of texts, each on its own."""
        rows = [truncate(r, self.recipe.max_tokens) for r in self.tokenizer(texts)]
        self.model.eval()
        with torch.inference_mode():
            with torch.autocast("cpu", torch.bfloat16, enabled=self.recipe.bfloat16):
                vectors = self.model.vectors(rows)
            logits: np.ndarray = self.model.dialogue(alone(vectors.float())).logits[:, 0].numpy()
        return logits

    def read_dialogues(self, dialogues: Sequence[Spoken]) -> list[Prediction]:
        """Return what the weights as they are say of dialogues."""
        self.model.eval()
        out: list[Prediction] = []
        with torch.inference_mode():
            for start in range(0, len(dialogues), 16):
                some = dialogues[start : start + 16]
                batch, _ = collate([s.example for s in some])
                with torch.autocast("cpu", torch.bfloat16, enabled=self.recipe.bfloat16):
                    vectors = self.model.vectors([row for s in some for row in s.ids])
                found = self.model.dialogue(_with_text(batch, vectors.float()))
                for k, s in enumerate(some):
                    n = len(s.ids)
                    change = shifts(self.model.dialogue, found.vectors[k, :n], s.example.speaker)
                    out.append(Prediction(found.logits[k, :n].numpy(), change))
        return out


def _with_text(batch: DialogueBatch, vectors: Tensor) -> DialogueBatch:
    """Put flat text vectors ``[utterances, width]`` where the batch's utterances are."""
    text = vectors.new_zeros((*batch.mask.shape, vectors.shape[1]))
    text[batch.mask] = vectors
    return batch._replace(
        features={"text": text, **batch.features}, present={"text": batch.mask, **batch.present}
    )


def alone(vectors: Tensor) -> DialogueBatch:
    """Return texts ``[n, width]`` as dialogues of one utterance."""
    here = torch.ones(len(vectors), 1, dtype=torch.bool)
    return DialogueBatch(
        features={"text": vectors[:, None]}, present={"text": here}, mask=here,
        speaker=torch.zeros(len(vectors), 1, dtype=torch.long),
    )  # fmt: skip


def joint_model(recipe: JointRecipe, encoder: MiniLM, classes: int) -> JointModel:
    """Return the model with fresh dialogue weights over ``encoder``."""
    torch.manual_seed(recipe.seed)
    network = MDGET(
        mdget_config({"text": encoder.config.width}, classes, recipe.dialogue.as_dict())
    )
    return JointModel(encoder, network, joint_loss(recipe.dialogue), others(recipe))


def others(recipe: JointRecipe) -> list[str]:
    """Return the corpora beside the first whose annotators chose one emotion a text, each once."""
    first, *further = recipe.epochs
    named = dict.fromkeys([*further, *(c for c in recipe.replay if c in EMOTION_CORPORA)])
    return [c for c in named if c != first]
