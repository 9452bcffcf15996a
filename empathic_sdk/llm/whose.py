"""Whose words a run of LangChain brings: the names of the person and of the conversation.

An argument comes first, then ``config["configurable"]``, then the context of the run. Where none of
them names a person, each thread is a person of its own, and without a thread each call is: what is
known of one caller never reaches another.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple

from empathic_sdk.errors import InputError

_LONGEST = 256  # of a user's name
_RUNTIME = "__pregel_runtime"  # where LangGraph keeps a run's surroundings in its config


class Whose(NamedTuple):
    """Names of a person and of a conversation.

    Attributes:
        user: The person; never empty.
        conversation: The conversation; ``None`` is the person's current one.
        named: Whether somebody named the person.
    """

    user: str
    conversation: str | None
    named: bool


def whose(
    config: Mapping[str, Any] | None,
    *,
    user: Any = None,
    conversation: Any = None,
    runtime: Any = None,
) -> Whose:
    """Return whose words a run brings.

    Args:
        config: The run's config. Its ``configurable`` may hold ``user_id`` and ``thread_id``.
        user: The person, by an argument.
        conversation: The conversation, by an argument.
        runtime: The run's ``Runtime``; by default the one in the config of a graph. Its
            ``context`` may hold ``user_id`` and ``thread_id``, as keys or as attributes.

    Raises:
        InputError: A name is empty, or neither text nor number.
    """
    configurable = (config or {}).get("configurable") or {}
    context = getattr(runtime or configurable.get(_RUNTIME), "context", None)
    person = _first("user_id", user, configurable, context)
    thread = _first("thread_id", conversation, configurable, context)
    if person is not None:
        return Whose(person, thread, True)
    if thread is not None:
        return Whose(_nobody(thread), thread, False)
    return Whose(f"call:{uuid.uuid4().hex}", None, False)


def _nobody(thread: str) -> str:
    """Return the name of whoever speaks in a thread; of a long one, by its SHA-256."""
    name = f"thread:{thread}"
    if len(name) <= _LONGEST:
        return name
    return f"thread:{hashlib.sha256(thread.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _first(key: str, argument: Any, configurable: Mapping[str, Any], context: Any) -> str | None:
    inner = context.get(key) if isinstance(context, Mapping) else getattr(context, key, None)
    for found in (argument, configurable.get(key), inner):
        if found is None:
            continue
        if isinstance(found, bool) or not isinstance(found, str | int | uuid.UUID):
            raise InputError(f"{key} must be a str, an int or a UUID, not {type(found).__name__}")
        if not str(found).strip():
            raise InputError(f"{key} must not be empty; leave it out where nobody is named")
        return str(found)
    return None
