"""Lanes: whose code may hang how often, so that nobody else has to wait for it.

Code that is not ours (hooks, alerts, responders, language models) may take its time or never
return. Each party has a :class:`Lane` of its own: an agent has one for hooks, one for ``on_alert``,
one for its language model. A full lane refuses at once, and only its owner notices.

Turns of an agent run on :class:`Workers`, of which a bounded number computes at once. A turn that
waits for such code, or for the turn before it in its conversation, steps :func:`aside`: it keeps
its thread but computes nothing, so another turn may.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from empathic_sdk.runtime.processes import renew_in_children

Result = TypeVar("Result")

HANGING = 64
"""Maximum number of calls at once in one lane, including ones that hang."""

COMPUTING = 32
"""Maximum number of turns of one agent that compute at once."""

THREADS = 512
"""Maximum number of turns under way on one agent's threads, including those that wait."""


class Lane:
    """A limited number of places for calls of one party's code.

    Args:
        places: How many; by default :data:`HANGING`.
    """

    def __init__(self, places: int | None = None) -> None:
        self.places = HANGING if places is None else places
        self.renew()
        renew_in_children(self)

    def renew(self) -> None:
        """Empty it: what ran in the parent does not run in a forked child."""
        self._free = threading.BoundedSemaphore(self.places)

    def enter(self, *, wait_s: float = 0.0) -> Callable[[], None] | None:
        """Take a place.

        Args:
            wait_s: Seconds to wait for one.

        Returns:
            What gives the place back, to be called once from any thread; ``None`` where there was
            no place.
        """
        free = self._free
        taken = free.acquire(timeout=wait_s) if wait_s > 0 else free.acquire(blocking=False)
        return free.release if taken else None


class Workers:
    """Threads for blocking calls that must not hold up an event loop, nor each other.

    Args:
        name: Prefix of the threads' names.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.renew()
        renew_in_children(self)

    def renew(self) -> None:
        """Start with no threads, as in a forked child."""
        self._computing = threading.BoundedSemaphore(COMPUTING)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix=self._name)

    def submit(self, call: Callable[[], Result]) -> Future[Result]:
        """Start ``call`` on a thread, under the caller's context variables.

        Raises:
            RuntimeError: It was shut down.
        """
        return self._pool.submit(contextvars.copy_context().run, self._compute, call)

    async def run(self, call: Callable[[], Result]) -> Result:
        """Return the result of ``call``; like ``asyncio.to_thread``, whose threads all share.

        Raises:
            RuntimeError: It was shut down.
        """
        return await asyncio.wrap_future(self.submit(call))

    def shutdown(self) -> None:
        """Wait for the calls under way, and refuse new ones."""
        self._pool.shutdown(wait=True)

    def _compute(self, call: Callable[[], Result]) -> Result:
        computing = self._computing
        computing.acquire()
        _here.computing = computing
        try:
            return call()
        finally:
            _here.computing = None
            computing.release()


@contextmanager
def aside() -> Iterator[None]:
    """Let another turn compute while the block waits for something slow."""
    computing = getattr(_here, "computing", None)
    if computing is None:  # the caller's own thread, or aside already
        yield
        return
    _here.computing = None
    computing.release()
    try:
        yield
    finally:
        computing.acquire()
        _here.computing = computing


_here = threading.local()
