"""The face network of the adaptive paper, Table 5."""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn


class FaceLogits(NamedTuple):
    """What :class:`TableFiveCNN` returns.

    ``vectors`` is ``[batch, 256]``, ``logits`` ``[batch, classes]``.
    """

    vectors: Tensor
    logits: Tensor


class TableFiveCNN(nn.Module):
    """Three convolutions, a mean over the picture, two dense layers.

    128,391 parameters as Keras counts them, 127,943 here, where the running statistics of batch
    norm are buffers. The paper feeds it 112 x 112 pixels; no layer depends on that.
    """

    def __init__(self, *, classes: int = 7, dropout: float = 0.4) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv2d(a, b, 3) for a, b in ((1, 32), (32, 64), (64, 128))
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(n) for n in (32, 64, 128))
        self.dense = nn.Linear(128, 256)
        self.width = 256
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(256, classes)

    def forward(self, x: Tensor) -> FaceLogits:
        """Read crops ``[batch, 1, size, size]`` in [-1, 1]."""
        for k, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            x = norm(F.relu(convolution(x)))
            if k < 2:
                x = F.max_pool2d(x, 2)
        vectors = F.relu(self.dense(x.mean((2, 3))))
        return FaceLogits(vectors, self.head(self.drop(vectors)))
