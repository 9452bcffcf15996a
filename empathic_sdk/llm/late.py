"""System messages that come after others: the state of the person, close to the end of a request.

What is the same in every request comes first there, so that a server's prompt cache finds it. But
not every model takes a system message that late.
"""

from __future__ import annotations

from collections.abc import Sequence

from empathic_sdk.types import ChatMessage


def folded(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """Return the messages with all system messages joined into one, which comes first."""
    told = [m.text for m in messages if m.role == "system"]
    others = [m for m in messages if m.role != "system"]
    return [*([ChatMessage("system", "\n\n".join(told))] if told else []), *others]


def is_folded(messages: Sequence[ChatMessage]) -> bool:
    """Whether no system message comes after the first message."""
    return all(m.role != "system" for m in messages[1:])
