"""Bayesian knowledge tracing (Corbett & Anderson 1995): estimates mastery from answers.

What is traced is a skill at one level (``fractions.2``). Each exercise counts once, by its first
answer: right without a hint, or not. With P(L) the probability that it is known::

    right:  P(L|right) = P(L)(1 - S) / (P(L)(1 - S) + (1 - P(L)) G)
    wrong:  P(L|wrong) = P(L) S      / (P(L) S + (1 - P(L))(1 - G))
    then:   P(L) <- P(L|.) + (1 - P(L|.)) T

The four numbers are a choice, not a fit: there is no corpus of our own exercises to fit them to.
G and S stay within the bounds (0.3 and 0.1) under which guessing and slipping are believable
(Baker, Corbett & Aleven 2008). From the prior, three right answers in a row reach mastery.
"""

from __future__ import annotations

from collections.abc import Mapping

from empathic_sdk.tutoring.problems import skills, spec_of
from empathic_sdk.types import Mastery

PRIOR = 0.3
"""P(L) before anything was seen."""
LEARN = 0.1
"""T: an exercise teaches what was not known."""
GUESS = 0.2
"""G: right without knowing."""
SLIP = 0.1
"""S: wrong though it is known."""
MASTERED = 0.95
"""From here on a level counts as mastered (Corbett & Anderson's threshold)."""
VERSION = 1
"""Of these numbers; an estimate of another version is not carried on."""

Known = Mapping[str, Mastery]
"""Mastery by name, as the profile keeps it."""


def name_of(skill: str, level: int) -> str:
    """Return the name under which a level is stored."""
    return f"{skill}.{level}"


def update(known: float, right: bool) -> float:
    """Return P(L) after one more exercise."""
    if right:
        given = known * (1 - SLIP) / (known * (1 - SLIP) + (1 - known) * GUESS)
    else:
        given = known * SLIP / (known * SLIP + (1 - known) * (1 - GUESS))
    return given + (1 - given) * LEARN


def observe(kept: Known, skill: str, level: int, right: bool) -> dict[str, Mastery]:
    """Return the one entry that an exercise changes, by name."""
    before = _current(kept, skill, level)
    known = update(PRIOR if before is None else before.known, right)
    seen = 1 if before is None else before.seen + 1
    return {name_of(skill, level): Mastery(known=known, seen=seen, version=VERSION)}


def known(kept: Known, skill: str, level: int) -> float:
    """Return P(L) of a level; mastery of a harder level includes the easier ones."""
    found = [_current(kept, skill, above) for above in range(level, spec_of(skill).levels + 1)]
    return max((m.known for m in found if m is not None), default=PRIOR)


def overall(kept: Known, skill: str) -> float:
    """Return the mean of P(L) over the levels of a skill."""
    levels = spec_of(skill).levels
    return sum(known(kept, skill, level) for level in range(1, levels + 1)) / levels


def working_level(kept: Known, skill: str) -> int:
    """Return the easiest level that is not mastered; the hardest where all are."""
    levels = spec_of(skill).levels
    for level in range(1, levels + 1):
        if known(kept, skill, level) < MASTERED:
            return level
    return levels


def following(kept: Known, after: str | None = None) -> str:
    """Return the next skill, in their order and round again, that is not mastered.

    Args:
        kept: Mastery by name.
        after: The skill to move on from; ``None`` begins with the first.
    """
    order = skills()
    start = order.index(after) + 1 if after in order else 0
    turn = order[start:] + order[:start]
    others = [skill for skill in turn if skill != after]
    return next((s for s in others if known(kept, s, spec_of(s).levels) < MASTERED), others[0])


def _current(kept: Known, skill: str, level: int) -> Mastery | None:
    found = kept.get(name_of(skill, level))
    return found if found is not None and found.version == VERSION else None
