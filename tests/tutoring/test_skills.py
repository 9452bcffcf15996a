"""A skill of one's own, without touching a file of ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from empathic_sdk.errors import ConfigurationError, InputError
from empathic_sdk.language import add_language, remove_language
from empathic_sdk.tutoring import (
    Judgement,
    Line,
    Problem,
    Situation,
    Step,
    choose,
    judge,
    make,
    mastery,
    register_skill,
    skills,
    unregister_skill,
)
from empathic_sdk.types import AnswerOutcome, Mastery
from tests.tutoring.learner import Learner

WORDS = {"house": "casa", "dog": "perro", "bread": "pan", "moon": "luna", "tree": "árbol"}
LINES = {
    "ask": ["Say {a} in Spanish."],
    "hint_first": ["It begins with {a}."],
    "step_word": ["The word is {math}."],
    "explain_1": ["Nouns in Spanish carry a gender; learn the word together with its article."],
    "mistake_english": ["That is still English."],
}


def draw(level: int, seed: int, dice: Random) -> Problem | None:
    english, spanish = dice.choice(sorted(WORDS.items()))
    return Problem(
        skill="spanish", level=level, seed=seed, kind="number", ask=Line("ask", {"a": english}),
        task=english, answer=spanish, hints=(Line("hint_first", {"a": spanish[0]}),),
        steps=(Step(Line("step_word"), spanish),),
    )  # fmt: skip


def marked(problem: Problem, text: str) -> Judgement | None:
    word = text.strip(" .!?").lower().removeprefix("is it ")
    if word == problem.answer:
        return Judgement(AnswerOutcome.RIGHT)
    if " " in word:
        return None
    return Judgement(AnswerOutcome.WRONG, "english" if word in WORDS else None)


@pytest.fixture
def spanish() -> Iterator[None]:
    register_skill(
        "spanish", draw, pattern=r"\bspanish\b", spoken="Spanish words", levels=1, lines=LINES,
        judge=marked,
    )  # fmt: skip
    yield
    unregister_skill("spanish")


def test_a_whole_lesson(spanish: None) -> None:
    learner = Learner()
    learner.say("what topics are there?")
    assert "Spanish words" in learner.replies[-1].text
    asked = learner.say("spanish please")
    assert asked.exercise is not None and asked.exercise.skill == "spanish"
    assert f"say {learner.problem.task} in Spanish" in asked.text
    hint = learner.say("hint")
    assert f"It begins with {learner.problem.answer[0]}." in hint.text
    wrong = learner.say("house" if learner.problem.task != "house" else "dog")
    assert wrong.answer is not None and wrong.answer.remark == "english"
    assert "That is still English." in wrong.text
    known = learner.say(str(learner.problem.answer))
    assert known.answer is not None and known.answer.outcome == "right"
    assert set(learner.user.mastery) == {"spanish.1"}
    assert "carry a gender" in learner.say("explain it to me").text
    solved = learner.say("I give up")
    assert "The word is " in solved.text
    assert solved.exercise is not None and solved.exercise.level == 1
    harder = learner.say("this is too easy")  # one level only: on to the next skill
    assert harder.exercise is not None and harder.exercise.skill == "fractions"


def test_it_has_its_place_among_the_others(spanish: None) -> None:
    assert skills() == ("fractions", "percentages", "equations", "derivatives", "spanish")
    assert mastery.following({}, "derivatives") == "spanish"
    assert mastery.following({}, "spanish") == "fractions"
    done = {"spanish.1": Mastery(known=0.97, seen=4)}
    assert mastery.working_level(done, "spanish") == 1 and mastery.overall(done, "spanish") == 0.97
    now = Situation(skill="spanish", level=1, right=True, known=done)
    assert choose(now) == ("fractions", 1, "switch")
    assert make("spanish", 1, 5) is make("spanish", 1, 5)
    assert judge(make("spanish", 1, 5), "what a day") == (AnswerOutcome.UNREADABLE, None)
    with pytest.raises(InputError, match="a level is 1 to 1"):
        make("spanish", 2, 0)


def test_mathematics_is_judged_as_ours_is(tmp_path: Path) -> None:
    """With its lines in a template file, and answers read by the grammar that ships."""
    sympy = pytest.importorskip("sympy")

    def roots(level: int, seed: int, dice: Random) -> Problem | None:
        n = dice.randint(2, 12)
        return Problem(
            skill="roots", level=level, seed=seed, kind="number",
            ask=Line("root", {"a": str(n * n)}), task=f"√{n * n}", answer=sympy.Integer(n),
            hints=(Line("hint"),), steps=(Step(Line("hint"), str(n)),),
            mistakes={"halved": sympy.Rational(n * n, 2)},
        )  # fmt: skip

    file = tmp_path / "responder/en/tutoring/math/roots.toml"
    file.parent.mkdir(parents=True)
    roles = {"root": "Find √{a}.", "hint": "Which number times itself?", "explain_1": "It undoes."}
    file.write_text(
        "version = 1\n" + "".join(f'[{r}]\nlines = ["{t}"]\n' for r, t in roles.items())
    )
    add_language(tmp_path)
    register_skill("roots", roots, pattern=r"\broots?\b", levels=1)
    problem = make("roots", 1, 3)
    assert problem.statement() == f"Find √{problem.answer**2}."
    assert judge(problem, f"it is {problem.answer}").outcome == "right"
    assert judge(problem, str(problem.answer**2 / 2)) == (AnswerOutcome.WRONG, "halved")
    unregister_skill("roots")
    remove_language(tmp_path)


def test_a_lesson_outlives_its_skill() -> None:
    """A stored exercise whose skill is not registered here is dropped."""
    register_skill("spanish", draw, pattern="spanish", levels=1, lines=LINES, judge=marked)
    learner = Learner()
    learner.say("spanish please")
    unregister_skill("spanish")
    later = learner.say("casa")
    assert later.exercise is not None and later.exercise.skill == "fractions"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"name": "fractions"}, "taken"),
        ({"name": "Two words"}, "taken, not 'Two words'"),
        ({"levels": 5}, "levels= must be 1 to 4"),
        ({"pattern": "("}, "no regular expression"),
        ({"judge": "yes"}, "must be functions"),
        ({"lines": {"ask": ["Say {a}."]}}, "lack explain_1"),
        ({"lines": {"ask": ["Say {word}."]}}, "uses the slot {word}"),
        ({"lines": None}, "no template"),
    ],
)
def test_what_is_wrong_is_said(changed: dict[str, object], words: str) -> None:
    given = {"name": "spanish", "draw": draw, "pattern": "spanish", "levels": 1, "lines": LINES}
    name, drawn, *_ = (given := {**given, **changed}).values()
    rest = {k: v for k, v in given.items() if k not in ("name", "draw")}
    with pytest.raises(ConfigurationError) as error:
        register_skill(name, drawn, **rest)  # type: ignore[arg-type]
    assert words in str(error.value)
    assert "spanish" not in skills()


def test_what_draws_wrongly_is_said() -> None:
    def other(level: int, seed: int, dice: Random) -> Problem | None:
        return draw(level, seed + 1, dice)

    for drawn, words in ((other, "drew spanish-1-1"), (lambda *_: None, "draws no exercise")):
        register_skill("spanish", drawn, pattern="spanish", levels=1, lines=LINES, judge=marked)
        with pytest.raises(ConfigurationError, match=words):
            make("spanish", 1, 0)
        unregister_skill("spanish")
    with pytest.raises(ConfigurationError, match="no skill that was registered"):
        unregister_skill("fractions")
