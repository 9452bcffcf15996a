"""Exercises: a thousand seeds each, against SymPy's own parser as an independent reader."""

# Tables of cases stay tables.
# ruff: noqa: E501

from __future__ import annotations

import re
import sys
from typing import Any

import pytest
import sympy
from sympy.parsing.sympy_parser import (
    convert_xor,
    implicit_multiplication,
    parse_expr,
    rationalize,
    standard_transformations,
)

from empathic_sdk.errors import InputError, MissingExtraError
from empathic_sdk.language.templates import load_bank
from empathic_sdk.tutoring import LEVELS, Problem, Skill, judge, make
from empathic_sdk.tutoring.lesson import sibling_of
from empathic_sdk.tutoring.reading import Unread, expression, read
from empathic_sdk.types import AnswerOutcome

X = sympy.Symbol("x")
EACH = [(skill, level) for skill in Skill for level in range(1, LEVELS + 1)]
_HOW = (*standard_transformations, convert_xor, implicit_multiplication, rationalize)
RIGHT, OPEN, WRONG = AnswerOutcome.RIGHT, AnswerOutcome.UNSIMPLIFIED, AnswerOutcome.WRONG


def parsed(text: str) -> Any:
    text = re.sub(r"(\d+) (\d+/\d+)", r"(\1+\2)", text)
    text = re.sub(r"(\d+/\d+)", r"(\1)", text)  # a fraction binds closer than a division sign
    text = text.replace("×", "*").replace("÷", "/")
    return parse_expr(text, transformations=_HOW, local_dict={"x": X})


def solution(task: str) -> Any:
    """Work a task out anew, from what the learner is shown."""
    left, _, right = task.partition("=")
    return sympy.solve(parsed(left) - parsed(right), X)[0] if right else parsed(task)


def reached(problem: Problem, math: str) -> Any:
    """Return where a step leads, by our own reader: a value, or the solution of an equation."""
    readings = read(math)
    assert not isinstance(readings, Unread), (problem.id, math)
    sides = [expression(side) for side in readings[0].sides]
    if len(sides) == 1:
        return sides[0]
    line = sympy.expand(sides[0] - sides[1])
    slope = line.coeff(X, 1)
    return -line.coeff(X, 0) / slope


def check_steps(problem: Problem) -> None:
    """Every step of the solution is true, by SymPy's own parser."""
    for step in problem.steps:
        difference = reached(problem, step.math) - problem.answer
        assert sympy.expand(difference) == 0, (problem.id, step.math)


@pytest.mark.slow
@pytest.mark.parametrize(("skill", "level"), EACH)
def test_every_step_of_a_thousand_exercises(skill: Skill, level: int) -> None:
    for seed in range(1000):
        check_steps(make(skill, level, seed))


@pytest.mark.parametrize(("skill", "level"), EACH)
def test_a_thousand_exercises(skill: Skill, level: int) -> None:
    bank = load_bank("responder", f"tutoring/math/{skill}")
    remarks = load_bank("responder", "tutoring/mistakes")
    seen = set()
    for seed in range(1000):
        problem = make(skill, level, seed)
        seen.add(problem.task)
        # the answer is accepted, an echo of the exercise is not, and every step is true
        assert judge(problem, problem.steps[-1].math).outcome is RIGHT, problem.id
        assert judge(problem, problem.task).outcome is not RIGHT, problem.id
        if seed % 5 == 0:  # SymPy's parser is slow; the slow test below reads every exercise
            check_steps(problem)
        if seed % 20:
            continue
        # no known mistake is, and each has its remark
        for name, wrong in problem.mistakes.items():
            judged = judge(problem, str(wrong).replace("**", "^"))
            assert judged.outcome is WRONG, (problem.id, name)
            assert judged.remark is not None and remarks[judged.remark], (problem.id, name)
        # every template is there and takes its slots
        problem.statement()
        for line in (*problem.hints, *(step.line for step in problem.steps)):
            for text in bank[line.role]:
                text.format(**line.slots, **({} if "math" in line.slots else {"math": "1"}))
    assert len(seen) > (30 if level == 1 else 80), "too few different exercises"


