"""Teaches a face network's attention over frames which of them to trust.

No set at hand has videos of faces with their emotion. What is learnt from instead are bags made
of stills: several faces of one emotion, and among them covered, blurred, dark, cut-off and blank
ones, and some of another emotion. The bag's emotion is the label; the network stays as it is.
"""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from empathic_sdk.lab.corpora.faces import Faces
from empathic_sdk.lab.training.face_fit import prepare, scale
from empathic_sdk.lab.training.trainer import Trainer, adamw
from empathic_sdk.models.face import FaceNet, FramePool, TableFiveCNN
from empathic_sdk.types import Emotion

BATCH, LONGEST = 64, 8


class Views(NamedTuple):
    """What the network makes of faces, and of the same faces spoilt.

    Attributes:
        clean: float32 ``[n, width]``.
        spoilt: float32 ``[n, width]``.
        labels: int64 ``[n]``.
    """

    clean: Tensor
    spoilt: Tensor
    labels: Tensor


def views(net: FaceNet | TableFiveCNN, faces: Faces, seed: int) -> Views:
    """Read every face as it is, and once more with one of its kinds of damage."""
    rng = np.random.default_rng([seed, 9])
    crops = prepare(faces)
    bad = prepare(Faces(spoil(faces.images, rng), faces.labels, faces.rows))
    clean, spoilt = (vectors_of(net, some) for some in (crops, bad))
    return Views(clean, spoilt, torch.from_numpy(faces.labels))


def spoil(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Cover half, shift away, blur to 6 pixels, bury in noise or blank each of ``[n, 48, 48]``."""
    out = images.copy()
    noise = rng.integers(0, 256, images.shape, dtype=np.uint8)
    for i, kind in enumerate(rng.integers(0, 5, len(images))):
        if kind == 0:
            side = int(rng.integers(4))
            half = (slice(0, 28), slice(20, 48))[side % 2]
            out[i][(half, slice(None)) if side < 2 else (slice(None), half)] = rng.integers(256)
        elif kind == 1:
            out[i] = np.roll(images[i], tuple(rng.choice([-22, -18, 18, 22], 2)), (0, 1))
        elif kind == 2:
            small = images[i].reshape(6, 8, 6, 8).mean((1, 3))
            out[i] = small.repeat(8, 0).repeat(8, 1).astype(np.uint8)
        elif kind == 3:
            out[i] = images[i] // 6 + noise[i] // 6 * 5
        else:
            out[i] = 100 + noise[i] // 32
    return out


def vectors_of(net: FaceNet | TableFiveCNN, crops: Tensor) -> Tensor:
    """Return ``[n, width]`` of uint8 crops, averaged over each and its mirror image."""
    net.eval()
    parts = []
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        for start in range(0, len(crops), 256):
            x = scale(crops[start : start + 256])
            parts.append((net(x).vectors.float() + net(x.flip(3)).vectors.float()) / 2)
    return torch.cat(parts).clone()


def bags(seen: Views, size: int, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Draw ``size`` bags: vectors ``[size, time, width]``, mask ``[size, time]``, labels.

    A bag has 2 to 8 frames; at least one is a sound face of its emotion, about a third are spoilt,
    and about one in six shows another emotion.
    """
    labels = seen.labels.numpy()
    emotion = labels[rng.integers(len(labels), size=size)]
    lengths = rng.integers(2, LONGEST + 1, size=size)
    members = [np.flatnonzero(labels == c) for c in range(len(Emotion))]
    vectors = torch.zeros(size, LONGEST, seen.clean.shape[1])
    mask = torch.zeros(size, LONGEST, dtype=torch.bool)
    for i, (c, length) in enumerate(zip(emotion, lengths, strict=True)):
        own = torch.from_numpy(rng.choice(members[c], length))
        rows = seen.clean[own]
        kind = rng.random(length)
        kind[0] = 1.0
        bad = torch.from_numpy(kind < 0.35)
        rows[bad] = seen.spoilt[own[bad]]
        other = torch.from_numpy((kind >= 0.35) & (kind < 0.52))
        stray = torch.from_numpy(rng.integers(len(labels), size=int(other.sum())))
        rows[other] = seen.clean[stray]
        vectors[i, :length] = rows[torch.from_numpy(rng.permutation(length))]
        mask[i, :length] = True
    return vectors, mask, torch.from_numpy(emotion)


def fit_pool(
    net: FaceNet | TableFiveCNN, train: Faces, dev: Faces, *, seed: int, steps: int
) -> tuple[FramePool, dict[str, Any]]:
    """Train the attention; dev bags choose the step.

    Returns:
        It, and dev's accuracy over bags with it (``attention``) and with plain means (``mean``).
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng([seed, 10])
    pool = FramePool(net.width)
    seen, held = views(net, train, seed), views(net, dev, seed + 1)
    head = copy.deepcopy(net.head).float().requires_grad_(False)
    test = bags(held, 2000, np.random.default_rng(11))

    def loss(_: int) -> Tensor:
        vectors, mask, labels = bags(seen, BATCH, rng)
        return F.cross_entropy(head(pool(vectors, mask)), labels)

    def told() -> dict[str, float]:
        nll = _score(pool, head, test)["nll"]
        return {"nll": nll, "objective": -nll}

    every = max(1, steps // 10)
    ran = Trainer(
        module=pool,
        optimizer=adamw(pool.parameters(), rate=1e-3, weight_decay=0.01),
        batches=lambda _: range(steps),
        loss=loss,
        score=told,
        per_epoch=steps,
        rate=lambda step: min(1.0, (step + 1) / 100) * (1 - (step + 1) / (steps + 1)),
        marks=range(every, steps + 1, every),
        counter="step",
        from_start=True,
        tells=("chosen",),
        name="attention over frames",
    ).run()
    mean = _score(FramePool(net.width), head, test)
    return pool, {
        "bags": len(test[2]), "steps": steps, "chosen_step": ran["chosen_step"],
        "attention": _score(pool, head, test), "mean": mean,
    }  # fmt: skip


def _score(
    pool: FramePool, head: torch.nn.Module, drawn: tuple[Tensor, Tensor, Tensor]
) -> dict[str, float]:
    vectors, mask, labels = drawn
    pool.eval()
    with torch.inference_mode():
        logits = head(pool(vectors, mask))
    return {
        "accuracy": float((logits.argmax(1) == labels).float().mean()),
        "nll": float(F.cross_entropy(logits, labels)),
    }
