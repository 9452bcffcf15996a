"""How dialogues become batches, and what a dialogue model says of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from empathic_sdk.lab.corpora.dialogues import Dialogue, DialogueSet, timing
from empathic_sdk.models.dialogue import DialogueBatch
from empathic_sdk.models.mdget import MDGET

SPEAKERS = 16


@dataclass(frozen=True)
class Example:
    """One dialogue as tensors.

    Attributes:
        features: float32 ``[n, width]`` by modality.
        present: bool ``[n]`` by modality.
        speaker: int64 ``[n]``, numbered by first appearance.
        timing: float32 ``[n, 4]``.
        labels: int64 ``[n]``.
        weights: float32 ``[n]``, how much each utterance counts; ``None``: all alike.
    """

    features: Mapping[str, Tensor]
    present: Mapping[str, Tensor]
    speaker: Tensor
    timing: Tensor
    labels: Tensor
    weights: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)


def numbered(speakers: Sequence[str]) -> list[int]:
    """Number speakers by their first appearance."""
    known: dict[str, int] = {}
    return [known.setdefault(s, len(known)) for s in speakers]


def with_text(data: DialogueSet, vectors: np.ndarray) -> DialogueSet:
    """Return ``data`` with text features, one row an utterance in order ``[utterances, width]``."""
    out, start = [], 0
    for d in data.dialogues:
        rows = np.ascontiguousarray(vectors[start : start + len(d)], np.float32)
        start += len(d)
        out.append(
            replace(
                d, features={"text": rows, **d.features},
                present={"text": np.ones(len(d), bool), **d.present},
            )
        )  # fmt: skip
    return replace(data, dialogues=out)


@dataclass(frozen=True)
class Statistics:
    """Mean and spread of every feature over the real rows of the training split."""

    mean: Mapping[str, np.ndarray] = field(default_factory=dict)
    scale: Mapping[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def of(cls, data: DialogueSet) -> Statistics:
        """Measure ``data``; a feature that does not vary keeps scale 1."""
        mean, scale = {}, {}
        for m in data.dialogues[0].features:
            rows = np.concatenate([d.features[m][d.present[m]] for d in data.dialogues])
            if not len(rows):  # nothing to measure, and nothing that will be looked at
                continue
            spread = rows.std(0)
            mean[m] = rows.mean(0)
            scale[m] = np.where(spread > 1e-6, spread, 1.0).astype(np.float32)
        return cls(mean, scale)

    def fold(self, network: MDGET) -> None:
        """Move the standardisation into the first layer, so that it reads raw features."""
        with torch.no_grad():
            for m, layer in network.project.items():
                assert isinstance(layer, nn.Linear)
                if m in self.mean:
                    layer.weight /= torch.from_numpy(self.scale[m])
                    layer.bias.sub_(layer.weight @ torch.from_numpy(self.mean[m]))


def example(dialogue: Dialogue, statistics: Statistics) -> Example:
    """Return one dialogue as tensors, standardised."""
    features = {}
    for m, rows in dialogue.features.items():
        scaled = (rows - statistics.mean[m]) / statistics.scale[m] if m in statistics.mean else rows
        features[m] = torch.from_numpy(scaled.astype(np.float32))
    return Example(
        features=features,
        present={m: torch.from_numpy(p) for m, p in dialogue.present.items()},
        speaker=torch.tensor(numbered(dialogue.speakers), dtype=torch.long),
        timing=torch.from_numpy(timing(dialogue)),
        labels=torch.from_numpy(dialogue.labels),
    )


def collate(examples: Sequence[Example]) -> tuple[DialogueBatch, Tensor]:
    """Pad dialogues to one batch and its labels ``[b, n]`` (-1 in the padding)."""
    batch = DialogueBatch(
        features={m: padded([e.features[m] for e in examples], 0) for m in examples[0].features},
        present={m: padded([e.present[m] for e in examples], False) for m in examples[0].present},
        mask=padded([torch.ones(len(e), dtype=torch.bool) for e in examples], False),
        speaker=padded([e.speaker for e in examples], 0),
        timing=padded([e.timing for e in examples], 0),
    )
    return batch, padded([e.labels for e in examples], -1)


def padded(rows: Sequence[Tensor], value: float) -> Tensor:
    """Return rows ``[n_i, ...]`` as one tensor ``[b, n, ...]`` with ``value`` behind the short."""
    out = rows[0].new_full((len(rows), max(map(len, rows)), *rows[0].shape[1:]), value)
    for i, row in enumerate(rows):
        out[i, : len(row)] = row
    return out


def without_some(batch: DialogueBatch, chance: float) -> DialogueBatch:
    """Take modalities away from utterances at random; one that has only one keeps it."""
    names = list(batch.present)
    there = torch.stack([batch.present[m] for m in names])  # (M, b, n)
    kept = there & (torch.rand(there.shape) >= chance)
    kept = torch.where(kept.any(0), kept, there)
    return batch._replace(present=dict(zip(names, kept, strict=True)))


def varied(batch: DialogueBatch) -> DialogueBatch:
    """Let channels come and go as in life; no utterance loses its last one.

    Four of ten speakers only type. Of the others each spoke is open with probability 0.65, and
    closed again for one utterance in ten; one utterance in ten of theirs has no text (no words
    were understood). How far each modality is to be believed is drawn as well: three of ten
    dialogues have a weight of their own for it, so that a person's own weights mean something to
    the network.
    """
    hub, *spokes = batch.present
    b, n = batch.mask.shape
    who = batch.speaker.clamp(max=SPEAKERS - 1)
    typing = torch.rand(b, SPEAKERS) < 0.4
    present = {}
    for m in spokes:
        open_ = (torch.rand(b, SPEAKERS) < 0.65) & ~typing
        present[m] = batch.present[m] & open_.gather(1, who) & (torch.rand(b, n) >= 0.1)
    heard = torch.stack([*present.values()]).any(0) if spokes else torch.zeros_like(batch.mask)
    present = {hub: batch.present[hub] & ~(heard & (torch.rand(b, n) < 0.1)), **present}
    weights = {}
    for m in (hub, *spokes):
        drawn = torch.where(torch.rand(b, 1) < 0.3, torch.rand(b, 1) * 2, torch.ones(b, 1))
        weights[m] = drawn.expand(b, n)
    return batch._replace(present=present, weights=weights)


def batches(lengths: Sequence[int], size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Cut one epoch into batches of alike length, in random order."""
    # Noise of a tenth: the same dialogues do not always meet.
    noisy = np.asarray(lengths) * rng.uniform(0.9, 1.1, len(lengths))
    order = np.argsort(noisy, kind="stable")
    cut = [order[i : i + size] for i in range(0, len(order), size)]
    for i in rng.permutation(len(cut)):
        yield cut[i]


