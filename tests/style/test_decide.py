import asyncio
import logging
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from empathic_sdk.style import (
    PACINGS,
    THEMES,
    TONES,
    adecide,
    decide,
    default_pacing,
    default_theme,
    default_tone,
)
from empathic_sdk.types import (
    Emotion,
    EmotionState,
    HookContext,
    SafetyAssessment,
    SafetyLevel,
    Trend,
    UserContext,
    contrast,
)


def state(label=Emotion.NEUTRAL, intensity=0.7, uncertain=False, trend=Trend.STEADY, shift=None):
    probabilities = {e: 0.7 if e == label else 0.05 for e in Emotion}
    return EmotionState(
        label=label,
        probabilities=probabilities,
        confidence=0.3 if uncertain else 0.8,
        uncertain=uncertain,
        valence=0.0,
        arousal=0.0,
        intensity=intensity,
        shift=shift,
        trend=trend,
        contributions={},
    )


def context(
    now=None, history=(), level=SafetyLevel.NONE, turn=None, scenario="counselling", **likes
):
    return HookContext(
        state=now or state(),
        history=tuple(history),
        user=UserContext(preferences=likes),
        safety=SafetyAssessment(level=level),
        scenario=scenario,
        turn=len(history) if turn is None else turn,
    )


JOY, SAD, ANGRY = (state(e) for e in (Emotion.JOY, Emotion.SADNESS, Emotion.ANGER))
BLUR = state(Emotion.ANGER, uncertain=True)


@pytest.mark.parametrize(
    ("given_", "tone", "pacing"),
    [
        (context(SAD), "gentle", "unhurried"),
        (context(state(Emotion.SADNESS, 0.3)), "warm", "even"),
        (context(state(Emotion.SADNESS, 0.3, trend=Trend.WORSENING)), "gentle", "unhurried"),
        (context(state(Emotion.FEAR, 0.3, shift=0.6)), "reassuring", "unhurried"),
        (context(state(Emotion.FEAR, 0.3, shift=0.4)), "warm", "even"),
        (context(ANGRY), "steady", "brief"),
        (context(state(Emotion.FEAR)), "reassuring", "unhurried"),
        (context(JOY), "bright", "lively"),
        (context(state(Emotion.JOY, 0.2)), "warm", "even"),
        (context(state(Emotion.SURPRISE)), "curious", "even"),
        (context(state(Emotion.DISGUST)), "steady", "brief"),
        (context(BLUR), "warm", "even"),
        (context(state(Emotion.JOY, trend=Trend.VOLATILE)), "steady", "even"),
        (context(JOY, scenario="tutoring"), "encouraging", "task"),
        (context(SAD, tone="Direct", pacing="fast"), "direct", "lively"),
        (context(SAD, tone="pirate", pacing="warp"), "gentle", "unhurried"),
        (context(JOY, level=SafetyLevel.CONCERN), "gentle", "check_in"),
        (context(JOY, level=SafetyLevel.HIGH, tone="bright", pacing="slow"), "anchoring", "prompt"),
        (context(JOY, level=SafetyLevel.IMMINENT, scenario="tutoring"), "anchoring", "prompt"),
    ],
)
def test_defaults_follow_the_whole_state(given_, tone, pacing):
    assert default_tone(given_).name == tone
    assert default_pacing(given_) == PACINGS[pacing]


def test_a_safety_turn_is_never_delayed():
    assert PACINGS["prompt"].delay_s == 0.0


def test_themes_are_readable_and_names_match():
    for name, theme in THEMES.items():
        assert theme.name == name
        assert contrast(theme.text, theme.background) >= 7
        assert contrast(theme.primary, theme.background) >= 4.5
    assert all(tone.name == name and tone.instructions for name, tone in TONES.items())


