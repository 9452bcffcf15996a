"""Whose words a run of LangChain brings: argument, configurable, context, or nobody named."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

pytest.importorskip("langchain")

from langchain.agents import create_agent
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langgraph.graph import START, MessagesState, StateGraph

from empathic_sdk import EmotionAwareAgent, EmotionRecognizer, Pacing, UserContext
from empathic_sdk.errors import ConfigurationError, InputError
from empathic_sdk.integrations.langchain import (
    EmotionMiddleware,
    EmpathicChatModel,
    emotion_runnable,
    emotion_tool,
)
from empathic_sdk.llm.whose import whose

FAST = Pacing(delay_s=0.0, words_per_minute=2000, max_sentences=3)


@pytest.fixture
def agent(recognizer: EmotionRecognizer) -> Iterator[EmotionAwareAgent]:
    with EmotionAwareAgent(recognizer=recognizer, pacing=lambda _: FAST) as made:
        yield made


def config(**names: Any) -> Any:
    return {"configurable": names}


@dataclass
class Context:
    user_id: str


def in_graph(work: Callable[..., Any], context: Any, given: Any = None) -> Any:
    """Run ``work`` in a node of a graph whose run has a context."""
    out: list[Any] = []

    def node(state: Any) -> Any:
        out.append(work())
        return {}

    made: Any = StateGraph(MessagesState, context_schema=type(context))
    made.add_node("a", node)
    made.add_edge(START, "a")
    made.compile().invoke({"messages": []}, given, context=context)
    return out[0]


class TestAnAgentAsAStep:
    def test_the_order_of_the_ways(self, agent: EmotionAwareAgent) -> None:
        runnable = agent.as_runnable()

        def user(given: Any, config: Any = None) -> str:
            return in_graph(lambda: runnable.invoke(given), Context("context"), config).user

        assert user("hello") == "context"
        assert user("hello", config(user_id="config")) == "config"
        assert user({"input": "hello", "user": "argument"}, config(user_id="config")) == "argument"

    def test_nobody_named(self, agent: EmotionAwareAgent) -> None:
        runnable = agent.as_runnable()
        one, two = runnable.invoke("hello"), runnable.invoke("hello")
        assert one.user != two.user
        monday = runnable.invoke("I won!", config(thread_id="monday"))
        again = list(runnable.stream("And now?", config(thread_id="monday")))[-1]
        other = asyncio.run(runnable.ainvoke("hello", config(thread_id="tuesday")))
        assert monday.user == again.user == "thread:monday" != other.user
        assert again.emotion.shift is not None and other.emotion.shift is None
        assert "default" not in agent.profiles.users()

    def test_names_of_other_kinds(self, agent: EmotionAwareAgent) -> None:
        runnable = agent.as_runnable()
        number = uuid.uuid4()
        turn = runnable.invoke("hello", config(user_id=7, thread_id=number))
        assert (turn.user, turn.conversation) == ("7", str(number))
        for wrong in ("", "  ", ["ada"], True, {"a": 1}):
            with pytest.raises(InputError, match="user_id"):
                runnable.invoke("hello", config(user_id=wrong))
            with pytest.raises(InputError, match="user_id"):
                runnable.invoke({"input": "hello", "user": wrong})


class Known:
    """Says who was asked for, and where they live."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def get(self, user: str, /) -> UserContext:
        self.asked.append(user)
        return UserContext(user=user, preferences={"locale": "en-GB"})


class Reader:
    """Reads as the shipped one does, and notes for whom."""

    def __init__(self, inner: EmotionRecognizer) -> None:
        self.inner = inner
        self.users: list[str] = []

    def recognize(self, utterance: Any) -> Any:
        self.users.append("nobody")
        return self.inner.recognize(utterance)

    def recognize_dialogue(self, utterances: Any) -> Any:
        self.users.append("nobody")
        return self.inner.recognize_dialogue(utterances)

    def session(self, user: Any = None) -> Any:
        self.users.append(user.user)
        return self.inner.session(user)


