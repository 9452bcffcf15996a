"""Model of the output guard: finds sentences that must not be said to a person in distress.

The second opinion beside the guard's patterns (``output_guard.py``): one linear layer on the
vectors of the risk network and the text encoder. Trained by ``empathic train guard``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.encoders.text import TextEncoder
from empathic_sdk.errors import ModelError
from empathic_sdk.runtime import checkpoints
from empathic_sdk.runtime.resources import weights_dir
from empathic_sdk.safety.risk_model import RiskReader

REASONS = (
    "methods", "encouragement", "secrecy", "ending", "contempt", "diagnosis", "medicine", "human",
    "contact",
)  # fmt: skip
"""Reasons to reject a sentence."""


class DraftReader:
    """Classifies sentences of a language model by the reason to reject them. English only.

    Args:
        risk: The risk reader whose network it reads with.
        text: The text encoder.
        path: A checkpoint of ``empathic train guard``; by default the one that ships.

    Raises:
        ModelError: It is missing, damaged, or was trained with another network.

    Thread-safe.
    """

    def __init__(self, risk: RiskReader, text: TextEncoder, path: str | Path | None = None) -> None:
        path = Path(path) if path else weights_dir() / "guard.safetensors"
        arrays, self.about = checkpoints.arrays(path)
        try:
            self._weight, self._bias = arrays["weight"], arrays["bias"]
            self._limit = float(self.about["limit"])
            fits = self._weight.shape[0] == self._bias.shape[0] == 1 + len(REASONS)
            mark = str(self.about["risk_sha256"])
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{path} holds no guard") from error
        if not fits or not all(np.isfinite(a).all() for a in arrays.values()):
            raise ModelError(f"{path} holds a guard of another shape")
        if mark != checkpoints.sha256(risk.path):
            raise ModelError(f"the guard at {path} was trained with other weights than {risk.path}")
        self._risk, self._text = risk, text

    def __call__(self, sentence: str) -> str:
        """Return the reason to reject a sentence; empty if there is none.

        The guard itself checks numbers and links, so ``contact`` is never returned.
        """
        logits = self.logits(draft_features(self._risk, self._text, [sentence]))[0]
        reason = REASONS[int(logits[1:].argmax())]
        return "" if logits[0] < self._limit or reason == "contact" else reason

    def logits(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return logits, float32 ``[n, 10]``: of rejection, and of each reason."""
        out: NDArray[np.float32] = features @ self._weight.T + self._bias
        return out


def draft_features(
    risk: RiskReader, text: TextEncoder, sentences: Sequence[str]
) -> NDArray[np.float32]:
    """Return float32 ``[n, width]``: each part of length 1, and whether the sentence asks."""
    parts = [*np.split(risk.features(sentences), 3, axis=1), text.encode(list(sentences))]
    scaled = [p / np.maximum(np.linalg.norm(p, axis=1, keepdims=True), 1e-6) for p in parts]
    asks = np.array([[float(s.rstrip().endswith("?"))] for s in sentences], np.float32)
    return np.concatenate([*scaled, asks], axis=1).astype(np.float32)
