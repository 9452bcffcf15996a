"""Trains a network over grey face crops.

Crops are equalised once, as the encoder will equalise them; everything random is drawn for a
whole batch at a time. Early epochs see smaller pictures: the network has no layer that fixes
their size, and half the pixels cost half the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from empathic_sdk.encoders.images import equalise
from empathic_sdk.lab.corpora.faces import Faces
from empathic_sdk.lab.recipes.face_numbers import FaceRecipe
from empathic_sdk.lab.training.trainer import Trainer, cosine
from empathic_sdk.models import face as models
from empathic_sdk.models.face import FaceNet, TableFiveCNN
from empathic_sdk.types import Emotion


def build(recipe: FaceRecipe) -> FaceNet | TableFiveCNN:
    """Return the network with fresh weights drawn from the recipe's seed."""
    torch.manual_seed(recipe.seed)
    net = models.build(recipe.config())
    return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def prepare(faces: Faces) -> Tensor:
    """Return equalised crops, uint8 ``[n, 1, 48, 48]``."""
    return torch.from_numpy(np.stack([equalise(image) for image in faces.images]))[:, None]


def scale(crops: Tensor) -> Tensor:
    """Map uint8 in [0, 255] to float32 in [-1, 1], channels last."""
    return (crops.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


def class_weights(labels: np.ndarray, power: float) -> Tensor:
    """Return weights ``[7]`` with mean 1 over ``labels``; a class that never occurs has 1."""
    counts = np.bincount(labels, minlength=len(Emotion)).astype(float)
    weights = np.where(counts > 0, (len(labels) / np.maximum(counts, 1)) ** power, 1.0)
    weights /= (weights * counts).sum() / counts.sum()
    return torch.from_numpy(weights).float()


def augment(crops: Tensor, size: int, recipe: FaceRecipe, generator: torch.Generator) -> Tensor:
    """Draw a turned, shifted, scaled, mirrored, relit and partly covered view of every crop.

    Args:
        crops: uint8 ``[batch, 1, 48, 48]``.
        size: Pixels a side of what comes out.
        recipe: Says how often to cover.
        generator: Where all numbers are drawn from.

    Returns:
        float32 ``[batch, 1, size, size]`` in about [-1, 1], channels last.
    """
    n = len(crops)

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(n, generator=generator)

    # A window of about 42 of the 48 pixels, seen at `size`: close to one pixel for one.
    zoom = 0.875 * torch.exp(uniform(-0.14, 0.14))
    angle = uniform(-0.22, 0.22)
    mirror = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0)
    cos, sin = torch.cos(angle) * zoom, torch.sin(angle) * zoom
    theta = torch.stack(
        [
            torch.stack([cos * mirror, -sin, uniform(-0.15, 0.15)], -1),
            torch.stack([sin * mirror, cos, uniform(-0.15, 0.15)], -1),
        ],
        1,
    )
    grid = F.affine_grid(theta, [n, 1, size, size], align_corners=False)
    x = F.grid_sample(scale(crops), grid, padding_mode="reflection", align_corners=False)
    x = x * uniform(0.75, 1.25)[:, None, None, None] + uniform(-0.2, 0.2)[:, None, None, None]
    covered = uniform(0, 1) < recipe.erase
    half = torch.stack([uniform(0.08, 0.25), uniform(0.08, 0.25)], 1)
    centre = torch.stack([uniform(0, 1), uniform(0, 1)], 1)
    place = (torch.arange(size) + 0.5) / size
    inside = (place[None, None] - centre[..., None]).abs() < half[..., None]
    hole = inside[:, 0, :, None] & inside[:, 1, None, :] & covered[:, None, None]
    noise = torch.randn(x.shape, generator=generator)
    x = torch.where(hole[:, None], 0.6 * noise, x + 0.04 * noise)
    return x.contiguous(memory_format=torch.channels_last)


def loss_of(logits: Tensor, labels: Tensor, weights: Tensor, smoothing: float) -> Tensor:
    """Return the weighted cross-entropy of soft targets ``labels`` ``[batch, 7]``."""
    soft = labels * (1 - smoothing) + smoothing / labels.shape[1]
    return -(soft * weights * F.log_softmax(logits.float(), 1)).sum(1).mean()


def rate(step: int, per_epoch: int, epochs: int) -> float:
    """Return the factor of the learning rate: one epoch of warm-up, then a cosine to zero."""
    return cosine(step, per_epoch * epochs, warm=per_epoch)


