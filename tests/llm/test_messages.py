"""Sounds and pictures in messages, and many threads at once."""

from __future__ import annotations

import asyncio
import base64
import io
import re
import wave
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

pytest.importorskip("langchain")

from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langgraph.checkpoint.memory import InMemorySaver

from empathic_sdk import Deployment, EmotionRecognizer, Modality, UserContext
from empathic_sdk.integrations.langchain import EmotionMiddleware
from empathic_sdk.llm.messages import utterances
from empathic_sdk.types import Transcript
from tests.integrations.test_middleware import GOOD, Scripted, in_thread, said, scripted

PNG = b"\x89PNG picture"


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def sound() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as f:
        f.setparams((1, 2, 16000, 0, "NONE", ""))
        noise = np.random.default_rng(1).normal(0, 3000, 8000).astype("<i2")
        f.writeframes(noise.tobytes())
    return out.getvalue()


@pytest.mark.parametrize(
    "block",
    [
        {"type": "audio", "base64": b64(b"RIFF"), "mime_type": "audio/wav"},
        {"type": "audio", "source_type": "base64", "data": b64(b"RIFF")},
        {"type": "input_audio", "input_audio": {"data": b64(b"RIFF"), "format": "wav"}},
    ],
)
def test_a_sound_is_found_in_every_form(block: dict[str, Any]) -> None:
    (found,) = utterances([HumanMessage([{"type": "text", "text": "listen"}, block])])
    assert (found.text, found.audio) == ("listen", b"RIFF")


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "base64": b64(PNG), "mime_type": "image/png"},
        {"type": "image", "source": {"type": "base64", "data": b64(PNG)}},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{b64(PNG)}"}},
        {"type": "image_url", "image_url": f"data:image/png;base64,{b64(PNG)}"},
    ],
)
def test_a_picture_is_found_in_every_form(block: dict[str, Any]) -> None:
    (found,) = utterances([HumanMessage([block])])
    assert found.text is None
    assert found.frames == (PNG,)


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "url": "https://example.org/x.png"},
        {"type": "image", "file_id": "file-1"},
        {"type": "image_url", "image_url": {"url": "http://127.0.0.1/x"}},
        {"type": "image", "base64": "not base64!"},
        {"type": "audio", "base64": ""},
        {"type": "image_url", "image_url": None},
        {"type": "input_audio", "input_audio": "x"},
        {"type": "video", "base64": b64(b"x")},
    ],
)
def test_what_would_be_fetched_or_is_broken_is_passed_over(block: dict[str, Any]) -> None:
    assert utterances([HumanMessage([block])]) == []
    (found,) = utterances([HumanMessage([{"type": "text", "text": "hi"}, block])])
    assert (found.text, found.audio, found.frames) == ("hi", None, ())


@pytest.mark.parametrize(
    ("context", "consents", "read"),
    [
        ("personal", {Modality.SPEECH}, True),
        ("personal", set(), False),
        ("workplace", {Modality.SPEECH}, False),
        (None, {Modality.SPEECH}, False),
    ],
)
def test_a_sound_is_read_only_where_it_may_be(
    recognizer: EmotionRecognizer, context: Any, consents: set[Modality], read: bool
) -> None:
    heard: list[Any] = []

    def ear(audio: Any) -> Transcript:
        heard.append(audio)
        return Transcript(text="I am so angry!", language="en")

    reader = EmotionRecognizer(
        text=recognizer.text,
        deployment=Deployment(context=context) if context else None,
        transcriber=ear,
    )
    person = UserContext(consents=frozenset(consents))
    middleware = EmotionMiddleware(recognizer=reader, user=person)
    agent = create_agent(scripted(GOOD), tools=[], middleware=[middleware])
    out = agent.invoke({"messages": [HumanMessage([{"type": "audio", "base64": b64(sound())}])]})
    assert bool(heard) == read
    assert ("empathy" in out) == read
    if read:
        assert out["empathy"]["emotion"]["label"] == "anger"


