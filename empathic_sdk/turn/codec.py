"""How a conversation is stored: one versioned form, written and read here alone.

::

    version           2; what has none is 1, from the first release
    session           state of the recogniser's session (``Session.state``)
    session_encoding  "json": it stands there as JSON; "base64": it is no JSON
    history           the person's last states, without what a later turn does not look at
    memory            what the responder remembers
    turns             how many there were
    risk              what the safety protocol remembers

Derived values only: no words of anybody.
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
# Of an earlier state nothing looks at these; a reason may name a file.
_UNUSED = {"unread", "general", "apart"}


class ConversationRecord(Value):
    """What is stored of a conversation beside the recogniser's session.

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
    """Return what is stored of a conversation.

    Args:
        record: What there is beside the session.
        session: ``Session.state()``.
    """
    content, encoding = _shown(session)
    fields = record.model_dump(mode="json", exclude={"history": {"__all__": _UNUSED}})
    head = {"version": VERSION, "session": content, "session_encoding": encoding}
    return json.dumps(head | fields).encode()


def decode(stored: bytes) -> tuple[ConversationRecord, bytes]:
    """Return a conversation and the state of its session from what :func:`encode` gave.

    Raises:
        InputError: The bytes are something else, or of a newer version.
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
    """Return the first release's form as the present one."""
    # A state from before there was a risk model knows the level of the last turn alone.
    risk = found.get("risk", {"level": found["safety"]})
    kept = {name: found[name] for name in ("session", "history", "memory", "turns")}
    return kept | {"version": VERSION, "session_encoding": "json", "risk": risk}


def _shown(session: bytes) -> tuple[Any, str]:
    try:
        return json.loads(session), "json"
    except (ValueError, RecursionError):
        return base64.b64encode(session).decode("ascii"), "base64"


# -- a whole turn, for stores of other frameworks -------------------------------------------

# Words of the person, and what words could be read back out of.
_WORDS = {"text", "past", "before", "text_vector", "reply_vector"}


class StoredTurn(Value):
    """A turn of a conversation that is kept elsewhere, as JSON values.

    Attributes:
        version: Of this form; what has none is 1, from the first release.
        id: Name of the turn.
        context: All of it but the words.
        fallbacks: What went wrong on the way.
        timings: Milliseconds per step.
        help_line: What stays in sight of a model's answer.
        state: The conversation, as :func:`encode` gave it.
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
    """Return what :func:`dump_turn` gave.

    Raises:
        InputError: It is something else.
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
