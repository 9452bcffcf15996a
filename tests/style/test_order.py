"""When hooks fire: after recognition and safety, before the reply, once each, in order."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from empathic_sdk import EmotionAwareAgent, EmotionRecognizer, ProfileStore
from empathic_sdk.responders.embedded import EmbeddedResponder
from empathic_sdk.safety.assessment import RiskAssessor
from empathic_sdk.style import default_pacing, default_theme, default_tone
from empathic_sdk.types import HookContext
from empathic_sdk.types.reply import Reply, ReplyContext

TURN = ["recognize", "safety", "tone", "pacing", "theme", "reply", "record"]


class Watched:
    """Passes everything on to a part, and writes down when one of its methods is called."""

    def __init__(self, part: Any, events: list[str], **names: str) -> None:
        self._part, self._events, self._names = part, events, names

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._part, name)
        if name not in self._names:
            return found

        def called(*given: Any, **named: Any) -> Any:
            self._events.append(self._names[name])
            return found(*given, **named)

        return called


class Answers:
    """A responder of somebody's own, which asks the embedded one."""

    def __init__(self, events: list[str]) -> None:
        self.events = events

    def reply(self, context: ReplyContext) -> Reply:
        self.events.append("reply")
        return EmbeddedResponder().reply(context)


@pytest.fixture
def watched(recognizer: EmotionRecognizer, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return an agent whose every step is written down, the list, and what the hooks saw."""
    events: list[str] = []
    seen: list[HookContext] = []

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

    read = recognizer.perceive

    def perceive(*given: Any) -> Any:
        events.append("recognize")
        return read(*given)

    monkeypatch.setattr(recognizer, "perceive", perceive)
    with (
        ProfileStore() as store,
        EmotionAwareAgent(
            recognizer=recognizer,
            store=Watched(store, events, record="record"),
            safety=Watched(RiskAssessor.shipped(recognizer.text), events, assess="safety"),
            responder=Answers(events),
            tone=hook("tone", default_tone),
            pacing=pacing,
            theme=hook("theme", default_theme),
        ) as agent,
    ):
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
    # The protocol answers: nobody else is asked.
    assert events == [step for step in TURN if step != "reply"]
    assert {context.safety.level for context in seen} == {"high"}