@pytest.mark.parametrize(
    ("now", "history", "theme"),
    [
        (SAD, [], "dusk"),
        (BLUR, [], "paper"),
        (SAD, [BLUR], "dusk"),
        (ANGRY, [JOY, JOY], "sunrise"),
        (ANGRY, [JOY, JOY, ANGRY], "slate"),
        (ANGRY, [JOY, ANGRY, BLUR], "slate"),
        (SAD, [JOY, ANGRY], "dusk"),
        (JOY, [JOY, ANGRY], "sunrise"),
        (state(Emotion.JOY, 0.1), [JOY], "sunrise"),
    ],
)
def test_one_odd_turn_does_not_flip_the_room(now, history, theme):
    assert default_theme(context(now, history)).name == theme


def test_theme_of_a_long_restless_talk_stays_put():
    turns = [JOY, SAD] * 30
    names = {
        default_theme(context(turns[i], turns[max(0, i - 20) : i], turn=i)).name
        for i in range(22, 60)
    }
    assert names == {"paper"}


def test_safety_changes_the_room_at_once_and_choice_and_tutoring_fix_it():
    assert default_theme(context(JOY, [JOY] * 5, level=SafetyLevel.HIGH)).name == "harbour"
    assert default_theme(context(JOY, theme="slate")).name == "slate"
    assert default_theme(context(JOY, scenario="tutoring")).name == "chalk"


def recording(events):
    def hook(name, default):
        def plain(given_):
            events.append(name)
            return default(given_)

        return plain

    return {
        "tone": hook("tone", default_tone),
        "pacing": hook("pacing", default_pacing),
        "theme": hook("theme", default_theme),
    }


def test_hooks_run_in_exact_order():
    events = []
    decide(context(), **recording(events))
    asyncio.run(adecide(context(), **recording(events)))
    assert events == ["tone", "pacing", "theme"] * 2


async def slow_tone(given_):
    await asyncio.sleep(0)
    return TONES["curious"]


def test_a_coroutine_hook_is_run_to_its_end_without_a_loop():
    style, problems = decide(context(), tone=slow_tone)
    assert (style.tone.name, problems) == ("curious", ())


def test_a_coroutine_hook_is_run_to_its_end_inside_a_running_loop():
    before = threading.active_count()

    async def caller():
        return decide(context(), tone=slow_tone)

    style, problems = asyncio.run(caller())
    assert (style.tone.name, problems) == ("curious", ())
    assert threading.active_count() == before


def broken(given_):
    raise ValueError("no")


async def abroken(given_):
    raise KeyError("no")


@pytest.mark.parametrize("run", [decide, lambda *a, **k: asyncio.run(adecide(*a, **k))])
def test_broken_hooks_never_break_the_turn(run, caplog):
    with caplog.at_level(logging.WARNING):
        style, problems = run(
            context(SAD), tone=broken, pacing=abroken, theme=lambda given_: "blue"
        )
    assert problems == ("hook:tone:ValueError", "hook:pacing:KeyError", "hook:theme:HookError")
    assert (style.tone.name, style.theme.name) == ("gentle", "dusk")
    assert [r.levelname for r in caplog.records] == ["WARNING"] * 3
    assert "tone hook" in caplog.text
    assert "ValueError from " in caplog.text and " in broken" in caplog.text
    assert not any(r.exc_info for r in caplog.records)  # messages may quote a person


states = st.builds(
    state,
    st.sampled_from(Emotion),
    st.floats(0, 1),
    st.booleans(),
    st.sampled_from(Trend),
)


@settings(max_examples=60, deadline=None)
@given(states, st.lists(states, max_size=20), st.sampled_from(SafetyLevel), st.integers(0, 99))
def test_any_context_gets_a_style(now, history, level, turn):
    style, problems = decide(context(now, history, level, turn))
    assert not problems
    assert contrast(style.theme.text, style.theme.background) >= 4.5
    if level in (SafetyLevel.HIGH, SafetyLevel.IMMINENT):
        assert style.pacing.delay_s == 0
        assert style.tone.name == "anchoring"
