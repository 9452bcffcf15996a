"""Closing an agent: waits for calls under way, and is refused from inside of one."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from empathic_sdk.errors import ClosedError, ReentrancyError
from empathic_sdk.runtime.processes import Birthplace


class Lifecycle:
    """Counts the calls that are under way. Thread-safe."""

    def __init__(self) -> None:
        self._closed = False
        self._under_way = 0
        self._quiet = threading.Condition()
        self._born = Birthplace(
            "this agent",
            instead="make one in each process, after the fork; a recogniser made before it can be "
            "handed to all of them as recognizer=",
        )

    @property
    def closed(self) -> bool:
        """Whether closing has begun."""
        return self._closed

    @property
    def inside(self) -> bool:
        """Whether the running code belongs to a call under way, on any thread."""
        return any(stay.of is self and not stay.over for stay in _STAYS.get())

    def check_process(self) -> None:
        """Raise in a forked child; to be called before anything that could wait.

        Raises:
            ProcessError: The agent was made before this process was forked.
        """
        self._born.check()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Delay closing until the block is done.

        Raises:
            ClosedError: The agent is closed.
            ProcessError: The agent was made before this process was forked.
        """
        self.check_process()
        with self._quiet:
            if self._closed:
                raise closed()
            self._under_way += 1
        stay = _Stay(self)
        token = _STAYS.set((*_STAYS.get(), stay))
        try:
            yield
        finally:
            stay.over = True
            _STAYS.reset(token)
            with self._quiet:
                self._under_way -= 1
                self._quiet.notify_all()

    def begin_closing(self) -> bool:
        """Refuse new calls; return whether this call is the one that closes.

        In a forked child there is nothing to close, and no thread to wait for.

        Raises:
            ReentrancyError: The caller is part of a call under way.
        """
        if not self._born.here:
            return False
        if self.inside:
            raise ReentrancyError(
                "a hook or an alarm cannot close the agent: it would wait for itself"
            )
        with self._quiet:
            first, self._closed = not self._closed, True
        return first

    def wait(self) -> None:
        """Wait until no call is under way."""
        with self._quiet:
            self._quiet.wait_for(lambda: self._under_way == 0)


def closed() -> ClosedError:
    """Return the error of a closed agent."""
    return ClosedError("this agent is closed; make a new one")


class _Stay:
    """One call that is under way."""

    def __init__(self, of: Lifecycle) -> None:
        self.of = of
        self.over = False


# Hooks run on their own threads under the turn's context variables.
_STAYS: contextvars.ContextVar[tuple[_Stay, ...]] = contextvars.ContextVar("stays", default=())
