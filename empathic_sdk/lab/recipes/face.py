"""Recipe ``face``: a network over grey face crops, on FER2013.

Crops are equalised once, as the encoder will equalise them; everything random is drawn for a
whole batch at a time. Early epochs see smaller pictures: the network has no layer that fixes
their size, and half the pixels cost half the time.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from empathic_sdk.encoders.images import equalise
from empathic_sdk.errors import ConfigurationError
from empathic_sdk.lab.corpora.faces import Faces
from empathic_sdk.models import face as models
from empathic_sdk.models.face import FaceConfig, FaceNet, TableFiveCNN
from empathic_sdk.types import Emotion


@dataclass(frozen=True, kw_only=True)
class FaceRecipe:
    """Every number of the run.

    Attributes:
        model: ``net`` (the network that ships) or ``cnn`` (Table 5 of the adaptive paper).
        seed: Of weights, batches and everything else that is drawn.
        sizes: Pixels a side and for how many epochs, in order.
        batch_size: Crops a batch.
        learning_rate: Peak; it warms up over one epoch and then follows a cosine to zero.
        momentum: Of SGD with Nesterov's step.
        weight_decay: On convolutions and matrices alone.
        average: Decay of the moving average of the weights that is evaluated and kept.
        smoothing: Share of the target that goes to the other classes.
        balance: Power of a class's inverse frequency in its weight; 0 = none.
        mixup: Share of the batches in which every crop is blended with another one.
        mixup_epochs: In how many epochs, from the first; later ones see unmixed faces only.
        erase: Share of the crops that lose a rectangle.
        erase_epochs: In how many epochs, from the first; the last ones see whole faces.
        limit: Crops a split at most (for tests and trials).
        shuffle_labels: Give every crop another one's label: the result must be chance.
        bfloat16: Convolve in bfloat16.
    """

    model: str = "net"
    seed: int = 1
    sizes: tuple[tuple[int, int], ...] = ((36, 26), (40, 16))
    batch_size: int = 128
    learning_rate: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    average: float = 0.998
    smoothing: float = 0.05
    balance: float = 0.3
    mixup: float = 0.5
    mixup_epochs: int = 14
    erase: float = 0.4
    erase_epochs: int = 37
    limit: int | None = None
    shuffle_labels: bool = False
    bfloat16: bool = True

    def __post_init__(self) -> None:
        if self.model not in ("net", "cnn"):
            raise ConfigurationError(f"model must be net or cnn, not {self.model!r}")
        if not self.sizes or min(min(pair) for pair in self.sizes) < 1:
            raise ConfigurationError("sizes must hold pairs of pixels and epochs, each above 0")
        if self.batch_size < 2:
            raise ConfigurationError("batch_size must be 2 or more")

    @property
    def epochs(self) -> int:
        """Epochs of the whole run."""
        return sum(count for _, count in self.sizes)

    def size(self, epoch: int) -> int:
        """Return the pixels a side of ``epoch`` (from 0)."""
        for size, count in self.sizes:
            if epoch < count:
                return size
            epoch -= count
        return self.sizes[-1][0]

    def config(self) -> dict[str, Any] | None:
        """Return the sizes of the network as :func:`empathic_sdk.models.face.build` takes them."""
        return None if self.model == "cnn" else FaceConfig()._asdict()

    def as_dict(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {**asdict(self), "sizes": [list(pair) for pair in self.sizes]}


def recipe_for(model: str, **given: object) -> FaceRecipe:
    """Return the recipe of ``model`` with other numbers where ``given``."""
    # Table 5's network is too small to overfit: nothing that makes its task harder.
    cnn = {"sizes": ((40, 20),), "weight_decay": 1e-4, "mixup": 0.0, "erase": 0.0, "smoothing": 0.0}
    return FaceRecipe(model=model, **{**(cnn if model == "cnn" else {}), **given})  # type: ignore[arg-type]


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
    warm = min(1.0, (step + 1) / per_epoch)
    return warm * 0.5 * (1 + math.cos(math.pi * step / (per_epoch * epochs)))


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
