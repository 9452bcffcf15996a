"""Runs coroutine hooks, called from a worker thread, on the caller's event loop."""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any, TypeVar

import empathic_sdk.style.calls as limits

Hook = TypeVar("Hook", bound="Callable[[Any], Any] | None")


class PendingHooks:
    """The coroutine hooks of one call that are under way on the caller's loop."""

    def __init__(self) -> None:
        self._futures: set[Future[Any]] = set()
        self._cancelled = False
        self._lock = threading.Lock()

    def add(self, future: Future[Any]) -> None:
        """Add a future; if the call was cancelled already, cancel it at once."""
        with self._lock:
            self._futures.add(future)
            late = self._cancelled
        if late:
            future.cancel()

    def discard(self, future: Future[Any]) -> None:
        """Remove a future."""
        with self._lock:
            self._futures.discard(future)

    def cancel(self) -> None:
        """Cancel all hooks under way and all that would follow."""
        with self._lock:
            self._cancelled = True
            futures = list(self._futures)
        for future in futures:
            future.cancel()


def on_loop(hook: Hook, loop: asyncio.AbstractEventLoop, pending: PendingHooks) -> Hook:
    """Wrap a coroutine hook so that it runs on ``loop`` when a worker thread calls it."""
    if hook is None:
        return hook

    @functools.wraps(hook)
    def called(given: Any) -> Any:
        result = hook(given)
        if not inspect.isawaitable(result):
            return result
        future = asyncio.run_coroutine_threadsafe(_awaited(result), loop)
        pending.add(future)
        try:
            return future.result(limits.HOOK_TIMEOUT_S)
        except TimeoutError:
            future.cancel()
            raise
        finally:
            pending.discard(future)

    return called  # type: ignore[return-value]


async def _awaited(result: Awaitable[Any]) -> Any:
    return await result