@pytest.mark.parametrize(("skill", "level"), EACH)
def test_an_independent_reader_agrees(skill: Skill, level: int) -> None:
    # SymPy's own parser, which knows nothing of ours; it is slow, hence every hundredth seed.
    for seed in range(0, 1000, 100):
        problem = make(skill, level, seed)
        if problem.kind == "derivative":
            target = sympy.diff(parsed(problem.task), X)
        else:
            target = solution(problem.task)
        assert sympy.expand(target - problem.answer) == 0, problem.id
        for step in problem.steps:
            assert sympy.expand(solution(step.math) - target) == 0, (problem.id, step.math)


@pytest.mark.parametrize(("skill", "level"), EACH)
def test_only_the_answer_and_its_forms_are_accepted(skill: Skill, level: int) -> None:
    for seed in range(20):
        problem = make(skill, level, seed)
        near = [problem.answer + 1, problem.answer - 1, 2 * problem.answer + 50]
        for value in near:
            assert judge(problem, str(value).replace("**", "^")).outcome is WRONG
        if problem.kind != "derivative":
            number = problem.answer
            decimal = f"{float(number):.10f}".rstrip("0").rstrip(".")
            if sympy.Rational(decimal) == number:
                assert judge(problem, decimal).outcome is RIGHT
                assert judge(problem, decimal.replace(".", ",")).outcome is RIGHT
            assert judge(problem, f"x = {number}").outcome is RIGHT
            assert judge(problem, f"I think it's {number}?").outcome is RIGHT


@pytest.mark.parametrize(("skill", "level"), EACH)
def test_no_hint_before_the_last_gives_the_answer_away(skill: Skill, level: int) -> None:
    bank = load_bank("responder", f"tutoring/math/{skill}")
    for seed in range(50):
        problem = make(skill, level, seed)
        assert len(problem.hints) >= 3
        for line in problem.hints[:-1]:
            said = bank[line.role][0].format(**line.slots)
            for piece in re.findall(r"[\dx./^()+*-]*\d[\dx./^()+*-]*", said):
                assert judge(problem, piece.strip(".")).outcome is not RIGHT, (problem.id, said)
        last = problem.hints[-1].slots["math"]
        assert judge(problem, last).outcome is not RIGHT, (problem.id, last)


@pytest.mark.parametrize(("skill", "level"), EACH)
def test_an_example_is_of_the_same_kind_and_has_another_answer(skill: Skill, level: int) -> None:
    for seed in range(5):
        problem = make(skill, level, seed)
        tasks = set()
        for number in range(3):
            sibling = sibling_of(problem, number)
            tasks.add(sibling.task)
            assert (sibling.skill, sibling.level, sibling.kind) == (skill, level, problem.kind)
            assert sibling.answer != problem.answer
            assert sibling.ask.role == problem.ask.role
        assert problem.task not in tasks
        assert len(tasks) >= 2


def test_the_same_seed_is_the_same_exercise() -> None:
    first = make("fractions", 2, 7)
    make.__globals__["_make"].cache_clear()
    assert make(Skill.FRACTIONS, 2, 7) == first
    assert first.id == "fractions-2-7"
    assert make("fractions", 2, 8).task != first.task


def test_wrong_arguments_are_named() -> None:
    wrong = (("geometry", 1, 0), ("fractions", 0, 0), ("fractions", 5, 0), ("fractions", 1, -1))
    for skill, level, seed in wrong:
        with pytest.raises(InputError, match=r"no skill|a level is"):
            make(skill, level, seed)


def test_without_sympy_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sympy", None)
    with pytest.raises(MissingExtraError, match=r"empathic-sdk\[tutoring\]"):
        make("fractions", 1, 0)


def one(kind: str, **fields: Any) -> Problem:
    from empathic_sdk.tutoring.problems import Line, mistakes

    answer = sympy.sympify(fields.pop("answer"))
    wrong = {k: sympy.sympify(v) for k, v in fields.pop("wrong", {}).items()}
    skill = fields.pop("skill", Skill.FRACTIONS)
    return Problem(
        skill=skill, level=1, seed=0, kind=kind, ask=Line("x"), task="", answer=answer, hints=(),
        steps=(), mistakes=mistakes(answer, wrong), **fields,
    )  # fmt: skip


