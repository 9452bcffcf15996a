"""A face drawn from shaded ellipses, plain enough for a Haar cascade."""

from __future__ import annotations

import cv2
import numpy as np


def drawn_face(side: int) -> np.ndarray:
    """Return a grey picture ``[side, side]`` that a face fills."""
    big = np.full((400, 400), 90, np.uint8)

    def ellipse(x: int, y: int, a: int, b: int, level: int) -> None:
        cv2.ellipse(big, (x, y), (a, b), 0, 0, 360, level, -1)

    ellipse(200, 200, 150, 195, 60)  # hair
    ellipse(200, 220, 130, 170, 200)  # skin
    for x in (140, 260):
        ellipse(x, 175, 42, 24, 120)  # sockets
        ellipse(x, 150, 40, 8, 60)  # brows
        ellipse(x, 178, 26, 12, 235)
        ellipse(x, 178, 11, 11, 30)
    ellipse(200, 215, 18, 55, 225)  # the ridge of the nose
    ellipse(200, 265, 30, 10, 130)
    ellipse(200, 315, 52, 14, 90)  # mouth
    for x in (115, 285):
        ellipse(x, 245, 28, 30, 215)  # cheeks
    blurred = cv2.GaussianBlur(big, (0, 0), 5)
    return cv2.resize(blurred, (side, side), interpolation=cv2.INTER_AREA)


def scene(face: np.ndarray, size: tuple[int, int], at: tuple[int, int]) -> np.ndarray:
    """Return an RGB picture of ``size`` (height, width) with ``face`` at (top, left)."""
    out = np.full((*size, 3), 90, np.uint8)
    h, w = face.shape
    out[at[0] : at[0] + h, at[1] : at[1] + w] = face[:, :, None]
    return out
