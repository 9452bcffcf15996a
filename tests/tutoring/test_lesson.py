"""A lesson through the responder: what each kind of message does."""

# Tables of cases stay tables.
# ruff: noqa: E501

from __future__ import annotations

import json
import re
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from empathic_sdk.tutoring import TutorState, gives_up, judge
from empathic_sdk.tutoring.intents import Move, move_of, skill_of
from empathic_sdk.types import AnswerOutcome, Emotion, SafetyLevel, Strategy
from empathic_sdk.types.reply import ResponderMemory
from tests.tutoring.learner import Learner

SAD, ANGRY, GLAD, AFRAID = Emotion.SADNESS, Emotion.ANGER, Emotion.JOY, Emotion.FEAR


@pytest.mark.parametrize(
    ("text", "move"),
    [
        ("3/4", "answer"), ("is it 5?", "answer"), ("hint", "hint"), ("can I have a hint please?", "hint"),
        ("help", "hint"), ("I'm stuck", "hint"), ("how do I start", "hint"), ("show me an example", "example"),
        ("example", "example"), ("I don't get it", "explain"), ("why?", "explain"), ("huh", "explain"),
        ("idk", "explain"), ("can you explain that another way?", "explain"), ("I give up", "solution"),
        ("ok I give up on this one", "solution"), ("show me the answer", "solution"),
        ("what's the solution?", "solution"), ("solution", "solution"), ("something else", "other"),
        ("another one please", "other"), ("skip", "other"), ("next", "other"), ("another topic", "other"),
        ("another topic: percentages", "topic"), ("let's do derivatives", "topic"), ("fractions", "topic"),
        ("I want to practise equations", "topic"), ("too easy", "harder"), ("something harder", "harder"),
        ("this is too hard", "easier"), ("an easier one?", "easier"), ("what was the question?", "repeat"),
        ("continue", "repeat"), ("what topics do you have?", "menu"), ("how am I doing?", "progress"),
        ("let's stop for today", "stop"), ("I need to take a break", "stop"), ("I hate fractions", "talk"),
        ("my dog died", "talk"), ("good morning", "talk"), ("I have 3 exams tomorrow", "talk"),
        ("I can't do fractions", "talk"), ("I give up on life", "talk"), ("can you show me", "example"), ("is it more than 20", "hint"), ("ok tell me", "solution"), ("i dont want to do this anymore", "stop"), ("I don't want to live anymore", "talk"), ("", "talk"),
    ],
)  # fmt: skip
def test_what_a_message_is_for(text: str, move: str) -> None:
    assert move_of(text, open_exercise=True) is Move(move)


def test_a_topic_is_asked_for_and_not_just_named() -> None:
    assert skill_of("another topic: percentages") == "percentages"
    for text in ("I hate fractions", "no more equations", "I am bored of percentages", "hello"):
        assert skill_of(text) is None
    assert gives_up("I give up") and not gives_up("I give up on everything")


def test_hi_brings_an_exercise_and_a_right_answer_the_next() -> None:
    learner = Learner()
    first = learner.say("hi")
    assert first.exercise is not None and first.exercise.level == 1
    assert first.exercise.statement[1:].rstrip(".") in first.text
    second = learner.say("RIGHT")
    assert second.answer is not None and second.answer.outcome is AnswerOutcome.RIGHT
    assert second.exercise is not None and second.exercise.id != first.exercise.id
    assert second.exercise.statement[1:].rstrip(".") in second.text
    assert second.mastery["fractions.1"].known == pytest.approx(0.692683, abs=1e-6)
    assert second.strategy is Strategy.AFFIRMATION


def test_a_mistake_is_named_and_the_exercise_stays() -> None:
    learner = Learner()
    first = learner.say("hi")
    wrong = learner.say("MISTAKE")
    assert wrong.answer is not None and wrong.answer.remark == "added_denominators"
    assert "denominator" in wrong.text.lower() or "bottoms" in wrong.text
    assert wrong.exercise is not None and first.exercise is not None
    assert (wrong.exercise.id, wrong.exercise.tries) == (first.exercise.id, 1)
    # an exercise counts once, by its first answer
    assert wrong.mastery["fractions.1"].known == pytest.approx(0.145763, abs=1e-6)
    assert learner.say("RIGHT").mastery == {}


