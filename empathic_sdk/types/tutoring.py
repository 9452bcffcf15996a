"""The tutor's memory of one conversation: exercise, help given, results, learner."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from empathic_sdk.types import LearningState
from empathic_sdk.types.base import Value

KEPT = 20
"""Number of past exercises and results that are remembered."""

_Count = Annotated[int, Field(ge=0)]


class TutorState(Value):
    """The tutoring part of the responder's memory: small, JSON-serialisable, no words."""

    version: Annotated[int, Field(ge=1)] = Field(
        default=1,
        description=(
            "Version of the generators that made the exercise; another one makes other exercises."
        ),
    )
    exercise: str | None = Field(default=None, description="Id of the exercise that is open.")
    hints: _Count = Field(default=0, description="Hints shown for the open exercise.")
    tries: _Count = Field(default=0, description="Answers to the open exercise.")
    examples: _Count = Field(default=0, description="Examples shown for the open exercise.")
    explained: _Count = Field(
        default=0,
        description="Explanations given in this conversation; each next one differs.",
    )
    counted: bool = Field(
        default=False,
        description="Whether knowledge tracing has counted the open exercise.",
    )
    settled: bool = Field(
        default=False,
        description="Whether the open exercise was given to let things settle.",
    )
    asked_at: float | None = Field(
        default=None,
        description="`Utterance.at` of the turn that brought the exercise, in seconds.",
    )
    served: _Count = Field(default=0, description="Exercises given in this conversation.")
    solved: _Count = Field(
        default=0,
        description="Exercises of this conversation that were solved.",
    )
    streak: _Count = Field(
        default=0,
        description="Exercises in a row that were right at the first answer.",
    )
    failed: _Count = Field(default=0, description="Exercises in a row that were not solved.")
    recent: tuple[str, ...] = Field(
        default=(),
        description="Digests of the last exercises, so that none comes twice.",
    )
    results: tuple[str, ...] = Field(
        default=(),
        description="The last results, oldest first: an id and `right`, `helped` or `shown`.",
    )
    learning: LearningState | None = Field(
        default=None,
        description="How the learner is doing; `None` before the first turn.",
    )
