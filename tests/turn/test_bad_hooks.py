"""Hooks that raise, return rubbish or hang, under all four verbs; and models that misbehave."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from empathic_sdk import EmotionAwareAgent, EmotionRecognizer, HookContext, Pacing, Turn
from empathic_sdk.errors import ConfigurationError
from empathic_sdk.style import PACINGS, adecide, decide, default_tone
from empathic_sdk.types import Alert

SECRET = "xylophone"
FAST = Pacing(delay_s=0.0, words_per_minute=2000, max_sentences=3)


def respond(agent: EmotionAwareAgent, text: str) -> Turn:
    return agent.respond(text, user="ada", conversation="c")


def arespond(agent: EmotionAwareAgent, text: str) -> Turn:
    return asyncio.run(agent.arespond(text, user="ada", conversation="c"))


def stream(agent: EmotionAwareAgent, text: str) -> Turn:
    *_, last = agent.stream(text, user="ada", conversation="c")
    assert last.kind == "turn"
    return last.turn


def astream(agent: EmotionAwareAgent, text: str) -> Turn:
    async def whole() -> Any:
        return [event async for event in agent.astream(text, user="ada", conversation="c")][-1]

    return asyncio.run(whole()).turn


VERBS = (respond, arespond, stream, astream)


class Writes:
    name = "fake:model"

    def stream(self, messages: Any) -> Iterator[str]:
        yield "That sounds heavy. What happened then?"


@pytest.fixture
def made(recognizer: EmotionRecognizer) -> Iterator[Callable[..., EmotionAwareAgent]]:
    agents: list[EmotionAwareAgent] = []

    def make(model: Any = None, **hooks: Any) -> EmotionAwareAgent:
        agents.append(EmotionAwareAgent(model, recognizer=recognizer, **hooks))
        return agents[-1]

    yield make
    for agent in agents:
        agent.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hooks get a fifth of a second, and speech no pauses."""
    monkeypatch.setattr("empathic_sdk.agent.HOOK_TIMEOUT_S", 0.2)
    monkeypatch.setattr(sys.modules["empathic_sdk.style.calls"], "HOOK_TIMEOUT_S", 0.2)


def raises(context: HookContext) -> Any:
    raise ValueError(f"{SECRET}: {context.user.preferences}")


async def araises(context: HookContext) -> Any:
    raise KeyError(SECRET)


def leaves(context: HookContext) -> Any:
    sys.exit(3)


def rubbish(context: HookContext) -> Any:
    return {"name": SECRET}


