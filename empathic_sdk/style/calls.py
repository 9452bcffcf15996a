"""Call a hook so that it can be left behind: on a thread of its own, for a limited time."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from typing import Any

from empathic_sdk.errors import HookError, outline

HOOK_TIMEOUT_S = 10.0
"""Seconds a hook may take, plain or coroutine; then the default steps in."""

HANGING = 64
"""Hooks that may be under way at once in this process. One that never returns keeps its place."""

_PLACES = threading.BoundedSemaphore(HANGING)
_GRACE_S = 0.25  # a coroutine is cancelled in time; a thread is left behind a little later


def call(hook: Callable[..., Any], *given: Any, limit: float | None = None) -> Any:
    """Call ``hook`` and wait for what it returns; an awaitable is run to its end.

    It runs on a thread of its own, under the caller's context variables. A plain hook that hangs
    cannot be stopped: its thread is left behind and what it still returns is thrown away.

    Args:
        hook: The hook.
        given: Its arguments.
        limit: Seconds; by default :data:`HOOK_TIMEOUT_S`.

    Raises:
        TimeoutError: It took longer, or :data:`HANGING` hooks hang already.
        HookError: It tried to exit, or cancelled itself.
        BaseException: Whatever else it raised.
    """
    limit = HOOK_TIMEOUT_S if limit is None else limit

    async def awaited(value: Any) -> Any:
        async with asyncio.timeout(limit):
            return await value

    def whole() -> Any:
        value = hook(*given)
        return asyncio.run(awaited(value)) if inspect.isawaitable(value) else value

    thread, future = _started(whole)
    value = future.result(limit + _GRACE_S)
    thread.join(1.0)  # it has nothing left to do
    return value


async def acall(hook: Callable[..., Any], *given: Any) -> Any:
    """Call ``hook`` as :func:`call` does, but await its coroutine in this loop.

    A plain hook runs on a thread, so that it cannot hold up the loop.
    """
    async with asyncio.timeout(HOOK_TIMEOUT_S):
        if inspect.iscoroutinefunction(hook):
            return await hook(*given)
        value = await asyncio.wrap_future(_started(lambda: hook(*given))[1])
        return await value if inspect.isawaitable(value) else value


def told(error: BaseException) -> str:
    """Return what may be logged of a hook's error: its class and where it was raised.

    Its message may quote what the hook was given, which is about a person; ours holds names of
    classes alone.
    """
    message = f": {error}" if isinstance(error, HookError) else ""
    kind, _, places = outline(error).partition(" from ")
    return f"{kind}{message} from {places}"


def _started(work: Callable[[], Any]) -> tuple[threading.Thread, Future[Any]]:
    places = _PLACES
    if not places.acquire(blocking=False):
        raise TimeoutError(f"{HANGING} hooks hang already")
    future: Future[Any] = Future()
    future.set_running_or_notify_cancel()  # from here on nobody can cancel it, only leave it
    variables = copy_context()

    def run() -> None:
        try:
            value = variables.run(work)
        except (SystemExit, StopIteration, StopAsyncIteration, asyncio.CancelledError) as error:
            # Each would mean something else to whoever waits than that a hook failed.
            failed = HookError(f"the hook raised {type(error).__name__}")
            future.set_exception(failed.with_traceback(error.__traceback__))
        except BaseException as error:  # handed to the caller's thread, not swallowed
            future.set_exception(error)
        else:
            future.set_result(value)
        finally:
            places.release()

    thread = threading.Thread(target=run, name="empathic-hook", daemon=True)
    try:
        thread.start()
    except BaseException:
        places.release()
        raise
    return thread, future