HALF = one("number", answer="1/2", wrong={"added_denominators": "2/6"})
PERCENT = one("percent", answer=20, skill=Skill.PERCENTAGES, wrong={"wrong_base": 500})
AMOUNT = one("number", answer=9, skill=Skill.PERCENTAGES, wrong={"place_value_down": "9/10"})
EQUATION = one("equation", answer=4, skill=Skill.EQUATIONS, wrong={"forgot_to_divide": 8})
SLOPE = one(
    "derivative", answer="12*x**2 + 5", skill=Skill.DERIVATIVES, finished=True,
    wrong={"power_kept": "12*x**3 + 5"},
)  # fmt: skip
CHAIN = one("derivative", answer="6*(2*x+1)**2", skill=Skill.DERIVATIVES)


@pytest.mark.parametrize(
    ("problem", "text", "outcome", "remark"),
    [
        (HALF, "1/2", "right", None), (HALF, "0.5", "right", None), (HALF, "½", "right", None),
        (HALF, "one half", "right", None), (HALF, "3/6", "unsimplified", "lowest"),
        (HALF, "1/4 + 1/4", "unsimplified", "not_worked_out"),
        (HALF, "1/4 + 1/4 = 2/4 = 1/2", "right", None), (HALF, "1/3", "wrong", "added_denominators"),
        (HALF, "2/6", "wrong", "added_denominators"), (HALF, "7", "wrong", None),
        (HALF, "50 %", "right", None), (HALF, "y/2", "unreadable", "name"),
        (HALF, "1/0", "unreadable", "zero"), (HALF, "1//2", "unreadable", "syntax"),
        (one("number", answer="1/3"), "0.33", "unsimplified", "rounded"),
        (one("number", answer="1/3"), "0.3", "wrong", None),
        (one("number", answer="-5/3"), "-1 2/3", "right", None),
        (one("number", answer="-5/3"), "-5/3", "right", None),
        (one("number", answer="-5/3"), "−10/6", "unsimplified", "lowest"),
        (one("number", answer="3/2"), "1 2/4", "unsimplified", "lowest"),
        (PERCENT, "20", "right", None), (PERCENT, "20 %", "right", None),
        (PERCENT, "0.2", "unsimplified", "as_percent"), (PERCENT, "1/5", "unsimplified", "as_percent"),
        (PERCENT, "500%", "wrong", "wrong_base"), (AMOUNT, "9 euros", "right", None),
        (AMOUNT, "9%", "unsimplified", "stray_percent"), (AMOUNT, "0.9", "wrong", "place_value"),
        (EQUATION, "4", "right", None), (EQUATION, "x = 4", "right", None),
        (EQUATION, "4 = x", "right", None), (EQUATION, "x = 8/2 = 4", "right", None),
        (EQUATION, "x = 8/2", "unsimplified", "lowest"), (EQUATION, "2x = 8", "unsimplified", "step"),
        (EQUATION, "2x = 8, x = 4", "right", None), (EQUATION, "2x = 9", "wrong", "step_wrong"),
        (EQUATION, "x^2 = 16", "wrong", "step_wrong"), (EQUATION, "x = x", "unreadable", "syntax"),
        (EQUATION, "8", "wrong", "forgot_to_divide"), (EQUATION, "y = 4", "unreadable", "name"),
        (SLOPE, "12x^2+5", "right", None), (SLOPE, "5 + 12 x²", "right", None),
        (SLOPE, "f'(x) = 12x^2 + 5", "right", None), (SLOPE, "3*4x^2+5", "unsimplified", "not_worked_out"),
        (SLOPE, "12x^3 + 5", "wrong", "power_kept"), (SLOPE, "-12x^2 - 5", "wrong", "sign"),
        (SLOPE, "12x^2", "wrong", None), (CHAIN, "3(2x+1)^2*2", "right", None),
        (CHAIN, "24x^2 + 24x + 6", "right", None), (CHAIN, "6(1+2x)^3/(2x+1)", "right", None),
    ],
)  # fmt: skip
def test_judging_by_hand(problem: Problem, text: str, outcome: str, remark: str | None) -> None:
    assert judge(problem, text) == (AnswerOutcome(outcome), remark)
