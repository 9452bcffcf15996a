"""Tutoring through the public API: stored with the talk, kept in the profile, erased with both."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from empathic_sdk import (
    BehaviourEvent,
    Deployment,
    EmotionAwareAgent,
    EmotionRecognizer,
    SafetyLevel,
    Turn,
    Utterance,
)
from empathic_sdk.cli import main
from empathic_sdk.errors import MissingExtraError, PolicyError
from empathic_sdk.options import Retention
from empathic_sdk.tutoring import make
from empathic_sdk.tutoring.feelings import SIGNS
from tests.conftest import ROOT


def solution(turn: Turn) -> str:
    assert turn.exercise is not None
    _, _, seed = turn.exercise.id.split("-")
    return make(turn.exercise.skill, turn.exercise.level, int(seed)).steps[-1].math


def test_a_lesson_survives_a_restart_and_is_exported_and_erased(
    recognizer: EmotionRecognizer, tmp_path: Path
) -> None:
    path = tmp_path / "p.db"
    with EmotionAwareAgent(recognizer=recognizer, profiles=path, scenario="tutoring") as one:
        first = one.respond("hi", user="ada", conversation="c")
        assert first.exercise is not None and first.learning is not None and first.answer is None
        right = one.respond(solution(first), user="ada", conversation="c")
        assert right.answer is not None and right.answer.outcome == "right"
        hinted = one.respond("hint", user="ada", conversation="c")
        assert hinted.exercise is not None and hinted.exercise.hints == 1
        assert Turn.model_validate_json(hinted.model_dump_json()) == hinted
    with EmotionAwareAgent(recognizer=recognizer, profiles=path, scenario="tutoring") as two:
        assert two.profiles.get("ada").mastery["fractions.1"].seen == 2
        turn = two.respond(solution(hinted), user="ada", conversation="c")
        assert turn.answer is not None and turn.answer.exercise == hinted.exercise.id
        exported = two.profiles.export("ada")
        assert [m["skill"] for m in exported["mastery"]] == ["fractions.1"]
        assert exported["conversations"][0]["session"]["memory"]["tutoring"]["solved"] == 2
        two.profiles.erase("ada")
        assert two.profiles.get("ada").mastery == {}
        fresh = two.respond("hint", user="ada", conversation="c")
        assert fresh.exercise is not None and fresh.exercise.hints == 0
        two.profiles.erase("ada")
    assert b"fractions" not in b"".join(f.read_bytes() for f in tmp_path.iterdir())


def test_a_lesson_survives_eviction(recognizer: EmotionRecognizer) -> None:
    few = Retention(live=2)
    with EmotionAwareAgent(recognizer=recognizer, scenario="tutoring", retention=few) as agent:
        first = agent.respond("hi", user="ada", conversation="c")
        for i in range(6):
            agent.respond("hi", user=f"user {i}", conversation="c")
        assert agent.transfers(user="ada", conversation="c") is None
        turn = agent.respond(solution(first), user="ada", conversation="c")
        assert turn.answer is not None and turn.answer.outcome == "right"


def test_the_same_talk_is_the_same_lesson(recognizer: EmotionRecognizer) -> None:
    def play() -> list[str]:
        with EmotionAwareAgent(recognizer=recognizer, scenario="tutoring") as agent:
            lines = ("hi", "1/7", "I don't get it", "I give up")
            return [agent.respond(t, user="ada", conversation="c").reply for t in lines]

    assert play() == play()


def test_text_alone_is_read(recognizer: EmotionRecognizer) -> None:
    sound = (np.zeros(1600, np.float32), 16000)
    for deployment in (None, Deployment(context="education"), Deployment(context="personal")):
        shared = recognizer if deployment is None else None
        with EmotionAwareAgent(
            recognizer=shared, deployment=deployment, scenario="tutoring"
        ) as agent:
            event = BehaviourEvent(kind="key", at=0.1)
            turn = agent.respond(Utterance("hi", audio=sound, events=(event,)), user="ada")
            assert turn.emotion.contributions == {"text": 1.0}
            with pytest.raises(PolicyError, match="text only"):
                agent.respond(Utterance(audio=sound), user="ada")


def test_giving_up_an_exercise_is_no_alarm_and_giving_up_on_life_is(
    recognizer: EmotionRecognizer,
) -> None:
    with EmotionAwareAgent(recognizer=recognizer, scenario="tutoring") as agent:
        agent.respond("hi", user="ada")
        agent.respond("I feel awful, I cannot stop crying", user="ada")
        assert agent.respond("I give up", user="ada").safety.level is SafetyLevel.NONE
        assert agent.respond("I want to die", user="ada").safety.level is not SafetyLevel.NONE
        # ... nor does it hide in a lesson after that
        assert agent.respond("I give up", user="ada").safety.level is not SafetyLevel.NONE


def test_a_turn_outside_tutoring_has_none_of_it(agent: EmotionAwareAgent) -> None:
    turn = agent.respond("hi", user="ada")
    assert (turn.learning, turn.exercise, turn.answer) == (None, None, None)
    old = turn.model_dump(exclude={"learning", "exercise", "answer"})
    assert Turn.model_validate(old) == turn


def test_without_sympy_the_agent_says_what_to_install(
    recognizer: EmotionRecognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sympy", None)
    with pytest.raises(MissingExtraError, match=r"empathic-sdk\[tutoring\]"):
        EmotionAwareAgent(recognizer=recognizer, scenario="tutoring")
    EmotionAwareAgent(recognizer=recognizer).close()


def test_the_page_shows_what_the_example_prints(
    recognizer: EmotionRecognizer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """After new templates or weights, paste what examples/tutoring.py prints into the page."""
    monkeypatch.setattr("empathic_sdk.agent.EmotionRecognizer", lambda **_: recognizer)
    spec = importlib.util.spec_from_file_location("lesson", ROOT / "examples" / "tutoring.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main()
    page = (ROOT / "docs" / "tutoring.md").read_text(encoding="utf-8")
    assert f"```text\n{capsys.readouterr().out.rstrip()}\n```" in page


def test_the_page_shows_every_weight() -> None:
    page = (ROOT / "docs" / "tutoring.md").read_text(encoding="utf-8")
    for sign, weights in SIGNS.items():
        row = re.search(rf"^\| `{sign}` \|[^|]+\|(.*)\|$", page, re.M)
        assert row, sign
        shown = [cell.strip() for cell in row[1].split("|")]
        names = ("engagement", "confusion", "frustration", "boredom")
        assert shown == [f"{weights[n]:+g}" if n in weights else "" for n in names], sign


def test_the_command_line(recognizer: EmotionRecognizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("empathic_sdk.agent.EmotionRecognizer", lambda **_: recognizer)
    ran = CliRunner().invoke(
        main,
        ["chat", "--scenario", "tutoring", "--no-pacing"],
        input="hi\nhint\nshow me an example\nI give up\n/quit\n",
    )
    assert ran.exit_code == 0, ran.output
    assert ran.output.count("agent>") == 4
    assert "[engagement 50%" in ran.output
