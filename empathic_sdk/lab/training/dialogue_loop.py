"""The loop of recipe ``dialogue`` over given features: every model, one way."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from empathic_sdk.lab.corpora.dialogues import DialogueSet
from empathic_sdk.lab.corpora.speaker_groups import dialogue_weights
from empathic_sdk.lab.recipes.dialogue import (
    DialogueRecipe,
    Example,
    Statistics,
    batches,
    build,
    collate,
    example,
    padded,
    varied,
    without_some,
)
from empathic_sdk.lab.training.transfer_loss import JointLoss, LossParts
from empathic_sdk.models.mdget import MDGET

log = logging.getLogger("empathic_sdk")


class Prediction(NamedTuple):
    """What a model says of one dialogue.

    Attributes:
        logits: float32 ``[n, classes]``.
        shift: float32 ``[n]``, probability of the transfer module that the emotion changed since
            this speaker's last utterance; NaN on their first, and from models without one.
    """

    logits: np.ndarray
    shift: np.ndarray


Score = Callable[[Sequence[Prediction]], Mapping[str, float]]


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
    parameters = [*network.parameters(), *loss.parameters(), frequency]
    optimizer = torch.optim.AdamW(
        parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    average = {n: p.detach().clone() for n, p in network.named_parameters()}
    best: dict[str, Tensor] = {}
    history: list[dict[str, float]] = []
    per_epoch = math.ceil(len(items) / recipe.batch_size)
    step, chosen, began = 0, 0, time.perf_counter()
    for epoch in range(1, recipe.epochs + 1):
        network.train()
        seen: list[LossParts] = []
        for index in batches([len(e) for e in items], recipe.batch_size, rng):
            for group in optimizer.param_groups:
                group["lr"] = recipe.learning_rate * rate(step, per_epoch, recipe.epochs)
            parts = batch_loss(network, loss, [items[i] for i in index], recipe)
            total = parts.total
            if turns:
                k = step % len(turns)
                more = batch_loss(network, loss, next(turns[k]), recipe, frequency[k])
                total = total + recipe.beside_weight * more.total
            optimizer.zero_grad()
            total.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            step += 1
            blend(average, network, recipe.average, step)
            seen.append(LossParts(*(p.detach() for p in parts)))
        with swapped(network, average):
            scored = dict(score(predict(network, dev_items)))
        mean = [float(torch.stack(list(column)).mean()) for column in zip(*seen, strict=True)]
        history.append(
            {"epoch": epoch, "loss": mean[0], "emotion_loss": mean[1], "transfer_loss": mean[2],
             "passed": mean[3], **scored}
        )  # fmt: skip
        log.info("epoch %d: loss %.4f, dev %.4f", epoch, mean[0], scored["objective"])
        if epoch == 1 or scored["objective"] > history[chosen - 1]["objective"]:
            chosen, best = epoch, {n: t.clone() for n, t in average.items()}
        if epoch - chosen >= recipe.patience:
            break
    load(network, best)
    network.eval()
    return (
        network,
        statistics,
        {
            "epochs": len(history),
            "chosen_epoch": chosen,
            "seconds": round(time.perf_counter() - began, 1),
            "parameters": sum(p.numel() for p in network.parameters()),
            "loss_weights": loss.weights(),
            "history": history,
        },
    )


def endless(
    examples: Sequence[Example], size: int, rng: np.random.Generator
) -> Iterator[list[Example]]:
    """Yield batches of about as many utterances as ``size`` dialogues of ten have, for ever."""
    lengths = [len(e) for e in examples]
    several = max(size, round(10 * size / (sum(lengths) / len(lengths))))
    while True:
        for index in batches(lengths, several, rng):
            yield [examples[i] for i in index]


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


def rate(step: int, per_epoch: int, epochs: int) -> float:
    """Return the factor of the learning rate: one epoch of warm-up, a cosine down to a tenth."""
    done = step / (per_epoch * epochs)
    return min(1.0, (step + 1) / per_epoch) * (0.55 + 0.45 * math.cos(math.pi * done))


def blend(average: Mapping[str, Tensor], network: nn.Module, decay: float, step: int) -> None:
    """Move the average of the weights one step; it starts short."""
    with torch.no_grad():
        for n, p in network.named_parameters():
            average[n].lerp_(p, 1 - min(decay, step / (step + 9)))


def load(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Put ``weights`` into the network's parameters of these names."""
    with torch.no_grad():
        for n, p in network.named_parameters():
            if n in weights:
                p.copy_(weights[n])


@contextmanager
def swapped(network: nn.Module, weights: Mapping[str, Tensor]) -> Iterator[None]:
    """Let the network have other weights for a while."""
    kept = {n: p.detach().clone() for n, p in network.named_parameters() if n in weights}
    load(network, weights)
    try:
        yield
    finally:
        load(network, kept)


def with_seed(recipe: DialogueRecipe, seed: int) -> DialogueRecipe:
    """Return the same recipe with another seed."""
    return replace(recipe, seed=seed)
