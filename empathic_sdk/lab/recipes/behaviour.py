"""Recipe ``behaviour``: train the network over interaction events on simulated people."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from empathic_sdk.encoders.behaviour import CodedEvents, code, collate
from empathic_sdk.errors import ConfigurationError
from empathic_sdk.lab.simulation.typing import BehaviourItems
from empathic_sdk.models.behaviour import BehaviourConfig, BehaviourNetwork

Score = Callable[[np.ndarray], Mapping[str, float]]


@dataclass(frozen=True, kw_only=True)
class BehaviourRecipe:
    """Every number of a run.

    Attributes:
        seed: Of initial weights, batches and dropout. The simulated people are always the same.
        width: Of states and vector.
        pooling: ``gated`` (PED eq 44) or ``max_mean`` (eq 28).
        dropout: On states and vector.
        epochs: How many; the one that dev likes best is kept.
        batch_size: Messages a batch.
        learning_rate: Peak; it warms up for one epoch and then falls linearly to zero.
        weight_decay: Of AdamW.
        people: Simulated people to train on, dev in proportion; ``None`` is all (for trials).
        shuffle_labels: Give every training message the label of another: the result is chance.
    """

    seed: int = 1
    width: int = 32
    pooling: str = "gated"
    dropout: float = 0.0
    epochs: int = 8
    batch_size: int = 128
    learning_rate: float = 4e-3
    weight_decay: float = 0.01
    people: int | None = None
    shuffle_labels: bool = False

    def __post_init__(self) -> None:
        if min(self.epochs, self.batch_size) < 1:
            raise ConfigurationError("epochs and batch_size must be at least 1")
        if self.people is not None and self.people < 2:
            raise ConfigurationError("people must be at least 2")

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def coded(items: BehaviourItems) -> list[CodedEvents]:
    """Return the logs as the encoder codes them."""
    return [code(events) for events in items.events()]


def measure_values(network: BehaviourNetwork, logs: Sequence[CodedEvents]) -> None:
    """Write mean and spread of each kind's values into the network; unseen kinds keep 0 and 1."""
    kind = np.concatenate([log.kind for log in logs])
    value = np.concatenate([log.value for log in logs])
    for k in range(network.config.kinds):
        of_kind = value[kind == k]
        if len(of_kind) > 1:
            network.value_mean[k] = float(of_kind.mean())
            network.value_scale[k] = max(float(of_kind.std()), 1e-3)


def fit(
    recipe: BehaviourRecipe, train: BehaviourItems, dev: BehaviourItems, score: Score
) -> tuple[BehaviourNetwork, dict[str, Any]]:
    """Train one run; ``score`` of the dev logits alone chooses the epoch.

    Args:
        recipe: Its numbers.
        train: Messages to learn from.
        dev: Messages of other people.
        score: Maps dev logits ``[n, 7]`` to figures; the higher ``"objective"``, the better.

    Returns:
        The network with the chosen weights, in eval mode, and what was measured on the way.
        Deterministic given recipe, data and number of threads.
    """
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    config = BehaviourConfig(width=recipe.width, pooling=recipe.pooling, dropout=recipe.dropout)
    network = BehaviourNetwork(config)
    logs, dev_logs = coded(train), coded(dev)
    measure_values(network, logs)
    labels = train.emotion
    if recipe.shuffle_labels:
        labels = labels[rng.permutation(len(labels))]
    target = torch.from_numpy(labels)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    lengths = np.array([len(log.kind) for log in logs])
    steps = -(-len(logs) // recipe.batch_size)
    history: list[dict[str, float]] = []
    best: dict[str, Tensor] = {}
    began, step = time.perf_counter(), 0
    for epoch in range(1, recipe.epochs + 1):
        network.train()
        losses = []
        for index in _batches(lengths, recipe.batch_size, rng):
            warm = min(1.0, (step + 1) / steps)
            for group in optimizer.param_groups:
                group["lr"] = recipe.learning_rate * warm * (1 - step / (steps * recipe.epochs))
            out = network(collate([logs[i] for i in index]))
            loss = F.cross_entropy(out.logits, target[index])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            losses.append(float(loss.detach()))
            step += 1
        scored = dict(score(predict(network, dev_logs)))
        history.append({"epoch": epoch, "loss": float(np.mean(losses)), **scored})
        if scored["objective"] >= max(h["objective"] for h in history):
            best = {n: t.clone() for n, t in network.state_dict().items()}
    network.load_state_dict(best)
    network.eval()
    chosen = max(history, key=lambda h: (h["objective"], h["epoch"]))
    return network, {
        "epochs": recipe.epochs,
        "chosen_epoch": int(chosen["epoch"]),
        "seconds": round(time.perf_counter() - began, 1),
        "parameters": sum(p.numel() for p in network.parameters()),
        "history": history,
    }


def predict(network: BehaviourNetwork, logs: Sequence[CodedEvents], size: int = 256) -> np.ndarray:
    """Return logits, float32 ``[n, 7]``, in the order of ``logs``."""
    network.eval()
    out = np.zeros((len(logs), network.config.classes), np.float32)
    order = np.argsort([len(log.kind) for log in logs], kind="stable")
    with torch.inference_mode():
        for start in range(0, len(order), size):
            rows = order[start : start + size]
            out[rows] = network(collate([logs[i] for i in rows])).logits.numpy()
    return out


def _batches(lengths: np.ndarray, size: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Cut one epoch into batches of about alike length, in random order."""
    order = np.argsort(lengths + rng.uniform(-2, 2, len(lengths)), kind="stable")
    cut = [order[i : i + size] for i in range(0, len(order), size)]
    return [cut[i] for i in rng.permutation(len(cut))]
