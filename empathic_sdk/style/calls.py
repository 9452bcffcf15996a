"""Calls hooks on their own threads, with a time limit."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from typing import Any

from empathic_sdk.errors import HookError, outline
from empathic_sdk.runtime.lanes import Lane, aside

HOOK_TIMEOUT_S = 10.0
"""Time limit of a hook in seconds, plain or coroutine; then the default is used."""

_SHARED = Lane()  # of calls whose caller has no lane of its own
_GRACE_S = 0.25  # a coroutine is cancelled in time; a thread is left behind a little later


def call(
    hook: Callable[..., Any], *given: Any, limit: float | None = None, lane: Lane | None = None
) -> Any:
    """Call ``hook`` and wait for its result; an awaitable is run to completion.

    It runs on a thread of its own, under the caller's context variables. A plain hook that hangs
    cannot be stopped: its thread is abandoned and its result is discarded.

    Args:
        hook: The hook.
        given: Its arguments.
        limit: Seconds; by default :data:`HOOK_TIMEOUT_S`.
        lane: Where it takes a place: that of the party whose hook it is.

    Raises:
        TimeoutError: It took longer, or there is no place in its lane.
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

    thread, future = _started(whole, lane)
    with aside():
        value = future.result(limit + _GRACE_S)
    thread.join(1.0)  # it is about to end
    return value


async def acall(hook: Callable[..., Any], *given: Any) -> Any:
    """Call ``hook`` as :func:`call` does, but await its coroutine in this loop.

    A plain hook runs on a thread, so that it cannot hold up the loop.
    """
    async with asyncio.timeout(HOOK_TIMEOUT_S):
        if inspect.iscoroutinefunction(hook):
            return await hook(*given)
        value = await asyncio.wrap_future(_started(lambda: hook(*given), None)[1])
        return await value if inspect.isawaitable(value) else value


def told(error: BaseException) -> str:
    """Return the loggable part of a hook's error: its class and where it was raised.

    Its message may quote the hook's input, which is about a person; our own messages hold only
    class names.
    """
    message = f": {error}" if isinstance(error, HookError) else ""
    kind, _, places = outline(error).partition(" from ")
    return f"{kind}{message} from {places}"


def _started(work: Callable[[], Any], lane: Lane | None) -> tuple[threading.Thread, Future[Any]]:
    lane = lane or _SHARED
    leave = lane.enter()
    if leave is None:
        raise TimeoutError(f"{lane.places} hooks hang already")
    future: Future[Any] = Future()
    future.set_running_or_notify_cancel()  # from here on nobody can cancel it, only leave it
    variables = copy_context()

    def run() -> None:
        try:
            value = variables.run(work)
        except (SystemExit, StopIteration, StopAsyncIteration, asyncio.CancelledError) as error:
            # Raised as they are, these would affect the waiting thread itself.
            failed = HookError(f"the hook raised {type(error).__name__}")
            future.set_exception(failed.with_traceback(error.__traceback__))
        except BaseException as error:  # handed to the caller's thread, not swallowed
            future.set_exception(error)
        else:
            future.set_result(value)
        finally:
            leave()

    thread = threading.Thread(target=run, name="empathic-hook", daemon=True)
    try:
        thread.start()
    except BaseException:
        leave()
        raise
    return thread, future
