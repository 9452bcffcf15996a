"""The loop of recipe ``face``: epochs, dev, the average of the weights; survives being cut off."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.lab.corpora.faces import Faces
from empathic_sdk.lab.recipes.face import (
    FaceRecipe,
    augment,
    build,
    class_weights,
    logits_of,
    loss_of,
    prepare,
    rate,
)
from empathic_sdk.lab.training.loop import save_state
from empathic_sdk.models.face import FaceNet, TableFiveCNN
from empathic_sdk.types import Emotion


class FaceTrainer:
    """One run of the recipe ``face``.

    Every epoch draws from a generator of its own, seeded by run and epoch, so that a run which
    was cut off and continued is the run that was not.

    Args:
        recipe: Its numbers.
        train: What it learns from.
        dev: What chooses the epoch.
        folder: Where checkpoints go; a run found there under the same recipe is continued.
    """

    def __init__(self, recipe: FaceRecipe, train: Faces, dev: Faces, folder: Path) -> None:
        self.recipe, self.folder = recipe, folder
        if recipe.limit is not None:
            rng = np.random.default_rng([recipe.seed, 7])
            train, dev = (
                faces.take(np.sort(rng.permutation(len(faces))[: recipe.limit]))
                for faces in (train, dev)
            )
        self.train, self.dev = train, dev
        labels = train.labels
        if recipe.shuffle_labels:
            labels = np.random.default_rng([recipe.seed, 8]).permutation(labels)
        self.crops, self.labels = prepare(train), torch.from_numpy(labels)
        self.dev_crops, self.dev_labels = prepare(dev), dev.labels
        self.weights = class_weights(labels, recipe.balance)
        self.net = build(recipe)
        matrices = [p for p in self.net.parameters() if p.ndim > 1]
        others = [p for p in self.net.parameters() if p.ndim <= 1]
        groups: list[dict[str, Any]] = [
            {"params": matrices, "weight_decay": recipe.weight_decay},
            {"params": others},
        ]
        self.optimizer = torch.optim.SGD(
            groups, lr=recipe.learning_rate, momentum=recipe.momentum, nesterov=True,
        )  # fmt: skip
        self.average = {n: t.detach().clone() for n, t in _floats(self.net).items()}
        self.per_epoch = max(1, len(self.crops) // recipe.batch_size)
        self.epoch = 0
        self.seconds = 0.0
        self.history: list[dict[str, float]] = []

    def run(self, *, stop_after: int | None = None) -> dict[str, Any]:
        """Train to the end (or for ``stop_after`` epochs) and return what was measured on dev.

        Afterwards the network holds the weights that scored best.
        """
        self._resume()
        epochs = self.recipe.epochs
        end = epochs if stop_after is None else min(epochs, self.epoch + stop_after)
        columns = (
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
            TimeRemainingColumn(), TextColumn("{task.fields[note]}"),
        )  # fmt: skip
        console = Console(stderr=True)
        with Progress(*columns, console=console, refresh_per_second=1) as progress:
            task = progress.add_task(
                f"seed {self.recipe.seed}", total=epochs * self.per_epoch,
                completed=self.epoch * self.per_epoch, note="",
            )  # fmt: skip
            while self.epoch < end:
                began = time.perf_counter()
                loss = self._one_epoch(lambda note: progress.update(task, advance=1, note=note))
                self.seconds += time.perf_counter() - began
                scored = {"epoch": float(self.epoch), "loss": loss, **self._evaluate()}
                if not self.history or scored["accuracy"] > self._best()["accuracy"]:
                    save_state(self.average, self.folder / "best.safetensors")
                self.history.append(scored)
                progress.console.print("  ".join(f"{k} {v:.4f}" for k, v in scored.items()))
                self._checkpoint()
        if self.epoch < epochs:
            return {"epochs": self.epoch, "finished": False}
        _load(self.net, load_file(self.folder / "best.safetensors"))
        self.net.eval()
        return {
            "finished": True,
            "epochs": epochs,
            "chosen_epoch": int(self._best()["epoch"]),
            "seconds": round(self.seconds, 1),
            "history": self.history,
        }

    def weights_of(self) -> dict[str, Tensor]:
        """Return the network's weights and running statistics."""
        return _floats(self.net)

    def _best(self) -> dict[str, float]:
        return max(self.history, key=lambda h: h["accuracy"])

    def _one_epoch(self, tell: Callable[[str], None]) -> float:
        r = self.recipe
        draw = torch.Generator().manual_seed(1000 * r.seed + self.epoch)
        torch.manual_seed(1000 * r.seed + self.epoch)  # dropout
        order = torch.randperm(len(self.crops), generator=draw)
        size, losses = r.size(self.epoch), []
        mixup = r.mixup if self.epoch < r.mixup_epochs else 0.0
        views = r if self.epoch < r.erase_epochs else replace(r, erase=0.0)
        self.net.train()
        for k in range(self.per_epoch):
            step = self.epoch * self.per_epoch + k
            for group in self.optimizer.param_groups:
                group["lr"] = r.learning_rate * rate(step, self.per_epoch, r.epochs)
            index = order[k * r.batch_size : (k + 1) * r.batch_size]
            x = augment(self.crops[index], size, views, draw)
            target = F.one_hot(self.labels[index], len(Emotion)).float()
            if float(torch.rand((), generator=draw)) < mixup:
                share = 0.5 + 0.5 * float(torch.rand((), generator=draw))
                x = share * x + (1 - share) * x.roll(1, 0)
                target = share * target + (1 - share) * target.roll(1, 0)
            with torch.autocast("cpu", torch.bfloat16, enabled=r.bfloat16):
                logits = self.net(x).logits
            loss = loss_of(logits, target, self.weights, r.smoothing)
            self.optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
            self.optimizer.step()
            self._blend(step + 1)
            losses.append(float(loss.detach()))
            tell(f"loss {sum(losses[-50:]) / len(losses[-50:]):.3f}")
        self.epoch += 1
        return sum(losses) / len(losses)

    def _blend(self, step: int) -> None:
        """Move the average of weights and running statistics one step; it starts short."""
        decay = min(self.recipe.average, step / (step + 9))
        with torch.no_grad():
            for name, live in _floats(self.net).items():
                self.average[name].lerp_(live, 1 - decay)

    def _evaluate(self) -> dict[str, float]:
        live = {n: t.detach().clone() for n, t in _floats(self.net).items()}
        _load(self.net, self.average)
        logits = logits_of(self.net, self.dev_crops, bfloat16=self.recipe.bfloat16)
        _load(self.net, live)
        right = logits.argmax(1).numpy() == self.dev_labels
        recalls = [right[self.dev_labels == c].mean() for c in np.unique(self.dev_labels)]
        nll = F.cross_entropy(logits, torch.from_numpy(self.dev_labels))
        return {"accuracy": float(right.mean()), "uar": float(np.mean(recalls)), "nll": float(nll)}

    def _checkpoint(self) -> None:
        tensors = {f"live.{n}": t for n, t in _floats(self.net).items()}
        tensors |= {f"average.{n}": t for n, t in self.average.items()}
        for n, p in self.net.named_parameters():
            tensors[f"momentum.{n}"] = self.optimizer.state[p]["momentum_buffer"]
        about = {"epoch": self.epoch, "seconds": self.seconds, "history": self.history,
                 "recipe": self.recipe.as_dict()}  # fmt: skip
        save_state(tensors, self.folder / "last.safetensors", about)

    def _resume(self) -> None:
        path = self.folder / "last.safetensors"
        if not path.is_file():
            return
        with safe_open(str(path), "pt") as f:
            about = json.loads(f.metadata()["about"])
        if about["recipe"] != json.loads(json.dumps(self.recipe.as_dict())):
            raise ConfigurationError(
                f"{self.folder} holds a run with other numbers; give another --out, or remove it"
            )
        tensors = load_file(path)
        _load(self.net, {n: tensors[f"live.{n}"] for n in self.average})
        self.average = {n: tensors[f"average.{n}"] for n in self.average}
        for n, p in self.net.named_parameters():
            buffer = tensors[f"momentum.{n}"]
            self.optimizer.state[p]["momentum_buffer"] = torch.empty_like(p).copy_(buffer)
        self.epoch, self.seconds, self.history = about["epoch"], about["seconds"], about["history"]


def _floats(net: FaceNet | TableFiveCNN) -> dict[str, Tensor]:
    """Return weights and running statistics; batch counts stay out."""
    return {n: t for n, t in net.state_dict().items() if t.is_floating_point()}


def _load(net: FaceNet | TableFiveCNN, weights: Mapping[str, Tensor]) -> None:
    with torch.no_grad():
        for name, tensor in _floats(net).items():
            tensor.copy_(weights[name])
