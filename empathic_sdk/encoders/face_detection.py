"""Face detection: OpenCV's Haar cascade, or a detector of your own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from empathic_sdk.encoders.images import Pixels, grey
from empathic_sdk.errors import ConfigurationError, InputError, MissingExtraError
from empathic_sdk.types.base import Value

WINDOW = 24
"""Minimum side of the region that a cascade examines, in pixels."""


class Box(Value):
    """Bounding box of a face."""

    x: float = Field(allow_inf_nan=False, description="Left edge, in pixels.")
    y: float = Field(allow_inf_nan=False, description="Upper edge, in pixels.")
    width: float = Field(gt=0, allow_inf_nan=False, description="Width, in pixels.")
    height: float = Field(gt=0, allow_inf_nan=False, description="Height, in pixels.")
    score: float = Field(
        default=1.0,
        description="How sure the detector is; only for you, the encoder takes the largest.",
    )


Detector = Callable[[Pixels], Sequence[Box]]
"""Maps an upright picture, uint8 ``[height, width, 3]`` RGB, to the faces in it."""


class HaarDetector:
    """Detects frontal faces with OpenCV's Haar cascade (Viola and Jones 2001).

    A quick pass over a small copy of the picture finds most faces; if it finds none, a second
    pass uses more pixels and finer steps.

    Args:
        quick: The longer side of the first copy, in pixels.
        close: The longer side of the second copy. Faces are at least 24 of its pixels wide.
        neighbours: Overlapping detections required per face; higher values find fewer faces.

    Raises:
        MissingExtraError: OpenCV is not installed, or one without cascades (5.0 dropped them).

    Thread-safe: every thread has its own cascade.
    """

    def __init__(self, *, quick: int = 200, close: int = 280, neighbours: int = 3) -> None:
        if quick < 24 or close < quick or neighbours < 1:
            raise ConfigurationError("24 <= quick <= close and neighbours >= 1")
        self.quick, self.close, self.neighbours = quick, close, neighbours
        self._own = threading.local()
        self._cascade()

    def __call__(self, image: Pixels) -> list[Box]:
        """Return the faces of ``[height, width, 3]``, largest first."""
        return self._look(image, self.quick, 1.2) or self._look(image, self.close, 1.1)

    def _look(self, image: Pixels, side: int, step: float) -> list[Box]:
        import cv2

        height, width = image.shape[:2]
        shrink = min(1.0, side / max(height, width))
        size = max(1, round(width * shrink)), max(1, round(height * shrink))
        if min(size) < WINDOW:
            return []
        small = image
        if shrink < 1:
            small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        found, _, scores = self._cascade().detectMultiScale3(
            cv2.equalizeHist(grey(small)), scaleFactor=step, minNeighbors=self.neighbours,
            minSize=(WINDOW, WINDOW), outputRejectLevels=True,
        )  # fmt: skip
        boxes = [
            Box(x=x / shrink, y=y / shrink, width=w / shrink, height=h / shrink, score=float(s))
            for (x, y, w, h), s in zip(np.asarray(found).tolist(), np.ravel(scores), strict=True)
        ]
        return sorted(boxes, key=lambda b: -b.width * b.height)

    def _cascade(self) -> Any:
        cascade = getattr(self._own, "cascade", None)
        if cascade is None:
            try:
                import cv2

                folder = Path(cv2.data.haarcascades)  # type: ignore[attr-defined]
                cascade = cv2.CascadeClassifier(str(folder / "haarcascade_frontalface_alt2.xml"))
            except (ImportError, AttributeError) as error:
                raise MissingExtraError(
                    "face", "finding faces (OpenCV 4, which still has Haar cascades)"
                ) from error
            self._own.cascade = cascade
        return cascade


def largest(boxes: Sequence[Box]) -> Box | None:
    """Return the box with the largest area, or ``None`` if there are none."""
    if any(not isinstance(box, Box) for box in boxes):
        raise InputError(
            "a detector must return a list of empathic_sdk.encoders.face_detection.Box"
        )
    return max(boxes, key=lambda b: b.width * b.height, default=None)


def cut_out(image: Pixels, box: Box, *, margin: float) -> Pixels:
    """Crop the square around ``box``, with ``margin`` of its longer side on every side.

    Outside of the picture its edge is repeated. The square is limited to twice the picture's
    longer side, whatever the detector returns.
    """
    height, width = image.shape[:2]
    half = min(max(box.width, box.height) * (0.5 + margin), max(height, width))
    x, y = box.x + box.width / 2, box.y + box.height / 2
    left, top = round(x - half), round(y - half)
    side = max(1, round(2 * half))
    columns = np.clip(np.arange(left, left + side), 0, width - 1)
    rows = np.clip(np.arange(top, top + side), 0, height - 1)
    square: Pixels = image[rows[:, None], columns]
    return square
