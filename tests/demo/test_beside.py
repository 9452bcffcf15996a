"""The panels beside a lesson, and those for developers."""

from __future__ import annotations

import math
from typing import Any

import pytest

from empathic_sdk import EmotionAwareAgent, EmotionRecognizer, Modality, Strategy, Turn
from empathic_sdk.demo import inside, learning, noticing
from empathic_sdk.types import Answer, AnswerOutcome, Exercise, LearningState, Mastery
from tests.demo.test_panels import EVIL, state, style, words


def turn(**changes: Any) -> Turn:
    given: dict[str, Any] = {
        "id": "t", "reply": "Well.", "emotion": state(), "style": style(), "responder": "fake",
        "strategy": Strategy.QUESTION, "safety": {}, "user": "ada", "conversation": "c",
        "timings": {"recognize": 20.0, "respond": 5.0, "total": 30.0},
    }  # fmt: skip
    return Turn(**(given | changes))


TASK = Exercise(id="f", skill="fractions", level=2, statement="Work out 1/2 < 3.", hints=1, tries=2)


# -- the lesson ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "remark", "said"),
    [
        ("right", None, "✓ Right"),
        ("wrong", "added_denominators", "✗ Not yet (added denominators)"),
        ("unsimplified", "not_worked_out", "≈ True, and not finished (not worked out)"),
        ("unreadable", "syntax", "? I could not read that as an answer (syntax)"),
    ],
)
def test_what_became_of_an_answer_is_said_in_words(outcome: str, remark: Any, said: str) -> None:
    made = Answer(exercise="f", outcome=AnswerOutcome(outcome), remark=remark)
    html = learning.exercise(turn(exercise=TASK, answer=made))
    assert said in words(html)
    assert "1/2 &lt; 3" in html and "level 2 of 4. 2 tries, 1 hint so far." in words(html)


def test_before_and_between_exercises() -> None:
    assert "Pick a topic" in learning.exercise(None)
    assert "Nothing waits" in learning.exercise(turn())


def test_mastery_in_the_order_of_the_lessons() -> None:
    known = {
        "equations.1": Mastery(known=0.3, seen=1),
        "fractions.2": Mastery(known=0.96, seen=4),
        "fractions.1": Mastery(known=0.5, seen=1),
    }
    text = words(learning.mastery(known))
    assert "fractions 1 50% fractions 2 96% ✓ equations 1 30%" in text
    assert "bars will grow" in learning.mastery({})


def test_the_mood_of_a_learner_stands_out_in_weight() -> None:
    html = learning.doing(LearningState(engagement=0.4, confusion=0.7, frustration=0.2, boredom=0))
    assert "<li class=es-now><span class=es-now>confused</span>" in html
    calm = learning.doing(LearningState(engagement=0.4, confusion=0.4, frustration=0.2, boredom=0))
    assert "<span class=es-now>engaged</span>" in calm


# -- looking inside ------------------------------------------------------------------------------


def test_the_turn_as_json_is_escaped() -> None:
    html = inside.values(turn(reply=EVIL))
    assert "<img" not in html and "&lt;img" in html
    assert "Say something in another tab" in inside.values(None)


def test_contributions_and_what_was_not_used() -> None:
    shares = {Modality.TEXT: 0.75, Modality.SPEECH: 0.25}
    given = state(contributions=shares, unread={Modality.FACE: "no face found <b>"})
    text = words(noticing.went_by(given))
    assert "your words 75% your voice 25%" in text
    assert "Your face: not used, no face found &lt;b&gt;" in text


def test_timings_are_as_wide_as_they_are_long() -> None:
    html = inside.timings(turn())
    assert "read the feeling" in html and "20.0 ms" in html
    assert "width:66.7%" in html and "width:100.0%" in html


def test_the_matrix_shows_one_speakers_messages_against_earlier_ones() -> None:
    nan = math.nan
    changed = [
        [nan, nan, nan, nan],
        [0.1, nan, nan, nan],
        [0.62, 0.2, nan, nan],
        [0.3, 0.4, 0.91, nan],
    ]
    text = words(inside.transfers(("user", "agent", "user", "user"), changed, "user"))
    assert "1 2 2 0.62 3 0.30 0.91" in text
    assert "From your second message on" in inside.transfers(("user",), [[nan]], "user")
    assert "From your second message on" in inside.transfers((), (), "user")


def test_the_matrix_keeps_the_newest() -> None:
    n = inside.COMPARED + 3
    html = inside.transfers(("user",) * n, [[0.5] * n for _ in range(n)], "user")
    assert f"<th scope=row>{n}</th>" in html and "<th scope=col>3</th>" not in html


@pytest.mark.parametrize("tutoring", [False, True])
@pytest.mark.parametrize("consents", [frozenset(), frozenset({Modality.SPEECH, Modality.FACE})])
def test_the_code_that_is_shown_runs(
    tutoring: bool,
    consents: frozenset[Modality],
    recognizer: EmotionRecognizer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("empathic_sdk.agent.EmotionRecognizer", lambda **_: recognizer)
    monkeypatch.setattr("time.sleep", lambda s: None)
    source = inside.program(turn(), consents, tutoring=tutoring)
    exec(compile(source, "shown.py", "exec"), {})
    out = capsys.readouterr().out
    assert "an AI" in out
    assert ("skill='fractions'" in out) if tutoring else ("sadness gentle #" in out)
    assert ("consent(" in source) == (bool(consents) and not tutoring)
    assert EmotionAwareAgent.__name__ in source
