"""Findings and the model's reading, joined."""

from __future__ import annotations

import pytest

from empathic_sdk.safety.decision import RiskContext, asks, judge
from empathic_sdk.safety.detector import RiskFindings
from empathic_sdk.types import RiskReading, SafetyLevel


def reading(concern: float, **more: float) -> RiskReading:
    given = {"high": 0.0, "imminent": 0.0, "other": 0.0, "past": 0.0, **more}
    return RiskReading(concern=concern, **given)


PLAIN = RiskFindings.of("The tide table says low water is at six.")
SIGN = RiskFindings.of("I want to kill myself")
LIGHT = RiskFindings.of("I have no hope left")
VIOLENT = RiskFindings.of("I am going to stab him tonight")


def test_the_texts_are_what_the_tests_take_them_for() -> None:
    assert PLAIN.alone.level == SafetyLevel.NONE
    assert SIGN.alone.level >= SafetyLevel.HIGH
    assert LIGHT.alone.level == SafetyLevel.CONCERN
    assert VIOLENT.alone.level != SafetyLevel.NONE


@pytest.mark.parametrize(
    ("chances", "level", "reason"),
    [
        (reading(0.49, high=0.9), SafetyLevel.NONE, None),
        (reading(0.5), SafetyLevel.CONCERN, "contextual_risk"),
        (reading(0.8, high=0.5), SafetyLevel.HIGH, "contextual_risk"),
        (reading(0.79, high=0.9), SafetyLevel.CONCERN, "contextual_risk"),
        (reading(0.9, high=0.9, imminent=0.5), SafetyLevel.IMMINENT, "contextual_risk"),
        (reading(0.9, imminent=0.9), SafetyLevel.CONCERN, "contextual_risk"),
        (reading(0.9, high=0.9, other=0.5), SafetyLevel.CONCERN, "other_person"),
        (reading(0.9, high=0.9, past=0.5), SafetyLevel.CONCERN, "past"),
    ],
)
def test_the_model_adds_what_nobody_wrote_down(
    chances: RiskReading, level: SafetyLevel, reason: str | None
) -> None:
    found = judge(PLAIN, reading=chances)
    assert found.level == level
    assert found.reasons == ((reason,) if reason else ())


@pytest.mark.parametrize(
    ("findings", "concern", "passes"),
    [(LIGHT, 0.49, True), (LIGHT, 0.5, False), (SIGN, 0.24, True), (SIGN, 0.25, False)],
)
def test_a_finding_passes_where_the_model_is_sure(
    findings: RiskFindings, concern: float, passes: bool
) -> None:
    assert (judge(findings, reading=reading(concern)).level == SafetyLevel.NONE) == passes


def test_a_named_means_and_time_never_pass() -> None:
    for text in ("I will kill myself tonight, I have the pills here", "I took 30 paracetamol"):
        worst = RiskFindings.of(text)
        assert worst.alone.level == SafetyLevel.IMMINENT
        assert judge(worst, reading=reading(0.0)).level == SafetyLevel.IMMINENT


def test_a_finding_does_not_pass_where_half_of_the_model_notices_it() -> None:
    assert judge(SIGN, reading=reading(0.1, high=0.5)).level == SIGN.alone.level
    assert judge(SIGN, reading=reading(0.1, high=0.49)).level == SafetyLevel.NONE


@pytest.mark.parametrize("text", ["quiero morir", "Ich will sterben", "我想死"])
def test_other_languages_are_the_patterns_alone(text: str) -> None:
    found = RiskFindings.of(text)
    assert found.foreign
    assert judge(found, reading=reading(0.0)).level == found.alone.level == SafetyLevel.HIGH


def test_answers_to_the_protocol_are_not_the_models() -> None:
    asked = RiskContext(level=SafetyLevel.HIGH, asked=True)
    grave = reading(0.99, high=0.99)
    for text in ("no", "I'm safe now, my mum is here", "thanks, bye"):
        found = judge(RiskFindings.of(text), reading=grave, context=asked)
        assert "contextual_risk" not in found.reasons, text
    assert judge(PLAIN, reading=grave, context=asked).level == SafetyLevel.HIGH


def test_violence_is_not_the_models() -> None:
    assert judge(VIOLENT, reading=reading(0.0)).level == VIOLENT.alone.level


def test_the_stronger_of_the_two_counts_and_reasons_stay() -> None:
    found = judge(LIGHT, reading=reading(0.9, high=0.9))
    assert found.level == SafetyLevel.HIGH
    assert set(found.reasons) == {*LIGHT.alone.reasons, "contextual_risk"}
    assert judge(SIGN, reading=reading(0.6)).level == SIGN.alone.level


def test_without_a_reading_the_patterns_decide_alone() -> None:
    assert judge(SIGN) == SIGN.alone
    assert judge(PLAIN) == PLAIN.alone


def test_what_went_before_is_not_the_models_to_forget() -> None:
    before = RiskContext(level=SafetyLevel.HIGH)
    found = judge(PLAIN, reading=reading(0.0), context=before)
    assert found.level == SafetyLevel.CONCERN
    yes = judge(RiskFindings.of("yes"), reading=reading(0.0), context=RiskContext(asked=True))
    assert (yes.level, yes.reasons) == (SafetyLevel.HIGH, ("confirmed",))


def test_marks_are_eight_numbers_of_what_was_found() -> None:
    assert PLAIN.marks() == (0.0,) * 8
    high, friend = SIGN.marks(), RiskFindings.of("my brother wants to kill himself").marks()
    assert high[:4] == (1.0, 1.0, 0.0, 1.0)
    assert (friend[0], friend[1], friend[4]) == (1.0, 0.0, 1.0)
    assert VIOLENT.marks()[7] == 1.0


@pytest.mark.parametrize(
    ("reply", "asked"),
    [
        ("Are you thinking about suicide?", True),
        ("That is hard. Do you want to live?", True),
        ("Suicide is a hard word.", False),
        ("How was the exam?", False),
        ("", False),
    ],
)
def test_whether_a_reply_asked(reply: str, asked: bool) -> None:
    assert asks(reply) == asked
    assert RiskContext.after(SafetyLevel.NONE, reply).asked == asked
