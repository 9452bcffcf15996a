"""A voice and a face that belong to nobody: for fake microphones and cameras."""

from __future__ import annotations

import io
import wave
from pathlib import Path
from typing import Any

import numpy as np

RATE = 48_000


def voice(seconds: float = 4.0) -> np.ndarray:
    """Return int16 ``[n]``: a buzz of 130 Hz through three formants, four syllables a second."""
    t = np.arange(int(seconds * RATE)) / RATE
    pitch = 130 + 25 * np.sin(2 * np.pi * 0.7 * t)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    sound = np.zeros_like(t)
    for k in range(1, 28):
        hertz = 130.0 * k
        loud = sum(
            height / (1 + ((hertz - centre) / width) ** 2)
            for centre, width, height in ((650, 90, 1.0), (1150, 110, 0.6), (2500, 160, 0.25))
        )
        sound += loud * np.sin(k * phase)
    syllables = np.clip(np.sin(2 * np.pi * 4 * t), 0, None) ** 0.5
    sound *= syllables * (0.6 + 0.4 * np.sin(2 * np.pi * 0.5 * t))
    return np.asarray(0.5 * sound / np.abs(sound).max() * 32767, np.int16)


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