async def arubbish(context: HookContext) -> Any:
    return SECRET


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("hook", "error"),
    [
        (raises, "ValueError"),
        (araises, "KeyError"),
        (leaves, "HookError"),
        (rubbish, "HookError"),
        (arubbish, "HookError"),
    ],
)
def test_a_broken_hook_is_named_and_the_turn_delivered_and_recorded(
    made: Callable[..., EmotionAwareAgent],
    caplog: pytest.LogCaptureFixture,
    verb: Callable[[EmotionAwareAgent, str], Turn],
    hook: Any,
    error: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    agent = made(tone=hook, theme=hook, pacing=lambda _: FAST)
    agent.profiles.prefer("ada", name=SECRET)
    turn = verb(agent, f"My {SECRET} broke.")
    assert turn.fallbacks == (f"hook:tone:{error}", f"hook:theme:{error}")
    assert turn.reply and turn.style.pacing == FAST
    context = HookContext(state=turn.emotion, user=agent.profiles.get("ada"), safety=turn.safety)
    assert turn.style.tone == default_tone(context)
    (row,) = agent.profiles.turns("ada")
    assert row["id"] == turn.id
    warned = [r.getMessage() for r in caplog.records if r.name == "empathic_sdk.style.decide"]
    assert [line.split(" failed")[0] for line in warned] == [
        f"the tone hook {hook.__name__}",
        f"the theme hook {hook.__name__}",
    ]
    assert all(error in line for line in warned)
    # Where it was raised; of a wrong type, what should have been returned.
    assert all("test_bad_hooks.py" in line or "must return a" in line for line in warned)
    assert SECRET not in caplog.text


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("kind", ["plain", "coroutine", "deaf"])
@pytest.mark.parametrize("model", [None, Writes()])
def test_a_hook_that_hangs_is_left_behind(
    made: Callable[..., EmotionAwareAgent],
    quick: None,
    caplog: pytest.LogCaptureFixture,
    verb: Callable[[EmotionAwareAgent, str], Turn],
    kind: str,
    model: Any,
) -> None:
    free = threading.Event()
    if kind == "deaf" and verb in (arespond, astream):
        pytest.skip("a coroutine that blocks the caller's own loop blocks the caller")

    def plain(context: HookContext) -> Pacing:
        free.wait(60)
        return FAST

    async def coroutine(context: HookContext) -> Pacing:
        await asyncio.sleep(3600)
        return FAST

    async def deaf(context: HookContext) -> Pacing:
        free.wait(60)  # blocks its loop: no cancellation reaches it
        return FAST

    agent = made(model, pacing={"plain": plain, "coroutine": coroutine, "deaf": deaf}[kind])
    try:
        start = time.monotonic()
        turn = verb(agent, "hello there")
        assert time.monotonic() - start < 10
        assert turn.fallbacks == ("hook:pacing:TimeoutError",)
        assert turn.style.pacing in PACINGS.values() and turn.reply
        assert turn.responder == ("embedded" if model is None else "fake:model")
        assert [row["id"] for row in agent.profiles.turns("ada")] == [turn.id]
        assert f"{kind} failed; the default steps in: TimeoutError" in caplog.text
    finally:
        free.set()


@pytest.mark.parametrize("verb", VERBS)
def test_an_alarm_that_hangs_or_raises_does_not_hold_up_the_turn(
    made: Callable[..., EmotionAwareAgent],
    quick: None,
    caplog: pytest.LogCaptureFixture,
    verb: Callable[[EmotionAwareAgent, str], Turn],
) -> None:
    free = threading.Event()
    rung: list[str] = []

    def hangs(alert: Alert) -> None:
        rung.append(alert.level)
        free.wait(60)

    def fails(alert: Alert) -> None:
        rung.append(alert.level)
        raise ConnectionError(alert)

    try:
        for alarm, error in ((hangs, "TimeoutError"), (fails, "ConnectionError")):
            caplog.clear()
            agent = made(on_alert=alarm, pacing=lambda _: FAST)
            turn = verb(agent, "I want to kill myself.")
            assert rung[-1] == turn.safety.level and turn.safety.help_lines
            (record,) = [r for r in caplog.records if r.levelname == "ERROR"]
            assert record.getMessage().startswith(f"on_alert raised: {error}")
            assert turn.reply[:30] not in caplog.text
    finally:
        free.set()


def test_hooks_that_never_return_do_not_eat_threads(
    made: Callable[..., EmotionAwareAgent], monkeypatch: pytest.MonkeyPatch, quick: None
) -> None:
    calls = sys.modules["empathic_sdk.style.calls"]
    monkeypatch.setattr(calls, "_PLACES", threading.BoundedSemaphore(2))
    free = threading.Event()
    begun: list[int] = []

    def hangs(context: HookContext) -> Pacing:
        begun.append(1)
        free.wait(60)
        return FAST

    agent = made(pacing=hangs)
    try:
        for _ in range(5):
            turn = respond(agent, "hello there")
            assert turn.fallbacks == ("hook:pacing:TimeoutError",)
        assert len(begun) == 2
    finally:
        free.set()


def test_a_hook_left_behind_may_end_when_it_likes(
    made: Callable[..., EmotionAwareAgent], quick: None
) -> None:
    free, ended = threading.Event(), threading.Event()
    found: list[Any] = []

    def hangs(context: HookContext) -> Pacing:
        free.wait(60)
        try:
            agent.respond("later", user="ada", conversation="c")  # its turn is long over
        except ConfigurationError as error:
            found.append(error)
        finally:
            ended.set()
        return FAST

    agent = made(theme=hangs)
    respond(agent, "hello there")
    agent._hooks = agent._hooks._replace(theme=None)
    free.set()
    assert ended.wait(20) and found == []
    assert agent.profiles.get("ada").turns == 2


def test_a_plain_hook_that_hangs_does_not_hold_up_the_loop(quick: None) -> None:
    free = threading.Event()

    def hangs(context: HookContext) -> Any:
        free.wait(60)

    async def main() -> tuple[tuple[str, ...], int]:
        ticks = 0
        deciding = asyncio.ensure_future(adecide(context, tone=hangs))
        while not deciding.done():
            await asyncio.sleep(0.01)
            ticks += 1
        return deciding.result()[1], ticks

    from empathic_sdk.lab.evaluation.adaptation import FLAT
    from empathic_sdk.types import SafetyAssessment, UserContext

    context = HookContext(state=FLAT, user=UserContext(), safety=SafetyAssessment())
    try:
        problems, ticks = asyncio.run(main())
    finally:
        free.set()
    assert problems == ("hook:tone:TimeoutError",)
    assert ticks > 3


def test_interrupting_still_interrupts() -> None:
    from empathic_sdk.lab.evaluation.adaptation import FLAT
    from empathic_sdk.types import SafetyAssessment, UserContext

    def stops(context: HookContext) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        decide(HookContext(state=FLAT, user=UserContext(), safety=SafetyAssessment()), tone=stops)


BAD = {
    "nothing": ([], "llm:empty"),
    "html": (["<!DOCTYPE html>\n<body>\nPlease try again later.\n</body>"], "llm:unsafe:markup"),
    "50,000 tokens": (["word "] * 50_000, "llm:overlong"),
    "broken UTF-8": (["\udcff\ud800"], "llm:empty"),
    "bytes": ([b"That is a lot."], "llm:TypeError"),
    "a tool call": (['{"name": "search", "arguments": {}}\nHere it is.'], "llm:unsafe:markup"),
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("what", BAD)
def test_a_bad_model_is_answered_for(
    made: Callable[..., EmotionAwareAgent],
    caplog: pytest.LogCaptureFixture,
    verb: Callable[[EmotionAwareAgent, str], Turn],
    what: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    pieces, fallback = BAD[what]

    class Bad(Writes):
        def stream(self, messages: Any) -> Iterator[str]:
            yield from pieces

    agent = made(Bad(), pacing=lambda _: FAST)
    turn = verb(agent, f"My {SECRET} broke.")
    assert (turn.responder, turn.fallbacks) == ("embedded", (fallback,))
    assert Turn.model_validate_json(turn.model_dump_json()) == turn
    assert [row["id"] for row in agent.profiles.turns("ada")] == [turn.id]
    assert SECRET not in caplog.text


@pytest.mark.parametrize("verb", VERBS)
def test_a_stream_without_end_ends_with_the_timeout(
    made: Callable[..., EmotionAwareAgent], verb: Callable[[EmotionAwareAgent, str], Turn]
) -> None:
    class Endless(Writes):
        def stream(self, messages: Any) -> Iterator[str]:
            while True:
                yield ""

    start = time.monotonic()
    turn = verb(made(Endless(), llm_timeout_s=0.5, pacing=lambda _: FAST), "hello there")
    assert time.monotonic() - start < 10
    assert (turn.responder, turn.fallbacks) == ("embedded", ("llm:TimeoutError",))


@pytest.mark.parametrize("verb", VERBS)
def test_a_chat_models_unasked_tool_call_is_passed_over(
    made: Callable[..., EmotionAwareAgent], verb: Callable[[EmotionAwareAgent, str], Turn]
) -> None:
    core = pytest.importorskip("langchain_core.language_models.fake_chat_models")
    messages = pytest.importorskip("langchain_core.messages")
    call = {"name": "search", "args": {"query": SECRET}, "id": "1", "type": "tool_call"}
    for text, responder, fallbacks in (
        ("", "embedded", ("llm:empty",)),
        ("That is a lot. What happened?", None, ()),
    ):
        said = messages.AIMessage(content=text, tool_calls=[call])
        model = core.FakeMessagesListChatModel(responses=[said])
        turn = verb(made(model, pacing=lambda _: FAST), "My drum broke.")
        assert turn.fallbacks == fallbacks
        assert (turn.responder == "embedded") is (responder == "embedded")
        assert SECRET not in turn.reply
