"""Protocols: whoever brings an object that fits one can plug it in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Protocol

from empathic_sdk.types.emotion import EmotionState
from empathic_sdk.types.turn import StreamEvent, Turn
from empathic_sdk.types.utterance import Utterance


class Recognizer(Protocol):
    """Reads emotion out of utterances, as :class:`~empathic_sdk.EmotionRecognizer` does."""

    def recognize(self, utterance: Utterance | str, /) -> EmotionState:
        """Return what one utterance shows by itself."""

    def recognize_dialogue(self, utterances: Iterable[Utterance | str], /) -> list[EmotionState]:
        """Return what each utterance shows in the light of those before it."""


class Agent(Protocol):
    """Answers utterances, as :class:`~empathic_sdk.EmotionAwareAgent` does."""

    def respond(
        self, utterance: Utterance | str, *, user: str = ..., conversation: str | None = ...
    ) -> Turn:
        """Answer one utterance."""

    async def arespond(
        self, utterance: Utterance | str, *, user: str = ..., conversation: str | None = ...
    ) -> Turn:
        """Answer one utterance in an event loop."""

    def stream(
        self, utterance: Utterance | str, *, user: str = ..., conversation: str | None = ...
    ) -> Iterator[StreamEvent]:
        """Yield the state, the sentences at the style's pace, then the turn."""

    def astream(
        self, utterance: Utterance | str, *, user: str = ..., conversation: str | None = ...
    ) -> AsyncIterator[StreamEvent]:
        """Yield the same in an event loop."""
