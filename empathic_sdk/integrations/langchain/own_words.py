"""Which messages of a thread are the person's words, and which of them are new.

A human message need not be a person's: a summary of what was cut off, or context that other
middleware puts in, is written as one. The person's are those that a caller's input brought, that is
what is new at the start of a run. New is a message whose id or content was not there before.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage

MOST = 48
"""Human messages that are told apart, the newest of a thread."""

READ = 24
"""Human messages, the newest of a thread, among which new ones are looked for."""

_ID = 6
_PRINT = 2 * _ID


class Seen(NamedTuple):
    """Fingerprints of human messages that were there before: of ids and contents.

    Attributes:
        own: The person's.
        other: Not the person's.
    """

    own: tuple[str, ...] = ()
    other: tuple[str, ...] = ()

    def dump(self) -> dict[str, str]:
        """Return it for a checkpoint."""
        return {"own": "".join(self.own), "other": "".join(self.other)}

    @classmethod
    def load(cls, stored: Any) -> Seen | None:
        """Return what :meth:`dump` gave; ``None`` for anything else."""
        try:
            return cls(*(_split(str(stored[name])) for name in cls._fields))
        except (KeyError, TypeError):
            return None

    def of(self, messages: Sequence[AnyMessage], *, new: bool) -> Seen:
        """Return it for a thread's messages as they are now.

        Args:
            messages: All of them.
            new: Whose the ones that were not there before are: the person's or not. One whose
                content alone was changed stays whose it was.
        """
        own, other = set(self.own), set(self.other)
        ids = {one[:_ID] for one in own}
        mine: list[str] = []
        others: list[str] = []
        for message in _humans(messages)[-MOST:]:
            one = fingerprint(message)
            theirs = one in own or (one not in other and (new or one[:_ID] in ids))
            (mine if theirs else others).append(one)
        return Seen(tuple(mine), tuple(others))


class Words(NamedTuple):
    """What is to be read of a thread.

    Attributes:
        new: The person's new messages, and the answers among them and before the first.
        earlier: The person's messages and the answers before those.
    """

    new: list[BaseMessage]
    earlier: list[BaseMessage]


def words(messages: Sequence[AnyMessage], seen: Seen | None) -> Words:
    """Return what is new in a thread at the start of a run; with ``None`` everything is."""
    if seen is None:
        return Words(_readable(messages, None), [])
    known = {*seen.own, *seen.other}
    fresh = {id(m) for m in _humans(messages)[-READ:] if fingerprint(m) not in known}
    if not fresh:
        return Words([], _readable(messages, seen))
    first = next(at for at, m in enumerate(messages) if id(m) in fresh)
    start = first
    while start and not isinstance(messages[start - 1], HumanMessage):
        start -= 1
    new: list[BaseMessage] = [
        m for m in messages[start:] if id(m) in fresh or isinstance(m, AIMessage)
    ]
    return Words(new, _readable(messages[:start], seen))


def seen_before(messages: Sequence[AnyMessage], mark: Any) -> Seen:
    """Return what an earlier release had read of a thread: all up to the message it marked.

    Where that is gone, all but the last thing that the person said.
    """
    humans = _humans(messages)
    at = next((n for n, m in reversed(list(enumerate(humans))) if m.id == mark), len(humans) - 2)
    if isinstance(mark, str) and mark.startswith("number ") and mark[7:].isdigit():
        at = int(mark[7:]) - 1
    return Seen().of(humans[: at + 1], new=True)


def fingerprint(message: BaseMessage) -> str:
    """Return the fingerprint of a message: its id's, then its content's."""
    content = message.content
    text = content if isinstance(content, str) else json.dumps(content, default=str)
    return _short(message.id or "") + _short(text)


def _humans(messages: Sequence[BaseMessage]) -> list[HumanMessage]:
    return [
        m
        for m in messages
        if isinstance(m, HumanMessage) and m.additional_kwargs.get("lc_source") != "summarization"
    ]


def _readable(messages: Sequence[AnyMessage], seen: Seen | None) -> list[BaseMessage]:
    """Return answers and the person's messages: those in ``seen``, or all that no summary is."""
    humans = {id(m) for m in _humans(messages) if seen is None or fingerprint(m) in seen.own}
    return [m for m in messages if isinstance(m, AIMessage) or id(m) in humans]


def _short(text: str) -> str:
    # Four bytes tell the few messages of one thread apart.
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4).digest()
    return b64encode(digest).decode("ascii")[:_ID]


def _split(joined: str) -> tuple[str, ...]:
    return tuple(joined[at : at + _PRINT] for at in range(0, len(joined), _PRINT))
