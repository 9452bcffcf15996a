"""Acoustic features: frames, log-mel spectra and cepstra, as functions on tensors.

Every function works over the last axes and accepts any leading ones. Sources: eq. 2 and sec. 5.2 of
the adaptive CNN-LSTM paper; eq. 21-22 of the personalized emotion dynamics paper; HTK's mel scale
and regression deltas (Young et al., The HTK Book, sec. 5.4 and 5.9).
"""

from __future__ import annotations

import math
from functools import cache

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

FRAME = 640
"""Samples per frame: 40 ms at 16 kHz, long enough to tell the harmonics of a voice apart."""

HOP = 160
"""Samples from one frame to the next: 10 ms at 16 kHz."""

FFT = 1024


def pre_emphasis(samples: Tensor, alpha: float = 0.95) -> Tensor:
    """Return ``y(t) = x(t) - alpha x(t-1)`` over the last axis, with ``x(-1) = 0``."""
    return samples - alpha * F.pad(samples, (1, 0))[..., :-1]


def frames(samples: Tensor, *, size: int = FRAME, hop: int = HOP) -> Tensor:
    """Cut ``[..., n]`` into overlapping ``[..., time, size]``.

    Whole frames only, ``time = 1 + (n - size) // hop``; shorter input is
    zero-padded to one.
    """
    if samples.shape[-1] < size:
        samples = F.pad(samples, (0, size - samples.shape[-1]))
    return samples.unfold(-1, size, hop)


def power_spectrum(framed: Tensor, *, fft: int = FFT) -> Tensor:
    """Return ``|X|^2`` of Hamming-windowed frames ``[..., size]``: ``[..., fft / 2 + 1]``."""
    window = torch.hamming_window(framed.shape[-1], periodic=False, dtype=framed.dtype)
    spectrum = torch.fft.rfft(framed * window, fft)
    power: Tensor = spectrum.real.square() + spectrum.imag.square()
    return power


def hz_to_mel(hz: float) -> float:
    """Return ``2595 log10(1 + hz / 700)``."""
    return 2595.0 * math.log10(1.0 + hz / 700.0)


@cache
def mel_filters(
    bands: int, *, rate: int = 16_000, fft: int = FFT, low: float = 50.0, high: float = 8_000.0
) -> Tensor:
    """Return triangles of height 1, evenly spaced in mel: float32 ``[fft/2 + 1, bands]``.

    A spectral line between two centres goes to both bands, in shares that sum to 1. (Where bands
    are narrower than lines are apart, a low band may hold no line at all: with 1,024 points 100
    bands are about the most.)
    """
    edges = torch.linspace(hz_to_mel(low), hz_to_mel(high), bands + 2, dtype=torch.float64)
    lines = torch.arange(fft // 2 + 1, dtype=torch.float64) * rate / fft
    mels = 2595.0 * torch.log10(1.0 + lines / 700.0)[:, None]
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    rising = (mels - left) / (centre - left)
    falling = (right - mels) / (right - centre)
    return torch.minimum(rising, falling).clamp(min=0.0).float()


def log_mel(samples: Tensor, *, bands: int = 64, hop: int = HOP, floor: float = 1e-3) -> Tensor:
    """Return ``log(mel power + floor)`` of ``[..., n]`` samples at 16 kHz: ``[..., time, bands]``.

    The floor lies some 50 dB below speech at :func:`level`.
    """
    return torch.log(power_spectrum(frames(samples, hop=hop)) @ mel_filters(bands) + floor)


@cache
def dct_matrix(bands: int, coefficients: int) -> Tensor:
    """Return the orthonormal DCT-II as float32 ``[bands, coefficients]``."""
    n = torch.arange(bands, dtype=torch.float64)[:, None]
    k = torch.arange(coefficients, dtype=torch.float64)
    matrix = torch.cos(math.pi / bands * (n + 0.5) * k) * math.sqrt(2.0 / bands)
    matrix[:, 0] /= math.sqrt(2.0)
    return matrix.float()


def mfcc(
    samples: Tensor, *, coefficients: int = 13, bands: int = 26, hop: int = HOP, alpha: float = 0.95
) -> Tensor:
    """Return cepstra of pre-emphasised samples ``[..., n]``: ``[..., time, coefficients]``."""
    spectrum = log_mel(pre_emphasis(samples, alpha), bands=bands, hop=hop, floor=1e-5)
    return spectrum @ dct_matrix(bands, coefficients)


def deltas(features: Tensor, *, reach: int = 2) -> Tensor:
    """Return slopes over time of ``[..., time, width]``, same shape (HTK's regression formula).

    ``d_t = sum_k k (c_{t+k} - c_{t-k}) / (2 sum_k k^2)``, k from 1 to ``reach``; the first and the
    last frame are repeated beyond the ends.
    """
    time = features.shape[-2]
    index = torch.arange(time)
    total = torch.zeros_like(features)
    for k in range(1, reach + 1):
        ahead = features.index_select(-2, (index + k).clamp(max=time - 1))
        behind = features.index_select(-2, (index - k).clamp(min=0))
        total = total + k * (ahead - behind)
    return total / (2 * sum(k * k for k in range(1, reach + 1)))


def cmvn(features: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return ``[..., time, width]`` with mean 0 and variance 1 over the real frames.

    Args:
        features: Of one utterance each.
        mask: bool ``[..., time]``, ``True`` = real; ``None``: all. Other frames come out as zeros.
            A constant feature becomes zero.
    """
    real = torch.ones(features.shape[:-1]) if mask is None else mask.to(features.dtype)
    real = real[..., None]
    count = real.sum(-2, keepdim=True).clamp(min=1.0)
    mean = (features * real).sum(-2, keepdim=True) / count
    centred = (features - mean) * real
    variance = centred.square().sum(-2, keepdim=True) / count
    return centred / (variance + 1e-8).sqrt()


def level(samples: Tensor) -> Tensor:
    """Return ``[..., n]`` scaled to a root mean square of 0.1; silence stays silence.

    Loudness depends on the distance to the microphone; a network must not take it for anger.
    """
    rms = samples.square().mean(-1, keepdim=True).sqrt()
    return samples * (0.1 / rms.clamp(min=1e-5))
