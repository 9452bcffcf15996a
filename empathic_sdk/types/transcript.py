"""Transcripts of speech."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from empathic_sdk.types.base import Value

Seconds = Annotated[float, Field(ge=0.0)]


class Written(NamedTuple):
    """What a Whisper wrote down.

    Attributes:
        text: All of it.
        language: ISO 639-1 code.
        words: Each word with its start and end in seconds, unchecked.
    """

    text: str
    language: str
    words: Sequence[tuple[str, float, float]]


class Whisper(Protocol):
    """A Whisper network with its decoding."""

    @property
    def languages(self) -> Sequence[str]:
        """Codes that it knows."""

    @property
    def multilingual(self) -> bool:
        """Whether it knows more than English."""

    def write(self, samples: NDArray[np.float32], language: str | None) -> Written:
        """Transcribe ``[n]`` samples at 16 kHz; without a language, detect it."""


class Word(Value):
    """One word of a transcript."""

    text: str = Field(description="The word, with its punctuation, without spaces around it.")
    start: Seconds = Field(description="Seconds since the recording began.")
    end: Seconds = Field(description="Seconds since the recording began; not before `start`.")

    @model_validator(mode="after")
    def _order(self) -> Word:
        if self.end < self.start:
            raise ValueError("a word ends before it starts")
        return self


class Transcript(Value):
    """Transcript of one recording."""

    text: str = Field(description="All that was said; empty where nobody speaks.")
    language: str | None = Field(
        description="ISO 639-1 code, as detected or as given; `None` where nobody speaks."
    )
    words: tuple[Word, ...] = Field(default=(), description="The words with their times, in order.")
    seconds: Seconds = Field(default=0.0, description="Length of the recording.")
    missing: str | None = Field(
        default=None,
        description='Why there is no text ("no voice in 2.1 s of audio"), or `None`.',
    )
