"""Exercises: generated from a skill, a level and a seed, with hints, steps and known mistakes.

Four skills ship; :func:`register_skill` adds one of your own.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from importlib import import_module
from typing import Any, Literal, NamedTuple

from empathic_sdk.errors import ConfigurationError, InputError, MissingExtraError
from empathic_sdk.language.templates import add_lines, load_bank
from empathic_sdk.types import AnswerOutcome, Exercise

LEVELS = 4
"""Levels of difficulty of a skill, from 1; one of your own may have fewer."""

VERSION = 1
"""Of the generators: the same skill, level and seed give the same exercise within a version."""

_DRAWS = 10_000
"""Maximum number of unsuitable draws before an error."""

Kind = Literal["number", "percent", "equation", "derivative"]


class Skill(StrEnum):
    """The skills that ship, in the order in which they are offered."""

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
    """One exercise with its answer, hints, steps and common mistakes.

    Attributes:
        skill: One of :class:`Skill`, or the name of a registered one.
        level: 1 to the levels of the skill.
        seed: What made it.
        kind: How an answer is judged, where the skill has no ``judge`` of its own.
        ask: The statement.
        task: The mathematics of the statement, such as ``1/4 + 1/6``.
        answer: Right answer, a SymPy expression; in percent for ``percent``.
        hints: From general to concrete; none but the last may give the answer away.
        steps: The solution, one entry per step; the last one is the answer.
        mistakes: Wrong answers with a name, by common mistake.
        finished: Whether a polynomial must be written out (any form will do otherwise).
        lowest: Whether a fraction must be in lowest terms.
    """

    skill: str
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
    lowest: bool = True

    @property
    def id(self) -> str:
        """Name of the exercise, from which :func:`make` can make it again."""
        return f"{self.skill}-{self.level}-{self.seed}"

    def statement(self, language: str = "en") -> str:
        """Return what is asked, in words; the same seed gives the same wording."""
        lines = load_bank("responder", f"tutoring/math/{self.skill}", language)[self.ask.role]
        return lines[self.seed % len(lines)].format(**self.ask.slots)

    def shown(self, language: str = "en", *, hints: int = 0, tries: int = 0) -> Exercise:
        """Return the public value of this exercise."""
        return Exercise(
            id=self.id,
            skill=self.skill,
            level=self.level,
            statement=self.statement(language),
            hints=hints,
            tries=tries,
        )


class Judgement(NamedTuple):
    """Outcome of an answer, and the name of a remark about it."""

    outcome: AnswerOutcome
    remark: str | None = None


Draw = Callable[[int, int, random.Random], Problem | None]
"""Draws the exercise of a level and a seed; ``None`` if the draw is unsuitable."""

Judge = Callable[[Problem, str], Judgement | None]
"""Judges what a learner typed; ``None`` where it is not meant as an answer."""


@dataclass(frozen=True, eq=False)
class SkillSpec:
    """All that tutoring needs to know of one skill.

    Attributes:
        name: As in ``Exercise.skill``.
        draw: Makes an exercise.
        pattern: What learners call it, sought in lower-case text.
        spoken: What the tutor calls it.
        levels: How many levels of difficulty it has.
        judge: Judges an answer; ``None``: it is mathematics, and :func:`judge` does.
    """

    name: str
    draw: Draw
    pattern: re.Pattern[str]
    spoken: str
    levels: int = LEVELS
    judge: Judge | None = None


def _ours(skill: Skill, pattern: str, spoken: str | None = None) -> SkillSpec:
    def draw(level: int, seed: int, dice: random.Random) -> Problem | None:
        made: Problem | None = import_module(f"empathic_sdk.tutoring.{skill}").draw(
            level, seed, dice
        )
        return made

    return SkillSpec(skill, draw, re.compile(pattern), spoken or str(skill))


_SKILLS: dict[str, SkillSpec] = {
    spec.name: spec
    for spec in (
        _ours(Skill.FRACTIONS, r"\bfractions?\b"),
        _ours(Skill.PERCENTAGES, r"\bpercent(?:age)?s?\b|\bper cents?\b|\bdiscounts?\b"),
        _ours(
            Skill.EQUATIONS,
            r"\b(?:linear )?equations?\b|\balgebra\b|\bsolv\w+ for x\b",
            "linear equations",
        ),
        _ours(
            Skill.DERIVATIVES,
            r"\bderivatives?\b|\bcalculus\b|\bdifferentiat\w+|\bderiving\b",
        ),
    )
}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


def register_skill(
    name: str,
    draw: Draw,
    *,
    pattern: str,
    spoken: str | None = None,
    levels: int = LEVELS,
    lines: Mapping[str, Sequence[str]] | None = None,
    judge: Judge | None = None,
) -> None:
    """Add a skill that can be practised, for every agent of this process.

    Args:
        name: Lower-case letters, digits and underscores; not one that is taken.
        draw: Returns the exercise of a level and a seed, drawn with the generator it is given
            (the same exercise every time), or ``None`` to be asked again.
        pattern: Regular expression for what learners call it, sought in lower-case text.
        spoken: What the tutor calls it; by default its name.
        levels: 1 to :data:`LEVELS`.
        lines: Sentences by role: every role that a statement, hint or step of yours names, and
            ``explain_1`` to ``explain_N``, one for each level, each with at least one way to
            explain the idea. ``mistake_NAME`` is what is said of a wrong answer with that remark.
            ``None``: they stand in a template file ``responder/en/tutoring/math/NAME.toml`` that
            ``empathic_sdk.language.add_language`` reads.
        judge: Judges answers. ``None``: they are mathematics, judged as ``Problem.kind`` says,
            which needs SymPy.

    Raises:
        ConfigurationError: The name is taken or not a name, or there are no such lines.
    """
    if not _NAME.fullmatch(name) or name in _SKILLS:
        raise ConfigurationError(
            f"a skill needs a name of lower-case letters, digits and _ that is not taken, not "
            f"{name!r}; there are: {', '.join(_SKILLS)}"
        )
    if not callable(draw) or not (judge is None or callable(judge)):
        raise ConfigurationError("draw= and judge= must be functions")
    if levels not in range(1, LEVELS + 1):
        raise ConfigurationError(f"levels= must be 1 to {LEVELS}, not {levels!r}")
    try:
        called = re.compile(pattern)
    except re.error as error:
        raise ConfigurationError(f"pattern= is no regular expression: {error}") from error
    bank = _bank(name)
    if lines is not None:
        add_lines("responder", bank, lines)
    if lacks := {f"explain_{n}" for n in range(1, levels + 1)} - set(load_bank("responder", bank)):
        add_lines("responder", bank, {})
        raise ConfigurationError(f"the lines of {name!r} lack {', '.join(sorted(lacks))}")
    _SKILLS[name] = SkillSpec(name, draw, called, spoken or name, levels, judge)


def unregister_skill(name: str) -> None:
    """Take out a skill that :func:`register_skill` added.

    Raises:
        ConfigurationError: It ships with the package, or there is none.
    """
    if name not in _SKILLS or name in tuple(Skill):
        raise ConfigurationError(f"{name!r} is no skill that was registered")
    del _SKILLS[name]
    add_lines("responder", _bank(name), {})


def skills() -> tuple[str, ...]:
    """Return the names of all skills, in the order in which they are offered."""
    return tuple(_SKILLS)


def spec_of(skill: str) -> SkillSpec:
    """Return what is known of a skill.

    Raises:
        InputError: There is none of that name.
    """
    if skill not in _SKILLS:
        raise InputError(f"{skill!r} is no skill; there are: {', '.join(_SKILLS)}")
    return _SKILLS[skill]


def _bank(skill: str) -> str:
    return f"tutoring/math/{skill}"


def make(skill: str, level: int, seed: int) -> Problem:
    """Return the exercise of a skill, a level and a seed; the same every time, everywhere.

    Args:
        skill: One of :class:`Skill`, or a registered one.
        level: 1 to :data:`LEVELS`, or to the levels of that skill.
        seed: Any integer that is not negative.

    Raises:
        ConfigurationError: A registered skill draws no exercise, or another one than asked for.
        InputError: There is no such skill or level, or the seed is negative.
        MissingExtraError: SymPy is not installed.
    """
    spec = spec_of(skill)
    if not 1 <= level <= spec.levels or seed < 0:
        raise InputError(
            f"a level is 1 to {spec.levels} and a seed at least 0, not {level} and {seed}"
        )
    if spec.judge is None:
        require_sympy()
    return _make(spec, level, seed)


@lru_cache(maxsize=256)
def _make(spec: SkillSpec, level: int, seed: int) -> Problem:
    dice = random.Random(f"{VERSION}|{spec.name}|{level}|{seed}")
    for _ in range(_DRAWS):
        problem = spec.draw(level, seed, dice)
        # Drawn again where a number of the statement, or one said in a hint, is the answer.
        if problem is None or (spec.judge is None and _gives_away(problem)):
            continue
        if (problem.skill, problem.level, problem.seed) != (spec.name, level, seed):
            raise ConfigurationError(
                f"the skill {spec.name!r} was asked for level {level}, seed {seed}, and drew "
                f"{problem.id}"
            )
        return problem
    raise ConfigurationError(f"the skill {spec.name!r} draws no exercise of level {level}")


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
