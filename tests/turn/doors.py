"""Every way into a turn, as functions that take the same and show the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any, NamedTuple

import pytest

from empathic_sdk import (
    EmotionAwareAgent,
    EmotionRecognizer,
    EmotionState,
    ResponseStyle,
    SafetyAssessment,
    Turn,
    UserContext,
)
from empathic_sdk.types import TurnEvent

LOCALE = {"locale": "US"}


class Shown(NamedTuple):
    """What came out of the last of several turns of one conversation."""

    emotion: EmotionState
    style: ResponseStyle
    safety: SafetyAssessment
    reply: str
    fallbacks: tuple[str, ...]


Door = Callable[..., Shown]


def of_turn(turn: Turn) -> Shown:
    return Shown(turn.emotion, turn.style, turn.safety, turn.reply, turn.fallbacks)


def of_dict(about: dict[str, Any], reply: str) -> Shown:
    return Shown(
        EmotionState(**about["emotion"]),
        ResponseStyle(**about["style"]),
        SafetyAssessment(**about["safety"]),
        reply,
        tuple(about.get("fallbacks", ())),
    )


Take = Callable[[EmotionAwareAgent, str], Turn]


def respond(agent: EmotionAwareAgent, text: str) -> Turn:
    return agent.respond(text, user="ada", conversation="c")


def arespond(agent: EmotionAwareAgent, text: str) -> Turn:
    return asyncio.run(agent.arespond(text, user="ada", conversation="c"))


def stream(agent: EmotionAwareAgent, text: str) -> Turn:
    *_, last = agent.stream(text, user="ada", conversation="c")
    assert isinstance(last, TurnEvent)
    return last.turn


def astream(agent: EmotionAwareAgent, text: str) -> Turn:
    async def whole() -> Any:
        return [event async for event in agent.astream(text, user="ada", conversation="c")][-1]

    last = asyncio.run(whole())
    assert isinstance(last, TurnEvent)
    return last.turn


def runnable(agent: EmotionAwareAgent, text: str) -> Turn:
    turn = agent.as_runnable().invoke({"input": text, "user": "ada", "conversation": "c"})
    assert isinstance(turn, Turn)
    return turn


def arunnable(agent: EmotionAwareAgent, text: str) -> Turn:
    given = {"input": text, "user": "ada", "conversation": "c"}
    turn = asyncio.run(agent.as_runnable().ainvoke(given))
    assert isinstance(turn, Turn)
    return turn


AGENT_VERBS: tuple[Take, ...] = (respond, arespond, stream, astream, runnable, arunnable)


def through_agent(verb: Take) -> Door:
    """Return a door that makes an agent, and takes turns of it with a verb."""

    def door(recognizer: EmotionRecognizer, *texts: str, **hooks: Any) -> Shown:
        with EmotionAwareAgent(recognizer=recognizer, **hooks) as agent:
            agent.profiles.prefer("ada", **LOCALE)
            return [of_turn(verb(agent, text)) for text in texts][-1]

    door.__name__ = verb.__name__
    return door


def _middleware(recognizer: EmotionRecognizer, hooks: dict[str, Any]) -> Any:
    from langchain.agents import create_agent
    from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
    from langchain_core.messages import AIMessage
    from langgraph.checkpoint.memory import InMemorySaver

    from empathic_sdk.integrations.langchain import EmotionMiddleware

    person = UserContext(preferences=LOCALE)
    return create_agent(
        GenericFakeChatModel(messages=iter([AIMessage("That is a lot. What happened?")] * 9)),
        middleware=[EmotionMiddleware(recognizer=recognizer, user=person, **hooks)],
        checkpointer=InMemorySaver(),
    )


def middleware(recognizer: EmotionRecognizer, *texts: str, **hooks: Any) -> Shown:
    graph = _middleware(recognizer, hooks)
    thread = {"configurable": {"thread_id": "c"}}
    for text in texts:
        out = graph.invoke({"messages": [{"role": "user", "content": text}]}, thread)
    return of_dict(out["empathy"], out["messages"][-1].text)


def amiddleware(recognizer: EmotionRecognizer, *texts: str, **hooks: Any) -> Shown:
    async def whole() -> Any:
        graph = _middleware(recognizer, hooks)
        thread = {"configurable": {"thread_id": "c"}}
        for text in texts:
            out = await graph.ainvoke({"messages": [{"role": "user", "content": text}]}, thread)
        return out

    out = asyncio.run(whole())
    return of_dict(out["empathy"], out["messages"][-1].text)


def chat_model(recognizer: EmotionRecognizer, *texts: str, **hooks: Any) -> Shown:
    from langchain_core.messages import HumanMessage

    from empathic_sdk.integrations.langchain import EmpathicChatModel

    model = EmpathicChatModel(recognizer=recognizer, **hooks)
    messages: Sequence[Any] = [HumanMessage(text) for text in texts]
    answer = model.invoke(messages)
    return of_dict(answer.response_metadata["empathy"], answer.text)


needs_langchain = pytest.mark.skipif(find_spec("langchain") is None, reason="needs LangChain")
LANGCHAIN = (runnable, arunnable, middleware, amiddleware, chat_model)
VERBS = tuple(
    pytest.param(verb, id=verb.__name__, marks=[needs_langchain] if verb in LANGCHAIN else [])
    for verb in AGENT_VERBS
)
DOORS = (
    *(pytest.param(through_agent(verb.values[0]), id=verb.id, marks=verb.marks) for verb in VERBS),
    *(
        pytest.param(door, id=door.__name__, marks=needs_langchain)
        for door in (middleware, amiddleware, chat_model)
    ),
)
