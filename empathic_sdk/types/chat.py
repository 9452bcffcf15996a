"""Messages to a language model, and the protocol that one must fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, Protocol, runtime_checkable


class ChatMessage(NamedTuple):
    """One message of a chat.

    Attributes:
        role: ``system`` for what the program says, ``user`` for the person's words and nothing
            else, ``assistant`` for earlier replies.
        text: Its words.
    """

    role: Literal["system", "user", "assistant"]
    text: str


class Exchange(NamedTuple):
    """One earlier turn in words: what the person said, and what was answered."""

    said: str
    reply: str


@runtime_checkable
class LanguageModel(Protocol):
    """A language model of your own, for ``EmotionAwareAgent(llm=...)``."""

    @property
    def name(self) -> str:
        """The name that ``Turn.responder`` shows."""
        ...

    def stream(self, messages: Sequence[ChatMessage]) -> Iterator[str]:
        """Yield the answer in pieces of any size.

        It is called in a thread of its own, several at once. When the rest is no longer
        wanted, the iterator is closed after the current piece.
        """
        ...
