"""An agent and a recogniser as steps of a chain."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("langchain_core")

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.prompts import ChatPromptTemplate

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
    assert agent.profiles.turns("default") == []
    (user,) = agent.profiles.users()
    assert len(agent.profiles.turns(user)) == 1

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


class Watching(BaseCallbackHandler):
    """Notes which runs of chains began, ended and failed, and what came out."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def on_chain_start(self, *given: Any, **kwargs: Any) -> None:
        self.seen.append("start")

    def on_chain_end(self, outputs: Any, **kwargs: Any) -> None:
        self.seen.append(outputs)

    def on_chain_error(self, error: BaseException, **kwargs: Any) -> None:
        self.seen.append(type(error))


def test_streams_call_callbacks(agent: EmotionAwareAgent) -> None:
    watching = Watching()
    runnable = agent.as_runnable(output="reply")
    text = "".join(runnable.stream("hello", {"callbacks": [watching]}))
    assert watching.seen == ["start", text]
    with pytest.raises(InputError):
        list(runnable.stream({"text": "hello"}, {"callbacks": [watching]}))
    assert watching.seen[2:] == ["start", InputError]

    async def main() -> list[Any]:
        stream = agent.as_runnable().astream_events("hello", version="v2")
        return [event async for event in stream]

    events = asyncio.run(main())
    kinds = [event["event"] for event in events]
    assert kinds[0] == "on_chain_start" and kinds[-1] == "on_chain_end"
    assert kinds.count("on_chain_stream") >= 3
    assert isinstance(events[-1]["data"]["output"], Turn)
    assert {event["name"] for event in events} == {"EmotionAwareAgent"}


def test_a_stream_that_is_left_ends_its_turn(agent: EmotionAwareAgent) -> None:
    stream = agent.as_runnable().stream({"input": "hello", "user": "ada"})
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert agent.respond("hello again", user="ada").reply  # nobody waits for the one before

    async def main() -> None:
        events = agent.as_runnable().astream({"input": "hello", "user": "ada"})
        await anext(events)
        await events.aclose()  # type: ignore[attr-defined]

    asyncio.run(main())
    assert agent.respond("hello again", user="ada").reply


def test_a_stream_knows_the_configs_names(agent: EmotionAwareAgent) -> None:
    config: Any = {"configurable": {"user_id": "ada", "thread_id": "monday"}}
    turn = list(agent.as_runnable().stream("hello", config))[-1]
    assert (turn.user, turn.conversation) == ("ada", "monday")


SAD = "I am so sad now."


@pytest.mark.parametrize(
    "given",
    [
        {"input": SAD},
        {"messages": [HumanMessage(SAD)]},
        {"messages": [("human", "We won!"), ("ai", "Great."), ("human", SAD)]},
        {"input": [("human", SAD)]},
        [("human", SAD)],
        ("human", SAD),
        [{"role": "user", "content": SAD}],
        {"role": "user", "content": SAD},
        ChatPromptTemplate.from_messages([("human", "{text}")]).invoke({"text": SAD}),
    ],
)
def test_what_a_recogniser_takes(recognizer: EmotionRecognizer, given: Any) -> None:
    assert emotion_runnable(recognizer).invoke(given).label == "sadness"


@pytest.mark.parametrize(
    "given",
    [{}, {"text": SAD}, {"input": SAD, "messages": []}, [("nobody", SAD)], [3], {"input": 3}],
)
def test_what_a_recogniser_refuses(recognizer: EmotionRecognizer, given: Any) -> None:
    with pytest.raises(InputError):
        emotion_runnable(recognizer).invoke(given)


@pytest.mark.parametrize(
    "given", [{"text": ""}, {"text": " \n"}, {}, {"text": ["a"]}, {"words": "a"}]
)
def test_a_tool_that_is_called_badly_says_so(recognizer: EmotionRecognizer, given: Any) -> None:
    tool = emotion_tool(recognizer)
    call = {"name": tool.name, "args": given, "id": "1", "type": "tool_call"}
    answer = tool.invoke(call)
    assert isinstance(answer, ToolMessage)
    assert answer.status == "error" and "text" in answer.text
    assert asyncio.run(tool.ainvoke(call)) == answer
