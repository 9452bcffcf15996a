"""Serialisation of a conversation: one versioned format, written and read only here.

::

    version           2; without one it is 1, from the first release
    session           state of the recogniser's session (``Session.state``)
    session_encoding  "json": embedded as JSON; "base64": any other bytes
    history           the person's last states, without fields that later turns do not use
    memory            what the responder remembers
    turns             number of turns so far
    risk              what the safety protocol remembers

Derived values only, no words.
"""

from __future__ import annotations

import base64
import json
import uuid
from typing import Annotated, Any, Literal

from pydantic import Field

from empathic_sdk.errors import InputError
from empathic_sdk.safety.decision import RiskContext
from empathic_sdk.types import EmotionState, Turn
from empathic_sdk.types.base import Value
from empathic_sdk.types.reply import AnsweredContext, ResponderMemory

VERSION = 2
# Nothing uses these of an earlier state, and a reason may name a file.
_UNUSED = {"unread", "general", "apart"}


class ConversationRecord(Value):
    """The stored part of a conversation, apart from the recogniser's session.

    Attributes:
        history: The person's last states, oldest first.
        memory: What the responder remembers.
        turns: Turns so far.
        risk: What the safety protocol remembers.
    """

    history: tuple[EmotionState, ...] = ()
    memory: ResponderMemory = Field(default_factory=ResponderMemory)
    turns: Annotated[int, Field(ge=0)] = 0
    risk: RiskContext = Field(default_factory=RiskContext)


class _Stored(ConversationRecord):
    version: Literal[2]
    session: Any
    session_encoding: Literal["json", "base64"]


def encode(record: ConversationRecord, session: bytes) -> bytes:
    """Serialise a conversation.

    Args:
        record: Everything but the session.
        session: ``Session.state()``.
    """
    content, encoding = _shown(session)
    fields = record.model_dump(mode="json", exclude={"history": {"__all__": _UNUSED}})
    head = {"version": VERSION, "session": content, "session_encoding": encoding}
    return json.dumps(head | fields).encode()


def decode(stored: bytes) -> tuple[ConversationRecord, bytes]:
    """Read what :func:`encode` wrote: the conversation and the state of its session.

    Raises:
        InputError: The bytes are not in this format, or from a newer version.
    """
    try:
        found = json.loads(stored)
        if "version" not in found:
            found = _from_first(found)
        if found["version"] != VERSION:
            raise InputError(
                f"the stored state of this conversation has version {found['version']!r}; this "
                f"package reads 1 and {VERSION}"
            )
        whole = _Stored(**{name: found[name] for name in _Stored.model_fields})
        if whole.session_encoding == "base64":
            session = base64.b64decode(str(whole.session), validate=True)
        else:
            session = json.dumps(whole.session).encode()
    except InputError as error:
        raise InputError(f"the stored state of this conversation cannot be read: {error}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError("the stored state of this conversation cannot be read") from error
    record = {name: getattr(whole, name) for name in ConversationRecord.model_fields}
    return ConversationRecord(**record), session


def _from_first(found: dict[str, Any]) -> dict[str, Any]:
    """Convert the first release's format to the present one."""
    # A state from before the risk model holds only the level of the last turn.
    risk = found.get("risk", {"level": found["safety"]})
    kept = {name: found[name] for name in ("session", "history", "memory", "turns")}
    return kept | {"version": VERSION, "session_encoding": "json", "risk": risk}


def _shown(session: bytes) -> tuple[Any, str]:
    try:
        return json.loads(session), "json"
    except (ValueError, RecursionError):
        return base64.b64encode(session).decode("ascii"), "base64"


# -- a whole turn, for stores of other frameworks -------------------------------------------

# Words of the person, and vectors from which words could be recovered.
_WORDS = {"text", "past", "before", "text_vector", "reply_vector"}


class StoredTurn(Value):
    """A turn of a conversation that is stored elsewhere, as JSON values.

    Attributes:
        version: Version of this format; without one it is 1, from the first release.
        id: Name of the turn.
        context: All of it but the words.
        fallbacks: What went wrong on the way.
        timings: Milliseconds per step.
        help_line: Sentence with a help line to show below a model's answer; may be empty.
        state: The conversation, as :func:`encode` returns it.
    """

    version: Literal[2] = 2
    id: str
    context: AnsweredContext
    fallbacks: tuple[str, ...] = ()
    timings: dict[str, float] = Field(default_factory=dict)
    help_line: str = ""
    state: str


def dump_turn(turn: Turn, context: AnsweredContext, help_line: str, state: bytes) -> dict[str, Any]:
    """Return a turn as JSON values, without what the person said."""
    stored = StoredTurn(
        id=turn.id,
        context=context.model_copy(update={"text": ""}),
        fallbacks=turn.fallbacks[: len(turn.fallbacks) - len(context.reply.fallbacks)],
        timings=turn.timings,
        help_line=help_line,
        state=state.decode(),
    )
    return stored.model_dump(mode="json", exclude={"context": _WORDS - {"text"}})


def load_turn(dumped: dict[str, Any]) -> StoredTurn:
    """Read what :func:`dump_turn` wrote.

    Raises:
        InputError: It is not in this format.
    """
    try:
        if "version" not in dumped:  # of the first release
            context = {**dumped["context"], "reply": dumped["reply"]}
            dumped = {
                "version": VERSION, "id": uuid.uuid4().hex, "context": context,
                "help_line": dumped["line"], "state": dumped["kept"],
            }  # fmt: skip
        return StoredTurn(**dumped)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError("this is not what StatelessTurn.dump gave") from error
