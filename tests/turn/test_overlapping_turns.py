"""Two processes in one conversation: no turn covers what the other's turn found."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from empathic_sdk import EmotionAwareAgent, EmotionRecognizer, HookContext, Pacing, ProfileStore
from empathic_sdk.errors import ConflictError
from empathic_sdk.types import SafetyLevel
from tests.profiles.test_erase_everywhere import Tell, Tree, tell, tree  # noqa: F401
from tests.turn.fakes import CountingRecognizer, Notebook

CRISIS = "I want to kill myself tonight. I have the pills here."
PACING = Pacing(delay_s=0, words_per_minute=2000, max_sentences=3)


def risk_of(store: ProfileStore) -> SafetyLevel:
    kept = store.session("ada", "c")
    assert kept is not None
    found: list[Any] = []

    def look(value: Any) -> None:
        if isinstance(value, dict):
            if "asked" in value and "level" in value:
                found.append(value["level"])
            for one in value.values():
                look(one)

    look(json.loads(kept))
    (level,) = found
    return SafetyLevel(level)


class Meanwhile:
    """A pacing hook that lets something happen in the middle of the first turns it is asked of."""

    def __init__(self, act: Callable[[int], object], times: int = 1) -> None:
        self.act, self.times, self.calls = act, times, 0

    def __call__(self, context: HookContext) -> Pacing:
        self.calls += 1
        if self.calls <= self.times:
            self.act(self.calls)
        return PACING


def test_a_harmless_turn_is_taken_again_on_a_crisis_of_another_process(
    recognizer: EmotionRecognizer,
    tree: Tree,  # noqa: F811
    tell: Tell,  # noqa: F811
) -> None:
    tell("say", "eve", text="Hello.", conversation="warm")  # a hook is not waited for that long
    pause = Meanwhile(lambda _: tell("say", "ada", text=CRISIS, conversation="c"))
    with EmotionAwareAgent(recognizer=recognizer, profiles=tree.store, pacing=pause) as agent:
        turn = agent.respond("I bought some bread.", user="ada", conversation="c")
        assert pause.calls == 2
        with ProfileStore(tree.store) as store:
            levels = [t["safety"]["level"] for t in store.turns("ada")]
            assert len(levels) == 2 and levels[0] in ("high", "imminent")
            assert store.check() == []
        # It began anew as the second turn of the conversation, after the crisis.
        assert turn.emotion.shift is not None
        assert turn.safety.level is not SafetyLevel.NONE


@pytest.fixture
def other(recognizer: EmotionRecognizer, tmp_path: Path) -> Iterator[EmotionAwareAgent]:
    with EmotionAwareAgent(recognizer=recognizer, profiles=tmp_path / "p.db") as agent:
        yield agent


def test_a_turn_that_never_wins_is_recorded_beside_the_others(
    recognizer: EmotionRecognizer, other: EmotionAwareAgent, tmp_path: Path
) -> None:
    def act(n: int) -> None:
        other.respond(CRISIS if n == 99 else f"I bought {n} loaves.", user="ada", conversation="c")

    def last(n: int) -> None:
        act(99 if n == 4 else n)

    pause = Meanwhile(last, times=4)
    with EmotionAwareAgent(
        recognizer=recognizer, profiles=tmp_path / "p.db", pacing=pause
    ) as agent:
        turn = agent.respond("The weather is fine.", user="ada", conversation="c")
        assert pause.calls == 4 and turn.reply
        assert len(agent.profiles.turns("ada")) == 5
        # The crisis came into the last try: its level stands.
        assert risk_of(agent.profiles) in (SafetyLevel.HIGH, SafetyLevel.IMMINENT)
        after = agent.respond("I bought rope.", user="ada", conversation="c")
        assert after.safety.level is not SafetyLevel.NONE


def test_every_turn_of_two_agents_is_counted(
    recognizer: EmotionRecognizer, other: EmotionAwareAgent, tmp_path: Path
) -> None:
    pause = Meanwhile(lambda _: other.respond("Hello there.", user="ada", conversation="c"))
    with EmotionAwareAgent(
        recognizer=recognizer, profiles=tmp_path / "p.db", pacing=pause
    ) as agent:
        for n in range(3):
            pause.calls = 0
            agent.respond(f"Number {n}.", user="ada", conversation="c")
        assert agent.profiles.get("ada").turns == 6 and agent.profiles.check() == []


def test_a_store_that_always_refuses_ends_in_its_error() -> None:
    class Never(Notebook):
        def record(self, *given: Any, **more: Any) -> None:
            raise ConflictError("it went on elsewhere")

    with (
        EmotionAwareAgent(recognizer=CountingRecognizer(), store=Never()) as agent,
        pytest.raises(ConflictError, match="faster than"),
    ):
        agent.respond("hello", user="ada", conversation="c")
