"""LangChain: an agent as a runnable."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from empathic_sdk.errors import InputError, MissingExtraError
from empathic_sdk.types import Turn

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable


def runnable(
    respond: Callable[..., Turn], arespond: Callable[..., Awaitable[Turn]]
) -> Runnable[Any, Turn]:
    """Wrap a blocking and an asynchronous ``respond`` as one runnable.

    Its input is a str, an utterance, or a dict with ``input`` and optionally ``user`` and
    ``conversation``; its output is the :class:`Turn`.

    Raises:
        MissingExtraError: LangChain is not installed.
    """
    try:
        from langchain_core.runnables import RunnableLambda
    except ImportError as error:
        raise MissingExtraError("langchain", "the LangChain integration") from error

    def invoke(given: Any) -> Turn:
        utterance, names = _unpack(given)
        return respond(utterance, **names)

    async def ainvoke(given: Any) -> Turn:
        utterance, names = _unpack(given)
        return await arespond(utterance, **names)

    return RunnableLambda(invoke, afunc=ainvoke, name="EmotionAwareAgent")


def _unpack(given: Any) -> tuple[Any, dict[str, Any]]:
    if not isinstance(given, dict):
        return given, {}
    extra = set(given) - {"input", "user", "conversation"}
    if "input" not in given or extra:
        raise InputError(
            "a dict for this runnable has the key 'input' and may have 'user' and 'conversation'"
            + (f"; it does not know {sorted(extra)}" if extra else "")
        )
    return given["input"], {k: v for k, v in given.items() if k != "input"}
