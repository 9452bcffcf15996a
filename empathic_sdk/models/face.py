"""Face networks: the shipped one, Table 5 of the adaptive paper, attention over frames.

Their input is a face from ``encoders/images.py``: grey, equalised, in [-1, 1].
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

CLASSES = 7


class FaceReading(NamedTuple):
    """Output of a face network.

    ``vectors`` is ``[batch, width]``, ``logits`` ``[batch, 7]`` in the order of ``Emotion``.
    """

    vectors: Tensor
    logits: Tensor


class FaceConfig(NamedTuple):
    """Sizes of :class:`FaceNet`; the defaults are those of the shipped network.

    ``stem`` is the width at full resolution; ``widths`` and ``blocks`` are channels and residual
    blocks per stage; each stage halves the resolution.
    """

    stem: int = 16
    widths: tuple[int, ...] = (48, 96, 192)
    blocks: tuple[int, ...] = (1, 2, 2)
    squeeze: int = 8
    dropout: float = 0.3


class SqueezeExcite(nn.Module):
    """Weights channels by the content of the whole map (Hu et al. 2018)."""

    def __init__(self, width: int, ratio: int) -> None:
        super().__init__()
        self.down = nn.Linear(width, max(4, width // ratio))
        self.up = nn.Linear(max(4, width // ratio), width)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[batch, width, height, width]`` to the same shape."""
        # gate: [batch, width, 1, 1], range (0, 1)
        gate = torch.sigmoid(self.up(F.relu(self.down(x.mean((2, 3))))))
        return x * gate[:, :, None, None]


class Block(nn.Module):
    """Residual block: two 3x3 convolutions and channel weights (He et al. 2016)."""

    def __init__(self, inside: int, width: int, *, stride: int, squeeze: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inside, width, 3, stride=stride, padding=1, bias=False)
        self.first_norm = nn.BatchNorm2d(width)
        self.second = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm2d(width)
        # At the start every block is the identity; depth then grows where it pays.
        nn.init.zeros_(self.second_norm.weight)
        self.channels = SqueezeExcite(width, squeeze)
        self.around: nn.Module = nn.Identity()
        if stride != 1 or inside != width:
            self.around = nn.Sequential(
                nn.AvgPool2d(stride, ceil_mode=True) if stride > 1 else nn.Identity(),
                nn.Conv2d(inside, width, 1, bias=False),
                nn.BatchNorm2d(width),
            )

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[batch, inside, height, width]`` to ``[batch, width, height', width']``."""
        y = F.relu(self.first_norm(self.first(x)))
        y = self.channels(self.second_norm(self.second(y)))
        out: Tensor = F.relu(y + self.around(x))
        return out


class FaceNet(nn.Module):
    """A residual network with squeeze-and-excitation, sized for one CPU core."""

    def __init__(self, config: FaceConfig | None = None) -> None:
        super().__init__()
        self.config = config or FaceConfig()
        c = self.config
        self.stem = nn.Conv2d(1, c.stem, 3, padding=1, bias=False)
        self.stem_norm = nn.BatchNorm2d(c.stem)
        blocks: list[nn.Module] = []
        inside = c.stem
        for width, count in zip(c.widths, c.blocks, strict=True):
            for k in range(count):
                blocks.append(Block(inside, width, stride=1 if k else 2, squeeze=c.squeeze))
                inside = width
        self.blocks = nn.Sequential(*blocks)
        self.width = inside
        self.drop = nn.Dropout(c.dropout)
        self.head = nn.Linear(inside, CLASSES)

    def forward(self, x: Tensor) -> FaceReading:
        """Read crops ``[batch, 1, height, width]`` in [-1, 1]."""
        x = F.relu(self.stem_norm(self.stem(x)))
        vectors = self.blocks(x).mean((2, 3))
        return FaceReading(vectors, self.head(self.drop(vectors)))


class TableFiveCNN(nn.Module):
    """Three convolutions, a mean over the picture, two dense layers.

    128,391 parameters as Keras counts them, 127,943 here, where the running statistics of batch
    norm are buffers. The paper feeds it 112 x 112 pixels; no layer depends on that.
    """

    def __init__(self, *, classes: int = CLASSES, dropout: float = 0.4) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv2d(a, b, 3) for a, b in ((1, 32), (32, 64), (64, 128))
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(n) for n in (32, 64, 128))
        self.dense = nn.Linear(128, 256)
        self.width = 256
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(256, classes)

    def forward(self, x: Tensor) -> FaceReading:
        """Read crops ``[batch, 1, height, width]`` in [-1, 1]."""
        for k, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            x = norm(F.relu(convolution(x)))
            if k < 2:
                x = F.max_pool2d(x, 2)
        vectors = F.relu(self.dense(x.mean((2, 3))))
        return FaceReading(vectors, self.head(self.drop(vectors)))


def build(config: Mapping[str, Any] | None) -> FaceNet | TableFiveCNN:
    """Return a fresh network: :class:`FaceNet` of these sizes, or, for ``None``, Table 5's."""
    if config is None:
        return TableFiveCNN()
    sizes: Any = {k: tuple(v) if isinstance(v, list) else v for k, v in config.items()}
    return FaceNet(FaceConfig(**sizes))


def fused(net: FaceNet | TableFiveCNN) -> FaceNet | TableFiveCNN:
    """Return an inference copy with batch norms folded into the preceding convolutions.

    It computes the same in less time. Table 5's network is returned unchanged: there a ReLU is
    between the two.
    """
    if isinstance(net, TableFiveCNN):
        return net
    net = copy.deepcopy(net).eval()

    def fold(owner: Any, convolution: str, norm: str) -> None:
        joined = fuse_conv_bn_eval(getattr(owner, convolution), getattr(owner, norm))
        setattr(owner, convolution, joined)
        setattr(owner, norm, nn.Identity())

    fold(net, "stem", "stem_norm")
    for block in net.blocks:
        fold(block, "first", "first_norm")
        fold(block, "second", "second_norm")
        if isinstance(block, Block) and isinstance(block.around, nn.Sequential):
            fold(block.around, "1", "2")
    return net


class FramePool(nn.Module):
    """Pools the frames of one utterance to one vector (PED, eq 39-41).

    A small transformer over the frames gives their weights; the weighted sum is over the frames'
    own vectors, so a single frame is returned unchanged.
    """

    def __init__(self, width: int, *, inner: int = 64, heads: int = 4) -> None:
        super().__init__()
        self.inner = inner
        self.norm = nn.LayerNorm(width)
        self.into = nn.Linear(width, inner)
        self.layer = nn.TransformerEncoderLayer(
            inner, heads, 2 * inner, dropout=0.1, batch_first=True, norm_first=True
        )
        self.query = nn.Linear(inner, 1, bias=False)
        nn.init.zeros_(self.query.weight)  # at the start all weights are equal

    def weights(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """Return the weight of every frame, ``[batch, time]``; each row sums to 1 or, if masked, 0.

        Args:
            vectors: ``[batch, time, width]``; masked positions are ignored.
            mask: bool ``[batch, time]``, ``True`` = real.
        """
        # A row without any real frame attends to all; the multiplication below makes it zero.
        real = mask | ~mask.any(1, keepdim=True)
        x = self.into(self.norm(vectors * mask[..., None]))
        x = self.layer(x, src_key_padding_mask=~real)
        scores = self.query(x).squeeze(-1).masked_fill(~real, float("-inf"))
        return torch.softmax(scores, 1) * mask

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """Return ``[batch, width]``; zeros where no frame is real."""
        weights = self.weights(vectors, mask)
        return (weights[..., None] * vectors * mask[..., None]).sum(1)
