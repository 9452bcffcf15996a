"""Input features of speech networks, as ``models/speech_features.py`` computes them in training.

The statistics of the training set by which log-mel spectra are standardised are part of the
network's file.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.encoders.acoustics import FRAME, HOP, Floats, cmvn, level, log_mel, mfcc


class Front:
    """Features of one utterance.

    Args:
        kind: ``log-mel``: bands, which the network standardises by the training set's statistics,
            which keeps the spectral tilt (vocal effort); ``mfcc``: 13 cepstra standardised over
            the utterance.
        bands: Mel bands of ``log-mel``.

    Attributes:
        hop: Samples from one frame to the next.
        width: Features per frame.
    """

    def __init__(self, *, kind: str, bands: int = 80) -> None:
        if kind not in ("log-mel", "mfcc"):
            raise ValueError(f"kind is log-mel or mfcc, not {kind!r}")
        self.kind = kind
        # 120 steps of the CNN-LSTM paper's Table 6 are 2.4 s at two steps of 10 ms each.
        self.hop = HOP if kind == "log-mel" else 2 * HOP
        self.width = bands if kind == "log-mel" else 13

    def __call__(self, samples: Floats) -> Floats:
        """Map voiced samples ``[n]`` of any loudness to ``[time, width]``."""
        even = level(samples)
        if self.kind == "log-mel":
            return log_mel(even, bands=self.width)
        return cmvn(mfcc(even, coefficients=self.width, hop=self.hop))

    def seconds(self, frame: int) -> float:
        """Return the middle of a frame, in seconds of voiced sound."""
        return (frame * self.hop + FRAME / 2) / 16_000


def pad(rows: Sequence[Floats]) -> tuple[Floats, NDArray[np.bool_]]:
    """Return float32 ``[batch, time, width]`` and its bool mask ``[batch, time]``, True = real."""
    longest = max(len(r) for r in rows)
    x = np.zeros((len(rows), longest, rows[0].shape[1]), np.float32)
    mask = np.zeros((len(rows), longest), bool)
    for i, row in enumerate(rows):
        x[i, : len(row)] = row
        mask[i, : len(row)] = True
    return x, mask
