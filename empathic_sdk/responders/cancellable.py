"""A reply on its way: what has been let out of it so far, and whether anybody still wants it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from empathic_sdk.errors import EmpathicError
from empathic_sdk.types import SentenceEvent, StateEvent


class AbandonedError(EmpathicError):
    """Nobody waits for this reply any more, and nothing of it was shown: it is dropped."""


class Live:
    """Stands between the thread that makes a reply and whoever waits for it.

    Args:
        put: Takes the events as they come; ``None`` where only the finished turn is wanted.

    Giving up is a race that has one winner: either nothing was let out yet, and the turn is
    dropped whole; or something was, and the turn is finished and recorded whole.
    """

    def __init__(self, put: Callable[[StateEvent | SentenceEvent], None] | None = None) -> None:
        """Start with nothing let out."""
        self._put = put
        self._lock = threading.Lock()
        self._wake: list[Callable[[], None]] = []
        self._said = False
        self._given_up = False

    @property
    def streams(self) -> bool:
        """Whether sentences go out one by one."""
        return self._put is not None

    @property
    def shown(self) -> bool:
        """Whether a sentence was let out, so that the reply cannot be made anew."""
        with self._lock:
            return self._said and self._put is not None

    def begin(self, event: StateEvent) -> None:
        """Let the state out.

        Raises:
            AbandonedError: Nobody waits any more.
        """
        self.check()
        if self._put is not None:
            self._put(event)

    def say(self, sentence: str) -> None:
        """Let a sentence out.

        Raises:
            AbandonedError: Nobody waits any more, and nothing was let out before.
        """
        with self._lock:
            if self._given_up and not self._said:
                raise AbandonedError("the reply was cancelled before any of it was shown")
            if self._put is None:
                return
            self._said = True
        self._put(SentenceEvent(text=sentence))

    def keep(self) -> None:
        """Finish the turn from here on, whether or not anybody waits for it."""
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
        """Have ``call`` called when the reply is dropped."""
        with self._lock:
            self._wake.append(call)
            late = self._given_up and not self._said
        if late:
            call()
