"""A model that is not thread-safe writes one reply at a time, whoever asks and through whatever."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from empathic_sdk import EmotionAwareAgent, EmotionRecognizer
from empathic_sdk.llm.locks import engines
from empathic_sdk.options import LLMOptions

REPLY = ["That sounds ", "like a lot. ", "What happened?"]


class Engine:
    """Asserts that nobody else is in it."""

    def __init__(self) -> None:
        self.inside = 0
        self.overlaps = 0
        self.calls = 0

    def write(self) -> Iterator[str]:
        self.calls += 1
        self.inside += 1
        try:
            for piece in REPLY:
                self.overlaps += self.inside > 1
                time.sleep(0.01)
                yield piece
        finally:
            self.inside -= 1


class Own:
    """A model of one's own that says so."""

    name = "own"
    thread_safe = False

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def stream(self, messages: Any) -> Iterator[str]:
        yield from self.engine.write()


class Llama(Engine):
    """As an object of llama_cpp looks."""

    __module__ = "llama_cpp.llama"
    metadata = {"tokenizer.chat_template": "{{ messages }}"}  # noqa: RUF012
    chat_format = None


def chat_model(engine: Any) -> Any:
    pytest.importorskip("langchain_core")
    from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
    from langchain_core.messages import AIMessage, AIMessageChunk
    from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

    class LlamaCpp(GenericFakeChatModel):
        client: Any = None

        def _generate(self, *given: Any, **kwargs: Any) -> ChatResult:
            message = AIMessage("".join(self.client.write()))
            return ChatResult(generations=[ChatGeneration(message=message)])

        def _stream(self, *given: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
            for piece in self.client.write():
                yield ChatGenerationChunk(message=AIMessageChunk(piece))

    return LlamaCpp(messages=iter([]), client=engine)


def three_at_once(*agents: EmotionAwareAgent) -> None:
    def say(number: int) -> None:
        agent = agents[number % len(agents)]
        if number % 2:
            turn = agent.respond("I failed the exam again.", user=f"u{number}")
        else:
            turn = list(agent.stream("I failed the exam again.", user=f"u{number}"))[-1].turn  # type: ignore[union-attr]
        assert (turn.reply, turn.fallbacks) == ("That sounds like a lot. What happened?", ())

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(say, range(6)))


@pytest.mark.parametrize("wrap", ["plain", "bound", "retried", "fallback", "chain"])
def test_llama_cpp_through_langchain(recognizer: EmotionRecognizer, wrap: str) -> None:
    engine = Llama()
    model = chat_model(engine)
    if wrap == "bound":
        model = model.bind(stop=["x"])
    elif wrap == "retried":
        model = model.with_retry()
    elif wrap == "fallback":
        model = model.with_fallbacks([chat_model(engine)])
    elif wrap == "chain":
        model = (lambda messages: messages) | model
    with EmotionAwareAgent(model, recognizer=recognizer) as agent:
        three_at_once(agent)
    assert engine.calls == 6 and engine.overlaps == 0


def test_two_agents_on_one_model(recognizer: EmotionRecognizer) -> None:
    engine = Llama()
    with (
        EmotionAwareAgent(chat_model(engine), recognizer=recognizer) as one,
        EmotionAwareAgent(chat_model(engine), recognizer=recognizer) as two,
    ):
        three_at_once(one, two)
    assert engine.calls == 6 and engine.overlaps == 0


def test_one_of_your_own(recognizer: EmotionRecognizer) -> None:
    engine = Engine()
    with EmotionAwareAgent(Own(engine), recognizer=recognizer) as agent:
        three_at_once(agent)
    assert engine.overlaps == 0


def test_others_do_run_at_once(recognizer: EmotionRecognizer) -> None:
    """Or the tests above would show nothing."""
    together = threading.Barrier(3)

    class Safe:
        name = "safe"

        def stream(self, messages: Any) -> Iterator[str]:
            together.wait(20)
            yield from REPLY

    with (
        EmotionAwareAgent(Safe(), recognizer=recognizer) as agent,
        ThreadPoolExecutor(3) as pool,
    ):
        turns = list(pool.map(lambda n: agent.respond("I failed.", user=f"u{n}"), range(3)))
    assert all(turn.fallbacks == () for turn in turns)


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
def test_the_middleware(recognizer: EmotionRecognizer, way: str) -> None:
    agents = pytest.importorskip("langchain.agents")
    from empathic_sdk.integrations.langchain import EmotionMiddleware

    engine = Llama()
    made = agents.create_agent(
        chat_model(engine), middleware=[EmotionMiddleware(recognizer=recognizer)]
    )
    said = {"messages": [("human", "I failed the exam again.")]}
    if way == "invoke":
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(made.invoke, [said] * 3))
    else:

        async def together() -> None:
            await asyncio.gather(*(made.ainvoke(said) for _ in range(3)))

        asyncio.run(together())
    assert engine.calls == 3 and engine.overlaps == 0


def test_whoever_stopped_waiting_does_not_ask(recognizer: EmotionRecognizer) -> None:
    """Else every turn that timed out would still take its time of the model."""
    free, asked = threading.Event(), []

    class Slow:
        name = "slow"
        thread_safe = False

        def stream(self, messages: Any) -> Iterator[str]:
            asked.append(messages[-1].text)
            free.wait(30)
            yield from REPLY

    options = LLMOptions(timeout_s=0.3)
    with EmotionAwareAgent(Slow(), recognizer=recognizer, llm_options=options) as agent:
        for number in range(3):
            turn = agent.respond(f"I failed {number} times.", user=f"u{number}")
            assert turn.fallbacks == ("llm:TimeoutError",)
        crisis = agent.respond("I want to kill myself.", user="ada")
        assert crisis.safety.help_lines and crisis.timings["total"] < 5000
        free.set()
        time.sleep(0.2)
    assert asked == ["I failed 0 times."]


def test_what_counts_as_one_engine() -> None:
    model = SimpleNamespace()
    pipes = [SimpleNamespace(task="text-generation", tokenizer=1, model=model) for _ in range(2)]
    assert engines(pipes[0]) == engines(pipes[1]) == [model]
    wrapped = chat_model(Llama())
    assert engines(wrapped) == engines(wrapped.bind(x=1).with_retry()) == [wrapped.client]
    assert engines(chat_model(None)) == engines(SimpleNamespace(client=Llama())) == []
    gc.collect()
