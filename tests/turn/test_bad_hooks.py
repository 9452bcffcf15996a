"""Hooks that raise, return rubbish, hang or meddle, through every door; and bad models."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from empathic_sdk import (
    EmotionAwareAgent,
    EmotionRecognizer,
    HookContext,
    Pacing,
    Theme,
    Tone,
    Turn,
)
from empathic_sdk.errors import ConfigurationError
from empathic_sdk.options import LLMOptions
from empathic_sdk.style import PACINGS, THEMES, adecide, decide, default_tone
from empathic_sdk.types import Alert, Emotion, EmotionState, Modality, SafetyAssessment, SafetyLevel
from tests.turn.doors import DOORS, VERBS, Door, respond

SECRET = "xylophone"
TONE = Tone(name="mine", warmth=0.5, energy=0.5, formality=0.5, instructions="Be plain.")
FAST = Pacing(delay_s=0.0, words_per_minute=2000, max_sentences=3)


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
    """Hooks get a fifth of a second."""
    monkeypatch.setattr(sys.modules["empathic_sdk.style.calls"], "HOOK_TIMEOUT_S", 0.2)


def raises(context: HookContext) -> Any:
    raise ValueError(f"{SECRET}: {context.user.preferences}")


async def araises(context: HookContext) -> Any:
    raise KeyError(SECRET)


def leaves(context: HookContext) -> Any:
    sys.exit(3)


def rubbish(context: HookContext) -> Any:
    return {"name": SECRET}


class Both(Tone, Theme):
    """A tone and a theme at once, so that one hook serves for both."""


def forced(context: HookContext) -> Any:
    made = Both(**(TONE.model_dump() | THEMES["paper"].model_dump()))
    object.__setattr__(made, "name", {SECRET: 1})
    return made


async def arubbish(context: HookContext) -> Any:
    return SECRET


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("hook", "error"),
    [
        (raises, "ValueError"),
        (araises, "KeyError"),
        (leaves, "HookError"),
        (rubbish, "HookError"),
        (arubbish, "HookError"),
        (forced, "HookError"),
    ],
)
def test_a_broken_hook_is_named_and_the_turn_delivered(
    recognizer: EmotionRecognizer,
    caplog: pytest.LogCaptureFixture,
    door: Door,
    hook: Any,
    error: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    shown = door(recognizer, f"My {SECRET} broke.", tone=hook, theme=hook, pacing=lambda _: FAST)
    assert shown.fallbacks == (f"hook:tone:{error}", f"hook:theme:{error}")
    assert shown.reply and shown.style.pacing == FAST
    assert shown.style.tone == default_tone(HookContext(state=shown.emotion, safety=shown.safety))
    warned = [r.getMessage() for r in caplog.records if r.name == "empathic_sdk.style.decide"]
    assert [line.split(" failed")[0] for line in warned] == [
        f"the tone hook {hook.__name__}",
        f"the theme hook {hook.__name__}",
    ]
    assert all(error in line for line in warned)
    # Where it was raised; of a wrong type, what should have been returned.
    assert all(
        "test_bad_hooks.py" in line or "must return a" in line or "with wrong values" in line
        for line in warned
    )
    ours = [r.getMessage() for r in caplog.records if r.name.startswith("empathic_sdk")]
    assert SECRET not in "".join(ours)


@pytest.mark.parametrize("verb", VERBS)
def test_a_turn_with_a_broken_hook_is_recorded(
    made: Callable[..., EmotionAwareAgent],
    caplog: pytest.LogCaptureFixture,
    verb: Callable[[EmotionAwareAgent, str], Turn],
) -> None:
    caplog.set_level(logging.DEBUG)
    agent = made(tone=raises, theme=raises, pacing=lambda _: FAST)
    agent.profiles.prefer("ada", name=SECRET)
    turn = verb(agent, f"My {SECRET} broke.")
    (row,) = agent.profiles.turns("ada")
    assert row["id"] == turn.id and turn.fallbacks
    ours = [r.getMessage() for r in caplog.records if r.name.startswith("empathic_sdk")]
    assert SECRET not in "".join(ours)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("kind", ["plain", "coroutine", "deaf"])
def test_a_hook_that_hangs_is_left_behind_through_every_door(
    recognizer: EmotionRecognizer,
    quick: None,
    caplog: pytest.LogCaptureFixture,
    request: pytest.FixtureRequest,
    door: Door,
    kind: str,
) -> None:
    if kind == "deaf" and door.__name__ in ("arespond", "astream", "arunnable"):
        pytest.skip("a coroutine that blocks the caller's own loop blocks the caller")
    with hanging(kind) as hook:
        start = time.monotonic()
        shown = door(recognizer, "hello there", pacing=hook)
        assert time.monotonic() - start < 10
    assert shown.fallbacks == ("hook:pacing:TimeoutError",)
    assert shown.style.pacing in PACINGS.values() and shown.reply
    assert f"{kind} failed; the default steps in: TimeoutError" in caplog.text


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("kind", ["plain", "coroutine", "deaf"])
def test_a_hook_that_hangs_does_not_keep_a_model_from_answering(
    made: Callable[..., EmotionAwareAgent],
    quick: None,
    verb: Callable[[EmotionAwareAgent, str], Turn],
    kind: str,
) -> None:
    if kind == "deaf" and verb.__name__ in ("arespond", "astream", "arunnable"):
        pytest.skip("a coroutine that blocks the caller's own loop blocks the caller")
    with hanging(kind) as hook:
        agent = made(Writes(), pacing=hook)
        turn = verb(agent, "hello there")
        assert turn.fallbacks == ("hook:pacing:TimeoutError",)
        assert turn.responder == "fake:model"
        assert [row["id"] for row in agent.profiles.turns("ada")] == [turn.id]


@contextmanager
def hanging(kind: str) -> Iterator[Any]:
    """Give a hook that does not return while the block is under way."""
    free = threading.Event()

    def plain(context: HookContext) -> Pacing:
        free.wait(60)
        return FAST

    async def coroutine(context: HookContext) -> Pacing:
        await asyncio.sleep(3600)
        return FAST

    async def deaf(context: HookContext) -> Pacing:
        free.wait(60)  # blocks its loop: no cancellation reaches it
        return FAST

    try:
        yield {"plain": plain, "coroutine": coroutine, "deaf": deaf}[kind]
    finally:
        free.set()


class Vandal:
    """Three hooks that force everything they get and everything they gave."""

    def __init__(self) -> None:
        self.calls = 0
        self.gave: list[Any] = []
        self.saw: list[HookContext] = []

    def spoil(self, context: HookContext) -> None:
        self.calls += 1
        self.saw.append(context.model_copy(deep=True))
        for state in (context.state, *context.history):
            state.probabilities.clear()
            state.contributions.clear()
            object.__setattr__(state, "label", Emotion.JOY)
            object.__setattr__(state, "uncertain", True)
        context.user.preferences.clear()
        context.user.preferences["tone"] = "bright"
        context.user.emotions.clear()
        object.__setattr__(context.user, "consents", frozenset(Modality))
        object.__setattr__(context.safety, "level", SafetyLevel.NONE)
        object.__setattr__(context.safety, "reasons", ())
        object.__setattr__(context, "safety", SafetyAssessment())
        object.__setattr__(context, "history", ())
        object.__setattr__(context, "scenario", "tutoring")
        for value in self.gave:
            for name in type(value).model_fields:
                object.__setattr__(value, name, None)

    def give(self, value: Any) -> Any:
        self.gave.append(value)
        return value

    def tone(self, context: HookContext) -> Any:
        self.spoil(context)
        return self.give(TONE.model_copy())

    async def pacing(self, context: HookContext) -> Any:
        self.spoil(context)
        return self.give(FAST.model_copy())

    def theme(self, context: HookContext) -> Any:
        self.spoil(context)
        raise RuntimeError("now the default steps in")


TALKS = [
    ("I am so happy today!", "And then I failed, I feel awful."),
    ("I feel so empty.", "I want to kill myself."),
]


def alike(one: EmotionState, other: EmotionState) -> bool:
    """Equal but for rounding: how a batch was put together shows in the last digits."""
    first, second = one.model_dump(mode="json"), other.model_dump(mode="json")
    numbers = {k for k, v in first.items() if isinstance(v, float)}
    return (
        all(first[k] == pytest.approx(second[k], abs=1e-5) for k in numbers)
        and first["probabilities"] == pytest.approx(second["probabilities"], abs=1e-5)
        and (one.label, one.uncertain, one.trend) == (other.label, other.uncertain, other.trend)
    )


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("texts", TALKS, ids=["quiet", "crisis"])
def test_nothing_that_hooks_do_changes_the_turn(
    recognizer: EmotionRecognizer, door: Door, texts: tuple[str, ...]
) -> None:
    vandal = Vandal()
    spoilt = door(recognizer, *texts, tone=vandal.tone, pacing=vandal.pacing, theme=vandal.theme)
    clean = door(recognizer, *texts, tone=lambda _: TONE, pacing=lambda _: FAST)
    assert alike(spoilt.emotion, clean.emotion)
    assert spoilt._replace(fallbacks=(), emotion=clean.emotion) == clean
    assert spoilt.fallbacks == ("hook:theme:RuntimeError",)
    assert vandal.calls == 3 * len(texts)
    # No hook saw what another one did to its own copy.
    for start in range(0, len(vandal.saw), 3):
        first, second, third = vandal.saw[start : start + 3]
        assert first == second == third and first.scenario == "counselling"
    assert (spoilt.safety.level == "high") is (texts is TALKS[1])
    assert bool(spoilt.safety.help_lines) is (texts is TALKS[1])


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
    monkeypatch.setattr("empathic_sdk.runtime.lanes.HANGING", 2)
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
        if free.is_set():
            return FAST  # the wrong type: the default steps in
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
    turn = verb(
        made(Endless(), llm_options=LLMOptions(timeout_s=0.5), pacing=lambda _: FAST), "hello there"
    )
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
