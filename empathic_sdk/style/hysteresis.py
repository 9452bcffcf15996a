"""Hysteresis: a single noisy turn changes nothing, a lasting change takes two turns."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from empathic_sdk.types import Emotion, EmotionState, HookContext

SHIFT = 0.5
"""Probability from which a shift of emotion counts as one."""

Wish = TypeVar("Wish")

_UNPLEASANT = frozenset({Emotion.SADNESS, Emotion.ANGER, Emotion.FEAR, Emotion.DISGUST})


def steady(context: HookContext, wish: Callable[[EmotionState], Wish | None], start: Wish) -> Wish:
    """Replay a conversation in order and return the value it has settled on.

    Each state of ``context.history`` and the present one asks for a value, or for none
    (``None``). The rule:

    * the first turn that asks sets it; a first turn of the conversation that asks for ``start``
      (a greeting) leaves it open for the second;
    * after that it changes only when two turns that follow one another (those that say nothing
      aside) ask for the same other thing, or when both are unpleasant and what holds was set by a
      turn that was not, or the other way round: then the later one decides.

    Where the history no longer reaches the first turn, the replay starts from ``start``:
    otherwise the result would depend on which turn happens to be the oldest kept.

    Args:
        context: The context of this turn.
        wish: Returns the value that one state asks for.
        start: The initial value.
    """
    whole = context.turn <= len(context.history)
    held: Wish | None = None if whole else start
    held_side: int = 0
    last: Wish | None = None
    last_side: int = 0
    for number, state in enumerate((*context.history, context.state)):
        asked = wish(state)
        if asked is None:
            continue
        side = _side(state)
        turned = side != 0 and side == last_side and side != held_side
        opening = number == 0 and whole and asked == start
        if not opening and (held is None or asked == last or turned):
            held, held_side = asked, side
        last, last_side = asked, side
    return start if held is None else held


def shifted(state: EmotionState) -> bool:
    """Say whether the emotion most likely changed since the person's last utterance."""
    return state.shift is not None and state.shift >= SHIFT


def unpleasant(state: EmotionState) -> bool:
    """Say whether the label is sadness, anger, fear or disgust."""
    return state.label in _UNPLEASANT


def _side(state: EmotionState) -> int:
    if unpleasant(state):
        return -1
    return 1 if state.label == Emotion.JOY else 0
