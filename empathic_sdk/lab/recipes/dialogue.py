"""Recipe ``dialogue``: its numbers, its models, and how dialogues become batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.lab.baselines.cfn_esa import CFNESA
from empathic_sdk.lab.baselines.dialogue_rnn import DialogueRNN
from empathic_sdk.lab.baselines.recurrent import ContextGRU, ContextTransformer, UtteranceLinear
from empathic_sdk.lab.corpora.dialogues import Dialogue, DialogueSet, timing
from empathic_sdk.models.dialogue import DialogueBatch
from empathic_sdk.models.mdget import GATES, MDGET, MDGETConfig

MODELS = ("mdget", "linear", "gru", "transformer", "dialogue-rnn", "cfn-esa")
TIMING_WIDTH = 4
SPEAKERS = 16

# The rows of the paper's Table 6: what each takes away.
ABLATIONS: Mapping[str, Mapping[str, Any]] = {
    "full": {},
    "no-gue": {"gue": False},
    "no-acme": {"acme": False},
    "no-eetm": {"eetm": False},
    "no-transfer-loss": {},
    "no-gue-gates": {"gates": tuple(g for g in GATES if g != "gue")},
    "no-acme-gates": {"gates": tuple(g for g in GATES if g != "acme")},
    "no-eetm-gate": {"gates": tuple(g for g in GATES if g != "eetm")},
    "no-gates": {"gates": ()},
}


@dataclass(frozen=True, kw_only=True)
class DialogueRecipe:
    """Every number of a run.

    Attributes:
        model: One of ``MODELS``.
        modalities: Which of the data's modalities are used, hub first.
        causal: Look back only.
        timing: Use utterance timing where the model can.
        ablation: A row of Table 6 (``mdget`` only).
        seed: Of initial weights, batches and dropout.
        width: d of the paper.
        gue_layers: GUE_layers of Table 2 (also the layers of a GRU baseline).
        acme_layers: ACME_layers of Table 2 (also those of a transformer baseline).
        gue_dropout: GUE_drop of Table 2.
        acme_dropout: ACME_drop of Table 2.
        dropout: Everywhere else.
        window: Of causal attention, in utterances.
        speakers: Slots of the speaker embedding.
        own_past: Recurrence over each speaker's own utterances.
        batch_size: Dialogues a batch.
        epochs: At most.
        patience: Epochs without a better dev figure after which the run ends.
        learning_rate: Peak; a linear warm-up of one epoch, then a cosine to a tenth.
        weight_decay: Of AdamW.
        average: Decay (a step) of the moving average of the weights that dev scores.
        balance: lambda of eq 40; ``None`` learns it.
        tau: Threshold of eq 39.
        penalty: eta of eq 40.
        smoothing: Label smoothing.
        modality_dropout: In training, the chance that an utterance loses a modality (never its
            only one): what is always there need not be trusted always.
        varied: In training, channels come and go as they do in life (see ``varied``).
        behaviour_weight: How much behaviour is believed beside the other modalities.
        beside: Further corpora that are seen between the batches (see ``further_dialogues``), for
            a model that is to meet more than one corpus's people.
        beside_size: Utterances of each, about.
        beside_weight: Of their loss.
        reweight_groups: Let speakers' genders count alike, with the same mix of labels each (see
            ``lab/corpora/speaker_groups.py``).
    """

    model: str = "mdget"
    modalities: tuple[str, ...] = ("text",)
    causal: bool = True
    timing: bool = False
    ablation: str = "full"
    seed: int = 1
    width: int = 128
    gue_layers: int = 1
    acme_layers: int = 1
    gue_dropout: float = 0.1
    acme_dropout: float = 0.3
    dropout: float = 0.3
    window: int = 32
    speakers: int = 8
    own_past: bool = True
    batch_size: int = 16
    epochs: int = 40
    patience: int = 12
    learning_rate: float = 5e-4
    weight_decay: float = 0.01
    average: float = 0.95
    balance: float | None = 0.3
    tau: float = 0.0
    penalty: float = 1e-5
    smoothing: float = 0.0
    modality_dropout: float = 0.0
    varied: bool = False
    behaviour_weight: float = 1.0
    beside: tuple[str, ...] = ()
    beside_size: int = 8000
    beside_weight: float = 0.3
    reweight_groups: bool = False

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise ConfigurationError(f"no model is named {self.model!r}; there are {MODELS}")
        if self.ablation not in ABLATIONS:
            raise ConfigurationError(
                f"no ablation is named {self.ablation!r}; there are {tuple(ABLATIONS)}"
            )
        if self.model != "mdget" and self.ablation != "full":
            raise ConfigurationError(f"{self.model} has no ablations; they are those of mdget")
        if not self.modalities or min(self.batch_size, self.epochs, self.patience) < 1:
            raise ConfigurationError("modalities, batch_size, epochs, patience: none may be empty")

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {**asdict(self), "modalities": list(self.modalities),
                "beside": list(self.beside)}  # fmt: skip


def paper(data_set: str) -> DialogueRecipe:
    """Return Table 2's numbers, and those of the text around it, for ``meld`` or ``iemocap``.

    What the paper leaves open (the width, the epochs) stays as in the default recipe, and so does
    the direction: bidirectional, as published. The one L2 factor stands for both terms of eq 40.
    """
    numbers: dict[str, dict[str, Any]] = {
        "meld": {"batch_size": 64, "learning_rate": 2e-5, "gue_dropout": 0.1,
                 "acme_dropout": 0.3, "gue_layers": 2, "acme_layers": 3},
        "iemocap": {"batch_size": 32, "learning_rate": 2.5e-5, "gue_dropout": 0.2,
                    "acme_dropout": 0.4, "gue_layers": 2, "acme_layers": 5},
    }  # fmt: skip
    if data_set not in numbers:
        raise ConfigurationError(f"Table 2 has no column {data_set!r}; it has {tuple(numbers)}")
    return DialogueRecipe(
        causal=False, penalty=1e-5, weight_decay=1e-5, speakers=0, own_past=False,
        **numbers[data_set],
    )  # fmt: skip


def runtime() -> DialogueRecipe:
    """Return the recipe of the dialogue model that ships: MELD's scenes, and others beside them."""
    return DialogueRecipe(
        width=192, window=16, batch_size=8, epochs=8, patience=4, learning_rate=5e-4,
        smoothing=0.1, beside=("dailydialog", "goemotions", "empathetic"),
    )  # fmt: skip


