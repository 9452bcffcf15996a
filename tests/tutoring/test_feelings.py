"""The learning state: bounded, by hand, and found in scripted learners within a few turns."""

# Tables of cases stay tables.
# ruff: noqa: E501

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from empathic_sdk.tutoring import feelings
from empathic_sdk.tutoring.feelings import RESTING, SIGNS, infer, mood_of, signs_said
from empathic_sdk.types import Emotion, LearningState
from tests.conftest import make_state
from tests.tutoring.learner import Learner


def test_one_turn_by_hand() -> None:
    # all at rest, so nothing fades: confusion .1 + .6*(1 - .1) = .64, boredom .1 - .3*.1 = .07
    state = infer(RESTING, ["says_confused"])
    assert state.confusion == pytest.approx(0.64)
    assert state.boredom == pytest.approx(0.07)
    assert (state.engagement, state.frustration) == (0.5, 0.1)
    # fades: .64 + .2*(.1 - .64) = .532; right takes 40 % of it: .3192
    assert infer(state, ["right"]).confusion == pytest.approx(0.3192)
    # half an emotion is half its weight: .1 + .5*.4*(.9) = .28
    assert infer(RESTING, {"anger": 0.5}).frustration == pytest.approx(0.28)


@given(
    st.tuples(*[st.floats(0, 1)] * 4),
    st.dictionaries(st.sampled_from(sorted(SIGNS)), st.floats(0, 1)),
)
def test_always_within_bounds_and_each_sign_pulls_its_way(
    values: tuple[float, ...], signs: dict[str, float]
) -> None:
    before = LearningState(**dict(zip(LearningState.model_fields, values, strict=True)))
    state = infer(before, signs)
    for name in LearningState.model_fields:
        assert 0 <= getattr(state, name) <= 1
        quiet = getattr(infer(before, []), name)
        weights = [SIGNS[s].get(name, 0) * share for s, share in signs.items()]
        if all(w >= 0 for w in weights):
            assert getattr(state, name) >= quiet - 1e-12
        if all(w <= 0 for w in weights):
            assert getattr(state, name) <= quiet + 1e-12


def test_what_is_not_confirmed_fades() -> None:
    state = LearningState(engagement=0.0, confusion=1.0, frustration=1.0, boredom=1.0)
    for _ in range(30):
        state = infer(state, [])
    for name in LearningState.model_fields:
        assert getattr(state, name) == pytest.approx(getattr(RESTING, name), abs=0.01)


@pytest.mark.parametrize(
    ("text", "signs"),
    [
        ("I don't get it", {"says_confused"}), ("huh?", {"says_confused"}),
        ("this makes no sense", {"says_confused"}), ("what do you mean?", {"says_confused"}),
        ("this is too easy", {"says_bored"}), ("boring...", {"says_bored"}),
        ("I already know this", {"says_bored"}), ("whatever", {"says_indifferent"}),
        ("meh", {"says_indifferent"}), ("ugh, I hate this", {"says_frustrated"}),
        ("I'm so stupid", {"says_frustrated"}), ("I can't do this", {"says_frustrated"}),
        ("let's go", {"says_keen"}), ("oh now I get it!", {"says_keen"}),
        ("idk", {"does_not_know"}), ("it's not too easy", set()), ("3/4", set()),
        ("I'm not confused", set()), ("good morning", set()),
    ],
)  # fmt: skip
def test_signs_in_words(text: str, signs: set[str]) -> None:
    assert set(signs_said(text)) == signs


def test_an_unsure_emotion_is_no_sign() -> None:
    assert feelings.signs_felt(make_state(Emotion.ANGER, intensity=0.5)) == {"anger": 0.5}
    assert feelings.signs_felt(make_state(Emotion.ANGER, uncertain=True)) == {}
    assert feelings.signs_felt(make_state(Emotion.NEUTRAL)) == {}


def test_timing() -> None:
    assert feelings.signs_timed(1.0, right=False) == ("guessed",)
    assert feelings.signs_timed(1.0, right=True) == ("fast_right",)
    assert feelings.signs_timed(300.0, right=False) == ("long_and_not_right",)
    for seconds, right in ((None, False), (-3.0, False), (30.0, False), (300.0, True)):
        assert feelings.signs_timed(seconds, right) == ()


def play(lines: list[tuple[Any, ...]]) -> list[str]:
    learner = Learner("scripted")
    return [mood_of(learner.say(*line).learning or RESTING) for line in lines]


def test_a_confused_learner() -> None:
    moods = play([("hi",), ("WRONG",), ("WRONG",), ("hint",), ("I don't get it", Emotion.FEAR)])
    assert "confused" in moods[:4]
    assert moods[-1] == "confused"


def test_a_frustrated_learner() -> None:
    moods = play([("hi",), ("WRONG",), ("ugh, wrong again", Emotion.ANGER), ("I hate this", Emotion.ANGER)])  # fmt: skip
    assert moods[2:] == ["frustrated", "frustrated"]


def test_a_bored_learner_who_says_so_and_one_who_only_races() -> None:
    assert play([("hi",), ("RIGHT",), ("this is too easy, boring",)])[-1] == "bored"
    racing = play([("hi", Emotion.NEUTRAL, 0.0), *[("RIGHT", Emotion.NEUTRAL, None, 2.0)] * 5])
    assert "bored" in racing[:6]


def test_an_engaged_learner() -> None:
    learner = Learner("scripted")
    for line in (("hi",), ("RIGHT",), ("WRONG",), ("RIGHT",), ("cool, next one!", Emotion.JOY), ("RIGHT",)):  # fmt: skip
        reply = learner.say(*line)
    assert reply.learning is not None
    assert mood_of(reply.learning) == "engaged"
    assert reply.learning.engagement > 0.7
    assert max(reply.learning.confusion, reply.learning.frustration, reply.learning.boredom) < 0.3


def test_someone_who_guesses_is_asked_to_slow_down() -> None:
    learner = Learner("scripted")
    learner.say("hi", Emotion.NEUTRAL, 0.0)
    reply = learner.say("WRONG", Emotion.NEUTRAL, 1.0)
    assert reply.learning is not None and reply.learning.boredom > RESTING.boredom
    assert reply.learning.engagement < RESTING.engagement
    assert reply.exercise is not None and reply.exercise.hints == 0
