"""What the tutor remembers of one talk: the exercise, the help given, results, the learner."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from empathic_sdk.types import LearningState
from empathic_sdk.types.base import Value

KEPT = 20
"""How many past exercises and results are remembered."""

_Count = Annotated[int, Field(ge=0)]


class TutorState(Value):
    """Part of the responder's memory; small, JSON both ways, no words of the learner.

    Attributes:
        version: Of the generators that made the exercise; another one makes other exercises.
        exercise: Id of the exercise that is open.
        hints: Hints shown for it.
        tries: Answers to it.
        examples: Examples shown for it.
        explained: Explanations given in this talk; each next one differs.
        counted: Whether it was counted by knowledge tracing.
        settled: Whether it was given to let things settle.
        asked_at: ``Utterance.at`` of the turn that brought it, in seconds.
        served: Exercises given in this talk.
        solved: How many of them were solved.
        streak: Exercises in a row that were right at the first answer.
        failed: Exercises in a row that were not solved.
        recent: Digests of the last exercises, so that none comes twice.
        results: The last results, oldest first: an id and ``right``, ``helped`` or ``shown``.
        learning: How the learner is doing; ``None`` before the first turn.
    """

    version: Annotated[int, Field(ge=1)] = 1
    exercise: str | None = None
    hints: _Count = 0
    tries: _Count = 0
    examples: _Count = 0
    explained: _Count = 0
    counted: bool = False
    settled: bool = False
    asked_at: float | None = None
    served: _Count = 0
    solved: _Count = 0
    streak: _Count = 0
    failed: _Count = 0
    recent: tuple[str, ...] = ()
    results: tuple[str, ...] = ()
    learning: LearningState | None = None
