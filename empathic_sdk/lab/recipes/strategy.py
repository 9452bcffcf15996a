"""Fit the support planner: features of a moment to the strategy that the supporter chose."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  (the field's usual alias)
from numpy.typing import NDArray

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.models.strategy import StrategyNetwork

Score = Callable[[NDArray[np.float32]], dict[str, float]]


@dataclass(frozen=True)
class StrategyRecipe:
    """The numbers of one run; the defaults are those that dev chose (docs/LOG.md).

    Attributes:
        seed: Of weights, order, dropout.
        hidden: Units of the hidden layer, 0 for logistic regression.
        dropout: Of inputs and hidden units.
        epochs: At most; the best on dev is kept.
        batch: Moments a step.
        rate: Step size of AdamW, falling to 0 along a cosine.
        decay: Weight decay.
        smoothing: Of the labels.
        balance: Weight of a class in the loss: its frequency to the power of minus this.
        forget: Share of moments whose supporter's text vector is hidden in training, as at run
            time where a talk was taken up by another process.
    """

    seed: int = 1
    hidden: int = 128
    dropout: float = 0.3
    epochs: int = 12
    batch: int = 128
    rate: float = 1e-3
    decay: float = 0.05
    smoothing: float = 0.05
    balance: float = 0.25
    forget: float = 0.1

    def __post_init__(self) -> None:
        """Check the numbers."""
        if min(self.epochs, self.batch) < 1 or self.seed < 0 or self.hidden < 0:
            raise ConfigurationError("epochs and batch must be at least 1, seed and hidden 0")
        if not (0 <= self.dropout < 1 and 0 <= self.smoothing < 1 and 0 <= self.forget <= 1):
            raise ConfigurationError("dropout, smoothing and forget are shares, from 0 to below 1")

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


class Moments(NamedTuple):
    """Moments before an utterance of a supporter.

    Attributes:
        features: float32 ``[n, inputs]``.
        strategies: int64 ``[n]``.
        forgettable: Columns of the supporter's text vector and of its flag, as two slices.
    """

    features: NDArray[np.float32]
    strategies: NDArray[np.int64]
    forgettable: tuple[slice, ...] = ()


def fit(
    recipe: StrategyRecipe, train: Moments, score: Score, dev: NDArray[np.float32], classes: int
) -> tuple[StrategyNetwork, dict[str, Any]]:
    """Train one network; dev chooses the epoch.

    Args:
        recipe: Its numbers.
        train: What it learns from.
        score: What dev says of logits ``[n, classes]``; the ``objective`` is made great.
        dev: Features ``[n, inputs]`` of the moments that ``score`` knows.
        classes: Strategies.

    Returns:
        The network in eval mode, and how the run went.
    """
    torch.manual_seed(recipe.seed)
    order = np.random.default_rng(recipe.seed)
    began = time.perf_counter()
    network = StrategyNetwork(
        inputs=train.features.shape[1],
        hidden=recipe.hidden,
        classes=classes,
        dropout=recipe.dropout,
    )
    network.mean.copy_(torch.from_numpy(train.features.mean(0)))
    network.scale.copy_(torch.from_numpy(1.0 / np.maximum(train.features.std(0), 0.05)))
    counts = np.bincount(train.strategies, minlength=classes).clip(1)
    weight = torch.from_numpy((counts / counts.mean()) ** -recipe.balance).float()
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.rate, weight_decay=recipe.decay)
    steps = recipe.epochs * -(-len(train.strategies) // recipe.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    x, y = torch.from_numpy(train.features), torch.from_numpy(train.strategies)
    on_dev = torch.from_numpy(dev)
    best: dict[str, Any] = {"objective": -1.0}
    kept: dict[str, torch.Tensor] = {}
    epochs = []
    for epoch in range(1, recipe.epochs + 1):
        network.train()
        for rows in np.array_split(order.permutation(len(y)), -(-len(y) // recipe.batch)):
            batch = x[rows].clone()
            gone = torch.from_numpy(order.random(len(rows)) < recipe.forget)
            for columns in train.forgettable:
                batch[:, columns] *= ~gone[:, None]
            loss = F.cross_entropy(
                network(batch).logits, y[rows], weight, label_smoothing=recipe.smoothing
            )
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
        network.eval()
        with torch.inference_mode():
            found = score(network(on_dev).logits.numpy())
        epochs.append(found)
        if found["objective"] > best["objective"]:
            best = {**found, "epoch": epoch}
            kept = copy.deepcopy(network.state_dict())
    network.load_state_dict(kept)
    seconds = time.perf_counter() - began
    return network.eval(), {"best": best, "epochs": epochs, "seconds": seconds}
