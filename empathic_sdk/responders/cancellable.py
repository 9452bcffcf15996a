"""A cancellable reply: what was released so far, and whether somebody still waits."""

from __future__ import annotations

import threading
from collections.abc import Callable

from empathic_sdk.errors import EmpathicError
from empathic_sdk.types import SentenceEvent, StateEvent


class AbandonedError(EmpathicError):
    """The reply was cancelled before any of it was shown, so it is dropped."""


class Live:
    """Connects the thread that makes a reply with the caller that waits for it.

    Args:
        put: Receives the events as they come; ``None`` if only the finished turn is wanted.

    Giving up is a race that has one winner: either nothing was released yet, and the turn is
    dropped whole; or something was, and the turn is finished and recorded whole.
    """

    def __init__(self, put: Callable[[StateEvent | SentenceEvent], None] | None = None) -> None:
        """Start with nothing released."""
        self._put = put
        self._lock = threading.Lock()
        self._wake: list[Callable[[], None]] = []
        self._said = False
        self._given_up = False

    @property
    def streams(self) -> bool:
        """Whether sentences are released one by one."""
        return self._put is not None

    @property
    def shown(self) -> bool:
        """Whether a sentence was let out, so that the reply cannot be made anew."""
        with self._lock:
            return self._said and self._put is not None

    @property
    def given_up(self) -> bool:
        """Whether the caller stopped waiting."""
        with self._lock:
            return self._given_up

    def begin(self, event: StateEvent) -> None:
        """Release the state.

        Raises:
            AbandonedError: Nobody waits any more.
        """
        self.check()
        if self._put is not None:
            self._put(event)

    def say(self, sentence: str) -> None:
        """Release a sentence.

        Raises:
            AbandonedError: Nobody waits any more, and nothing was released before.
        """
        with self._lock:
            if self._given_up and not self._said:
                raise AbandonedError("the reply was cancelled before any of it was shown")
            if self._put is None:
                return
            self._said = True
        self._put(SentenceEvent(text=sentence))

    def keep(self) -> None:
        """From now on, finish the turn even if nobody waits for it."""
        with self._lock:
            self._said = True

    def check(self) -> None:
        """Raise :class:`AbandonedError` if the reply is to be dropped."""
        with self._lock:
            if self._given_up and not self._said:
                raise AbandonedError("the reply was cancelled before any of it was shown")

    def give_up(self) -> None:
        """Stop waiting. Safe to call at any time, from any thread, more than once."""
        with self._lock:
            self._given_up = True
            wake = [] if self._said else list(self._wake)
        for call in wake:
            call()

    def on_give_up(self, call: Callable[[], None]) -> None:
        """Register ``call``, to be called when the reply is dropped."""
        with self._lock:
            self._wake.append(call)
            late = self._given_up and not self._said
        if late:
            call()
