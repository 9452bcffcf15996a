"""The agent's own ``"default"`` is for one person: a warning where two conversations use it."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from empathic_sdk import EmotionAwareAgent, EmotionRecognizer
from empathic_sdk.errors import SharedUserWarning
from empathic_sdk.options import Retention


def shared(found: list[warnings.WarningMessage]) -> list[str]:
    return [str(w.message) for w in found if issubclass(w.category, SharedUserWarning)]


@pytest.fixture
def seen() -> Iterator[list[warnings.WarningMessage]]:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        yield found


def test_a_conversation_that_goes_on_after_another_began(
    agent: EmotionAwareAgent, seen: list[warnings.WarningMessage]
) -> None:
    agent.respond("hello", conversation="a")
    agent.respond("hello", conversation="b")
    assert shared(seen) == []  # one after the other: one person may begin anew
    agent.respond("hello again", conversation="a")
    (message,) = shared(seen)
    assert "user=" in message and "'default'" in message
    agent.respond("hello again", conversation="b")
    assert len(shared(seen)) == 1  # once


def test_turns_at_the_same_time(
    recognizer: EmotionRecognizer, seen: list[warnings.WarningMessage]
) -> None:
    waiting, free = threading.Event(), threading.Event()

    class Slow:
        name = "slow"

        def stream(self, messages: Any) -> Iterator[str]:
            waiting.set()
            free.wait(30)
            yield "That sounds heavy."

    with EmotionAwareAgent(Slow(), recognizer=recognizer) as agent:
        first = threading.Thread(target=agent.respond, args=("hello",))
        first.start()
        assert waiting.wait(30)
        second = threading.Thread(target=agent.respond, args=("hello",))
        second.start()
        second.join(1)
        free.set()
        first.join(30)
        second.join(30)
    assert len(shared(seen)) == 1


def test_nobody_else_is_warned(
    recognizer: EmotionRecognizer, seen: list[warnings.WarningMessage]
) -> None:
    with EmotionAwareAgent(recognizer=recognizer) as agent:
        for _ in range(2):
            for name in ("a", "b"):
                agent.respond("hello", user="ada", conversation=name)
                agent.respond("hello", user=name)
        for _ in range(3):
            agent.respond("hello")
    with EmotionAwareAgent(recognizer=recognizer, retention=Retention(idle_s=0)) as agent:
        for name in ("a", "b", "a"):  # each had fallen silent
            agent.respond("hello", conversation=name)
    assert shared(seen) == []


def test_one_who_left_a_stream_and_goes_on_is_one_person(
    recognizer: EmotionRecognizer, seen: list[warnings.WarningMessage]
) -> None:
    free = threading.Event()

    class Slow:
        name = "slow"

        def stream(self, messages: Any) -> Iterator[str]:
            yield "That sounds heavy. "
            free.wait(30)
            yield "What happened?"

    with EmotionAwareAgent(Slow(), recognizer=recognizer) as agent:
        events = agent.stream("hello")
        next(events), next(events)
        events.close()  # type: ignore[attr-defined]
        threading.Timer(0.2, free.set).start()
        agent.respond("never mind")
    assert shared(seen) == []


def test_where_warnings_are_errors_no_turn_is_lost(
    agent: EmotionAwareAgent, caplog: pytest.LogCaptureFixture
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        agent.respond("hello", conversation="a")
        agent.respond("hello", conversation="b")
        turn = agent.respond("I want to kill myself.", conversation="a")
    assert turn.safety.help_lines
    assert "two conversations use this agent" in caplog.text