class Other(AgentMiddleware):  # type: ignore[type-arg]
    """Counts, and changes nothing."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.calls = 0
        self._name = name

    @property
    def name(self) -> str:
        return self._name

    def wrap_model_call(self, request: Any, handler: Any) -> Any:
        self.calls += 1
        return handler(request)

    async def awrap_model_call(self, request: Any, handler: Any) -> Any:
        self.calls += 1
        return await handler(request)


MOODS = {
    "angry": "This is outrageous, I am furious with all of you!",
    "joyful": "I passed, I am so happy, best day ever!",
}


def mood_of(instructions: str) -> str:
    """Return the emotion that a model is told of."""
    found = re.search(r"was read as (\w+)", instructions)
    return found[1] if found else "none"


def instructions(model: Scripted) -> list[str]:
    return [messages[0].text for messages, _ in model.seen]


@pytest.fixture
def everyone(recognizer: EmotionRecognizer) -> Callable[..., Any]:
    def make(model: Any) -> Any:
        around = [Other("before"), EmotionMiddleware(recognizer=recognizer), Other("after")]
        saver = InMemorySaver()
        agent = create_agent(model, tools=[], middleware=around, checkpointer=saver)
        return agent, around

    return make


def test_an_angry_and_a_joyful_person_get_different_instructions(
    everyone: Callable[..., Any],
) -> None:
    async def main() -> None:
        model = scripted(GOOD, GOOD)
        agent, (first, _, last) = everyone(model)
        for name, text in MOODS.items():
            out = await agent.ainvoke(said(text), in_thread(name))
            assert out["empathy"]["emotion"]["label"] == {"angry": "anger", "joyful": "joy"}[name]
        angry, joyful = instructions(model)
        assert (mood_of(angry), mood_of(joyful)) == ("anger", "joy")
        assert first.calls == last.calls == 2

    asyncio.run(main())


def test_events_hold_the_state_and_only_what_was_checked(everyone: Callable[..., Any]) -> None:
    async def main() -> list[Any]:
        agent, _ = everyone(scripted("That is hard. You should take 40 pills."))
        events = agent.astream_events(said(MOODS["angry"]), in_thread("a"), version="v2")
        return [event async for event in events]

    events = asyncio.run(main())
    streamed = "".join(
        e["data"]["chunk"].text for e in events
        if e["event"] == "on_chat_model_stream" and "nostream" not in e.get("tags", [])
    )  # fmt: skip
    assert "pills" not in streamed
    final = [e for e in events if e["event"] == "on_chain_end" and not e["parent_ids"]][-1]
    assert final["data"]["output"]["empathy"]["emotion"]["label"] == "anger"
    assert "pills" not in final["data"]["output"]["messages"][-1].text


def test_threads_at_once_do_not_reach_each_other(everyone: Callable[..., Any]) -> None:
    class Echo(Scripted):
        """Answers with the mood that it was told of: a mix-up would show."""

        def _generate(self, messages: Any, *given: Any, **kwargs: Any) -> Any:
            answer = AIMessage(f"I hear {mood_of(messages[0].text)}.")
            return ChatResult(generations=[ChatGeneration(message=answer)])

    agent, _ = everyone(Echo(messages=iter([]), seen=[]))

    def talk(n: int) -> tuple[str, list[str]]:
        mood = "angry" if n % 2 else "joyful"
        out = [agent.invoke(said(MOODS[mood]), in_thread(f"{mood}-{n}")) for _ in range(3)]
        return mood, [o["messages"][-1].text for o in out]

    with ThreadPoolExecutor(8) as pool:
        for mood, replies in pool.map(talk, range(8)):
            word = {"angry": "anger", "joyful": "joy"}[mood]
            assert all(word in reply for reply in replies), (mood, replies)


def test_a_recogniser_becomes_a_runnable(recognizer: EmotionRecognizer) -> None:
    read = recognizer.as_runnable()
    assert read.invoke("I am so happy today!").label == "joy"
    assert [s.label for s in read.batch(["I am so happy today!", "I feel so sad."])] == [
        "joy", "sadness",
    ]  # fmt: skip
    assert asyncio.run(read.ainvoke(HumanMessage("I feel so sad."))).label == "sadness"