def fusion() -> DialogueRecipe:
    """Return the recipe of the dialogue model that ships, with every modality."""
    return replace(
        runtime(), modalities=("text", "speech", "face", "behaviour"), width=128, varied=True,
        behaviour_weight=0.3, epochs=10,
    )  # fmt: skip


def build(recipe: DialogueRecipe, widths: Mapping[str, int], classes: int) -> nn.Module:
    """Return the recipe's network with fresh weights, for features of these widths."""
    missing = [m for m in recipe.modalities if m not in widths]
    if missing:
        raise ConfigurationError(f"the data have no {missing}; they have {tuple(widths)}")
    inputs = {m: widths[m] for m in recipe.modalities}
    if recipe.model == "mdget":
        return MDGET(mdget_config(recipe, inputs, classes))
    both: dict[str, Any] = {"inputs": inputs, "classes": classes}
    sized = {**both, "width": recipe.width, "dropout": recipe.dropout}
    if recipe.model == "linear":
        return UtteranceLinear(**both)
    if recipe.model == "gru":
        return ContextGRU(**sized, layers=recipe.gue_layers, causal=recipe.causal)
    if recipe.model == "transformer":
        return ContextTransformer(
            **sized, layers=recipe.acme_layers, causal=recipe.causal, window=recipe.window
        )
    if recipe.model == "dialogue-rnn":
        return DialogueRNN(**sized, causal=recipe.causal)
    if recipe.causal:
        raise ConfigurationError("cfn-esa reads the whole dialogue; it has no causal form")
    return CFNESA(**sized, gue_layers=recipe.gue_layers, acme_layers=recipe.acme_layers)


def mdget_config(recipe: DialogueRecipe, inputs: Mapping[str, int], classes: int) -> MDGETConfig:
    """Return the network's configuration under this recipe."""
    weighs = "behaviour" in inputs and recipe.behaviour_weight != 1.0
    return MDGETConfig(
        inputs=dict(inputs), classes=classes, width=recipe.width, gue_layers=recipe.gue_layers,
        acme_layers=recipe.acme_layers, gue_dropout=recipe.gue_dropout,
        acme_dropout=recipe.acme_dropout, dropout=recipe.dropout, causal=recipe.causal,
        window=recipe.window, speakers=recipe.speakers, own_past=recipe.own_past,
        timing=TIMING_WIDTH if recipe.timing else 0,
        weights={"behaviour": recipe.behaviour_weight} if weighs else {},
        **ABLATIONS[recipe.ablation],
    )  # fmt: skip


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