def endless(
    examples: Sequence[Example], size: int, rng: np.random.Generator
) -> Iterator[list[Example]]:
    """Yield batches of about as many utterances as ``size`` dialogues of ten have, for ever."""
    lengths = [len(e) for e in examples]
    several = max(size, round(10 * size / (sum(lengths) / len(lengths))))
    while True:
        for index in batches(lengths, several, rng):
            yield [examples[i] for i in index]


class Prediction(NamedTuple):
    """What a model says of one dialogue.

    Attributes:
        logits: float32 ``[n, classes]``.
        shift: float32 ``[n]``, probability of the transfer module that the emotion changed since
            this speaker's last utterance; NaN on their first, and from models without one.
    """

    logits: np.ndarray
    shift: np.ndarray


def predict(network: nn.Module, examples: Sequence[Example], size: int = 16) -> list[Prediction]:
    """Return what ``network`` says of each dialogue, in their order."""
    network.eval()
    found: dict[int, Prediction] = {}
    order = sorted(range(len(examples)), key=lambda i: len(examples[i]))
    with torch.inference_mode():
        for start in range(0, len(order), size):
            rows = order[start : start + size]
            batch, _ = collate([examples[i] for i in rows])
            out = network(batch)
            for k, i in enumerate(rows):
                n = len(examples[i])
                found[i] = Prediction(
                    out.logits[k, :n].float().numpy(),
                    shifts(network, out.vectors[k, :n], examples[i].speaker)
                    if isinstance(network, MDGET)
                    else np.full(n, np.nan, np.float32),
                )
    return [found[i] for i in range(len(examples))]


def shifts(network: MDGET, vectors: Tensor, speaker: Tensor) -> np.ndarray:
    """Return the transfer module's probability of change since each speaker's last utterance.

    Args:
        network: With or without the module (then all is NaN).
        vectors: ``[n, d]`` of eq 32.
        speaker: int64 ``[n]``.
    """
    out = np.full(len(speaker), np.nan, np.float32)
    pairs: list[tuple[int, int]] = []
    last: dict[int, int] = {}
    for i, who in enumerate(speaker.tolist()):
        if who in last:
            pairs.append((i, last[who]))
        last[who] = i
    if network.transfer is None or not pairs:
        return out
    now, before = torch.tensor(pairs).T
    logits = network.transfer.between(vectors[now], vectors[before])
    out[now.numpy()] = torch.softmax(logits.float(), -1)[:, 1].numpy()
    return out
