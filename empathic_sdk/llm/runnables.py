"""LangChain runnables of agents and recognisers. Importing this needs LangChain.

They wrap any object that fits the protocols, so this module does not depend on agent and
recogniser.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Literal

from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda

from empathic_sdk.errors import ConfigurationError, InputError
from empathic_sdk.llm.adapters import text_of
from empathic_sdk.llm.messages import utterances
from empathic_sdk.types import AGENT, EmotionState, SentenceEvent, StreamEvent, Turn, TurnEvent
from empathic_sdk.types.protocols import Agent, Recognizer


class AgentRunnable(Runnable[Any, Any]):
    """An agent as a step of a chain.

    Its input is a str, an ``Utterance``, a message, or a dict with ``input`` and optionally
    ``user`` and ``conversation``. Otherwise they come from ``config["configurable"]``:
    ``user_id`` and ``thread_id``.

    ``invoke`` returns the :class:`Turn` (``output="turn"``) or its text (``"reply"``). ``stream``
    yields the events of ``agent.stream``, the last of them as the ``Turn`` itself, so that a next
    step that takes only the last one gets what ``invoke`` would give it; or the sentences, which
    concatenate to the reply.
    """

    def __init__(self, agent: Agent, *, output: Literal["turn", "reply"] = "turn") -> None:
        """Keep the agent."""
        if output not in ("turn", "reply"):
            raise ConfigurationError(f"output must be 'turn' or 'reply', not {output!r}")
        self._agent = agent
        self._output = output
        self.name = "EmotionAwareAgent"

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Take one turn."""
        return self._call_with_config(self._invoke, input, config)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Take one turn in an event loop."""
        return await self._acall_with_config(self._ainvoke, input, config)

    def stream(
        self, input: Any, config: RunnableConfig | None = None, **kwargs: Any
    ) -> Iterator[Any]:
        """Yield the events of one turn, paced."""
        utterance, names = _unpack(input, config)
        first = True
        for event in self._agent.stream(utterance, **names):
            if (out := self._event(event, first=first)) is not None:
                yield out
                first = False

    async def astream(
        self, input: Any, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncIterator[Any]:
        """Yield the events of one turn, paced, in an event loop."""
        utterance, names = _unpack(input, config)
        first = True
        async for event in self._agent.astream(utterance, **names):
            if (out := self._event(event, first=first)) is not None:
                yield out
                first = False

    def transform(
        self, input: Iterator[Any], config: RunnableConfig | None = None, **kwargs: Any
    ) -> Iterator[Any]:
        """Stream inside a chain; the input pieces are joined first."""
        yield from self.stream(_whole(list(input)), config)

    async def atransform(
        self, input: AsyncIterator[Any], config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncIterator[Any]:
        """Stream inside a chain in an event loop."""
        async for event in self.astream(_whole([piece async for piece in input]), config):
            yield event

    def _invoke(self, given: Any, run_manager: Any, config: RunnableConfig) -> Any:
        utterance, names = _unpack(given, config)
        return self._turn(self._agent.respond(utterance, **names))

    async def _ainvoke(self, given: Any, run_manager: Any, config: RunnableConfig) -> Any:
        utterance, names = _unpack(given, config)
        return self._turn(await self._agent.arespond(utterance, **names))

    def _turn(self, turn: Turn) -> Any:
        return turn if self._output == "turn" else turn.reply

    def _event(self, event: StreamEvent, *, first: bool) -> Any:
        if self._output == "turn":
            return event.turn if isinstance(event, TurnEvent) else event
        if not isinstance(event, SentenceEvent):
            return None
        return event.text if first else f" {event.text}"


def recognizer_runnable(reader: Callable[[], Recognizer]) -> Runnable[Any, EmotionState]:
    """Return a runnable from what was said to the :class:`EmotionState`.

    Its input is a str, an ``Utterance``, a message, or a list of messages, whose human ones are
    read in order: the state of the last comes out.

    Args:
        reader: Returns the recogniser; called at each use, so that it can be loaded lazily.
    """

    def read(given: Any) -> EmotionState:
        if isinstance(given, list):
            said = [u for u in utterances(given) if u.speaker != AGENT]
            if not said:
                raise InputError("there is no human message to read in this list")
            return reader().recognize_dialogue(said)[-1]
        return reader().recognize(_said(given))

    async def aread(given: Any) -> EmotionState:
        return await asyncio.to_thread(read, given)

    return RunnableLambda(read, afunc=aread, name="EmotionRecognizer")


def _said(given: Any) -> Any:
    if not isinstance(given, BaseMessage):
        return given
    said = utterances([given]) if isinstance(given, HumanMessage) else []
    return said[0] if said else text_of(given)


def _whole(pieces: list[Any]) -> Any:
    if pieces and all(isinstance(piece, str) for piece in pieces):
        return "".join(pieces)
    whole = pieces[0] if pieces else ""
    for piece in pieces[1:]:
        try:
            whole = whole + piece
        except TypeError:
            whole = piece
    return whole


def _unpack(given: Any, config: RunnableConfig | None) -> tuple[Any, dict[str, Any]]:
    named = (config or {}).get("configurable", {})
    names = {
        ours: str(named[theirs])
        for ours, theirs in (("user", "user_id"), ("conversation", "thread_id"))
        if named.get(theirs) is not None
    }
    if not isinstance(given, dict):
        return _said(given), names
    extra = set(given) - {"input", "user", "conversation"}
    if "input" not in given or extra:
        raise InputError(
            "a dict for this runnable has the key 'input' and may have 'user' and 'conversation'"
            + (f"; it does not know {sorted(extra)}" if extra else "")
        )
    return _said(given["input"]), names | {k: v for k, v in given.items() if k != "input"}
