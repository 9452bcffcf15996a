"""Infers the learning state (engagement, confusion, frustration, boredom) from signs.

Every turn has *signs*, each with a weight on some of the four (the tables below). First each of
the four returns a fifth of the way to its resting value; then each sign moves it: a positive
weight w takes it that share of the way to 1, a negative one that share of the way to 0. So all
four stay in [0, 1], signs count less near the limits, and unconfirmed states fade.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal

from empathic_sdk.language.normalization import flatten, spell
from empathic_sdk.tutoring.phrases import DENIED, SAID
from empathic_sdk.types import Emotion, EmotionState, LearningState

Mood = Literal["engaged", "confused", "frustrated", "bored"]

RESTING = LearningState(engagement=0.5, confusion=0.1, frustration=0.1, boredom=0.1)
"""Initial and resting values of the four."""
FADE = 0.2
"""Share of the way back to the resting value per turn."""
DOMINANT = 0.5
"""Value from which confusion, frustration or boredom is the mood."""
FAST_S = 4.0
"""Seconds below which a wrong answer is a guess, and a right one no effort."""
LONG_S = 120.0
"""Seconds above which an answer took long."""

SIGNS: dict[str, Mapping[str, float]] = {
    # what is said
    "says_confused": {"confusion": 0.6, "boredom": -0.3},
    "says_frustrated": {"frustration": 0.6, "engagement": -0.2, "boredom": -0.4},
    "says_worried": {"frustration": 0.15, "confusion": 0.1},
    "says_bored": {"boredom": 0.6, "engagement": -0.3, "confusion": -0.3},
    "says_indifferent": {"boredom": 0.35, "engagement": -0.25},
    "says_keen": {"engagement": 0.4, "boredom": -0.4, "frustration": -0.3},
    "does_not_know": {"confusion": 0.35},
    # what the emotion model reads off the words (times its intensity)
    "anger": {"frustration": 0.4},
    "disgust": {"frustration": 0.25, "boredom": 0.2},
    "sadness": {"frustration": 0.3, "engagement": -0.15},
    "fear": {"confusion": 0.2, "frustration": 0.15},
    "surprise": {"confusion": 0.15},
    "joy": {"engagement": 0.4, "frustration": -0.4, "boredom": -0.2},
    # what becomes of the exercises
    "right": {"engagement": 0.25, "confusion": -0.4, "frustration": -0.4},
    "wrong": {"confusion": 0.25, "boredom": -0.2},
    "wrong_again": {"confusion": 0.3, "frustration": 0.3, "boredom": -0.3},
    "unfinished": {"engagement": 0.1, "confusion": 0.05},
    "unreadable": {"confusion": 0.15},
    "four_in_a_row": {"boredom": 0.15},
    # what is asked for
    "hint": {"confusion": 0.25, "engagement": 0.1},
    "example": {"confusion": 0.35, "engagement": 0.1},
    "easier": {"confusion": 0.3, "frustration": 0.3},
    "harder": {"boredom": 0.3, "engagement": 0.1},
    "gives_up": {"frustration": 0.45, "engagement": -0.25},
    "skips": {"boredom": 0.25, "frustration": 0.1},
    # how long an answer took
    "guessed": {"boredom": 0.4, "engagement": -0.3, "confusion": -0.15},
    "fast_right": {"boredom": 0.25},
    "long_and_not_right": {"engagement": -0.2, "confusion": 0.15},
}
"""Weight of each sign on each of the four."""


def signs_said(text: str) -> tuple[str, ...]:
    """Return the signs in the words of a text, without false matches."""
    plain = plain_of(text)
    found = [name for name, pattern in SAID if pattern.search(plain)]
    if "says_frustrated" in found and "says_keen" in found:
        found.remove("says_keen")  # "finally, ugh": frustration wins
    if DENIED.search(plain):
        found = [f for f in found if f not in ("says_bored", "says_confused", "says_frustrated")]
    return tuple(found)


def plain_of(text: str) -> str:
    """Return a text in lower case, contractions written out, without punctuation."""
    spelled = spell(flatten(text[:600]).replace("\n", " "))
    plain = " ".join(re.sub(r"[.!?,;:…~()]+", " ", spelled).split())
    return re.sub(r"\blet ?s (?=\w)", "let us ", plain)


def signs_felt(state: EmotionState) -> dict[str, float]:
    """Return the sign of an emotion with its share of the weight; none if uncertain."""
    if state.uncertain or state.label is Emotion.NEUTRAL:
        return {}
    return {str(state.label): state.intensity}


def infer(before: LearningState, signs: Mapping[str, float] | Iterable[str]) -> LearningState:
    """Return the learning state after a turn with these signs.

    Args:
        before: State after the previous turn.
        signs: Names of :data:`SIGNS`, each once, optionally with a share of the weight.
    """
    shares = signs if isinstance(signs, Mapping) else dict.fromkeys(signs, 1.0)
    values = {}
    for name in LearningState.model_fields:
        rest, value = getattr(RESTING, name), getattr(before, name)
        value += FADE * (rest - value)
        for sign, share in shares.items():
            weight = SIGNS[sign].get(name, 0.0) * share
            value += weight * (1.0 - value) if weight > 0 else weight * value
        values[name] = min(1.0, max(0.0, value))
    return LearningState(**values)


def mood_of(state: LearningState) -> Mood:
    """Return the mood: the strongest of confusion, frustration and boredom, if one is strong."""
    hindering: tuple[tuple[Mood, float], ...] = (
        ("frustrated", state.frustration),
        ("confused", state.confusion),
        ("bored", state.boredom),
    )
    mood, value = max(hindering, key=lambda pair: pair[1])
    return mood if value >= DOMINANT else "engaged"


def signs_timed(seconds: float | None, right: bool) -> tuple[str, ...]:
    """Return the signs in the time between an exercise and its answer, if known."""
    if seconds is None or seconds < 0:
        return ()
    if seconds < FAST_S:
        return ("fast_right",) if right else ("guessed",)
    return ("long_and_not_right",) if seconds > LONG_S and not right else ()
