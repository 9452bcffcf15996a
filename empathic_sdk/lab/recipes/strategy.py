"""Recipe ``strategy``: fit the support planner on ESConv, and its text-only baseline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  (the field's usual alias)
from numpy.typing import NDArray
from torch import Tensor

from empathic_sdk.dialogue.planner import CHECKPOINT, STRATEGIES, Planner
from empathic_sdk.encoders.text import TextEncoder
from empathic_sdk.errors import ConfigurationError
from empathic_sdk.lab.corpora.esconv import digest, read_esconv
from empathic_sdk.lab.corpora.support_moments import (
    Scene,
    SupportMoments,
    observed,
    scene,
    text_mark,
)
from empathic_sdk.lab.evaluation.metrics import classification, labelled
from empathic_sdk.lab.recipes.numbers import Numbers, Seed
from empathic_sdk.lab.records import RunRecord
from empathic_sdk.lab.registry import Command, Option, Outcome, UsageError
from empathic_sdk.lab.runs.runner import figures, folder, record_run
from empathic_sdk.lab.training.trainer import Trainer, adamw, cosine
from empathic_sdk.models.strategy import StrategyNetwork
from empathic_sdk.recognition.recognizer import EmotionRecognizer
from empathic_sdk.runtime import checkpoints

CLASSES = len(STRATEGIES)
Score = Callable[[NDArray[np.float32]], dict[str, float]]


@dataclass(frozen=True)
class StrategyRecipe(Numbers):
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

    seed: Seed = 1
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


def fit(
    recipe: StrategyRecipe,
    train: SupportMoments,
    score: Score,
    dev: NDArray[np.float32],
    classes: int,
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
    x, y = torch.from_numpy(train.features), torch.from_numpy(train.strategies)
    on_dev = torch.from_numpy(dev)
    per_epoch = -(-len(y) // recipe.batch)
    steps = recipe.epochs * per_epoch

    def loss(rows: NDArray[np.int64]) -> Tensor:
        batch = x[rows].clone()
        gone = torch.from_numpy(order.random(len(rows)) < recipe.forget)
        for columns in train.forgettable:
            batch[:, columns] *= ~gone[:, None]
        return F.cross_entropy(
            network(batch).logits, y[rows], weight, label_smoothing=recipe.smoothing
        )

    def told() -> dict[str, float]:
        with torch.inference_mode():
            return score(network(on_dev).logits.numpy())

    ran = Trainer(
        module=network,
        optimizer=adamw(network.parameters(), rate=recipe.rate, weight_decay=recipe.decay),
        batches=lambda _: np.array_split(order.permutation(len(y)), per_epoch),
        loss=loss,
        score=told,
        per_epoch=per_epoch,
        epochs=recipe.epochs,
        rate=lambda step: cosine(step, steps, warm=1),
        tells=("seconds", "chosen"),
        name=f"seed {recipe.seed}",
    ).run()
    epochs = [{k: v for k, v in h.items() if k != "epoch"} for h in ran["history"]]
    chosen = ran["chosen_epoch"]
    return network, {
        "best": {**epochs[chosen - 1], "epoch": chosen},
        "epochs": epochs,
        "seconds": ran["seconds"],
    }


def objective(gold: NDArray[np.int64], logits: NDArray[np.float32]) -> dict[str, float]:
    """Return what dev chooses by: the mean of accuracy and macro F1, beside both."""
    found = classification(gold, logits.argmax(1))
    return {
        "accuracy": found["accuracy"],
        "macro_f1": found["macro_f1"],
        "objective": (found["accuracy"] + found["macro_f1"]) / 2,
    }


def run_name(recipe: StrategyRecipe, limit: int | None, *, own: bool = False) -> str:
    """Name a run; a trial or one on own dialogues has its own name, which ``runs`` leaves out."""
    kind = f"{'' if limit is None else 'trial-'}{'own-' if own else ''}"
    return f"{kind}strategy-seed{recipe.seed}"


def train_strategy(
    recipe: StrategyRecipe,
    *,
    data: Path | None = None,
    out: Path,
    results: Path,
    cache: Path | None,
    limit: int | None = None,
    own: Path | None = None,
    text: Path | None = None,
) -> RunRecord:
    """Train the planner and its text-only baseline, record both, store their test answers.

    Dev chooses the epoch of each. The figures on test are left to :func:`evaluate_strategy`.

    Args:
        recipe: Its numbers, the baseline's as well.
        data: Folder of the corpora.
        out: Folder for ``strategy.safetensors``.
        results: Folder of the run records.
        cache: Folder in which text vectors are kept between runs.
        limit: Talks of the train split at most, the first in the file.
        own: Dialogues of your own in place of ESConv.
        text: The text checkpoint that the planner will be used with; by default the one that ships.

    Returns:
        The run record.
    """
    recognizer = EmotionRecognizer(text=None if text is None else TextEncoder(text))
    talks = {split: read_esconv(data, split, own) for split in ("train", "dev", "test")}
    talks["train"] = talks["train"][:limit]
    scenes = {split: scene(t, observed(t, recognizer, cache)) for split, t in talks.items()}
    train, dev, test = scenes["train"], scenes["dev"], scenes["test"]

    def score(logits: NDArray[np.float32]) -> dict[str, float]:
        return objective(dev.moments.strategies, logits)

    network, ran = fit(recipe, train.moments, score, dev.moments.features, CLASSES)
    words, words_ran = fit(
        recipe, SupportMoments(train.last, train.moments.strategies), score, dev.last, CLASSES
    )
    name = run_name(recipe, limit, own=own is not None)
    about = {
        "name": name,
        "strategies": [str(s) for s in STRATEGIES],
        "width": int(train.last.shape[1]),
        "corpus": "esconv" if own is None else "own",
        "text_sha256": text_mark(recognizer),
        "configuration": recipe.as_dict(),
    }
    checkpoints.save(out / CHECKPOINT, network.state_dict(), about)
    planner = Planner(out / CHECKPOINT)
    with torch.inference_mode():
        said = words(torch.from_numpy(test.last)).logits.argmax(1).numpy()
    rows = (
        {
            "talk": talks["test"][number].id,
            "gold": int(gold),
            "probabilities": [round(float(x), 5) for x in p],
            "text_only": int(alone),
        }
        for number, gold, p, alone in zip(
            test.talk, test.moments.strategies, planner.distribution(test.moments.features), said,
            strict=True,
        )
    )  # fmt: skip
    return record_run(
        results, recipe, rows, recipe="strategy", name=name, corpus=about["corpus"],
        parameters=sum(p.numel() for p in network.parameters()),
        data={
            split: {"talks": len(t), "n": len(scenes[split].talk), "sha256": digest(t)}
            for split, t in talks.items()
        },
        run=ran, text_only=words_ran, dev=measure(dev, planner.distribution(dev.moments.features)),
        checkpoint={
            "bytes": (out / CHECKPOINT).stat().st_size, "text_sha256": about["text_sha256"],
        },
    )  # fmt: skip


def measure(seen: Scene, probabilities: NDArray[np.floating]) -> dict[str, Any]:
    """Return the metrics of probabilities ``[n, 8]``; ``reply_*`` where the seeker spoke last."""
    gold, said = seen.moments.strategies, probabilities.argmax(1)
    found = labelled(gold, probabilities, tuple(str(s) for s in STRATEGIES))
    found["top3_accuracy"] = float(
        (np.argsort(-probabilities, 1)[:, :3] == gold[:, None]).any(1).mean()
    )
    replies = classification(gold[seen.reply], said[seen.reply])
    found |= {f"reply_{key}": replies[key] for key in ("accuracy", "macro_f1")}
    return found


def run(
    numbers: Mapping[str, Any],
    *,
    data: Path | None = None,
    out: Path | None,
    results: Path,
    cache: Path,
    limit: Annotated[
        int | None, Option("Talks of the train split at most (a trial).", low=8)
    ] = None,
    own: Annotated[
        Path | None,
        Option("Dialogues of your own in place of ESConv, in its form.", exists=True, folder=False),
    ] = None,
    text: Annotated[
        Path | None,
        Option(
            "text.safetensors that it will be used with.",
            exists=True,
            folder=False,
            default="the one that ships",
        ),
    ] = None,
) -> Outcome:
    """Fit the support planner on ESConv's train split, and its text-only baseline.

    Dev chooses the epoch; the answers on the test split are stored, and `empathic evaluate
    strategy` scores them.
    """
    recipe = StrategyRecipe(**numbers)
    out = folder(run_name(recipe, limit, own=own is not None), out)
    if data is None and own is None:
        raise UsageError("give --data (or EMPATHIC_DATA), or --own")
    record = train_strategy(
        recipe, data=data, out=out, results=results, cache=cache, limit=limit, own=own, text=text
    )
    return Outcome(record, [figures("dev", record.dev), f"weights: {out / CHECKPOINT}"])


COMMAND = Command(run=run, recipe=StrategyRecipe)
