from __future__ import annotations

from typing import Any

import pytest

from empathic_sdk import Emotion, Pacing, SafetyLevel, Strategy
from empathic_sdk.demo.wording import CHANNELS, WORDS, manner, seems
from empathic_sdk.style.pacing import PACINGS
from empathic_sdk.style.tones import TONES
from empathic_sdk.types import Modality
from tests.demo.test_panels import state, style


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"intensity": 0.9, "arousal": 0.2}, "you seem overwhelmed"),
        ({"intensity": 0.9, "arousal": 0.1}, "you seem very sad"),
        ({"intensity": 0.84, "arousal": 0.9}, "you seem sad"),
        ({"intensity": 0.49}, "you seem a little low"),
        ({"uncertain": True, "intensity": 0.9}, "I am not sure how you feel"),
    ],
)
def test_seems(given: dict[str, Any], said: str) -> None:
    assert seems(state(**given)) == said


def test_every_feeling_has_its_words() -> None:
    assert set(WORDS) == set(Emotion) and set(CHANNELS) == set(Modality)
    for emotion in Emotion:
        shares = [0.05] * 7
        shares[list(Emotion).index(emotion)] = 0.7
        given = state(label=emotion, probabilities=dict(zip(Emotion, shares, strict=True)))
        assert seems(given).startswith("you seem ")


def named(tone: str, pacing: str) -> Any:
    return style(tone=TONES[tone], pacing=PACINGS[pacing])


@pytest.mark.parametrize(
    ("tone", "pacing", "said"),
    [
        ("gentle", "unhurried", "gentle, slow, short"),
        ("reassuring", "unhurried", "gentle, slow, short"),
        ("bright", "lively", "bright, lively, short"),
        ("steady", "brief", "calm, very short"),
        ("direct", "brief", "plain, very short"),
        ("formal", "even", "formal, short"),
        ("warm", "even", "warm, short"),
        ("encouraging", "task", "warm, short"),
        ("anchoring", "prompt", "warm, lively, taking its time"),
    ],
)
def test_manner_of_what_ships(tone: str, pacing: str, said: str) -> None:
    assert manner(named(tone, pacing), state()) == f"{said}: you seem sad"


def test_advice_is_named_once_the_strategy_is_known() -> None:
    given, slow = state(intensity=0.9, arousal=0.3), named("gentle", "unhurried")
    assert "advice" not in manner(slow, given)
    assert manner(slow, given, strategy=Strategy.QUESTION) == (
        "gentle, slow, short, no advice yet: you seem overwhelmed"
    )
    for strategy in (Strategy.SUGGESTIONS, Strategy.INFORMATION):
        assert ", with a suggestion: " in manner(slow, given, strategy=strategy)
    # Nobody who is glad or unclear waits for advice.
    assert "advice" not in manner(slow, state(valence=0.4), strategy=Strategy.QUESTION)
    assert "advice" not in manner(slow, state(uncertain=True), strategy=Strategy.QUESTION)


def test_safety_comes_before_any_feeling() -> None:
    for level in (SafetyLevel.HIGH, SafetyLevel.IMMINENT):
        said = manner(named("bright", "lively"), state(), level=level)
        assert said.startswith("calm and direct, with people who can help")
    assert "worries me" in manner(style(), state(), level=SafetyLevel.CONCERN)


def test_a_hook_of_anybodys_is_described_by_its_numbers() -> None:
    quick = Pacing(delay_s=0, words_per_minute=400, max_sentences=1)
    assert manner(style(pacing=quick), state()).startswith("gentle, lively, very short")
