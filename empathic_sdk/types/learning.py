"""Values of tutoring: the open exercise, the outcome of an answer, mastery."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from empathic_sdk.types.base import Value
from empathic_sdk.types.emotion import Unit


class AnswerOutcome(StrEnum):
    """Outcome of an answer to an exercise."""

    RIGHT = "right"
    UNSIMPLIFIED = "unsimplified"
    WRONG = "wrong"
    UNREADABLE = "unreadable"


class Exercise(Value):
    """An exercise that waits for an answer."""

    id: str = Field(description="Names skill, level and seed; the same id is the same exercise.")
    skill: str = Field(
        description=(
            "What it practises: `fractions`, `percentages`, `equations`, `derivatives`, or a "
            "skill of your own."
        )
    )
    level: Annotated[int, Field(ge=1)] = Field(description="Difficulty, 1 to 4.")
    statement: str = Field(description="What is asked.")
    hints: Annotated[int, Field(ge=0)] = Field(default=0, description="Hints shown so far.")
    tries: Annotated[int, Field(ge=0)] = Field(default=0, description="Answers judged so far.")


class Answer(Value):
    """The outcome of the answer in one turn."""

    exercise: str = Field(description="Id of the exercise that it answers.")
    outcome: AnswerOutcome = Field(
        description="Right; right but not in the form asked for; wrong; not to be read."
    )
    remark: str | None = Field(
        default=None,
        description=(
            "Name of the common mistake, of what is missing, or of why it cannot be read; `None` "
            "where there is nothing to name."
        ),
    )


class Mastery(Value):
    """Knowledge-tracing estimate of one skill at one level."""

    known: Unit = Field(description="Probability that the person has it.")
    seen: Annotated[int, Field(ge=0)] = Field(default=0, description="Exercises that counted.")
    version: Annotated[int, Field(ge=1)] = Field(
        default=1,
        description="Of the model that gave the probability.",
    )
