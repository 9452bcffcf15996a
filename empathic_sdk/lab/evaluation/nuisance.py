"""Recordings that hold no voice and pictures that hold no face, which no training here has seen.

They go through the whole of an encoder, detectors and all, as anything else does at run time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 16000
# Photographs and recordings that come with packages of the extras `train` and `demo`.
PICTURES = (
    ("sklearn", "datasets/images/china.jpg"),
    ("sklearn", "datasets/images/flower.jpg"),
    ("gradio", "media_assets/images/lion.jpg"),
    ("gradio", "media_assets/images/cheetah.jpg"),
    ("gradio", "media_assets/images/cheetah1.jpg"),
    ("gradio", "media_assets/images/tower.jpg"),
    ("gradio", "media_assets/images/bus.png"),
    ("gradio", "media_assets/images/logo.png"),
)
MUSIC = (("gradio", "media_assets/audio/cantina.wav"), ("gradio", "media_assets/audio/sax.wav"))

Wave = NDArray[np.float32]


def packaged(files: Sequence[tuple[str, str]]) -> list[Path]:
    """Return those of the packages' files that are here."""
    found = []
    for package, name in files:
        spec = find_spec(package)
        if spec is not None and spec.origin is not None:
            path = Path(spec.origin).parent / name
            found += [path] if path.is_file() else []
    return found


def sounds(n: int = 60, seed: int = 7) -> list[Wave]:
    """Return noises of one to four seconds: brown noise, mains hum, sweeps, clicks, rain, silence.

    None of these kinds is used in training, which knows white and pink noise and steady tones.
    """
    rng = np.random.default_rng(seed)
    kinds: tuple[Callable[[np.random.Generator, int], NDArray[np.float64]], ...] = (
        _brown, _hum, _sweep, _clicks, _rain, _silence,
    )  # fmt: skip
    out = []
    for i in range(n):
        wave = kinds[i % len(kinds)](rng, int(rng.uniform(1.0, 4.0) * RATE))
        peak = float(np.abs(wave).max())
        out.append((wave / peak * rng.uniform(0.05, 0.8) if peak else wave).astype(np.float32))
    return out


def pictures(n: int = 40, seed: int = 7) -> list[NDArray[np.uint8]]:
    """Return drawn scenes without a face: blots, tiles, landscapes of clouds, scribbles."""
    rng = np.random.default_rng(seed)
    kinds = (_blots, _tiles, _clouds, _scribble)
    return [kinds[i % len(kinds)](rng) for i in range(n)]


def _brown(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    wave = np.cumsum(rng.standard_normal(n))
    return np.asarray(wave - np.linspace(wave[0], wave[-1], n))


def _hum(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    time = np.arange(n) / RATE
    base = rng.choice([50.0, 60.0])
    parts = [np.sin(2 * np.pi * base * k * time) / k for k in (1, 2, 3, 5)]
    return np.asarray(np.sum(parts, 0) + 0.02 * rng.standard_normal(n))


def _sweep(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    pitch = np.geomspace(rng.uniform(60, 300), rng.uniform(1000, 6000), n)
    return np.asarray(np.sin(2 * np.pi * np.cumsum(pitch) / RATE))


def _clicks(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    wave = np.zeros(n)
    for at in rng.integers(n - 200, size=max(2, n // 4000)):
        wave[at : at + 200] += rng.standard_normal(200) * np.exp(-np.arange(200) / 30)
    return wave


def _rain(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    return np.asarray(rng.standard_normal(n) * rng.gamma(0.3, 1.0, n))


def _silence(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    return np.zeros(n)


def _blots(rng: np.random.Generator) -> NDArray[np.uint8]:
    y, x = np.mgrid[:240, :320]
    image = np.full((240, 320, 3), rng.integers(256, size=3), np.uint8)
    for _ in range(12):
        cy, cx, r = rng.integers(240), rng.integers(320), rng.integers(8, 60)
        image[(y - cy) ** 2 + (x - cx) ** 2 < r**2] = rng.integers(256, size=3)
    return image


def _tiles(rng: np.random.Generator) -> NDArray[np.uint8]:
    small = rng.integers(256, size=(12, 16, 3), dtype=np.uint8)
    return np.kron(small, np.ones((20, 20, 1), np.uint8))


def _clouds(rng: np.random.Generator) -> NDArray[np.uint8]:
    white = np.fft.rfft2(rng.standard_normal((240, 320)))
    far = np.hypot(np.fft.fftfreq(240)[:, None], np.fft.rfftfreq(320)[None])
    grey = np.fft.irfft2(white / (far + 1e-3) ** 1.5, (240, 320))
    grey = (grey - grey.min()) / (grey.max() - grey.min())
    return np.repeat((255 * grey).astype(np.uint8)[..., None], 3, 2)


def _scribble(rng: np.random.Generator) -> NDArray[np.uint8]:
    image = np.full((240, 320, 3), 245, np.uint8)
    at = np.cumsum(rng.normal(0, 4, (4000, 2)), 0) + np.array([120, 160])
    y, x = (at % (240, 320)).astype(int).T
    image[y, x] = 20
    return image
