"""One reply at a time from a model that is not thread-safe.

llama.cpp and local pipelines compute in this process, on one state: two replies at once mix their
tokens or end the process. The lock belongs to that state, not to what wraps it, so it holds across
agents, adapters and middleware.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any

from empathic_sdk.runtime.processes import ForkLock

# Modules that compute in this process and are not thread-safe, by the first part of their name.
_UNSAFE = ("llama_cpp", "xllamacpp", "ctransformers", "gpt4all")
_DEPTH = 8
_POLL_S = 0.02


WANTED: ContextVar[Callable[[], bool] | None] = ContextVar("wanted", default=None)
"""Says whether the caller of :func:`alone` still waits; it then waits no longer itself."""

_guard = ForkLock()
_locks: dict[int, tuple[threading.Lock, Any]] = {}
_strong: list[Any] = []


class UnwantedError(RuntimeError):
    """Nobody waits for the model any more."""


def engines(model: Any) -> list[Any]:
    """Return what a model computes with, where that is not thread-safe.

    Known are llama.cpp (``llama_cpp``, ``xllamacpp``), pipelines of transformers, whatever wraps
    one of them (bindings, retries, fallbacks, chains), and every object with the attribute
    ``thread_safe = False``.

    Args:
        model: A language model, a runnable of LangChain, or a pipeline.
    """
    found: dict[int, Any] = {}
    _search(model, found, set(), 0)
    return [found[key] for key in sorted(found)]  # in one order, so that two never wait in a circle


@contextmanager
def alone(model: Any) -> Iterator[None]:
    """Wait until nobody else uses the engines of ``model``, and keep others out of the block.

    Raises:
        UnwantedError: :data:`WANTED` said meanwhile that nobody waits any more.
    """
    wanted = WANTED.get()
    held: list[threading.Lock] = []
    try:
        for lock in _locks_of(model):
            while not lock.acquire(timeout=_POLL_S if wanted else -1):
                if wanted and not wanted():
                    raise UnwantedError
            held.append(lock)
            if wanted and not wanted():
                raise UnwantedError
        yield
    finally:
        for lock in reversed(held):
            lock.release()


@asynccontextmanager
async def alone_async(model: Any) -> AsyncIterator[None]:
    """:func:`alone` for event loops; it waits without holding up the loop."""
    held: list[threading.Lock] = []
    try:
        for lock in _locks_of(model):
            while not lock.acquire(blocking=False):
                await asyncio.sleep(_POLL_S)
            held.append(lock)
        yield
    finally:
        for lock in reversed(held):
            lock.release()


def _locks_of(model: Any) -> list[threading.Lock]:
    return [_lock_of(engine) for engine in engines(model)]


def _lock_of(engine: Any) -> threading.Lock:
    key = id(engine)
    with _guard:
        known = _locks.get(key)
        # A lock that was held at a fork is never released in the child: the process is part of it.
        if known is None or known[1] != os.getpid():
            known = _locks[key] = threading.Lock(), os.getpid()
            try:
                weakref.finalize(engine, _locks.pop, key, None).atexit = False
            except TypeError:  # no weak references to it: kept, or its id might be used again
                _strong.append(engine)
        return known[0]


def _search(part: Any, found: dict[int, Any], seen: set[int], depth: int) -> None:
    if part is None or depth > _DEPTH or id(part) in seen:
        return
    seen.add(id(part))
    if getattr(part, "task", None) is not None and hasattr(part, "tokenizer"):
        # Two pipelines may share one model.
        engine = getattr(part, "model", None) or part
        found[id(engine)] = engine
        return
    if getattr(part, "thread_safe", True) is False or _is_unsafe(part):
        found[id(part)] = part
        return
    if not _may_wrap(part):
        return
    inner = [getattr(part, name, None) for name in ("bound", "runnable", "default", "llm")]
    inner += [getattr(part, name, None) for name in ("client", "pipeline", "model")]
    several = itertools.chain.from_iterable(
        value if isinstance(value, list | tuple) else ()
        for value in (getattr(part, name, None) for name in ("steps", "fallbacks"))
    )
    for deeper in (*inner, *several):
        if not isinstance(deeper, str | bytes | int | float | bool):
            _search(deeper, found, seen, depth + 1)


def _is_unsafe(part: Any) -> bool:
    return any(cls.__module__.split(".")[0] in _UNSAFE for cls in type(part).__mro__)


def _may_wrap(part: Any) -> bool:
    """Whether a model may lie inside: in an object of LangChain, and in no client of a server."""
    return any(
        cls.__module__.split(".")[0] in ("langchain_core", "langchain", "langchain_community")
        for cls in type(part).__mro__
    )
