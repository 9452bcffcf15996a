"""Tutoring as values: the exercise on the table, what became of an answer, what is mastered."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from empathic_sdk.types.base import Value
from empathic_sdk.types.emotion import Unit


class AnswerOutcome(StrEnum):
    """What an answer to an exercise is."""

    RIGHT = "right"
    UNSIMPLIFIED = "unsimplified"
    WRONG = "wrong"
    UNREADABLE = "unreadable"


class Exercise(Value):
    """The exercise that waits for an answer.

    Attributes:
        id: Names skill, level and seed; the same id is the same exercise.
        skill: ``fractions equations percentages derivatives``.
        level: Difficulty, 1 to 4.
        statement: What is asked.
        hints: Hints shown so far.
        tries: Answers judged so far.
    """

    id: str
    skill: str
    level: Annotated[int, Field(ge=1)]
    statement: str
    hints: Annotated[int, Field(ge=0)] = 0
    tries: Annotated[int, Field(ge=0)] = 0


class Answer(Value):
    """What became of the answer in one turn.

    Attributes:
        exercise: Id of the exercise that it answers.
        outcome: Right; right but not in the form asked for; wrong; not to be read.
        remark: Name of the common mistake, of what is missing, or of why it cannot be read;
            ``None`` where there is nothing to name.
    """

    exercise: str
    outcome: AnswerOutcome
    remark: str | None = None


class Mastery(Value):
    """What knowledge tracing believes about one skill at one level.

    Attributes:
        known: Probability that the person has it.
        seen: Exercises that counted.
        version: Of the model that gave the probability.
    """

    known: Unit
    seen: Annotated[int, Field(ge=0)] = 0
    version: Annotated[int, Field(ge=1)] = 1
