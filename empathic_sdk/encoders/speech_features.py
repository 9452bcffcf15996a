"""Input features of speech networks, the same in training and at run time."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from empathic_sdk.encoders.acoustics import FRAME, HOP, cmvn, level, log_mel, mfcc


class Front(nn.Module):
    """Features of one utterance.

    Args:
        kind: ``log-mel``: bands standardised by the training set's statistics, which keeps
            the spectral tilt (vocal effort); ``mfcc``: 13 cepstra standardised over the utterance.
        bands: Mel bands of ``log-mel``.

    Attributes:
        hop: Samples from one frame to the next.
        width: Features per frame.
    """

    def __init__(self, *, kind: str, bands: int = 80) -> None:
        super().__init__()
        if kind not in ("log-mel", "mfcc"):
            raise ValueError(f"kind is log-mel or mfcc, not {kind!r}")
        self.kind = kind
        # 120 steps of the CNN-LSTM paper's Table 6 are 2.4 s at two steps of 10 ms each.
        self.hop = HOP if kind == "log-mel" else 2 * HOP
        self.width = bands if kind == "log-mel" else 13
        self.register_buffer("mean", torch.zeros(self.width))
        self.register_buffer("std", torch.ones(self.width))

    def forward(self, samples: Tensor) -> Tensor:
        """Map voiced samples ``[n]`` of any loudness to ``[time, width]``."""
        return self.normalised(self.raw(level(samples)))

    def raw(self, samples: Tensor) -> Tensor:
        """Return the features before standardisation, ``[time, width]``."""
        if self.kind == "log-mel":
            return log_mel(samples, bands=self.width)
        return mfcc(samples, coefficients=self.width, hop=self.hop)

    def normalised(self, features: Tensor) -> Tensor:
        """Standardise ``[time, width]``."""
        if self.kind == "mfcc":
            return cmvn(features)
        return (features - self.get_buffer("mean")) / self.get_buffer("std")

    def fit(self, features: Sequence[Tensor]) -> None:
        """Set mean and standard deviation per band from raw features of training clips."""
        together = torch.cat(list(features))
        self.get_buffer("mean").copy_(together.mean(0))
        self.get_buffer("std").copy_(together.std(0))

    def seconds(self, frame: int) -> float:
        """Return the middle of a frame, in seconds of voiced sound."""
        return (frame * self.hop + FRAME / 2) / 16_000


def pad(rows: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Return float32 ``[batch, time, width]`` and its bool mask ``[batch, time]``, True = real."""
    longest = max(len(r) for r in rows)
    x = torch.zeros(len(rows), longest, rows[0].shape[1])
    mask = torch.zeros(len(rows), longest, dtype=torch.bool)
    for i, row in enumerate(rows):
        x[i, : len(row)] = row
        mask[i, : len(row)] = True
    return x, mask
