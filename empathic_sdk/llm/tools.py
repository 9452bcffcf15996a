"""Tools for the model that writes an agent's replies, in a loop with a bound number of rounds."""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

from empathic_sdk.errors import (
    ConfigurationError,
    InputError,
    ToolRoundsError,
    log_in_full,
    outline,
)
from empathic_sdk.llm.extras import needs_langchain
from empathic_sdk.llm.refusals import is_a

log = logging.getLogger("empathic_sdk")

LONGEST_RESULT = 20_000
"""Characters of one tool's result that a model is shown."""
_MARKS = re.compile(r"<\|[^|<>]{0,40}\|>")  # a model's own, such as the end of a turn


class ToolLoop:
    """Lets a chat model call tools until it answers.

    What a model writes beside a tool call is a note on its way, not its answer, and is dropped. So
    an answer leaves whole, when it is known that no call follows.

    Args:
        model: A chat model of LangChain.
        tools: Tools of LangChain, or functions with a docstring and annotated arguments.
        rounds: How often the model may call tools for one reply, several at once counting as one.
        text_of: Returns the text of a message.

    Raises:
        ConfigurationError: The model binds no tools, or one of the tools cannot be used.
        MissingExtraError: LangChain is not installed.
    """

    def __init__(
        self,
        model: Any,
        tools: Sequence[Any],
        *,
        rounds: int,
        text_of: Callable[[Any], str],
    ) -> None:
        """Bind the tools."""
        if not is_a(model, "langchain_core", "BaseChatModel"):
            raise ConfigurationError(
                "LLMOptions(tools=...) needs a chat model of LangChain that binds them, not "
                f"{type(model).__name__}; give the model itself, not bound, retried or in a chain"
            )
        self._tools = _named_tools(tools)
        self._rounds = rounds
        self._text_of = text_of
        try:
            self._model = model.bind_tools(list(self._tools.values()))
        except NotImplementedError as error:
            raise ConfigurationError(
                f"LLMOptions(tools=...): a {type(model).__name__} binds no tools"
            ) from error

    def stream(self, messages: Sequence[Any]) -> Iterator[str]:
        """Yield the answer; empty pieces while it is on its way, so that it can be stopped.

        Raises:
            ToolRoundsError: The model still called tools after the last round.
        """
        from langchain_core.messages import message_chunk_to_message

        sent = list(messages)
        for left in reversed(range(self._rounds + 1)):
            whole: Any = None
            with contextlib.closing(self._chunks(sent)) as chunks:
                for chunk in chunks:
                    whole = chunk if whole is None else whole + chunk
                    yield ""
            calls = getattr(whole, "tool_calls", None) or []
            broken = getattr(whole, "invalid_tool_calls", None) or []
            if not calls and not broken:
                yield self._text_of(whole)
                return
            if not left:
                break
            sent.append(message_chunk_to_message(whole))
            for call in calls:
                yield ""
                sent.append(self._result(call))
            sent += [_failed(call, "its arguments were no JSON") for call in broken]
        raise ToolRoundsError(
            f"the model called tools more than {self._rounds} times for one reply"
        )

    def _chunks(self, sent: list[Any]) -> Generator[Any, None, None]:
        pieces = self._model.stream(sent)
        try:
            yield from pieces
        finally:
            close = getattr(pieces, "close", None)
            if callable(close):
                close()

    def _result(self, call: Any) -> Any:
        found = self._tools.get(call["name"])
        if found is None:
            return _failed(call, f"there is no tool {call['name']!r}")
        try:
            return _readable(found.invoke({**call, "type": "tool_call"}))
        except Exception as error:  # whatever a tool raises, the model may go on without it
            log_in_full(error, f"the tool {call['name']}")
            log.warning("a tool failed: %s", outline(error))
            return _failed(call, f"it failed ({type(error).__name__})")


def _readable(message: Any) -> Any:
    """Return a tool's message, its text no longer than a model can use, without a model's marks."""
    content = getattr(message, "content", None)
    if not isinstance(content, str):
        return message
    text = content[:LONGEST_RESULT].encode("utf-8", "replace").decode("utf-8")
    text = _MARKS.sub("", text)
    if len(content) > LONGEST_RESULT:
        text += f"\n(cut: it had {len(content)} characters)"
    return message if text == content else message.model_copy(update={"content": text})


def _failed(call: Any, why: str) -> Any:
    from langchain_core.messages import ToolMessage

    return ToolMessage(
        f"This call gave nothing: {why}.",
        tool_call_id=call.get("id") or "",
        name=call.get("name"),
        status="error",
    )


def _named_tools(tools: Sequence[Any]) -> dict[str, Any]:
    with needs_langchain():
        from langchain_core.tools import BaseTool, tool

    found: dict[str, Any] = {}
    for given in tools:
        if isinstance(given, BaseTool):
            made: Any = given
        elif callable(given) and not isinstance(given, type):
            try:
                made = tool(given)
            except (ValueError, TypeError, InputError) as error:
                raise ConfigurationError(
                    "LLMOptions(tools=...): a function needs a docstring and annotated arguments "
                    f"({error})"
                ) from error
        else:
            raise ConfigurationError(
                "LLMOptions(tools=...) takes tools of LangChain and functions, not "
                f"{type(given).__name__}"
            )
        if getattr(made, "coroutine", None) is not None and getattr(made, "func", None) is None:
            raise ConfigurationError(
                f"LLMOptions(tools=...): {made.name!r} can only be awaited, and a reply is written "
                "in a thread; give it a plain function"
            )
        if made.name in found:
            raise ConfigurationError(f"LLMOptions(tools=...): two tools are named {made.name!r}")
        found[made.name] = made
    return found
