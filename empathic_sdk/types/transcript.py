"""What was said, as a transcriber wrote it down."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from empathic_sdk.types.base import Value

Seconds = Annotated[float, Field(ge=0.0)]


class Word(Value):
    """One word of a transcript.

    Attributes:
        text: The word, with its punctuation, without spaces around it.
        start: Seconds since the recording began.
        end: Seconds; not before ``start``.
    """

    text: str
    start: Seconds
    end: Seconds

    @model_validator(mode="after")
    def _order(self) -> Word:
        if self.end < self.start:
            raise ValueError("a word ends before it starts")
        return self


class Transcript(Value):
    """What was said in one recording.

    Attributes:
        text: All of it; empty where nobody speaks.
        language: ISO 639-1 code, as heard or as given; ``None`` where nobody speaks.
        words: The words with their times, in order.
        seconds: Length of the recording.
        missing: Why there is no text ("no voice in 2.1 s of audio"), or ``None``.
    """

    text: str
    language: str | None
    words: tuple[Word, ...] = ()
    seconds: Seconds = 0.0
    missing: str | None = None
