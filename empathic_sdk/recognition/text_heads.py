"""Heads on a text vector, for single utterances without context: matrix products in NumPy."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.errors import ModelError
from empathic_sdk.recognition.calibration import Calibration
from empathic_sdk.runtime import checkpoints
from empathic_sdk.types import Emotion

Floats = NDArray[np.float32]


class TextReading(NamedTuple):
    """Outputs of the text heads for ``n`` texts: float32 ``[n, 7]``, ``[n, 7]`` and ``[n, 2]``."""

    emotion: NDArray[np.float32]
    present: NDArray[np.float32]
    affect: NDArray[np.float32]


class TextHeads:
    """Linear heads on the vectors of a text encoder (``models/utterance.py`` trains them).

    Args:
        path: A checkpoint of ``empathic train text``.

    Attributes:
        about: The checkpoint's description.
        width: Width of the vectors.
        corpora: Corpora whose label habits it knows; those of the first are the default.
        calibration: What the logits mean.

    Raises:
        ModelError: The file is missing, damaged, or holds no heads.

    Thread-safe.
    """

    def __init__(self, path: str | Path) -> None:
        tensors, self.about = checkpoints.arrays(path, "heads")
        try:
            self.width, self.corpora = int(self.about["width"]), tuple(self.about["corpora"])
            self.calibration = Calibration(**self.about["calibration"])
            shared, offset, self._bias = (tensors[k] for k in ("shared", "offset", "bias"))
            self._emotion = np.ascontiguousarray((shared + offset).transpose(0, 2, 1))
            self._present, self._affect = (
                (tensors[f"{k}.weight"].T, tensors[f"{k}.bias"]) for k in ("present", "affect")
            )
            n, w = len(Emotion), self.width
            found = [self._emotion.shape, self._bias.shape, self._present[0].shape,
                     self._affect[0].shape]  # fmt: skip
            if found != [(len(self.corpora), w, n), (len(self.corpora), n), (w, n), (w, 2)]:
                raise ValueError(f"their shapes are {found}")
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{path} holds no emotion heads that fit: {error}") from error

    def read(self, vectors: Floats, corpus: str | None = None) -> TextReading:
        """Return logits for vectors ``[n, width]``, with the label habits of a corpus.

        Raises:
            ValueError: The heads do not know the corpus.
        """
        row = self.corpora.index(corpus) if corpus else 0
        return TextReading(
            vectors @ self._emotion[row] + self._bias[row],
            vectors @ self._present[0] + self._present[1],
            vectors @ self._affect[0] + self._affect[1],
        )
