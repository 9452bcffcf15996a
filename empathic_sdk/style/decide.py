"""Runs the three hooks of a turn in order, and falls back to the defaults on errors."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator
from typing import Any, cast

from empathic_sdk.errors import HookError, InputError, log_in_full
from empathic_sdk.runtime.lanes import Lane
from empathic_sdk.style import calls
from empathic_sdk.style.calls import acall, call, told
from empathic_sdk.style.pacing import default_pacing
from empathic_sdk.style.themes import default_theme
from empathic_sdk.style.tones import default_tone
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
from empathic_sdk.types.base import Value

log = logging.getLogger(__name__)

_Step = Generator[Any, Any, tuple[ResponseStyle, tuple[str, ...]]]


def decide(
    context: HookContext,
    *,
    tone: ToneHook | None = None,
    pacing: PacingHook | None = None,
    theme: ThemeHook | None = None,
    within_s: float | None = None,
    lane: Lane | None = None,
) -> tuple[ResponseStyle, tuple[str, ...]]:
    """Run tone, pacing and theme, in that order.

    A hook may be a plain callable or return an awaitable, which is run to completion; either runs
    on a short-lived thread, under the caller's context variables. A hook that raises, returns the
    wrong type or hangs never breaks the turn: the default is used and a warning names the hook.
    Each hook gets its own copy of the context, and its result is copied, so later changes to
    either have no effect.

    Args:
        context: The context that each hook gets a copy of.
        tone: Instead of :func:`default_tone`.
        pacing: Instead of :func:`default_pacing`.
        theme: Instead of :func:`default_theme`.
        within_s: Seconds that they have together; by default each has its own limit.
        lane: Where they take their places.

    Returns:
        The style, and the problems: entries such as ``"hook:tone:ValueError"``.
    """
    steps = _steps(context, tone, pacing, theme)
    end = None if within_s is None else time.monotonic() + within_s
    try:
        asked = next(steps)
        while True:
            try:
                given = context.model_copy(deep=True)
                got = call(asked, given, limit=_left(end), lane=lane)
            except Exception as error:
                asked = steps.throw(error)
            else:
                asked = steps.send(got)
    except StopIteration as done:
        return cast("tuple[ResponseStyle, tuple[str, ...]]", done.value)


def _left(end: float | None) -> float | None:
    """Return the seconds that a hook has.

    Raises:
        TimeoutError: There are none left.
    """
    if end is None:
        return None
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError("the hooks of this turn have taken too long already")
    return min(left, calls.HOOK_TIMEOUT_S)


async def adecide(
    context: HookContext,
    *,
    tone: ToneHook | None = None,
    pacing: PacingHook | None = None,
    theme: ThemeHook | None = None,
) -> tuple[ResponseStyle, tuple[str, ...]]:
    """Run tone, pacing and theme as :func:`decide` does, awaiting coroutines in this loop.

    Args:
        context: The context that each hook gets a copy of.
        tone: Instead of :func:`default_tone`.
        pacing: Instead of :func:`default_pacing`.
        theme: Instead of :func:`default_theme`.

    Returns:
        The style, and the problems.
    """
    steps = _steps(context, tone, pacing, theme)
    try:
        asked = next(steps)
        while True:
            try:
                got = await acall(asked, context.model_copy(deep=True))
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
    # One body for both callers: it yields hooks, the callers send back the results.
    problems: list[str] = []
    a_tone = yield from _one("tone", tone, default_tone, Tone, context, problems)
    a_pacing = yield from _one("pacing", pacing, default_pacing, Pacing, context, problems)
    a_theme = yield from _one("theme", theme, default_theme, Theme, context, problems)
    return ResponseStyle(tone=a_tone, pacing=a_pacing, theme=a_theme), tuple(problems)


def _one(
    name: str,
    hook: Callable[[HookContext], Any] | None,
    default: Callable[[HookContext], Any],
    kind: type[Value],
    context: HookContext,
    problems: list[str],
) -> Generator[Callable[[HookContext], Any], Any, Any]:
    if hook is None:
        return default(context)
    try:
        value = yield hook
        if not isinstance(value, kind):
            raise HookError(
                f"the {name} hook must return a {kind.__name__}, not {type(value).__name__}"
            )
        return _copied(name, kind, value)
    except Exception as error:
        which = getattr(hook, "__qualname__", type(hook).__qualname__)
        log_in_full(error, f"the {name} hook {which}")
        log.warning("the %s hook %s failed; the default steps in: %s", name, which, told(error))
        problems.append(f"hook:{name}:{type(error).__name__}")
        return default(context)


def _copied(name: str, kind: type[Value], value: Value) -> Value:
    """Return a validated copy of a hook's value: even frozen values can be modified."""
    try:
        return kind(**{field: getattr(value, field) for field in kind.model_fields})
    except (InputError, AttributeError) as error:
        raise HookError(f"the {name} hook returned a {kind.__name__} with wrong values") from error
