"""An agent and a recogniser as steps of a chain."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("langchain_core")

from langchain_core.messages import AIMessage, HumanMessage

from empathic_sdk import EmotionAwareAgent, EmotionRecognizer, EmotionState, Pacing, Turn
from empathic_sdk.errors import ConfigurationError, InputError
from empathic_sdk.integrations.langchain import AgentRunnable, emotion_runnable, emotion_tool

FAST = Pacing(delay_s=0.0, words_per_minute=2000, max_sentences=3)


@pytest.fixture
def agent(recognizer: EmotionRecognizer) -> Iterator[EmotionAwareAgent]:
    with EmotionAwareAgent(recognizer=recognizer, pacing=lambda _: FAST) as made:
        yield made


def test_stream_gives_the_events_and_the_turn_last(agent: EmotionAwareAgent) -> None:
    runnable = agent.as_runnable()
    assert isinstance(runnable, AgentRunnable)
    events = list(runnable.stream({"input": "I failed the exam again.", "user": "ada"}))
    assert [e.kind for e in events[:-1]] == ["state"] + ["sentence"] * (len(events) - 2)
    assert isinstance(events[-1], Turn) and events[-1].user == "ada"
    assert " ".join(e.text for e in events[1:-1]) == events[-1].reply
    # a next step gets the turn, invoked or streamed
    chain = runnable | (lambda turn: turn.reply)
    assert isinstance(chain.invoke("hello"), str)
    assert all(isinstance(piece, str) for piece in chain.stream("hello"))


def test_replies_alone(agent: EmotionAwareAgent) -> None:
    runnable = agent.as_runnable(output="reply")
    pieces = list(runnable.stream("I failed the exam again."))
    assert len(pieces) > 1
    stored = agent.profiles.turns("default")
    assert len(stored) == 1

    async def main() -> list[Any]:
        assert isinstance(await runnable.ainvoke(HumanMessage("hello")), str)
        return [piece async for piece in runnable.astream("I won!")]

    pieces = asyncio.run(main())
    assert all(isinstance(piece, str) for piece in pieces)
    assert "  " not in "".join(pieces)
    with pytest.raises(ConfigurationError, match="output must be"):
        agent.as_runnable(output="audio")  # type: ignore[arg-type]


def test_the_config_may_name_user_and_thread(agent: EmotionAwareAgent) -> None:
    config: Any = {"configurable": {"user_id": "ada", "thread_id": "monday"}}
    turn = agent.as_runnable().invoke("hello", config)
    assert (turn.user, turn.conversation) == ("ada", "monday")
    given = {"input": "hello", "user": "bob"}
    turn = agent.as_runnable().invoke(given, config)
    assert (turn.user, turn.conversation) == ("bob", "monday")


def test_a_recogniser_in_a_chain(recognizer: EmotionRecognizer) -> None:
    runnable = emotion_runnable(recognizer)
    state = runnable.invoke("I am so happy today!")
    assert isinstance(state, EmotionState) and state.label == "joy"
    talk = [HumanMessage("We won!"), AIMessage("Great."), HumanMessage("I am so sad now.")]
    assert runnable.invoke(talk).shift is not None
    assert asyncio.run(runnable.ainvoke(HumanMessage("I am so happy today!"))).label == "joy"
    with pytest.raises(InputError, match="no human message"):
        runnable.invoke([AIMessage("hello")])


def test_a_recogniser_as_a_tool(recognizer: EmotionRecognizer) -> None:
    tool = emotion_tool(recognizer)
    found = tool.invoke({"text": "I am so happy today!"})
    assert found["emotion"] == "joy"
    assert set(found) == {"emotion", "confidence", "uncertain", "valence", "arousal"}
    assert asyncio.run(tool.ainvoke({"text": "I am so happy today!"})) == found