class TestReaders:
    def test_a_step(self, recognizer: EmotionRecognizer) -> None:
        known, reader = Known(), Reader(recognizer)
        step = emotion_runnable(reader, user=known)
        step.invoke("hello", config(user_id="ada"))
        step.invoke([("human", "hello")], config(user_id="bob"))
        asyncio.run(step.ainvoke("hello", config(user_id="cy")))
        in_graph(lambda: step.invoke("hello"), Context("dan"))
        assert known.asked == reader.users == ["ada", "bob", "cy", "dan"]
        step.invoke("hello")
        step.invoke("hello", config(thread_id="t"))
        assert known.asked == ["ada", "bob", "cy", "dan"]  # nobody was named
        assert reader.users[4].startswith("call:") and reader.users[5] == "thread:t"

    def test_a_reader_that_is_told_of_nobody(self, recognizer: EmotionRecognizer) -> None:
        reader = Reader(recognizer)
        emotion_runnable(reader).invoke("hello", config(user_id="ada"))
        emotion_runnable(reader).invoke([("human", "hello")])
        emotion_tool(reader).invoke({"text": "hello"})
        assert reader.users == ["nobody"] * 3

    def test_a_tool(self, recognizer: EmotionRecognizer) -> None:
        known, reader = Known(), Reader(recognizer)
        tool = emotion_tool(reader, user=known)
        assert set(tool.args) == {"text"}  # a model cannot say who it is
        tool.invoke({"text": "hello"}, config(user_id="ada"))
        asyncio.run(tool.ainvoke({"text": "hello"}, config(user_id="bob")))
        in_graph(lambda: tool.invoke({"text": "hello"}), Context("cy"))
        assert known.asked == reader.users == ["ada", "bob", "cy"]

    @pytest.mark.parametrize("make", [emotion_runnable, emotion_tool])
    def test_what_user_takes(self, make: Any) -> None:
        with pytest.raises(ConfigurationError, match="user= must be"):
            make(user="ada")


CRISIS = "I want to kill myself."


def test_the_middleware(recognizer: EmotionRecognizer) -> None:
    known = Known()
    model = GenericFakeChatModel(messages=iter([AIMessage("Mm.")] * 9))
    middleware = EmotionMiddleware(recognizer=recognizer, user=known)
    agent = create_agent(model, middleware=[middleware], context_schema=Context)
    said: Any = {"messages": [("human", CRISIS)]}
    for given in (
        {"config": config(user_id="ada")},
        {"context": Context("bob")},
        {"config": config(user_id="cy"), "context": Context("bob")},
    ):
        out = agent.invoke(said, **given)
        assert "116 123" in out["messages"][-1].text  # the locale's line
    assert known.asked == ["ada", "bob", "cy"]
    assert (
        "116 123"
        not in create_agent(model, middleware=[middleware]).invoke(said)["messages"][-1].text
    )
    assert known.asked == ["ada", "bob", "cy"]


def test_the_chat_model(recognizer: EmotionRecognizer) -> None:
    known = Known()
    model = EmpathicChatModel(recognizer=recognizer, user=known)

    async def awaited() -> str:
        answer = await model.ainvoke(CRISIS, config(user_id="bob"))
        chunks = [c async for c in model.astream(CRISIS, config(user_id="cy"))]
        return str(answer.text) + "".join(c.text for c in chunks)

    assert "116 123" in model.invoke(CRISIS, config(user_id="ada")).text
    assert asyncio.run(awaited()).count("116 123") >= 2
    assert "116 123" in "".join(c.text for c in model.stream(CRISIS, config(user_id="dan")))
    assert "116 123" in in_graph(lambda: model.invoke(CRISIS), Context("eve")).text
    assert known.asked == ["ada", "bob", "cy", "dan", "eve"]
    one, two = (model.invoke(CRISIS, config(thread_id=t)).text for t in "ab")
    assert one == two and "116 123" not in one
    with pytest.raises(ConfigurationError, match="user= must be"):
        EmpathicChatModel(user="ada")


def test_a_long_thread_has_a_name_of_bounded_length() -> None:
    long = "t" * 256
    found = whose({"configurable": {"thread_id": long}})
    assert len(found.user) <= 256 and found.conversation == long and not found.named
    other = whose({"configurable": {"thread_id": "t" * 255 + "u"}})
    assert other.user != found.user == whose({"configurable": {"thread_id": long}}).user
    assert whose({"configurable": {"thread_id": "t9"}}).user == "thread:t9"
