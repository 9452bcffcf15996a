"""Judges answers: right, right but unfinished, wrong (and how), or unreadable."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from empathic_sdk.tutoring import forms
from empathic_sdk.tutoring.phrases import BEFORE, without_ending
from empathic_sdk.tutoring.problems import Judgement, Problem, spec_of
from empathic_sdk.tutoring.reading import (
    LONGEST,
    Node,
    Reading,
    Unread,
    exact,
    expression,
    read,
    tidy,
)
from empathic_sdk.types import AnswerOutcome

_RIGHT, _OPEN = AnswerOutcome.RIGHT, AnswerOutcome.UNSIMPLIFIED
_WRONG, _UNREADABLE = AnswerOutcome.WRONG, AnswerOutcome.UNREADABLE
_BEST = (_RIGHT, _OPEN, _WRONG, _UNREADABLE)


_CLAUSE = re.compile(r"[!?;\n]+|\.(?!\d)|,\s+|\bbut\b|\bbecause\b|=>|→|⇒|\bso\b|\btherefore\b")
_NUMBER_WORDS = {
    "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6",
    "seven": "7", "eight": "8", "nine": "9", "ten": "10", "eleven": "11", "twelve": "12",
    "thirteen": "13", "fourteen": "14", "fifteen": "15", "sixteen": "16", "seventeen": "17",
    "eighteen": "18", "nineteen": "19", "twenty": "20",
}  # fmt: skip
_PIECES = {
    "half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6,
    "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10, "twelfth": 12,
}  # fmt: skip
_NUMBER_WORD = re.compile(rf"\b(?:{'|'.join(_NUMBER_WORDS)})\b")
_PIECE = re.compile(
    rf"\b(?:(an?)|(\d+)|({'|'.join(_NUMBER_WORDS)}))?[\s-]*({'|'.join(_PIECES)})s?\b"
)
_SPOKEN = (
    (re.compile(r"\b(?:percent|per cent|pct|prozent)\b"), "%"),
    (re.compile(r"\bminus\b|\bnegative\b"), "-"),
    (re.compile(r"\bplus\b"), "+"),
    (re.compile(r"\btimes\b|\bmultiplied by\b"), "*"),
    (re.compile(r"\bdivided by\b|\bover\b"), "/"),
    (re.compile(r"\bsquared\b"), "^2"),
    (re.compile(r"\bcubed\b"), "^3"),
    (re.compile(r"\bto the power of\b"), "^"),
    (re.compile(r"\bpoint\b(?=\s*\d)"), "."),
    (re.compile(r"(?<=\bx)\s+(?:is|equals|equal to)\s+"), " = "),
    (re.compile(r"[€$£]"), " "),
)
_AND = re.compile(r"(?<=\d)\s+and\s+(?=\d+\s*/)")
# "3 or 4" is meant as an answer but is not one: a syntax error below.
_WORDS = re.compile(r"(?!or\b)[^\W\d_]{2,}|\bi\b")


def attempt(text: str) -> str | None:
    """Return the part of a message that is meant as an answer, or ``None``.

    The last clause that consists only of mathematics counts: "hmm, I hate this. Is it 5/6?"
    """
    for clause in reversed(_CLAUSE.split(tidy(text[: 8 * LONGEST]))):
        bare = _bare(clause)
        if bare is not None:
            return bare
    return None


def _bare(clause: str) -> str | None:
    s = without_ending(clause.strip())
    s = BEFORE.sub("", s).strip()
    s = _PIECE.sub(_piece, s)
    s = _AND.sub(" ", _NUMBER_WORD.sub(lambda m: _NUMBER_WORDS[m[0]], s))
    for pattern, sign in _SPOKEN:
        s = pattern.sub(sign, s)
    s = without_ending(s).strip(" ,:\"'")
    s = re.sub(r"^=\s*", "", s)
    if not s or not re.search(r"\d|\bx\b", s):
        return None
    if _WORDS.search(s):
        return None
    return s


def _piece(match: re.Match[str]) -> str:
    count = match[2] or _NUMBER_WORDS.get(match[3] or "", "1")
    name = match[4]
    return f"{count}/{_PIECES[name]}"


def judge(problem: Problem, text: str) -> Judgement:
    """Judge a text that is meant as the answer to ``problem``.

    Args:
        problem: The exercise.
        text: What :func:`attempt` returned, or any text.

    Returns:
        Right; right but not finished, with what is missing (``lowest not_worked_out rounded
        as_percent stray_percent step``); wrong, with the common mistake where it is one; or
        unreadable, with the reason (``too_long too_big name syntax zero``). A registered skill
        with a ``judge`` of its own has its own remarks.
    """
    own = spec_of(problem.skill).judge
    if own is not None:
        return own(problem, text) or Judgement(_UNREADABLE)
    bare = attempt(text)
    readings = read(text if bare is None else bare, "x")
    if isinstance(readings, Unread):
        return Judgement(_UNREADABLE, readings.problem)
    return min((_judge(problem, r) for r in readings), key=lambda j: _BEST.index(j.outcome))


def _judge(problem: Problem, reading: Reading) -> Judgement:
    if problem.kind == "derivative":
        return _derivative(problem, reading.sides[-1])
    sides = list(reading.sides)
    if len(sides) > 1 and sides[0].kind == "variable":
        del sides[0]  # "x = 2", "x = 8/4 = 2"
    elif len(sides) == 2 and sides[1].kind == "variable":
        del sides[1]  # "2 = x"
    if all(side.constant for side in sides):
        return _number(problem, sides[-1])
    if problem.kind == "equation" and len(sides) == 2:
        return _line(problem, sides[0], sides[1])
    return Judgement(_UNREADABLE, "name" if problem.kind != "equation" else "syntax")


def _number(problem: Problem, node: Node) -> Judgement:
    value = exact(node)
    if value is None:
        return Judgement(_UNREADABLE, "zero")
    right = Fraction(int(problem.answer.p), int(problem.answer.q))
    sign = node.kind == "percent"
    if problem.kind == "percent":
        if sign:
            node, value = node.parts[0], value * 100
        elif value * 100 == right:
            return Judgement(_OPEN, "as_percent")
    elif sign and value * 100 == right:
        return Judgement(_OPEN, "stray_percent")
    if value == right:
        if sign and node.kind == "percent":
            node = node.parts[0]  # 50 % is a half, as finished as 0.5
        if not forms.is_number(node):
            return Judgement(_OPEN, "not_worked_out")
        if problem.kind != "percent" and problem.lowest and not forms.is_lowest(node):
            return Judgement(_OPEN, "lowest")
        return Judgement(_RIGHT)
    places = forms.decimals(node)
    if places is not None and places >= 2 and abs(value - right) <= Fraction(1, 2 * 10**places):
        return Judgement(_OPEN, "rounded")
    return Judgement(_WRONG, _mistake(problem, value))


def _mistake(problem: Problem, value: Fraction) -> str | None:
    for name, wrong in problem.mistakes.items():
        if Fraction(int(wrong.p), int(wrong.q)) == value:
            return name.removesuffix("_down")
    return None


def _line(problem: Problem, left: Node, right: Node) -> Judgement:
    """Judge an equation that is not solved yet: whether the same x solves it."""
    import sympy

    one, other = expression(left), expression(right)
    if one is None or other is None:
        return Judgement(_UNREADABLE, "zero")
    x = sympy.Symbol("x")
    difference = sympy.expand(one - other)
    if not difference.has(x):
        return Judgement(_UNREADABLE, "syntax")
    at = sympy.expand(difference.subs(x, problem.answer)) if _whole(difference, x) else None
    if at == 0 and sympy.degree(difference, x) == 1:
        return Judgement(_OPEN, "step")
    return Judgement(_WRONG, "step_wrong")


def _whole(value: Any, x: Any) -> bool:
    return bool(value.is_polynomial(x))


def _derivative(problem: Problem, node: Node) -> Judgement:
    import sympy

    given = expression(node)
    if given is None:
        return Judgement(_UNREADABLE, "zero")
    x = sympy.Symbol("x")
    if _same(given, problem.answer, x):
        done = forms.is_polynomial(node) or not problem.finished
        return Judgement(_RIGHT) if done else Judgement(_OPEN, "not_worked_out")
    for name, wrong in problem.mistakes.items():
        if _same(given, wrong, x):
            return Judgement(_WRONG, name)
    if _same(given, -problem.answer, x):
        return Judgement(_WRONG, "sign")
    return Judgement(_WRONG)


def _same(one: Any, other: Any, x: Any) -> bool:
    import sympy

    difference = sympy.expand(one - other)
    if difference == 0 or _whole(difference, x):
        return bool(difference == 0)
    return bool(sympy.cancel(sympy.together(difference)) == 0)
