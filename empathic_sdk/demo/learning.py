"""Panels of a lesson: the exercise, mastery, the learning state."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from empathic_sdk import LearningState, Turn
from empathic_sdk.demo.parts import Bar, bars, card, count, percent, soft
from empathic_sdk.types import AnswerOutcome, Mastery

MASTERED = 0.95
"""From this probability on a level counts as mastered, as in the SDK's own lessons."""
LEVELS = 4
SKILLS = ("fractions", "percentages", "equations", "derivatives")

_OUTCOMES = {
    AnswerOutcome.RIGHT: ("✓", "Right"),
    AnswerOutcome.UNSIMPLIFIED: ("≈", "True, and not finished"),
    AnswerOutcome.WRONG: ("✗", "Not yet"),
    AnswerOutcome.UNREADABLE: ("?", "I could not read that as an answer"),
}
_MOODS = {
    "engagement": "engaged",
    "confusion": "confused",
    "frustration": "frustrated",
    "boredom": "bored",
}


def exercise(turn: Turn | None) -> str:
    """Return the exercise that waits, and what became of the last answer."""
    if turn is None:
        return card("Your exercise", soft("Pick a topic below, or say hello, to begin."))
    parts = []
    if turn.answer is not None:
        sign, word = _OUTCOMES[turn.answer.outcome]
        remark = (turn.answer.remark or "").replace("_", " ")
        because = f" <small>({escape(remark)})</small>" if remark else ""
        parts.append(
            f'<p class="es-outcome es-o-{turn.answer.outcome}"><span aria-hidden="true">{sign}'
            f"</span> {word}{because}</p>"
        )
    task = turn.exercise
    if task is None:
        parts.append(soft("Nothing waits for an answer. Say hello when you want another one."))
    else:
        parts.append(f'<p class="es-task">{escape(task.statement)}</p>')
        parts.append(
            soft(
                f"{task.skill.capitalize()}, level {task.level} of {LEVELS}. "
                f"{count(task.tries, 'try').replace('trys', 'tries')}, "
                f"{count(task.hints, 'hint')} so far."
            )
        )
    return card("Your exercise", "".join(parts))


def mastery(known: Mapping[str, Mastery]) -> str:
    """Return the learner's mastery, one bar per level."""
    rows = [
        Bar(
            f"{skill} {level}",
            known[f"{skill}.{level}"].known,
            percent(known[f"{skill}.{level}"].known)
            + (" ✓" if known[f"{skill}.{level}"].known >= MASTERED else ""),
            strong=known[f"{skill}.{level}"].known >= MASTERED,
        )
        for skill in SKILLS
        for level in range(1, LEVELS + 1)
        if f"{skill}.{level}" in known
    ]
    if not rows:
        return card("What you know", soft("After your first answer, bars will grow here."))
    return card(
        "What you know",
        bars("How probably you know each level", rows)
        + soft(f"A ✓ stands where it is at least {percent(MASTERED)}."),
    )


def doing(state: LearningState | None) -> str:
    """Return how the learner is doing."""
    if state is None:
        return card("How you are doing", soft("I adapt what comes next to how it goes for you."))
    values = {name: getattr(state, name) for name in _MOODS}
    trouble = max(("confusion", "frustration", "boredom"), key=lambda name: values[name])
    mood = trouble if values[trouble] >= 0.5 else "engagement"
    rows = [
        Bar(word, values[n], percent(values[n]), strong=n == mood) for n, word in _MOODS.items()
    ]
    return card("How you are doing", bars("From your answers and words", rows))
