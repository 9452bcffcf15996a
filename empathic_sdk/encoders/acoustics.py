"""Acoustic features: frames, log-mel spectra and cepstra, as functions on arrays.

Every function works over the last axes and accepts any leading ones, in float32.
``models/acoustics.py`` is the same in PyTorch, for training; a test holds the two together, and
its docstring names the sources.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

FRAME = 640
"""Samples per frame: 40 ms at 16 kHz, long enough to tell the harmonics of a voice apart."""

HOP = 160
"""Samples from one frame to the next: 10 ms at 16 kHz."""

FFT = 1024

_BLOCK = 256  # frames transformed at a time: the spectra of ten minutes would take gigabytes


def pre_emphasis(samples: Floats, alpha: float = 0.95) -> Floats:
    """Return ``y(t) = x(t) - alpha x(t-1)`` over the last axis, with ``x(-1) = 0``."""
    out = samples.astype(np.float32)  # a copy
    out[..., 1:] -= np.float32(alpha) * samples[..., :-1]
    return out


def frames(samples: Floats, *, size: int = FRAME, hop: int = HOP) -> Floats:
    """Cut ``[..., n]`` into overlapping ``[..., time, size]``, a view.

    Whole frames only, ``time = 1 + (n - size) // hop``; shorter input is
    zero-padded to one.
    """
    short = size - samples.shape[-1]
    if short > 0:
        samples = np.pad(samples, [(0, 0)] * (samples.ndim - 1) + [(0, short)])
    return np.lib.stride_tricks.sliding_window_view(samples, size, -1)[..., ::hop, :]


def power_spectrum(framed: Floats, *, fft: int = FFT) -> Floats:
    """Return ``|X|^2`` of Hamming-windowed frames ``[..., size]``: ``[..., fft / 2 + 1]``."""
    # In float64: NumPy's transforms of float32 take three times as long.
    return squared(np.fft.rfft(framed * np.hamming(framed.shape[-1]), fft))


def squared(spectrum: NDArray[np.complexfloating]) -> Floats:
    """Return ``|X|^2`` of ``[...]``, in float32."""
    power: Floats = np.square(spectrum.real, dtype=np.float32, casting="same_kind")
    power += np.square(spectrum.imag, dtype=np.float32, casting="same_kind")
    return power


def in_blocks(compute: Callable[[Floats], Floats], framed: Floats) -> Floats:
    """Return ``compute`` of frames ``[..., time, size]``, some at a time, joined along the time."""
    starts = range(0, framed.shape[-2], _BLOCK)
    return np.concatenate([compute(framed[..., s : s + _BLOCK, :]) for s in starts], -2)


def hz_to_mel(hz: float) -> float:
    """Return ``2595 log10(1 + hz / 700)``."""
    return 2595.0 * math.log10(1.0 + hz / 700.0)


@cache
def mel_filters(
    bands: int, *, rate: int = 16_000, fft: int = FFT, low: float = 50.0, high: float = 8_000.0
) -> Floats:
    """Return triangles of height 1, evenly spaced in mel: float32 ``[fft/2 + 1, bands]``.

    A spectral line between two centres goes to both bands, in shares that sum to 1. (Where bands
    are narrower than lines are apart, a low band may hold no line at all: with 1,024 points 100
    bands are about the most.)
    """
    edges = np.linspace(hz_to_mel(low), hz_to_mel(high), bands + 2)
    lines = np.arange(fft // 2 + 1) * rate / fft
    mels = 2595.0 * np.log10(1.0 + lines / 700.0)[:, None]
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    rising = (mels - left) / (centre - left)
    falling = (right - mels) / (right - centre)
    return _constant(np.maximum(np.minimum(rising, falling), 0.0))


def log_mel(samples: Floats, *, bands: int = 64, hop: int = HOP, floor: float = 1e-3) -> Floats:
    """Return ``log(mel power + floor)`` of ``[..., n]`` samples at 16 kHz: ``[..., time, bands]``.

    The floor lies some 50 dB below speech at :func:`level`.
    """
    filters = mel_filters(bands)
    power = in_blocks(lambda part: power_spectrum(part) @ filters, frames(samples, hop=hop))
    return np.asarray(np.log(power + np.float32(floor)))


@cache
def dct_matrix(bands: int, coefficients: int) -> Floats:
    """Return the orthonormal DCT-II as float32 ``[bands, coefficients]``."""
    n = np.arange(bands)[:, None]
    k = np.arange(coefficients)
    matrix = np.cos(math.pi / bands * (n + 0.5) * k) * math.sqrt(2.0 / bands)
    matrix[:, 0] /= math.sqrt(2.0)
    return _constant(matrix)


def mfcc(
    samples: Floats, *, coefficients: int = 13, bands: int = 26, hop: int = HOP, alpha: float = 0.95
) -> Floats:
    """Return cepstra of pre-emphasised samples ``[..., n]``: ``[..., time, coefficients]``."""
    spectrum = log_mel(pre_emphasis(samples, alpha), bands=bands, hop=hop, floor=1e-5)
    return spectrum @ dct_matrix(bands, coefficients)


def deltas(features: Floats, *, reach: int = 2) -> Floats:
    """Return slopes over time of ``[..., time, width]``, same shape (HTK's regression formula).

    ``d_t = sum_k k (c_{t+k} - c_{t-k}) / (2 sum_k k^2)``, k from 1 to ``reach``; the first and the
    last frame are repeated beyond the ends.
    """
    last = features.shape[-2] - 1
    index = np.arange(last + 1)
    total = np.zeros_like(features)
    for k in range(1, reach + 1):
        ahead = features.take(np.minimum(index + k, last), -2)
        total += k * (ahead - features.take(np.maximum(index - k, 0), -2))
    return total / np.float32(2 * sum(k * k for k in range(1, reach + 1)))


def cmvn(features: Floats) -> Floats:
    """Return ``[..., time, width]`` with mean 0 and variance 1; a constant feature becomes zero."""
    centred = features - features.mean(-2, keepdims=True)
    variance = np.square(centred).mean(-2, keepdims=True)
    return np.asarray(centred / np.sqrt(variance + np.float32(1e-8)))


def level(samples: Floats) -> Floats:
    """Return ``[..., n]`` scaled to a root mean square of 0.1; silence stays silence.

    Loudness depends on the distance to the microphone; a network must not take it for anger.
    """
    rms = np.sqrt(np.square(samples, dtype=np.float32).mean(-1, keepdims=True))
    return np.asarray(samples * (np.float32(0.1) / np.maximum(rms, np.float32(1e-5))))


def _constant(values: NDArray[np.float64]) -> Floats:
    """Return values that all callers share, so that none of them may change them."""
    shared = values.astype(np.float32)
    shared.flags.writeable = False
    return shared
