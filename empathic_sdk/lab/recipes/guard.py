"""Recipe ``guard``: a small network on what the two text networks make of a sentence.

One hidden layer tells "harmless" from each reason. It learns from labelled sentences, and from what
people who support others really said, taken as harmless. How much of that may be refused sets the
limit; recall is measured out of fold, in neighbourhoods of the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  (the field's usual alias)
from numpy.typing import NDArray
from torch import nn

from empathic_sdk.errors import ConfigurationError, DataError
from empathic_sdk.safety.draft_model import REASONS, SCALE, badness

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class GuardRecipe:
    """The numbers of a run.

    Attributes:
        seed: Of everything that is drawn.
        hidden: Units of the hidden layer.
        epochs: Passes over the sentences.
        batch_size: Sentences per step.
        rate: Peak step size; it rises and falls once.
        decay: Weight decay.
        dropout: Share of the hidden units that is left out in a step.
        smoothing: Of the labels.
        folds: Of the recall that is recorded.
        supporters: Sentences of real supporters that are learned from.
        false_refusals: Share of the supporters' dev sentences that may be refused.
    """

    seed: int = 1
    hidden: int = 256
    epochs: int = 25
    batch_size: int = 256
    rate: float = 2e-3
    decay: float = 1.0
    dropout: float = 0.5
    smoothing: float = 0.02
    folds: int = 5
    supporters: int = 6000
    false_refusals: float = 0.003

    def __post_init__(self) -> None:
        """Check the numbers."""
        if self.folds < 2 or not 0 < self.false_refusals < 1:
            raise ConfigurationError("folds must be at least 2, false_refusals a share")
        if min(self.hidden, self.epochs, self.batch_size) < 1:
            raise ConfigurationError("hidden, epochs and batch_size must be at least 1")


class Draft(NamedTuple):
    """A labelled sentence: what is wrong with it, or ``None``."""

    reason: str | None
    text: str


class Guard(NamedTuple):
    """What was fitted.

    Attributes:
        tensors: float32, by name (:class:`~empathic_sdk.safety.draft_model.DraftReader`).
        limit: From this badness on a sentence is refused.
        chosen: Figures on dev.
    """

    tensors: Mapping[str, Floats]
    limit: float
    chosen: Mapping[str, float]


def read_drafts(path: Path) -> list[Draft]:
    """Read JSON lines ``{"reason": name or null, "text"}``.

    Raises:
        DataError: There is no such file, or a line of it is broken (named by its number).
    """
    if not path.is_file():
        raise DataError(f"{path} is not there: give the labelled sentences (--lines)")
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            if row["reason"] is not None and row["reason"] not in REASONS:
                raise ValueError(f"no reason is called {row['reason']!r}")
            found.append(Draft(row["reason"], str(row["text"])))
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path}, line {number}: no labelled sentence ({error!r})") from error
    return found


def fit_guard(
    recipe: GuardRecipe,
    features: Floats,
    reasons: Sequence[str | None],
    *,
    calm: Floats | None = None,
    calm_dev: Floats | None = None,
) -> Guard:
    """Fit it.

    Args:
        recipe: The numbers.
        features: ``[n, width]`` (:func:`~empathic_sdk.safety.draft_model.draft_features`).
        reasons: What is wrong with each.
        calm: ``[m, width]``: harmless sentences besides.
        calm_dev: ``[k, width]``: those that set the limit; without them the harmless ones among
            the labelled do, each as a model sees it that did not learn from it.
    """
    label = np.array([0 if r is None else 1 + REASONS.index(r) for r in reasons])
    # Numbers and links are checked one by one elsewhere: that reason is never named.
    bad = (label > 0) & (label != 1 + REASONS.index("contact"))
    calm = np.zeros((0, features.shape[1]), np.float32) if calm is None else calm
    fold = np.arange(len(label)) // 10 % recipe.folds
    out = np.zeros(len(label), np.float32)
    dev: list[Floats] = []
    for k in range(recipe.folds):
        made = _fit(recipe, features[fold != k], label[fold != k], calm)
        out[fold == k] = badness(made, features[fold == k])
        if calm_dev is not None:
            dev.append(badness(made, calm_dev))
    among = out[label == 0] if calm_dev is None else np.concatenate(dev)
    middle = np.quantile(among, 1 - recipe.false_refusals)
    tensors = _fit(recipe, features, label, calm)
    if calm_dev is not None:
        among = badness(tensors, calm_dev)
    limit = float(np.quantile(among, 1 - recipe.false_refusals))
    chosen = {
        "recall": float((out[bad] > middle).mean()),
        "false_refusals": recipe.false_refusals,
        "false_refusals_of_drafts": float((out[label == 0] > middle).mean()),
    }
    return Guard(tensors, limit, chosen)


def _fit(
    recipe: GuardRecipe, features: Floats, label: NDArray[np.int64], calm: Floats
) -> dict[str, Floats]:
    torch.manual_seed(recipe.seed)
    x = torch.from_numpy(np.concatenate([features, calm]).astype(np.float32)) * SCALE
    y = torch.from_numpy(np.concatenate([label, np.zeros(len(calm), label.dtype)]))
    network = nn.Sequential(
        nn.Linear(x.shape[1], recipe.hidden), nn.ReLU(), nn.Dropout(recipe.dropout),
        nn.Linear(recipe.hidden, 1 + len(REASONS)),
    )  # fmt: skip
    optimizer = torch.optim.AdamW(network.parameters(), recipe.rate, weight_decay=recipe.decay)
    size = min(recipe.batch_size, len(x))
    steps = recipe.epochs * (len(x) // size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.rate, total_steps=steps + 1)
    for _ in range(recipe.epochs):
        for part in torch.randperm(len(x))[: len(x) // size * size].view(-1, size):
            loss = F.cross_entropy(network(x[part]), y[part], label_smoothing=recipe.smoothing)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    first, last = network[0], network[3]
    names = ("hidden.weight", "hidden.bias", "out.weight", "out.bias")
    values = (first.weight, first.bias, last.weight, last.bias)
    return {n: v.detach().numpy().copy() for n, v in zip(names, values, strict=True)}  # type: ignore[operator]
