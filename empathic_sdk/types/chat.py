"""What is said to a language model, and what one must be able to do."""

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
    """What ``EmotionAwareAgent(llm=...)`` needs of a language model of your own."""

    @property
    def name(self) -> str:
        """What ``Turn.responder`` shows."""
        ...

    def stream(self, messages: Sequence[ChatMessage]) -> Iterator[str]:
        """Yield the answer in pieces of any size.

        It is called in a thread of its own, several at once. When nobody wants the rest any more
        the iterator is closed after the piece under way.
        """
        ...
