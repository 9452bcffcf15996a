"""Exercises: generated from a skill, a level and a seed, with hints, steps and known mistakes."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from importlib import import_module
from typing import Any, Literal, NamedTuple

from empathic_sdk.errors import InputError, MissingExtraError
from empathic_sdk.language.templates import load_bank
from empathic_sdk.types import Exercise

LEVELS = 4
"""Levels of difficulty of every skill, from 1."""

VERSION = 1
"""Of the generators: the same skill, level and seed give the same exercise within a version."""

Kind = Literal["number", "percent", "equation", "derivative"]


class Skill(StrEnum):
    """What can be practised, in the order in which it is offered."""

    FRACTIONS = "fractions"
    PERCENTAGES = "percentages"
    EQUATIONS = "equations"
    DERIVATIVES = "derivatives"


class Line(NamedTuple):
    """A template role of the skill's bank and what goes into its slots."""

    role: str
    slots: Mapping[str, str] = {}


class Step(NamedTuple):
    """One step of the solution: words, and where it leads, as mathematics.

    ``math`` has the value of the answer (numbers, derivatives) or its solution (equations).
    """

    line: Line
    math: str


@dataclass(frozen=True)
class Problem:
    """One exercise with all that is known of it.

    Attributes:
        skill: Which.
        level: 1 to :data:`LEVELS`.
        seed: What made it.
        kind: How an answer is judged.
        ask: The statement.
        task: The mathematics of the statement, such as ``1/4 + 1/6``.
        answer: Right answer, a SymPy expression; in percent for ``percent``.
        hints: From general to concrete; none but the last may give the answer away.
        steps: The solution, a step an entry, the last one the answer.
        mistakes: Wrong answers with a name, by common mistake.
        finished: Whether a polynomial must be written out (any form will do otherwise).
    """

    skill: Skill
    level: int
    seed: int
    kind: Kind
    ask: Line
    task: str
    answer: Any
    hints: tuple[Line, ...]
    steps: tuple[Step, ...]
    mistakes: Mapping[str, Any] = field(default_factory=dict)
    finished: bool = False

    @property
    def id(self) -> str:
        """Name of the exercise, from which :func:`make` can make it again."""
        return f"{self.skill}-{self.level}-{self.seed}"

    def statement(self, language: str = "en") -> str:
        """Return what is asked, in words; the same seed gives the same wording."""
        lines = load_bank("responder", f"tutoring/math/{self.skill}", language)[self.ask.role]
        return lines[self.seed % len(lines)].format(**self.ask.slots)

    def shown(self, language: str = "en", *, hints: int = 0, tries: int = 0) -> Exercise:
        """Return it as a value that leaves this room."""
        return Exercise(
            id=self.id,
            skill=self.skill,
            level=self.level,
            statement=self.statement(language),
            hints=hints,
            tries=tries,
        )


def make(skill: Skill | str, level: int, seed: int) -> Problem:
    """Return the exercise of a skill, a level and a seed; the same every time, everywhere.

    Args:
        skill: One of :class:`Skill`.
        level: 1 to :data:`LEVELS`.
        seed: Any integer that is not negative.

    Raises:
        InputError: There is no such skill or level, or the seed is negative.
        MissingExtraError: SymPy is not installed.
    """
    try:
        skill = Skill(skill)
    except ValueError:
        raise InputError(f"{skill!r} is no skill; there are: {', '.join(Skill)}") from None
    if not 1 <= level <= LEVELS or seed < 0:
        raise InputError(f"a level is 1 to {LEVELS} and a seed at least 0, not {level} and {seed}")
    require_sympy()
    return _make(skill, level, seed)


@lru_cache(maxsize=256)
def _make(skill: Skill, level: int, seed: int) -> Problem:
    room = import_module(f"empathic_sdk.tutoring.{skill}")
    draw: Callable[[int, int, random.Random], Problem | None] = room.draw
    dice = random.Random(f"{VERSION}|{skill}|{level}|{seed}")
    while True:
        problem = draw(level, seed, dice)
        # Drawn again where a number of the statement, or one said in a hint, is the answer.
        if problem is not None and not _gives_away(problem):
            return problem


def require_sympy() -> None:
    """Raise :class:`MissingExtraError` unless SymPy can be imported."""
    try:
        import sympy  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("tutoring", "tutoring") from error


def mistakes(answer: Any, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the wrong answers that differ from the right one and from those before them."""
    import sympy

    kept: dict[str, Any] = {}
    seen = {sympy.expand(answer)}
    for name, value in found.items():
        expanded = sympy.expand(value)
        if expanded not in seen:
            seen.add(expanded)
            kept[name] = sympy.S(value)  # a plain int has neither numerator nor symbols
    return kept


def text_of(value: Any) -> str:
    """Return a rational number or a polynomial in x as a learner would type it."""
    import sympy

    value = sympy.sympify(value)
    if value.is_Rational:
        return str(value)
    x = sympy.Symbol("x")
    terms = [term.as_coeff_exponent(x) for term in sympy.Add.make_args(sympy.expand(value))]
    out = ""
    for coefficient, degree in sorted(terms, key=lambda term: -term[1]):
        sign = "-" if coefficient < 0 else "+"
        size = abs(coefficient)
        power = "" if degree == 0 else "x" if degree == 1 else f"x^{degree}"
        number = "" if size == 1 and power else text_of(size)
        out += f" {sign} {number}{power}" if out else f"{'-' * (sign == '-')}{number}{power}"
    return out


def decimal(value: Any) -> str:
    """Return a number with few decimals as one types it: ``7.5``, ``12``."""
    number = Fraction(int(value.p), int(value.q))
    return str(number.numerator) if number.denominator == 1 else f"{float(number):g}"


_NUMBERS = re.compile(r"\d+(?:\.\d+)?(?:/\d+)?")


def _gives_away(problem: Problem) -> bool:
    if problem.kind == "derivative":
        said = [v for line in problem.hints[:-1] for v in line.slots.values()]
        return text_of(problem.answer) in said
    said = [problem.task, *(v for line in problem.hints[:-1] for v in line.slots.values())]
    said += problem.ask.slots.values()
    target = abs(Fraction(int(problem.answer.p), int(problem.answer.q)))
    return any(Fraction(n) == target for text in said for n in _numbers(text))


def _numbers(text: str) -> list[str]:
    return [n for n in _NUMBERS.findall(text) if not n.endswith("/0")]