def test_hints_come_one_by_one_and_then_there_are_none() -> None:
    learner = Learner()
    learner.say("hi")
    problem = learner.problem
    said = [learner.say("hint").text for _ in problem.hints]
    assert len(set(said)) == len(said)
    assert problem.hints[-1].slots["math"] in said[-1]
    for text in said[:-1]:
        assert problem.steps[-1].math not in text
    none_left = learner.say("hint")
    assert "example" in none_left.text
    assert none_left.exercise is not None and none_left.exercise.hints == len(problem.hints)


def test_an_example_shows_every_step_of_a_sibling_and_comes_back() -> None:
    learner = Learner(limit=2)
    learner.say("hi")
    problem = learner.problem
    reply = learner.say("show me an example")
    assert len(reply.sentences) >= 2 + 2
    assert reply.exercise is not None and reply.exercise.id == problem.id
    assert problem.task in reply.sentences[-1]
    results = [re.findall(r": ([^:]+)\.$", s)[0] for s in reply.sentences[1:-1]]
    assert not any(judge(problem, r).outcome is AnswerOutcome.RIGHT for r in results)


def test_giving_up_shows_the_solution_and_goes_on() -> None:
    learner = Learner()
    learner.say("hi")
    problem = learner.problem
    reply = learner.say("I give up")
    for step in problem.steps:
        assert any(step.math in sentence for sentence in reply.sentences)
    assert reply.exercise is not None and reply.exercise.id != problem.id
    state = reply.memory.tutoring
    assert state is not None and state.results == (f"{problem.id} shown",) and state.solved == 0


def test_topics_levels_and_something_else() -> None:
    learner = Learner()
    learner.say("hi")
    seen = [learner.replies[-1].exercise]
    for text, skill, level in (
        ("another topic: percentages", "percentages", 1),
        ("this is too easy", "percentages", 2),
        ("way too hard", "percentages", 1),
        ("something else", "percentages", 1),
        ("let's do derivatives", "derivatives", 1),
        ("another topic", "fractions", 1),
    ):
        now = learner.say(text).exercise
        assert now is not None and (now.skill, now.level) == (skill, level), text
        seen.append(now)
    assert len({e.id for e in seen if e is not None}) == len(seen)


def test_confusion_gets_another_explanation_each_time() -> None:
    learner = Learner()
    learner.say("hi")
    problem = learner.problem
    said = [learner.say("I don't get it").sentences for _ in range(3)]
    explained = [s for turn in said for s in turn if problem.task not in s]
    assert len(set(explained)) == len(explained)
    assert learner.problem == problem


def test_frustration_is_answered_first_and_then_the_step_is_smaller() -> None:
    learner = Learner()
    learner.say("hi")
    learner.say("something harder")
    reply = learner.say("ugh, I hate this, it never comes out right", ANGRY)
    assert reply.exercise is not None and reply.exercise.level == 1
    assert "exercise" not in reply.sentences[0] and "?" not in reply.sentences[0]
    assert reply.sentences[-1].rstrip(".").endswith(reply.exercise.statement[1:].rstrip("."))
    # nothing is easier than level 1: a hint makes the step smaller there
    again = learner.say("I can't do this", SAD)
    assert again.exercise is not None
    assert (again.exercise.level, again.exercise.hints) == (1, 1)


def test_what_weighs_more_than_maths_is_listened_to() -> None:
    learner = Learner(name="talk")
    learner.say("hi")
    reply = learner.say("my grandmother died yesterday", SAD)
    assert learner.problem.task not in reply.text
    assert reply.exercise is not None and reply.learning is not None
    assert learner.say("continue").sentences[-1].find(learner.problem.task) >= 0


def test_safety_goes_before_the_lesson_and_the_exercise_stays() -> None:
    learner = Learner()
    learner.say("hi")
    problem = learner.problem
    learning = learner.replies[-1].learning
    crisis = learner.say("I want to kill myself", SAD)
    assert crisis.safety.level in (SafetyLevel.HIGH, SafetyLevel.IMMINENT)
    assert crisis.safety.help_lines
    assert problem.task not in crisis.text
    assert crisis.exercise is not None and crisis.exercise.id == problem.id
    assert crisis.learning == learning
    # afterwards an answer is judged again, and a line stays in sight
    for text in ("no, I'm safe", "ok", "RIGHT"):
        after = learner.say(text)
    assert after.answer is not None and after.answer.outcome is AnswerOutcome.RIGHT
    assert after.safety.help_lines
    assert any(after.safety.help_lines[0].contact in s for s in after.sentences)


