"""Forked processes, and objects that cannot leave their process.

A forked child has one thread: that which forked. Of everything else it has a copy as it stood at
that moment: a lock that another thread held stays held for ever, and a thread pool is a pool of
threads that do not exist, which nobody notices until somebody waits for one of them. Here:

- :func:`renew_in_children`: objects get a call in every forked child before any other code runs
  there, and make their locks and threads anew. Everything that reads (encoders, the recogniser,
  the risk model) does this and goes on working.
- PyTorch computes on one thread in forked children: its pool of OpenMP threads does not survive,
  and the first operator that uses it waits for ever. One thread needs no pool.
- :class:`ForkGate` delays a fork until no thread is inside SQLite, whose own locks nobody can make
  anew: a child that forks in the middle of another thread's call could not open a store of its own.
- :class:`Birthplace` knows the process that an object was made in; what holds conversations refuses
  to work in another one.
- :class:`StaysHere`: pickling raises an error that says what to do instead.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import NoReturn, Protocol
from weakref import WeakSet

from empathic_sdk.errors import ProcessError


class Renewable(Protocol):
    """Has locks or threads that a forked child must make anew."""

    def renew(self) -> None:
        """Make locks and threads anew. Runs in the child, where there is no other thread."""


_RENEWABLE: WeakSet[Renewable] = WeakSet()


def renew_in_children(thing: Renewable) -> None:
    """Call ``thing.renew()`` in every child forked from now on, for as long as it lives."""
    _RENEWABLE.add(thing)
    _watch()


def one_thread_in_children() -> None:
    """Let PyTorch compute on one thread in every child forked from now on."""
    renew_in_children(_TORCH)


class ForkLock:
    """A lock for short sections that is free in a forked child, whoever held it before."""

    def __init__(self) -> None:
        self.renew()
        renew_in_children(self)

    def renew(self) -> None:
        """Make it free."""
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


class ForkGate:
    """Delays forks until no thread is inside, and threads that want in until the fork is over.

    Args:
        patience_s: Seconds that a fork waits at most.
    """

    def __init__(self, *, patience_s: float = 2.0) -> None:
        self._patience_s = patience_s
        self.renew()
        _GATES.add(self)
        renew_in_children(self)

    def renew(self) -> None:
        """Open it; nobody is inside but the thread that forked, if it was."""
        self._changed = threading.Condition()
        self._own = getattr(self, "_own", None) or threading.local()
        self._inside = 1 if self._depth else 0
        self._forking = 0

    @property
    def _depth(self) -> int:
        return int(getattr(self._own, "depth", 0))

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Be inside during the block. A thread that is inside already does not wait again."""
        if not self._depth:
            with self._changed:
                # Not for ever: whoever forks may be waiting for this very thread.
                self._changed.wait_for(lambda: not self._forking, self._patience_s)
                self._inside += 1
        self._own.depth = self._depth + 1
        try:
            yield
        finally:
            self._own.depth = self._depth - 1
            if not self._depth:
                with self._changed:
                    self._inside -= 1
                    self._changed.notify_all()

    def close(self) -> None:
        """Wait until no other thread is inside, before a fork."""
        mine = 1 if self._depth else 0
        with self._changed:
            self._forking += 1
            self._changed.wait_for(lambda: self._inside <= mine, self._patience_s)

    def open(self) -> None:
        """Let threads in again, in the parent after a fork."""
        with self._changed:
            self._forking -= 1
            self._changed.notify_all()


_GATES: WeakSet[ForkGate] = WeakSet()


class _Torch:
    def renew(self) -> None:
        # It may be half imported by a thread that is no more.
        set_threads = getattr(sys.modules.get("torch"), "set_num_threads", None)
        if set_threads is not None:
            set_threads(1)


_TORCH = _Torch()


@cache
def _watch() -> None:
    if hasattr(os, "register_at_fork"):  # not on Windows, where nobody forks
        os.register_at_fork(before=_close, after_in_parent=_open, after_in_child=_renew)


def _close() -> None:
    for gate in list(_GATES):
        gate.close()


def _open() -> None:
    for gate in list(_GATES):
        gate.open()


def _renew() -> None:
    for thing in list(_RENEWABLE):
        thing.renew()


class Birthplace:
    """The process that something was made in.

    Args:
        what: What was made, as the subject of a sentence: ``"this agent"``.
        instead: What to do in a child, as a clause.
    """

    def __init__(self, what: str, *, instead: str) -> None:
        self._what, self._instead = what, instead
        self._pid = os.getpid()

    @property
    def here(self) -> bool:
        """Whether it is this one."""
        return os.getpid() == self._pid

    def check(self) -> None:
        """Raise where this is another process; to be called before any lock is taken.

        Raises:
            ProcessError: This process was forked since.
        """
        if not self.here:
            raise ProcessError(
                f"{self._what} was made before this process was forked: {self._instead}"
            )


class StaysHere:
    """Base of what cannot be pickled: it holds threads, files or a model in memory."""

    _instead = "make one in each process"
    """What to do in place of pickling, as a clause."""

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Refuse.

        Raises:
            ProcessError: Always.
        """
        raise ProcessError(f"{type(self).__name__} cannot be pickled or copied: {self._instead}")
