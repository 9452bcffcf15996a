"""A voice and a face that belong to nobody: for fake microphones and cameras."""

from __future__ import annotations

import io
import wave
from pathlib import Path
from typing import Any

import numpy as np

RATE = 16_000
VOWELS = (
    (730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410),
)  # fmt: skip
"""Formants in Hz (Peterson and Barney 1952)."""


def voice(seconds: float = 4.0) -> np.ndarray:
    """Return int16 ``[n]``: a buzzing source through three resonators, a vowel every 0.22 s."""
    t = np.arange(int(seconds * RATE)) / RATE
    pitch = 120 * (1 + 0.15 * np.sin(2 * np.pi * 0.8 * t) + 0.02 * np.sin(2 * np.pi * 5 * t))
    pulses = np.diff(np.floor(np.cumsum(pitch) / RATE), prepend=0)
    source = np.convolve(pulses, np.exp(-np.arange(130) / 20))[: len(t)]
    source += 0.01 * np.random.default_rng(0).standard_normal(len(t))
    sound, piece = np.zeros_like(t), int(0.22 * RATE)
    for k, start in enumerate(range(0, len(t), piece)):
        vowel = source[start : start + piece]
        for hertz, width in zip(VOWELS[k % len(VOWELS)], (80, 100, 130), strict=True):
            n, turn = np.arange(400), 2 * np.pi * hertz / RATE
            rings = np.exp(-np.pi * width / RATE * n) * np.sin(turn * (n + 1)) / np.sin(turn)
            vowel = np.convolve(vowel, rings)[: len(vowel)]
        sound[start : start + piece] = vowel / np.abs(vowel).max() * np.hanning(len(vowel)) ** 0.5
    return np.asarray(0.5 * sound * 32767, np.int16)


def wav(to: Path, seconds: float = 4.0) -> Path:
    """Write :func:`voice` as a WAV file."""
    with wave.open(str(to), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(voice(seconds).tobytes())
    return to


def face(cv2: Any, width: int = 640, height: int = 480) -> np.ndarray:
    """Return uint8 ``[height, width, 3]`` RGB: a drawn face that a face detector takes for one."""
    image = np.full((height, width, 3), (195, 200, 205), np.uint8)
    x, y = width // 2, height // 2 + 10
    cv2.ellipse(image, (x, y + 210), (190, 110), 0, 0, 360, (60, 70, 90), -1)
    cv2.rectangle(image, (x - 45, y + 90), (x + 45, y + 170), (205, 165, 140), -1)
    cv2.ellipse(image, (x, y - 30), (118, 150), 0, 180, 360, (60, 45, 40), -1)
    cv2.ellipse(image, (x, y), (105, 140), 0, 0, 360, (225, 185, 160), -1)
    cv2.ellipse(image, (x, y - 105), (95, 50), 0, 180, 360, (60, 45, 40), -1)
    for side in (-1, 1):
        eye = (x + side * 42, y - 25)
        cv2.ellipse(image, eye, (30, 17), 0, 0, 360, (180, 140, 120), -1)
        cv2.ellipse(image, eye, (22, 10), 0, 0, 360, (240, 240, 240), -1)
        cv2.circle(image, eye, 9, (35, 40, 50), -1)
        cv2.ellipse(image, (eye[0], eye[1] - 24), (30, 8), side * 4, 180, 360, (65, 50, 45), 7)
    cv2.line(image, (x - 6, y - 10), (x - 14, y + 35), (195, 155, 130), 5)
    cv2.ellipse(image, (x, y + 36), (20, 9), 0, 0, 180, (170, 130, 110), 5)
    cv2.ellipse(image, (x, y + 72), (42, 22), 0, 10, 170, (160, 70, 70), 9)
    return np.asarray(cv2.GaussianBlur(image, (9, 9), 3))


def film(to: Path, image: np.ndarray, frames: int = 10) -> Path:
    """Write a still as MJPEG, which Chromium plays as a camera."""
    from PIL import Image

    held = io.BytesIO()
    Image.fromarray(image).save(held, "JPEG", quality=92)
    to.write_bytes(held.getvalue() * frames)
    return to
