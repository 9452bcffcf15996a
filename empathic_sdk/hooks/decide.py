"""Run the three hooks of a turn, in order, and survive whatever they do."""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
from collections.abc import Awaitable, Callable, Generator
from contextvars import copy_context
from typing import Any, cast

from empathic_sdk.errors import HookError, outline
from empathic_sdk.hooks.pacing import default_pacing
from empathic_sdk.hooks.themes import default_theme
from empathic_sdk.hooks.tones import default_tone
from empathic_sdk.types import (
    HookContext,
    Pacing,
    PacingHook,
    ResponseStyle,
    Theme,
    ThemeHook,
    Tone,
    ToneHook,
)

log = logging.getLogger(__name__)

HOOK_TIMEOUT_S = 10.0
"""Seconds a hook that is a coroutine may take; then the default steps in."""

_Step = Generator[Any, Any, tuple[ResponseStyle, tuple[str, ...]]]


def decide(
    context: HookContext,
    *,
    tone: ToneHook | None = None,
    pacing: PacingHook | None = None,
    theme: ThemeHook | None = None,
) -> tuple[ResponseStyle, tuple[str, ...]]:
    """Run tone, pacing and theme, in that order.

    A hook may be a plain callable or return an awaitable; an awaitable is run to its end, on a
    short-lived thread where the caller already sits in a running event loop. A hook that raises
    or returns the wrong type never breaks the turn: the default steps in and a warning with the
    traceback names it.

    Args:
        context: What each hook gets.
        tone: Instead of :func:`default_tone`.
        pacing: Instead of :func:`default_pacing`.
        theme: Instead of :func:`default_theme`.

    Returns:
        The style, and what went wrong on the way: entries such as ``"hook:tone:ValueError"``.
    """
    steps = _steps(context, tone, pacing, theme)
    try:
        asked = next(steps)
        while True:
            try:
                got = settle(asked)
            except asyncio.CancelledError as error:  # its own doing: nobody cancels blocking code
                asked = steps.throw(HookError(f"the hook cancelled itself: {error}"))
            except Exception as error:
                asked = steps.throw(error)
            else:
                asked = steps.send(got)
    except StopIteration as done:
        return cast("tuple[ResponseStyle, tuple[str, ...]]", done.value)


async def adecide(
    context: HookContext,
    *,
    tone: ToneHook | None = None,
    pacing: PacingHook | None = None,
    theme: ThemeHook | None = None,
) -> tuple[ResponseStyle, tuple[str, ...]]:
    """Run tone, pacing and theme as :func:`decide` does, awaiting coroutines in this loop.

    Args:
        context: What each hook gets.
        tone: Instead of :func:`default_tone`.
        pacing: Instead of :func:`default_pacing`.
        theme: Instead of :func:`default_theme`.

    Returns:
        The style, and what went wrong on the way.
    """
    steps = _steps(context, tone, pacing, theme)
    try:
        asked = next(steps)
        while True:
            try:
                got = await asked
            except Exception as error:
                asked = steps.throw(error)
            else:
                asked = steps.send(got)
    except StopIteration as done:
        return cast("tuple[ResponseStyle, tuple[str, ...]]", done.value)


def _steps(
    context: HookContext,
    tone: ToneHook | None,
    pacing: PacingHook | None,
    theme: ThemeHook | None,
) -> _Step:
    # One body for both callers: it yields awaitables, they send back what came of them.
    problems: list[str] = []
    a_tone = yield from _one("tone", tone, default_tone, Tone, context, problems)
    a_pacing = yield from _one("pacing", pacing, default_pacing, Pacing, context, problems)
    a_theme = yield from _one("theme", theme, default_theme, Theme, context, problems)
    return ResponseStyle(tone=a_tone, pacing=a_pacing, theme=a_theme), tuple(problems)


def _one(
    name: str,
    hook: Callable[[HookContext], Any] | None,
    default: Callable[[HookContext], Any],
    kind: type,
    context: HookContext,
    problems: list[str],
) -> Generator[Awaitable[Any], Any, Any]:
    if hook is None:
        return default(context)
    try:
        value = hook(context)
        if inspect.isawaitable(value):
            value = yield value
        if not isinstance(value, kind):
            raise HookError(
                f"the {name} hook must return a {kind.__name__}, not {type(value).__name__}"
            )
    except Exception as error:
        log.warning("the %s hook failed; the default steps in: %s", name, outline(error))
        problems.append(f"hook:{name}:{type(error).__name__}")
        return default(context)
    return value


def settle(awaitable: Awaitable[Any]) -> Any:
    """Run ``awaitable`` to its end from blocking code, whether or not a loop runs here already.

    Raises:
        TimeoutError: It took longer than :data:`HOOK_TIMEOUT_S`.
    """

    async def whole() -> Any:
        async with asyncio.timeout(HOOK_TIMEOUT_S):
            return await awaitable

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(whole())
    # A running loop cannot be entered twice: run it on a loop of its own, on a thread that ends
    # with it, under the caller's context variables.
    outcome: list[Any] = []
    failure: list[BaseException] = []
    variables = copy_context()

    def work() -> None:
        try:
            outcome.append(variables.run(asyncio.run, whole()))
        except BaseException as error:  # handed to the caller's thread, not swallowed
            failure.append(error)

    thread = threading.Thread(target=work, name="empathic-hook", daemon=True)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]
