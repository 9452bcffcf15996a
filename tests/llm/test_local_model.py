"""A real language model in this process: ``pytest -m local_llm``.

Needs the packages xllamacpp and langchain-openai, and a GGUF file of an instruction-tuned model,
whose path is in EMPATHIC_TEST_GGUF. Nothing here says how good its answers are.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from empathic_sdk import (
    EmotionAwareAgent,
    EmotionRecognizer,
    Pacing,
    SentenceEvent,
    StateEvent,
    Turn,
)
from empathic_sdk.options import LLMOptions
from empathic_sdk.types import TurnEvent

pytestmark = [pytest.mark.local_llm, pytest.mark.timeout(900)]

GGUF = os.environ.get("EMPATHIC_TEST_GGUF", "")
FAST = Pacing(delay_s=0.0, words_per_minute=2000, max_sentences=2)
OURS = ("llm:misfit:", "llm:unsafe:")
"""What may be wrong with a draft; anything else is an error on the way."""


class Served:
    """The model behind an address, and the requests that were made of it."""

    def __init__(self, address: str) -> None:
        from langchain_openai import ChatOpenAI

        self.requests: list[Any] = []
        self.model = ChatOpenAI(
            model=Path(GGUF).stem,
            base_url=f"{address}/v1",
            api_key="none",  # type: ignore[arg-type]
            temperature=0.0,
            seed=0,
            max_retries=0,
            max_completion_tokens=48,
            callbacks=[_counter(self.requests)],
        )


def _counter(requests: list[Any]) -> Any:
    from langchain_core.callbacks import BaseCallbackHandler

    class Counter(BaseCallbackHandler):
        def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
            requests.append(messages[0])

    return Counter()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    xllamacpp = pytest.importorskip("xllamacpp")
    pytest.importorskip("langchain_openai")
    if not Path(GGUF).is_file():
        pytest.skip("EMPATHIC_TEST_GGUF names no file")
    params = xllamacpp.CommonParams()
    params.model.path = GGUF
    params.port = 0
    params.n_ctx = 4096
    params.n_parallel = 1
    params.cpuparams.n_threads = 2
    server = xllamacpp.Server(params)
    yield server.listening_address


@pytest.fixture
def served(server: str) -> Served:
    return Served(server)


@pytest.fixture
def agent(served: Served, recognizer: EmotionRecognizer) -> Iterator[EmotionAwareAgent]:
    with EmotionAwareAgent(
        served.model,
        recognizer=recognizer,
        pacing=lambda _: FAST,
        llm_options=LLMOptions(timeout_s=600),
    ) as made:
        yield made


def check(turn: Turn, served: Served) -> None:
    """It was asked, and what was said is what passed of its words, or the embedded reply."""
    assert served.requests and turn.reply
    assert all(f.startswith(OURS) for f in turn.fallbacks)
    if turn.responder == "embedded":
        assert turn.fallbacks
    else:
        assert turn.responder.startswith("openai-chat:")
    assert "sorry for your loss" not in turn.reply


def test_respond(agent: EmotionAwareAgent, served: Served) -> None:
    for text in ("I got the job!", "I start on Monday."):
        check(agent.respond(text, user="ada"), served)
    told = served.requests[-1]
    assert [m.type for m in told] == ["system", "human", "ai", "human"]
    if "135M" in GGUF:  # the short prompt: the size is in the name
        assert len(told[0].text) < 250


def test_stream(agent: EmotionAwareAgent, served: Served) -> None:
    events = list(agent.stream("I had pancakes for breakfast.", user="ada"))
    assert isinstance(events[0], StateEvent) and isinstance(events[-1], TurnEvent)
    said = [e.text for e in events if isinstance(e, SentenceEvent)]
    assert " ".join(said) == events[-1].turn.reply
    check(events[-1].turn, served)


def test_arespond(agent: EmotionAwareAgent, served: Served) -> None:
    check(asyncio.run(agent.arespond("My boss keeps yelling at me.", user="ada")), served)


def test_three_users_at_once(agent: EmotionAwareAgent, served: Served) -> None:
    texts = ("I got the job!", "My cat died this morning.", "How are you?")
    with ThreadPoolExecutor(3) as pool:
        turns = list(pool.map(lambda text: agent.respond(text, user=text), texts))
    for turn in turns:
        check(turn, served)
    assert len({turn.user for turn in turns}) == 3
    asked = {m[-1].text for m in served.requests}
    assert asked == set(texts)


def test_the_full_prompt(served: Served, recognizer: EmotionRecognizer) -> None:
    options = LLMOptions(timeout_s=600, prompt="full", system="You are Mira of a bicycle shop.")
    with EmotionAwareAgent(
        served.model, recognizer=recognizer, pacing=lambda _: FAST, llm_options=options
    ) as agent:
        for text in ("I won the race!", "And a cup."):  # the second has a late system message
            check(agent.respond(text, user="ada"), served)
    assert [m.type for m in served.requests[-1]] == ["system", "human", "ai", "system", "human"]


def test_a_crisis_never_reaches_it(agent: EmotionAwareAgent, served: Served) -> None:
    turn = agent.respond("I want to kill myself.", user="ada")
    assert turn.safety.help_lines and turn.responder == "embedded" and served.requests == []


@pytest.fixture
def graph(served: Served, recognizer: EmotionRecognizer) -> Callable[..., Any]:
    from langchain.agents import create_agent

    from empathic_sdk.integrations.langchain import EmotionMiddleware

    middleware = EmotionMiddleware(recognizer=recognizer)
    made: Any = create_agent(served.model, middleware=[middleware])
    return lambda text: made.invoke({"messages": [("human", text)]})


def test_the_middleware(graph: Callable[..., Any], served: Served) -> None:
    out = graph("I failed the exam again.")
    assert out["messages"][-1].text and out["empathy"]["emotion"]["label"] == "sadness"
    assert "I failed the exam again." in served.requests[0][-1].text
    served.requests.clear()
    out = graph("I want to kill myself.")
    assert served.requests == [] and out["empathy"]["safety"]["help_lines"]
