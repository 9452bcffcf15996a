"""The tutor's policy: the next help or exercise, as two pure functions over tables.

**While an exercise is open** (:func:`support`), after an answer that is not right:

==========  =====  =========================================================================
mood        try    what comes
==========  =====  =========================================================================
(guessed)   1-2    slow: a word about taking time, no new help
frustrated  1      a hint: the step becomes smaller
frustrated  2-     something easier
confused    1      explained another way
confused    2      a hint
any other   1      the same again
any other   2      a hint
any         3-     an example of the same kind; after that the solution is offered
==========  =====  =========================================================================

A hint that is used up becomes an example.

**When an exercise is over** (:func:`choose`), the first line that applies:

=====================================  ==================================================
situation                              next exercise
=====================================  ==================================================
frustrated                             a level down (at level 1: another one there)
confused                               the same level, after an explanation
bored                                  a level up; from the hardest to the next skill
glad, and right                        the same level once more, to let it settle
two in a row not solved                a level down
the level is mastered                  a level up; from the hardest to the next skill
otherwise                              the same level
=====================================  ==================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from empathic_sdk.tutoring import mastery
from empathic_sdk.tutoring.feelings import Mood
from empathic_sdk.tutoring.problems import spec_of

Help = Literal["slow", "retry", "hint", "explain", "example", "offer", "easier"]
Manner = Literal["smaller", "explain", "harder", "switch", "settle", "up", "more"]


class Choice(NamedTuple):
    """The next exercise, and in which manner it comes."""

    skill: str
    level: int
    manner: Manner


@dataclass(frozen=True)
class Situation:
    """All that the choice of the next exercise depends on.

    Attributes:
        skill: Of the exercise that is over.
        level: Of it.
        right: Whether it was solved.
        mood: How the learner is doing.
        glad: Whether they showed joy in this turn.
        settled: Whether the one that is over was already given to let things settle.
        failed: Exercises in a row that were not solved.
        known: Mastery by name.
    """

    skill: str
    level: int
    right: bool
    mood: Mood = "engaged"
    glad: bool = False
    settled: bool = False
    failed: int = 0
    known: mastery.Known | None = None


def choose(now: Situation) -> Choice:
    """Return the next exercise by the table above."""
    known = now.known or {}
    down = Choice(now.skill, max(1, now.level - 1), "smaller")
    if now.mood == "frustrated":
        return down
    if now.mood == "confused":
        return Choice(now.skill, now.level, "explain")
    if now.mood == "bored":
        return _up(now, known, "harder")
    if now.glad and now.right and not now.settled:
        return Choice(now.skill, now.level, "settle")
    if now.failed >= 2 and not now.right:
        return down
    if mastery.known(known, now.skill, now.level) >= mastery.MASTERED:
        return _up(now, known, "up")
    return Choice(now.skill, now.level, "more")


def _up(now: Situation, known: mastery.Known, manner: Manner) -> Choice:
    if now.level < spec_of(now.skill).levels:
        return Choice(now.skill, now.level + 1, manner)
    other = mastery.following(known, now.skill)
    return Choice(other, mastery.working_level(known, other), "switch")


def support(
    mood: Mood, tries: int, *, guessed: bool, hints_left: int, example_shown: bool, level: int
) -> Help:
    """Return the help after an answer that is wrong, by the table above.

    Args:
        mood: How the learner is doing.
        tries: Answers to this exercise so far, this one included.
        guessed: Whether it came too fast to have been thought about.
        hints_left: Hints not shown yet.
        example_shown: Whether an example was shown for this exercise.
        level: Of the exercise: below level 1 there is nothing easier.
    """
    if guessed and tries <= 2:
        return "slow"
    if mood == "frustrated" and tries >= 2 and level > 1:
        return "easier"
    if tries >= 3:
        return "offer" if example_shown else "example"
    if mood == "confused" and tries == 1:
        return "explain"
    if tries == 1 and mood != "frustrated":
        return "retry"
    if hints_left:
        return "hint"
    return "offer" if example_shown else "example"
