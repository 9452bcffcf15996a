"""The safety protocol through whole turns."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from empathic_sdk import EmotionAwareAgent, EmotionRecognizer
from empathic_sdk.types import SafetyLevel

SECRET = "Qsecret-4417"


def test_no_text_of_a_person_reaches_a_log(
    recognizer: EmotionRecognizer, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    def broken(_: object) -> None:
        raise ValueError("an alarm of the caller's")

    with (
        caplog.at_level(logging.DEBUG),
        EmotionAwareAgent(
            recognizer=recognizer, profiles=tmp_path / "p.db", on_alert=broken, tone=broken
        ) as agent,
    ):
        for text in (
            f"I want to die, {SECRET}",
            f"{SECRET} bought tea",
            SECRET * 400,
            f"{SECRET}\0",
        ):
            agent.respond(text, user="ada", conversation="one")
    assert "on_alert raised" in caplog.text  # logs are being read
    assert SECRET not in caplog.text


def test_an_answer_is_understood_after_a_restart(
    recognizer: EmotionRecognizer, tmp_path: Path
) -> None:
    path = tmp_path / "profiles.db"
    with EmotionAwareAgent(recognizer=recognizer, profiles=path) as agent:
        first = agent.respond("I want to die", user="ada", conversation="one")
        assert "asked_directly" in first.safety.actions
    with EmotionAwareAgent(recognizer=recognizer, profiles=path) as agent:
        answer = agent.respond("yes", user="ada", conversation="one")
        other = agent.respond("yes", user="bob", conversation="one")
        counted = {(r["level"], r["step"]) for r in agent.profiles.referrals()}
    assert answer.safety.level == SafetyLevel.HIGH
    assert "confirmed" in answer.safety.reasons
    assert other.safety.level == SafetyLevel.NONE
    assert ("high", "turn") in counted
    assert ("high", "asked_directly") in counted
