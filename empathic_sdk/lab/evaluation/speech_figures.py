"""What is measured of a voice: through the public API, and across corpora."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from empathic_sdk.encoders.speech import SpeechEncoder
from empathic_sdk.lab.corpora.clips import EMODB_CLASSES, RAVDESS_CLASSES, Clips
from empathic_sdk.lab.evaluation.metrics import confusion, labelled

SHARED = tuple(c for c in EMODB_CLASSES if c in RAVDESS_CLASSES)
"""Classes that both corpora have: what is scored across corpora."""


def heard(encoder: SpeechEncoder, clips: Clips) -> np.ndarray:
    """Return what the public API says, ``[n, classes]``; all alike where it hears nobody."""
    said = [encoder.class_probabilities([path])[0] for path in clips.paths]
    even = np.full(len(encoder.classes), 1 / len(encoder.classes))
    return np.stack([even if p is None else p for p in said])


def shared_clips(emodb: Clips) -> Clips:
    """Return the clips of EMO-DB whose class RAVDESS has, too."""
    return emodb.only(np.isin(emodb.labels, [EMODB_CLASSES.index(c) for c in SHARED]))


def across(encoder: SpeechEncoder, clips: Clips) -> np.ndarray:
    """Return probabilities ``[n, len(SHARED)]`` by an encoder that was trained on RAVDESS.

    Calm counts as neutral; surprise, which EMO-DB has not, is left out and the rest scaled up.
    """
    p = heard(encoder, clips)
    named = {c: p[:, i].copy() for i, c in enumerate(encoder.classes)}
    named["neutral"] = named["neutral"] + named.get("calm", 0.0)
    kept = np.stack([named[c] for c in SHARED], 1)
    return np.asarray(kept / kept.sum(1, keepdims=True))


def measure(gold: np.ndarray, p: np.ndarray, classes: Sequence[str]) -> dict[str, Any]:
    """Return accuracy, UAR, macro and weighted F1, calibration error, F1 a class, confusion."""
    rows = confusion(gold, p.argmax(1), len(classes))
    return {
        **labelled(gold, p, tuple(classes)), "confusion": dict(zip(classes, rows, strict=True))
    }  # fmt: skip
