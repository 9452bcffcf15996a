"""Trains a dialogue model on given features: every model, one way."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from empathic_sdk.errors import ConfigurationError, ModelError
from empathic_sdk.lab.corpora.dialogues import DialogueSet
from empathic_sdk.lab.corpora.speaker_groups import dialogue_weights
from empathic_sdk.lab.evaluation.dialogue_figures import Score
from empathic_sdk.lab.recipes.dialogue_numbers import DialogueRecipe
from empathic_sdk.lab.registry import build_dialogue_model
from empathic_sdk.lab.training.dialogue_batches import (
    Example,
    Statistics,
    batches,
    collate,
    endless,
    example,
    padded,
    predict,
    varied,
    without_some,
)
from empathic_sdk.lab.training.trainer import Trainer, adamw, cosine
from empathic_sdk.lab.training.transfer_loss import JointLoss, LossParts
from empathic_sdk.models.mdget import MDGET, MDGETConfig
from empathic_sdk.runtime import checkpoints
from empathic_sdk.runtime.networks import SUFFIX


def build(recipe: DialogueRecipe, widths: Mapping[str, int], classes: int) -> nn.Module:
    """Return the recipe's network with fresh weights, for features of these widths."""
    missing = [m for m in recipe.modalities if m not in widths]
    if missing:
        raise ConfigurationError(f"the data have no {missing}; they have {tuple(widths)}")
    inputs = {m: widths[m] for m in recipe.modalities}
    network: nn.Module = build_dialogue_model(recipe.model, inputs, classes, recipe.as_dict())
    return network


def fit(
    recipe: DialogueRecipe,
    train: DialogueSet,
    dev: DialogueSet,
    score: Score,
    beside: Sequence[DialogueSet] = (),
) -> tuple[nn.Module, Statistics, dict[str, Any]]:
    """Train one run on ``train``; ``score`` of dev alone chooses the epoch.

    Between its batches stand batches of the sets ``beside``, in turn. How often their annotators
    chose each emotion is one vector a set, added to the logits in training alone.

    Returns:
        The network with the chosen weights, the statistics its inputs are standardised with, and
        what was measured on the way. Deterministic given recipe, data and number of threads.
    """
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    statistics = Statistics.of(train)
    items = [example(d, statistics) for d in train.dialogues]
    if recipe.reweight_groups:
        weights = dialogue_weights(train)
        items = [
            replace(e, weights=torch.from_numpy(w)) for e, w in zip(items, weights, strict=True)
        ]
    dev_items = [example(d, statistics) for d in dev.dialogues]
    widths = {m: rows.shape[1] for m, rows in items[0].features.items()}
    network = build(recipe, widths, len(train.classes))
    loss = joint_loss(recipe)
    others = [[example(d, statistics) for d in some.dialogues] for some in beside]
    turns = [endless(some, recipe.batch_size, rng) for some in others]
    frequency = nn.Parameter(torch.zeros(len(others), len(train.classes)))
    learning = nn.ModuleDict(
        {"network": network, "loss": loss, "frequency": nn.ParameterList([frequency])}
    )
    seen: list[LossParts] = []

    def total(index: np.ndarray) -> Tensor:
        parts = batch_loss(network, loss, [items[i] for i in index], recipe)
        out = parts.total
        if turns:
            k = trainer.step % len(turns)
            more = batch_loss(network, loss, next(turns[k]), recipe, frequency[k])
            out = out + recipe.beside_weight * more.total
        seen.append(LossParts(*(p.detach() for p in parts)))
        return out

    def told() -> dict[str, float]:
        mean = [float(torch.stack(list(column)).mean()) for column in zip(*seen, strict=True)]
        seen.clear()
        names = ("loss", "emotion_loss", "transfer_loss", "passed")
        return {**dict(zip(names, mean, strict=True)), **score(predict(network, dev_items))}

    lengths = [len(e) for e in items]
    per_epoch = math.ceil(len(items) / recipe.batch_size)
    trainer = Trainer(
        module=learning,
        optimizer=adamw(
            learning.parameters(), rate=recipe.learning_rate, weight_decay=recipe.weight_decay
        ),
        batches=lambda epoch: batches(lengths, recipe.batch_size, rng),
        loss=total,
        score=told,
        per_epoch=per_epoch,
        epochs=recipe.epochs,
        rate=lambda step: rate(step, per_epoch, recipe.epochs),
        clip=1.0,
        average=recipe.average,
        averaged=dict(network.named_parameters()),
        patience=recipe.patience,
        tells=("epochs", "chosen", "seconds"),
        name=f"seed {recipe.seed}",
    )
    ran = trainer.run()
    return (
        network,
        statistics,
        {
            **ran,
            "parameters": sum(p.numel() for p in network.parameters()),
            "loss_weights": loss.weights(),
        },
    )


def rate(step: int, per_epoch: int, epochs: int) -> float:
    """Return the factor of the learning rate: one epoch of warm-up, a cosine down to a tenth."""
    return cosine(step, per_epoch * epochs, warm=per_epoch, end=0.1)


def joint_loss(recipe: DialogueRecipe) -> JointLoss:
    """Return the recipe's loss."""
    without = recipe.ablation in ("no-eetm", "no-transfer-loss")
    return JointLoss(
        balance=0.0 if without else recipe.balance,
        tau=recipe.tau,
        penalty=recipe.penalty,
        smoothing=recipe.smoothing,
    )


def batch_loss(
    network: nn.Module,
    loss: JointLoss,
    examples: Sequence[Example],
    recipe: DialogueRecipe,
    frequency: Tensor | None = None,
) -> LossParts:
    """Return the loss of one batch of dialogues; ``frequency`` ``[classes]`` shifts the logits."""
    batch, labels = collate(examples)
    batch = batch.only(recipe.modalities)
    if recipe.modality_dropout:
        batch = without_some(batch, recipe.modality_dropout)
    if recipe.varied:
        batch = varied(batch)
    out = network(batch, pairs=loss.balance != 0.0)
    gates = network.gate_parameters() if isinstance(network, MDGET) else []
    logits = out.logits if frequency is None else out.logits + frequency
    rows = [e.weights for e in examples if e.weights is not None]
    weights = padded(rows, 0.0) if rows else None
    return loss(logits, labels, getattr(out, "pairs", None), gates, weights)  # type: ignore[no-any-return]


def load_checkpoint(path: Path) -> tuple[MDGET, dict[str, Any]]:
    """Read a dialogue checkpoint: the network in eval mode, and its description.

    Args:
        path: As training wrote it, or as it was exported.

    Raises:
        ModelError: It holds something else.
    """
    exported = path.suffix == SUFFIX
    if exported:
        from empathic_sdk.lab.exporting.packing import parameters  # needs another package

        tensors, about = parameters(path)
    else:
        tensors, about = checkpoints.load(path)
    try:
        network = MDGET(MDGETConfig.from_dict(about["configuration"]))
        known = network.state_dict()  # an exported file holds constants of the graph as well
        network.load_state_dict({k: v for k, v in tensors.items() if not exported or k in known})
    except (KeyError, ConfigurationError, RuntimeError) as error:
        raise ModelError(f"{path} holds no dialogue model that fits: {error}") from error
    return network.eval(), about
