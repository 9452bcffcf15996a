"""The embedded recogniser that a process shares."""

from __future__ import annotations

from functools import lru_cache

from empathic_sdk.recognition.recognizer import EmotionRecognizer


@lru_cache(maxsize=1)
def shared_recognizer() -> EmotionRecognizer:
    """Return the embedded recogniser, loaded once per process."""
    return EmotionRecognizer()
