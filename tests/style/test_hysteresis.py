"""One noisy turn moves nothing; what lasts goes through; safety does not wait."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from empathic_sdk.errors import InputError
from empathic_sdk.style import THEMES, blend, default_theme, default_tone, steady
from empathic_sdk.types import Emotion, SafetyLevel, Theme, Trend, contrast
from tests.style.test_decide import context, state

JOY, SAD, ANGRY, AFRAID, CALM = (
    state(e) for e in (Emotion.JOY, Emotion.SADNESS, Emotion.ANGER, Emotion.FEAR, Emotion.NEUTRAL)
)


def played(default, turns, alone=False):
    """Return what a default says at every turn of a talk, with its history or without."""
    return [
        default(context(now) if alone else context(now, turns[max(0, i - 20) : i], turn=i)).name
        for i, now in enumerate(turns)
    ]


def flips(names):
    return sum(one != other for one, other in pairwise(names))


def noisy_talk(seed):
    """Thirty turns: sad, then glad; about one in five was misread as something else."""
    rng = random.Random(seed)
    true = [SAD] * 15 + [JOY] * 15
    others = [ANGRY, AFRAID, CALM, JOY, SAD]
    return [rng.choice(others) if rng.random() < 0.2 else s for s in true]


@pytest.mark.parametrize("default", [default_theme, default_tone])
def test_a_noisy_talk_flips_far_less_with_its_history_than_without(default):
    with_history = without = 0
    for seed in range(20):
        turns = noisy_talk(seed)
        with_history += flips(played(default, turns))
        without += flips(played(default, turns, alone=True))
    # One true change a talk: 20 in all. Read turn by turn it is some 200.
    assert without >= 160
    assert with_history <= 0.4 * without
    assert with_history >= 20


@pytest.mark.parametrize("default", [default_theme, default_tone])
@pytest.mark.parametrize("noise", [ANGRY, AFRAID, CALM, SAD])
def test_one_noisy_turn_flips_nothing(default, noise):
    base = state(Emotion.SURPRISE)
    names = played(default, [base] * 4 + [noise] + [base] * 4)
    assert flips(names) == 0
    assert flips(played(default, [base] * 4 + [noise] + [base] * 4, alone=True)) == 2


@pytest.mark.parametrize(("first", "second"), [(JOY, SAD), (SAD, JOY), (CALM, ANGRY), (SAD, CALM)])
def test_a_lasting_change_goes_through_within_two_turns(first, second):
    turns = [first] * 5 + [second] * 3
    for default in (default_theme, default_tone):
        names = played(default, turns)
        assert names[6] == names[7] == default(context(second)).name
        assert names[4] == default(context(first)).name


def test_two_different_unpleasant_turns_end_a_glad_talk():
    assert played(default_theme, [JOY, JOY, SAD, AFRAID])[-1] == "meadow"
    assert played(default_tone, [JOY, JOY, SAD, AFRAID])[-1] == "reassuring"
    # Within the unpleasant ones a change needs the same wish twice.
    assert played(default_theme, [SAD, SAD, ANGRY, AFRAID])[-1] == "dusk"


def test_cheer_is_never_held_over():
    names = played(default_tone, [JOY, JOY, SAD, SAD, JOY, JOY])
    assert names == ["bright", "bright", "warm", "gentle", "gentle", "bright"]
    unsure = state(Emotion.JOY, uncertain=True)
    assert played(default_tone, [JOY, JOY, unsure])[-1] == "warm"


def test_a_greeting_leaves_it_to_the_next_turn():
    assert played(default_tone, [CALM, SAD]) == ["warm", "gentle"]
    assert played(default_theme, [CALM, SAD]) == ["paper", "dusk"]
    assert played(default_theme, [CALM, CALM, SAD])[-1] == "paper"


@pytest.mark.parametrize("level", [SafetyLevel.HIGH, SafetyLevel.IMMINENT])
def test_safety_changes_at_once_and_lets_go_at_once(level):
    history = [JOY] * 6
    assert default_theme(context(JOY, history, level)).name == "harbour"
    assert default_tone(context(JOY, history, level)).name == "anchoring"
    assert default_theme(context(JOY, history)).name == "sunrise"
    assert default_tone(context(JOY, history)).name == "bright"
    assert default_tone(context(JOY, history, SafetyLevel.CONCERN)).name == "gentle"


states = st.builds(
    state, st.sampled_from(Emotion), st.floats(0, 1), st.booleans(), st.sampled_from(Trend)
)


@settings(max_examples=80, deadline=None)
@given(st.lists(states, min_size=1, max_size=15))
def test_what_holds_was_asked_for_and_a_repeated_wish_is_granted(turns):
    def wish(one):
        return None if one.uncertain else one.label

    held = [
        steady(context(now, turns[:i], turn=i), wish, Emotion.NEUTRAL)
        for i, now in enumerate(turns)
    ]
    for i, one in enumerate(held):
        assert one in {Emotion.NEUTRAL, *(wish(s) for s in turns[: i + 1])}
        if i and wish(turns[i]) is not None and wish(turns[i]) == wish(turns[i - 1]):
            assert one == wish(turns[i])
        if i and turns[i].uncertain:
            assert one == held[i - 1]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(THEMES)), st.sampled_from(sorted(THEMES)), st.floats(0, 1))
def test_every_step_between_two_themes_is_readable(one, other, share):
    between = blend(THEMES[one], THEMES[other], share)
    assert contrast(between.text, between.background) >= 4.5
    assert contrast(between.primary, between.background) >= 4.5


def test_a_blend_begins_and_ends_at_its_themes():
    one, other = THEMES["paper"], THEMES["dusk"]
    assert blend(one, other, 0.0) == one
    assert blend(one, other, 1.0) == other
    assert blend(one, other, 0.5).background == "#f4f4f6"  # (fa+ee)/2 (f8+f1)/2 (f4+f7)/2, to even
    with pytest.raises(InputError, match=r"share must lie in \[0, 1\]"):
        blend(one, other, 1.5)
    night = Theme(name="night", primary="#88aadd", background="#101418", text="#f0f0f0")
    with pytest.raises(InputError, match="contrast"):
        blend(one, night, 0.5)
