"""Changes to a clip that leave its emotion as it is, drawn anew each time it is seen.

Pure functions of their input and a ``torch.Generator``.
"""

from __future__ import annotations

from math import gcd

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from scipy.signal import resample_poly
from torch import Generator, Tensor

SPEEDS = (0.88, 0.94, 1.0, 1.06, 1.12)
"""Other vocal tracts: pitch, formants and tempo together."""


def at_speed(samples: np.ndarray, speed: float) -> np.ndarray:
    """Return int16 ``[n / speed]``: the clip played at ``speed`` (a multiple of 0.01)."""
    up, down = 100, round(speed * 100)
    if up == down:
        return samples
    shared = gcd(up, down)
    slow = resample_poly(samples.astype(np.float32), up // shared, down // shared)
    return np.asarray(np.clip(np.round(slow), -32768, 32767).astype(np.int16))


def uniform(low: float, high: float, draw: Generator) -> float:
    """Return one number between ``low`` and ``high``."""
    return low + (high - low) * float(torch.rand((), generator=draw))


def add_noise(samples: Tensor, draw: Generator, *, snr_db: tuple[float, float]) -> Tensor:
    """Return ``[n]`` with noise between white and brown at a ratio between ``snr_db``."""
    size = (
        1 << (len(samples) - 1).bit_length()
    )  # a power of two: other lengths cost several times it
    spectrum = torch.randn(size // 2 + 1, 2, generator=draw)
    lines = torch.arange(1, len(spectrum) + 1, dtype=torch.float32)[:, None]
    shaped = torch.view_as_complex(spectrum * lines.pow(-uniform(0.0, 1.0, draw)))
    noise = torch.fft.irfft(shaped, size)[: len(samples)]
    ratio = samples.square().mean() / noise.square().mean().clamp(min=1e-12)
    noisy: Tensor = samples + noise * (ratio * 10 ** (-uniform(*snr_db, draw) / 10)).sqrt()
    return noisy


def stretch(features: Tensor, time: float, bands: float) -> Tensor:
    """Return ``[time, bands]`` with its time axis scaled by ``time`` and its bands by ``bands``.

    The number of bands stays: what is warped beyond the highest one is lost, and what is missing
    there is repeated from the edge. (A warp of the bands is another vocal tract length.)
    """
    length, width = features.shape
    new = max(1, round(length * time))
    x = F.interpolate(
        features[None, None], size=(new, max(1, round(width * bands))), mode="bilinear",
        align_corners=False,
    )[0, 0]  # fmt: skip
    if x.shape[1] >= width:
        return x[:, :width]
    return torch.cat([x, x[:, -1:].expand(-1, width - x.shape[1])], 1)


def tilt(features: Tensor, draw: Generator, *, most: float) -> Tensor:
    """Return ``[time, bands]`` as through another microphone: a straight tilt over the bands."""
    slope = uniform(-most, most, draw)
    return features + slope * torch.linspace(-1.0, 1.0, features.shape[1])


def blank(features: Tensor, draw: Generator, *, times: int, bands: int) -> Tensor:
    """Return ``[time, bands]`` with two stretches of each axis set to its mean (SpecAugment).

    Args:
        features: Log-mel spectrum.
        draw: Source of chance.
        times: Frames a stretch at most; never over a fifth of them.
        bands: Bands a stretch at most.
    """
    x = features.clone()
    mean = features.mean()
    for _ in range(2):
        for axis, most in ((0, min(times, len(x) // 5)), (1, bands)):
            size = int(uniform(0, most + 1, draw))
            start = int(uniform(0, x.shape[axis] - size, draw))
            x.narrow(axis, start, size).fill_(mean)
    return x
