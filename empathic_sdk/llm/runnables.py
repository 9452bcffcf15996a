"""LangChain runnables of agents and recognisers. Importing this needs LangChain.

They wrap any object that fits the protocols, so this module does not depend on agent and
recogniser.
"""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Generator,
    Iterator,
    Sequence,
)
from typing import Any, Literal

from langchain_core.messages import BaseMessage, HumanMessage, convert_to_messages
from langchain_core.prompt_values import ChatPromptValue
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda

from empathic_sdk.errors import ConfigurationError, InputError
from empathic_sdk.llm.adapters import text_of
from empathic_sdk.llm.messages import utterances
from empathic_sdk.llm.whose import whose
from empathic_sdk.types import (
    AGENT,
    EmotionState,
    SentenceEvent,
    StreamEvent,
    Turn,
    TurnEvent,
    UserContext,
    Utterance,
)
from empathic_sdk.types.protocols import Agent, Recognizer


class AgentRunnable(Runnable[Any, Any]):
    """An agent as a step of a chain.

    Its input is a str, an ``Utterance``, a message, or a dict with ``input`` and optionally
    ``user`` and ``conversation``. Where a dict does not say, ``config["configurable"]`` may, and
    then the context of the run: ``user_id`` and ``thread_id``. Where nobody names the person, each
    thread is a person of its own (``thread:ID``), and without a thread each call is: none of them
    is the agent's ``"default"``. Callbacks and ``astream_events`` see streams, too.

    ``invoke`` returns the :class:`Turn` (``output="turn"``) or its text (``"reply"``). ``stream``
    yields the events of ``agent.stream``, the last of them as the ``Turn`` itself, so that a next
    step that takes only the last one gets what ``invoke`` would give it; or the sentences, which
    concatenate to the reply.
    """

    def __init__(self, agent: Agent, *, output: Literal["turn", "reply"] = "turn") -> None:
        """Keep the agent."""
        if not isinstance(output, str) or output not in ("turn", "reply"):
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
        """Give the events of one turn, paced."""
        yield from self.transform(iter([input]), config)

    async def astream(
        self, input: Any, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncIterator[Any]:
        """Give the events of one turn, paced, in an event loop."""

        async def alone() -> AsyncIterator[Any]:
            yield input

        async for event in self.atransform(alone(), config):
            yield event

    def transform(
        self, input: Iterator[Any], config: RunnableConfig | None = None, **kwargs: Any
    ) -> Iterator[Any]:
        """Stream inside a chain: what comes in is put together first."""
        yield from self._transform_stream_with_config(input, self._transform, config)

    async def atransform(
        self, input: AsyncIterator[Any], config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncIterator[Any]:
        """Stream inside a chain in an event loop."""
        async for event in self._atransform_stream_with_config(input, self._atransform, config):
            yield event

    def _transform(
        self, given: Iterator[Any], run_manager: Any, config: RunnableConfig
    ) -> Iterator[Any]:
        utterance, names = _unpack(_whole(list(given)), config)
        events = self._agent.stream(utterance, **names)
        first = True
        try:
            for event in events:
                if (out := self._event(event, first=first)) is not None:
                    yield out
                    first = False
        finally:
            if isinstance(events, Generator):
                events.close()

    async def _atransform(
        self, given: AsyncIterator[Any], run_manager: Any, config: RunnableConfig
    ) -> AsyncIterator[Any]:
        utterance, names = _unpack(_whole([piece async for piece in given]), config)
        events = self._agent.astream(utterance, **names)
        first = True
        try:
            async for event in events:
                if (out := self._event(event, first=first)) is not None:
                    yield out
                    first = False
        finally:
            if isinstance(events, AsyncGenerator):
                await events.aclose()

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


def recognizer_runnable(
    reader: Callable[[], Recognizer],
    person: Callable[[RunnableConfig], UserContext | None] = lambda config: None,
) -> Runnable[Any, EmotionState]:
    """Return a runnable from what was said to the :class:`EmotionState`.

    Its input is a str, an ``Utterance``, a message, a list of messages (also as pairs such as
    ``("human", "...")``, or as dicts with ``role`` and ``content``) whose human ones are read in
    order, so that the state of the last comes out, or a dict that holds one of these under
    ``input`` or ``messages``.

    Args:
        reader: Returns the recogniser; called at each use, so that it can be loaded lazily.
        person: Returns what is known of the person of a run; ``None`` where nobody asked.
    """

    def read(given: Any, config: RunnableConfig) -> EmotionState:
        user = person(config)
        given = _inner(given)
        if isinstance(given, list | tuple | ChatPromptValue):
            said = [u for u in utterances(_messages(given)) if u.speaker != AGENT]
            if not said:
                raise InputError("there is no human message to read in this list")
            return read_by(reader(), said, user)[-1]
        if user is None:
            return reader().recognize(_said(given))
        return read_by(reader(), [Utterance.of(_said(given))], user)[-1]

    async def aread(given: Any, config: RunnableConfig) -> EmotionState:
        return await asyncio.to_thread(read, given, config)

    return RunnableLambda(read, afunc=aread, name="EmotionRecognizer")


def read_by(
    recognizer: Recognizer, said: Sequence[Utterance], user: UserContext | None
) -> list[EmotionState]:
    """Return the states of utterances, read in the light of what is known of the person."""
    if user is None:
        return recognizer.recognize_dialogue(said)
    session = recognizer.session(user)
    return [session.add(utterance) for utterance in said]


def _inner(given: Any) -> Any:
    """Return what a dict holds under ``input`` or ``messages``; anything else as it is."""
    if not isinstance(given, dict) or "role" in given:
        return given
    keys = [key for key in ("input", "messages") if key in given]
    if len(keys) != 1:
        raise InputError("a dict for this runnable has one of the keys 'input' and 'messages'")
    return given[keys[0]]


def _messages(given: Any) -> list[BaseMessage]:
    if isinstance(given, ChatPromptValue):
        return given.to_messages()
    # A single pair is a message, not two.
    pair = isinstance(given, tuple) and len(given) == 2 and all(isinstance(x, str) for x in given)
    try:
        return convert_to_messages([given] if pair else list(given))
    except (ValueError, TypeError, NotImplementedError) as error:
        raise InputError("this list holds something that is no message") from error


def _said(given: Any) -> Any:
    if isinstance(given, dict):
        (given,) = _messages([given])
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
    arguments: dict[str, Any] = {}
    if isinstance(given, dict):
        extra = set(given) - {"input", "user", "conversation"}
        if "input" not in given or extra:
            raise InputError(
                "a dict for this runnable has the key 'input' and may have 'user' and "
                "'conversation'" + (f"; it does not know {sorted(extra)}" if extra else "")
            )
        arguments = {key: value for key, value in given.items() if key != "input"}
        given = given["input"]
    names = whose(config, **arguments)
    return _said(given), {"user": names.user, "conversation": names.conversation}
