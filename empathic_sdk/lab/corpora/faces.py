"""FER2013: grey face crops of 48 x 48 pixels, one of seven emotions each."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from empathic_sdk.errors import DataError
from empathic_sdk.lab.corpora.opening import chosen, open_arrays
from empathic_sdk.types import Emotion

_SPLITS = {"train": 0, "dev": 1, "test": 2}
"""Its own numbers of the splits: training, public test, private test."""

_NAMES = {
    "angry": Emotion.ANGER,
    "disgust": Emotion.DISGUST,
    "fear": Emotion.FEAR,
    "happy": Emotion.JOY,
    "sad": Emotion.SADNESS,
    "surprise": Emotion.SURPRISE,
    "neutral": Emotion.NEUTRAL,
}


@dataclass(frozen=True)
class Faces:
    """Face crops of one split.

    Attributes:
        images: uint8 ``[n, 48, 48]``, grey.
        labels: int64 ``[n]`` in the order of ``Emotion``.
        rows: int64 ``[n]``, their places in the file.
    """

    images: np.ndarray
    labels: np.ndarray
    rows: np.ndarray

    def __len__(self) -> int:
        """How many there are."""
        return len(self.labels)

    def take(self, index: np.ndarray) -> Faces:
        """Return some of them."""
        return Faces(self.images[index], self.labels[index], self.rows[index])

    def digest(self) -> str:
        """Return the SHA-256 of images and labels."""
        labels = self.labels.astype(np.uint8).tobytes()
        return hashlib.sha256(self.images.tobytes() + labels).hexdigest()


def read_faces(data: Path, split: str) -> Faces:
    """Return ``train``, ``dev`` (FER2013's public test) or ``test`` (its private test).

    Args:
        data: Folder with ``fer2013.npz``: ``images`` uint8 ``[n, 48, 48]``, ``labels`` and
            ``split`` ``[n]``, ``classes`` (the names of the labels).
        split: Which.

    Raises:
        DataError: The file is missing or malformed.
    """
    path = data / "fer2013.npz"
    file = open_arrays(path)
    try:
        images, labels = file["images"], file["labels"]
        rows = np.flatnonzero(file["split"] == _SPLITS[chosen("split", split, _SPLITS)])
        order = list(Emotion)
        lookup = np.array([order.index(_NAMES[str(name)]) for name in file["classes"]])
        if images.dtype != np.uint8 or images.shape[1:] != (48, 48) or len(images) != len(labels):
            raise ValueError("images must be uint8 [n, 48, 48] with a label each")
        return Faces(images[rows], lookup[labels[rows]].astype(np.int64), rows)
    except (KeyError, ValueError, IndexError) as error:
        raise DataError(f"{path} is not the FER2013 that docs/data.md describes: {error}") from None
