"""One embedded recogniser for all parts of a process that were given none."""

from __future__ import annotations

from functools import lru_cache

from empathic_sdk.recognition.recognizer import EmotionRecognizer


@lru_cache(maxsize=1)
def shared_recognizer() -> EmotionRecognizer:
    """Return the embedded recogniser, loaded once for all parts that were given none."""
    return EmotionRecognizer()
