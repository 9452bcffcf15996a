"""Model of the output guard: finds sentences that must not be said to a person in distress.

The second opinion beside the guard's patterns (``output_guard.py``): one hidden layer on the
vectors of the risk network and the text encoder. Trained by ``empathic train guard``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

SCALE = 8.0
"""Features are multiplied by it: their parts have length 1, their numbers are small."""


_TENSORS = ("hidden.weight", "hidden.bias", "out.weight", "out.bias")


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
            self._tensors = {name: arrays[name] for name in _TENSORS}
            self._limit = float(self.about["limit"])
            fits = arrays["out.weight"].shape == (1 + len(REASONS), len(arrays["hidden.bias"]))
            mark = str(self.about["risk_sha256"])
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{path} holds no guard") from error
        if not fits or not all(np.isfinite(a).all() for a in arrays.values()):
            raise ModelError(f"{path} holds a guard of another shape")
        if mark != risk.fingerprint:
            raise ModelError(f"the guard at {path} was trained with other weights than {risk.path}")
        self._risk, self._text = risk, text

    def __call__(self, sentence: str) -> str:
        """Return the reason to reject a sentence; empty if there is none.

        The guard itself checks numbers and links, so ``contact`` is never returned.
        """
        logits = _logits(self._tensors, draft_features(self._risk, self._text, [sentence]))
        reason = REASONS[int(logits[0, 1:].argmax())]
        return "" if _badness(logits)[0] <= self._limit or reason == "contact" else reason


def badness(
    tensors: Mapping[str, NDArray[np.float32]], features: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return float32 ``[n]``: how much likelier any reason is than that a sentence is harmless.

    Args:
        tensors: ``hidden.weight`` ``[hidden, width]``, ``hidden.bias``, ``out.weight``
            ``[10, hidden]``, ``out.bias``: harmless, then :data:`REASONS`.
        features: ``[n, width]`` (:func:`draft_features`).
    """
    return _badness(_logits(tensors, features))


def _logits(
    tensors: Mapping[str, NDArray[np.float32]], features: NDArray[np.float32]
) -> NDArray[np.float32]:
    hidden = features * SCALE @ tensors["hidden.weight"].T + tensors["hidden.bias"]
    out: NDArray[np.float32] = (
        np.maximum(hidden, 0) @ tensors["out.weight"].T + tensors["out.bias"]
    ).astype(np.float32)
    return out


def _badness(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = np.logaddexp.reduce(logits[:, 1:], axis=1) - logits[:, 0]
    return found


def draft_features(
    risk: RiskReader, text: TextEncoder, sentences: Sequence[str]
) -> NDArray[np.float32]:
    """Return float32 ``[n, width]``: each part of length 1, and whether the sentence asks."""
    parts = [*np.split(risk.features(sentences), 3, axis=1), text.encode(list(sentences))]
    scaled = [p / np.maximum(np.linalg.norm(p, axis=1, keepdims=True), 1e-6) for p in parts]
    asks = np.array([[float(s.rstrip().endswith("?"))] for s in sentences], np.float32)
    return np.concatenate([*scaled, asks], axis=1).astype(np.float32)
