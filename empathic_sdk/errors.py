"""Everything this package raises on purpose.

::

    EmpathicError
    ├── InputError              the input cannot be used
    │   ├── EmptyUtteranceError   it is empty: no text, sound, picture or event
    │   └── DialogueFormatError   a line of a dialogue file is broken (``.line`` is its number)
    ├── ConfigurationError      an argument or a combination of arguments is wrong
    │   ├── MissingExtraError     an optional extra is not installed (names the install line)
    │   ├── ClosedError           the agent was closed; make a new one
    │   ├── ReentrancyError       a hook made a call that would wait for its own turn
    │   └── ProcessError          the object belongs to another process; make one in each
    ├── PolicyError             this may not be processed here (context, consent)
    ├── ModelError              weights are missing, damaged or do not fit
    │   └── DamagedWeightsError   a file of weights is not the one that was shipped
    ├── HookError               a hook raised, or returned the wrong type
    ├── StoreError              the profile store cannot do what was asked
    │   ├── StoreLockedError      another process holds it for too long
    │   ├── StoreReadOnlyError    it cannot be written
    │   ├── StoreCorruptError     the file is damaged or not a profile store
    │   ├── StoreVersionError     it was written by a newer version of this package
    │   ├── StoreFullError        there is no room on the disk
    │   ├── StoreKeyError         the key is wrong, or given for an unencrypted store
    │   ├── ConflictError         a conversation went on elsewhere; nothing was recorded
    │   ├── PrivacyBudgetError    the privacy budget is too small for this count
    │   └── UnknownTurnError      no such turn of this user
    ├── ResponderError          no responder could answer
    │   └── ToolRoundsError       a language model called tools too often for one reply
    ├── DataError               a corpus is missing, misplaced or malformed
    └── SharedUserWarning       a warning: two conversations use an agent as the same unnamed user

Every message says what was wrong and what to do about it.
"""

from __future__ import annotations

import contextlib
import contextvars
import logging
import os
import pathlib
import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class EmpathicError(Exception):
    """Root of everything this package raises on purpose."""


class InputError(EmpathicError, ValueError):
    """The input cannot be used."""


class EmptyUtteranceError(InputError):
    """An utterance with nothing in it."""


class DialogueFormatError(InputError):
    """A line of a dialogue file is broken.

    Attributes:
        line: Its number, counted from 1.
    """

    def __init__(self, message: str, *, line: int) -> None:
        super().__init__(message)
        self.line = line


class ConfigurationError(EmpathicError, ValueError):
    """An argument, or a combination of arguments, is wrong."""


class MissingExtraError(ConfigurationError, ImportError):
    """An optional extra is not installed.

    Args:
        extra: Its name in ``pip install "empathic-sdk[extra]"``.
        purpose: What it is needed for, as the subject of a sentence.
    """

    def __init__(self, extra: str, purpose: str) -> None:
        super().__init__(
            f'{purpose} needs the extra "{extra}": pip install "empathic-sdk[{extra}]"'
        )
        self.extra = extra


class ClosedError(ConfigurationError):
    """The agent was closed. A ``ConfigurationError`` as well, as in the first release."""


class ReentrancyError(ConfigurationError):
    """A hook or ``on_alert`` made a call that would wait for the turn it is part of.

    For example another turn of its own conversation, erasing its user, or closing the agent. A
    ``ConfigurationError`` as well, as in the first release.
    """


class ProcessError(ConfigurationError):
    """An agent, recogniser or store was taken to another process, by a fork or by pickling.

    A forked child cannot use an agent of its parent, and nothing of them can be pickled.
    """


class PolicyError(EmpathicError):
    """This may not be processed here: see ``Deployment`` and consent."""


class ModelError(EmpathicError):
    """Weights are missing, damaged, or do not fit together."""


class DamagedWeightsError(ModelError):
    """A file of weights is not the one that this package shipped."""


class HookError(EmpathicError):
    """A hook raised, or returned the wrong type."""


class StoreError(EmpathicError):
    """The profile store cannot do what was asked."""


class StoreLockedError(StoreError):
    """Another process holds the store for too long."""


class StoreReadOnlyError(StoreError):
    """The store cannot be written."""


class StoreCorruptError(StoreError):
    """The file is damaged or not a profile store."""


class StoreVersionError(StoreError):
    """The store was written by a newer version of this package."""


class StoreFullError(StoreError):
    """There is no room on the disk."""


class StoreKeyError(StoreError):
    """The key does not open the store."""


class ConflictError(StoreError):
    """The stored state of a conversation is not the one that a turn began from."""


class PrivacyBudgetError(StoreError):
    """The privacy budget for counts over all people is spent."""


class UnknownTurnError(StoreError, KeyError):
    """No such turn of this user."""

    def __str__(self) -> str:  # KeyError shows the repr of its argument
        return str(self.args[0])


class ResponderError(EmpathicError):
    """No responder could answer."""


class ToolRoundsError(ResponderError):
    """A language model went on calling tools where it should have answered."""


class DataError(EmpathicError):
    """A corpus is missing, misplaced or malformed."""


class SharedUserWarning(EmpathicError, UserWarning):  # noqa: N818 - a warning
    """Two conversations use an agent as the same unnamed user at the same time.

    What is known of one person would be used for the other: name them with ``user=``. It is warned
    of, and raised only where Python is told to raise warnings.
    """


def outline(error: BaseException) -> str:
    """Return an error's type and where it was raised, for a log.

    Leaves out its message and those of its causes: a message may quote what a person said.
    """
    parts, seen = [], set[int]()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        frames = traceback.extract_tb(current.__traceback__)
        places = [f"{pathlib.Path(f.filename).name}:{f.lineno} in {f.name}" for f in frames[::-1]]
        parts.append(" from ".join([type(current).__name__, *places]))
        current = current.__cause__ or current.__context__
    return "; after ".join(parts)


DEBUG = "EMPATHIC_DEBUG"
"""Of the environment: ``1`` logs errors of an adopter's own parts in full."""


_DEBUGGING: contextvars.ContextVar[bool] = contextvars.ContextVar("debugging", default=False)


@contextlib.contextmanager
def debugging(on: bool) -> Iterator[None]:
    """Let :func:`log_in_full` log what is raised in the block.

    Args:
        on: ``False`` leaves everything as it is.
    """
    if not on:
        yield
        return
    token = _DEBUGGING.set(True)
    try:
        yield
    finally:
        _DEBUGGING.reset(token)


def is_debugging() -> bool:
    """Whether the caller is in a block of :func:`debugging`; a new thread has to be told."""
    return _DEBUGGING.get()


def log_in_full(error: BaseException, what: str) -> None:
    """Log an error of an adopter's hook, model or part in full, where they asked for it.

    They ask with ``debug=True`` or with :data:`DEBUG`. Otherwise nothing happens: a message or a
    traceback may quote what a person said.

    Args:
        error: What was raised.
        what: Which part raised it.
    """
    asked = os.environ.get(DEBUG, "").strip().lower() in ("1", "true", "yes", "on")
    if asked or _DEBUGGING.get():
        logging.getLogger("empathic_sdk").error("%s raised, in full:", what, exc_info=error)