def logits_of(
    net: FaceNet | TableFiveCNN, crops: Tensor, *, batch: int = 256, bfloat16: bool = False
) -> Tensor:
    """Return logits ``[n, 7]`` of uint8 crops, averaged over each and its mirror image."""
    net.eval()
    parts: list[Tensor] = []
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        for start in range(0, len(crops), batch):
            x = scale(crops[start : start + batch])
            parts.append((net(x).logits.float() + net(x.flip(3)).logits.float()) / 2)
    return torch.cat(parts)


class FaceTrainer(Trainer):
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
        if recipe.limit is not None:
            rng = np.random.default_rng([recipe.seed, 7])
            train, dev = (
                faces.take(np.sort(rng.permutation(len(faces))[: recipe.limit]))
                for faces in (train, dev)
            )
        self.recipe, self.train, self.dev = recipe, train, dev
        labels = train.labels
        if recipe.shuffle_labels:
            labels = np.random.default_rng([recipe.seed, 8]).permutation(labels)
        self.crops, self.labels = prepare(train), torch.from_numpy(labels)
        self.dev_crops = prepare(dev)
        self.weights = class_weights(labels, recipe.balance)
        self.net = build(recipe)
        matrices = [p for p in self.net.parameters() if p.ndim > 1]
        others = [p for p in self.net.parameters() if p.ndim <= 1]
        groups: list[dict[str, Any]] = [
            {"params": matrices, "weight_decay": recipe.weight_decay},
            {"params": others},
        ]
        per_epoch = max(1, len(self.crops) // recipe.batch_size)
        super().__init__(
            module=self.net,
            optimizer=torch.optim.SGD(
                groups,
                lr=recipe.learning_rate, momentum=recipe.momentum, nesterov=True,
            ),
            batches=self._views,
            loss=self._loss,
            score=self._score,
            per_epoch=per_epoch,
            epochs=recipe.epochs,
            rate=lambda step: rate(step, per_epoch, recipe.epochs),
            clip=5.0,
            average=recipe.average,
            averaged=self.weights_of(),
            objective="accuracy",
            told_loss=True,
            folder=folder,
            numbers=recipe.as_dict(),
            tells=("finished", "epochs", "chosen", "seconds"),
            name=f"seed {recipe.seed}",
        )  # fmt: skip

    def weights_of(self) -> dict[str, Tensor]:
        """Return the network's weights and running statistics; batch counts stay out."""
        return {n: t for n, t in self.net.state_dict().items() if t.is_floating_point()}

    def _views(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield an epoch's views ``[batch, 1, size, size]`` and soft labels ``[batch, 7]``."""
        r = self.recipe
        draw = torch.Generator().manual_seed(1000 * r.seed + epoch)
        torch.manual_seed(1000 * r.seed + epoch)  # dropout
        order = torch.randperm(len(self.crops), generator=draw)
        mixup = r.mixup if epoch < r.mixup_epochs else 0.0
        views = r if epoch < r.erase_epochs else replace(r, erase=0.0)
        for k in range(self.per_epoch):
            index = order[k * r.batch_size : (k + 1) * r.batch_size]
            x = augment(self.crops[index], r.size(epoch), views, draw)
            target = F.one_hot(self.labels[index], len(Emotion)).float()
            if float(torch.rand((), generator=draw)) < mixup:
                share = 0.5 + 0.5 * float(torch.rand((), generator=draw))
                x = share * x + (1 - share) * x.roll(1, 0)
                target = share * target + (1 - share) * target.roll(1, 0)
            yield x, target

    def _loss(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        x, target = batch
        with torch.autocast("cpu", torch.bfloat16, enabled=self.recipe.bfloat16):
            logits = self.net(x).logits
        return loss_of(logits, target, self.weights, self.recipe.smoothing)

    def _score(self) -> dict[str, float]:
        gold = self.dev.labels
        logits = logits_of(self.net, self.dev_crops, bfloat16=self.recipe.bfloat16)
        right = logits.argmax(1).numpy() == gold
        recalls = [right[gold == c].mean() for c in np.unique(gold)]
        nll = F.cross_entropy(logits, torch.from_numpy(gold))
        return {
            "accuracy": float(right.mean()), "uar": float(np.mean(recalls)),
            "nll": float(nll),
        }  # fmt: skip