@pytest.mark.parametrize(
    "text",
    ["what's the capital of France?", "are you a bot?", "thanks!", "I like trains", "🙂", "ok"],
)
def test_anything_else_is_answered_and_leads_back(text: str) -> None:
    learner = Learner()
    learner.say("hi")
    reply = learner.say(text)
    assert learner.problem.task in reply.text
    assert reply.exercise is not None and reply.exercise.tries == 0


def test_stopping_leaves_the_exercise_for_later() -> None:
    learner = Learner()
    learner.say("hi")
    learner.say("RIGHT")
    problem = learner.problem
    assert problem.task not in learner.say("let's stop for today").text
    assert problem.task not in learner.say("bye").text
    assert problem.task in learner.say("hi").text


def test_the_same_talk_is_the_same_lesson_and_another_is_not() -> None:
    def play(name: str) -> list[str]:
        learner = Learner(name)
        return [learner.say(t).text for t in ("hi", "RIGHT", "hint", "WRONG", "I give up")]

    assert play("monday") == play("monday")
    assert play("monday") != play("tuesday")


def test_the_state_travels_as_json_and_old_json_reads() -> None:
    learner = Learner()
    for text in ("hi", "WRONG", "hint"):
        learner.say(text)
    problem = learner.problem
    dumped = json.dumps(learner.memory.model_dump(mode="json"))
    assert "WRONG" not in dumped and problem.task not in dumped
    learner.memory = ResponderMemory.model_validate(json.loads(dumped))
    reply = learner.say("RIGHT")
    assert reply.answer is not None and reply.answer.exercise == problem.id
    old = {k: v for k, v in json.loads(dumped).items() if k != "tutoring"}
    assert ResponderMemory.model_validate(old).tutoring is None


def test_an_exercise_of_another_version_is_not_taken_up() -> None:
    learner = Learner()
    learner.say("hi")
    state = learner.memory.tutoring
    assert state is not None
    old = state.model_copy(update={"version": state.version + 1, "exercise": "fractions-1-1"})
    learner.memory = learner.memory.model_copy(update={"tutoring": old})
    reply = learner.say("3/4")
    assert reply.answer is None and reply.exercise is not None
    broken = TutorState(exercise="geometry-9-x")
    learner.memory = learner.memory.model_copy(update={"tutoring": broken})
    assert learner.say("hi").exercise is not None


def test_no_exercise_comes_twice_in_a_talk() -> None:
    learner = Learner("long")
    learner.say("derivatives please")
    tasks = [learner.problem.task]
    for _ in range(15):
        learner.say("something else")
        tasks.append(learner.problem.task)
    assert len(set(tasks)) == len(tasks)


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pacing_bounds_what_is_said(limit: int) -> None:
    learner = Learner(limit=limit)
    for text in (
        "hi",
        "WRONG",
        "hint",
        "RIGHT",
        "whatever",
        "I don't get it",
        "how am I doing?",
        "RIGHT",
    ):
        reply = learner.say(text)
        assert 1 <= len(reply.sentences) <= limit
        assert sum("?" in s for s in reply.sentences) <= 1
        if "RIGHT" in text or text == "hi":
            assert learner.problem.task in reply.text  # the task is what is never cut


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["hi", "RIGHT", "WRONG", "MISTAKE", "hint", "example", "I give up", "skip",
                             "too easy", "too hard", "percentages", "why?", "I hate this", "bye", "{a}"])
            | st.text(max_size=30),
            st.sampled_from(Emotion),
        ),
        max_size=8,
    )
)  # fmt: skip
def test_any_lesson_is_answered(turns: list[tuple[str, Emotion]]) -> None:
    learner = Learner("any")
    learner.say("hi")
    for text, label in turns:
        reply = learner.say(text, label)
        assert reply.exercise is not None and reply.learning is not None
        assert all(s.strip() and "{" not in s for s in reply.sentences)
        assert len(reply.text) < 1500


def test_hostile_answers_cost_nothing() -> None:
    learner = Learner()
    learner.say("derivatives")
    for text in ("9**9**9**9", "(" * 5000, "x^" * 3000, "((x+1)^12)^12", "1" * 100_000):
        start = time.process_time()
        reply = learner.say(text)
        assert time.process_time() - start < 1.0
        assert reply.answer is None or reply.answer.outcome is AnswerOutcome.UNREADABLE
