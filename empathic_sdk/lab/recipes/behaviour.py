"""Recipe ``behaviour``: train the network over interaction events on simulated people.

A run writes ``NAME.json`` (what was run, and what dev says) and ``NAME.predictions.jsonl.gz``
(calibrated probabilities of every simulated test message). Test figures are computed from those,
by ``empathic evaluate behaviour``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from empathic_sdk.encoders.behaviour import KINDS, BehaviourEncoder, CodedEvents, code, collate
from empathic_sdk.errors import ConfigurationError
from empathic_sdk.lab.evaluation.behaviour_figures import DATASET, dev_score, measure, read
from empathic_sdk.lab.recipes.numbers import Epochs, Numbers, Seed, Shuffled
from empathic_sdk.lab.records import (
    RunRecord,
    data_entry,
    item_rows,
)
from empathic_sdk.lab.registry import Command, Option, Outcome
from empathic_sdk.lab.runs.runner import (
    folder,
    outcome,
    record_run,
    save_calibrated,
    temperature_on,
)
from empathic_sdk.lab.simulation.behaviour import PEOPLE, BehaviourItems, simulate
from empathic_sdk.lab.training.trainer import Trainer, adamw
from empathic_sdk.models.behaviour import BehaviourBatch, BehaviourConfig, BehaviourNetwork
from empathic_sdk.types import Emotion

CHECKPOINT = "behaviour.safetensors"
Score = Callable[[np.ndarray], Mapping[str, float]]


@dataclass(frozen=True, kw_only=True)
class BehaviourRecipe(Numbers):
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

    seed: Seed = 1
    width: int = 32
    pooling: Annotated[
        str,
        Option("How events become one vector: PED eq 44, or eq 28.", choices=("gated", "max_mean")),
    ] = "gated"
    dropout: float = 0.0
    epochs: Epochs = 8
    batch_size: int = 128
    learning_rate: float = 4e-3
    weight_decay: float = 0.01
    people: Annotated[int | None, Option("Simulated people (a trial).", low=2)] = None
    shuffle_labels: Shuffled = False

    def __post_init__(self) -> None:
        if min(self.epochs, self.batch_size) < 1:
            raise ConfigurationError("epochs and batch_size must be at least 1")
        if self.people is not None and self.people < 2:
            raise ConfigurationError("people must be at least 2")


def coded(items: BehaviourItems) -> list[CodedEvents]:
    """Return the logs as the encoder codes them."""
    return [code(events) for events in items.events()]


def batch(logs: Sequence[CodedEvents]) -> BehaviourBatch:
    """Pad logs to one batch of tensors."""
    return BehaviourBatch(**{name: torch.from_numpy(v) for name, v in collate(logs).items()})


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
    lengths = np.array([len(log.kind) for log in logs])
    per_epoch = -(-len(logs) // recipe.batch_size)

    def loss(index: np.ndarray) -> Tensor:
        return F.cross_entropy(network(batch([logs[i] for i in index])).logits, target[index])

    ran = Trainer(
        module=network,
        optimizer=adamw(
            network.parameters(), rate=recipe.learning_rate, weight_decay=recipe.weight_decay
        ),
        batches=lambda epoch: _batches(lengths, recipe.batch_size, rng),
        loss=loss,
        score=lambda: score(predict(network, dev_logs)),
        per_epoch=per_epoch,
        epochs=recipe.epochs,
        rate=lambda step: (
            min(1.0, (step + 1) / per_epoch) * (1 - step / (per_epoch * recipe.epochs))
        ),
        clip=1.0,
        told_loss=True,
        later=True,
        tells=("epochs", "chosen", "seconds", "parameters"),
        name=f"seed {recipe.seed}",
    ).run()
    return network, ran


def predict(network: BehaviourNetwork, logs: Sequence[CodedEvents], size: int = 256) -> np.ndarray:
    """Return logits, float32 ``[n, 7]``, in the order of ``logs``."""
    network.eval()
    out = np.zeros((len(logs), network.config.classes), np.float32)
    order = np.argsort([len(log.kind) for log in logs], kind="stable")
    with torch.inference_mode():
        for start in range(0, len(order), size):
            rows = order[start : start + size]
            out[rows] = network(batch([logs[i] for i in rows])).logits.numpy()
    return out


def _batches(lengths: np.ndarray, size: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Cut one epoch into batches of about alike length, in random order."""
    order = np.argsort(lengths + rng.uniform(-2, 2, len(lengths)), kind="stable")
    cut = [order[i : i + size] for i in range(0, len(order), size)]
    return [cut[i] for i in rng.permutation(len(cut))]


def run_name(recipe: BehaviourRecipe) -> str:
    """Name a run; trials and controls get names that ``runs`` does not count."""
    if recipe.people is not None or recipe.shuffle_labels:
        return f"trial-seed{recipe.seed}" + ("-shuffled" if recipe.shuffle_labels else "")
    default = BehaviourRecipe(seed=recipe.seed)
    part = "" if recipe.pooling == default.pooling else f"-{recipe.pooling}"
    return f"behaviour{part}-seed{recipe.seed}"


def train_behaviour(recipe: BehaviourRecipe, *, out: Path, results: Path) -> RunRecord:
    """Train one run, let dev choose and calibrate, store the test predictions unseen.

    Args:
        recipe: Its numbers.
        out: Folder for ``behaviour.safetensors``, which :class:`BehaviourEncoder` reads; every
            figure is that of this file as it is read again.
        results: Folder of the run records.

    Returns:
        The run record.
    """
    few = recipe.people
    train, dev, test = (
        simulate(split, people=few and max(2, few * n // PEOPLE["train"]))
        for split, n in PEOPLE.items()
    )
    network, ran = fit(recipe, train, dev, dev_score(dev))
    frequency = np.bincount(train.emotion, minlength=len(Emotion)) / len(train)
    about: dict[str, Any] = {
        "name": run_name(recipe),
        "behaviour": network.config.as_dict(),
        "kinds": list(KINDS),
        "frequency": frequency.tolist(),
    }
    path = out / CHECKPOINT
    tensors = {f"behaviour.{n}": t for n, t in network.state_dict().items()}

    fix = temperature_on(dev.emotion, lambda p: read(BehaviourEncoder(p), dev))
    calibration = save_calibrated(path, tensors, about, fix, start={"temperature": 1.0})
    encoder = BehaviourEncoder(path)
    return record_run(
        results, recipe, item_rows(test.ids, read(encoder, test), 4), weights=path,
        recipe="behaviour", name=about["name"], data_set=DATASET,
        data={s.split: data_entry(s, people=len(set(s.people))) for s in (train, dev, test)},
        frequency=about["frequency"], run=ran, calibration=calibration,
        dev=measure(dev, read(encoder, dev), frequency),
    )  # fmt: skip


def run(numbers: Mapping[str, Any], *, out: Path | None, results: Path) -> Outcome:
    """Train the behaviour encoder on simulated people: no corpus of such events is public.

    Dev data choose the epoch and calibrate; test predictions are stored, and scored by
    `empathic evaluate behaviour`.
    """
    recipe = BehaviourRecipe(**numbers)
    out = folder(run_name(recipe), out)
    record = train_behaviour(recipe, out=out, results=results)
    return outcome(record, results, f"dev {DATASET}", weights=out / CHECKPOINT)


COMMAND = Command(run=run, recipe=BehaviourRecipe)
