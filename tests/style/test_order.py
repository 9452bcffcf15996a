"""When hooks fire: after recognition and safety, before the reply, once each, in order."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from empathic_sdk import EmotionAwareAgent, EmotionRecognizer
from empathic_sdk.safety.assessment import assess_turn
from empathic_sdk.style import default_pacing, default_theme, default_tone
from empathic_sdk.types import HookContext

TURN = ["recognize", "safety", "tone", "pacing", "theme", "reply", "record"]


@pytest.fixture
def watched(recognizer: EmotionRecognizer, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return an agent whose every step is written down, and the list."""
    events: list[str] = []
    seen: list[HookContext] = []

    def watch(name: str, call: Any) -> Any:
        def watched(*given: Any, **named: Any) -> Any:
            events.append(name)
            return call(*given, **named)

        return watched

    def hook(name: str, default: Any) -> Any:
        def called(context: HookContext) -> Any:
            events.append(name)
            seen.append(context)
            return default(context)

        return called

    async def pacing(context: HookContext) -> Any:
        await asyncio.sleep(0)
        events.append("pacing")
        seen.append(context)
        return default_pacing(context)

    monkeypatch.setattr("empathic_sdk.turn.engine.assess_turn", watch("safety", assess_turn))
    with EmotionAwareAgent(
        recognizer=recognizer,
        tone=hook("tone", default_tone),
        pacing=pacing,
        theme=hook("theme", default_theme),
    ) as agent:
        monkeypatch.setattr(
            recognizer,
            "perceive",
            watch("recognize", EmotionRecognizer.perceive.__get__(recognizer)),
        )
        pipeline = agent._pipeline
        monkeypatch.setattr(pipeline.responder, "reply", watch("reply", pipeline.responder.reply))
        monkeypatch.setattr(pipeline.profiles, "record", watch("record", pipeline.profiles.record))
        yield agent, events, seen


def test_the_exact_order_of_a_turn(watched: Any) -> None:
    agent, events, seen = watched
    agent.respond("I failed the exam again.", user="ada", conversation="c")
    assert events == TURN
    agent.respond("And I am scared of the next one.", user="ada", conversation="c")
    assert events == TURN * 2
    # All three of one turn got the same; the second turn knows the first.
    assert seen[0] == seen[1] == seen[2]
    assert seen[3] == seen[4] == seen[5]
    assert (seen[0].turn, seen[3].turn) == (0, 1)
    assert seen[3].history == (seen[0].state,)


def test_the_exact_order_of_an_asynchronous_turn_and_of_a_stream(watched: Any) -> None:
    agent, events, _ = watched
    asyncio.run(agent.arespond("I failed the exam again.", user="ada"))
    assert events == TURN
    events.clear()
    first = next(iter(agent.stream("I failed the exam again.", user="bob")))
    # The state that opens a stream carries the style, and all of the turn came before it.
    assert events == TURN
    assert first.kind == "state"


def test_a_safety_turn_asks_the_hooks_once_more_and_they_know(watched: Any) -> None:
    agent, events, seen = watched
    agent.respond("I want to kill myself.", user="ada")
    assert events == TURN
    assert {context.safety.level for context in seen} == {"high"}
