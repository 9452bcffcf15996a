"""Which of the eight support strategies (Liu et al. 2021, arXiv 2106.01144) fits this turn.

===============================  ============================================================
situation (first that applies)   strategies, in order of preference
===============================  ============================================================
safety ``concern`` and above     question (ask directly; the protocol writes the reply)
an act (greeting, thanks, ...)   others
a bare yes or no                 question
advice was asked for             suggestions, information
tutoring                         set by the lesson (see tutoring/lesson.py)
uncertain                        question, restatement, reflection (all of them hedged)
joy                              question, affirmation, restatement, reflection
neutral                          question, restatement, affirmation
surprise                         question, reflection, restatement, affirmation
the emotion just shifted         reflection (name the change), then as the stage has it
worsening                        affirmation, reflection, question, restatement
negative, exploration            question, restatement, reflection, affirmation
negative, comforting             reflection, affirmation, restatement, question
negative, action                 suggestions, affirmation, question, information, reflection
===============================  ============================================================

Stages follow the talk: *exploration* on the first :data:`EXPLORE` turns, *comforting* up to
:data:`COMFORT`, then *action*, but never action while the state worsens or is volatile. Among the
strategies of a row the one used longest ago wins, the row's order breaks ties, and the one used
last turn is left out; suggestions come at most every fourth turn unless asked for.

Self-disclosure is never planned: a program has no life to disclose, and an invented one would be
a lie told to someone who confides.
"""

from __future__ import annotations

from empathic_sdk.response.acts import act_of
from empathic_sdk.response.context import ReplyContext
from empathic_sdk.types import Emotion, EmotionState, SafetyLevel, Strategy, Trend

EXPLORE = 3
"""Turns of exploration at the start of a talk."""

COMFORT = 7
"""Turns until which a talk stays with comforting."""

SHIFT = 0.5
"""Probability from which a shift of emotion counts as one."""

_Q, _RS, _RF = Strategy.QUESTION, Strategy.RESTATEMENT, Strategy.REFLECTION
_A, _S, _I = Strategy.AFFIRMATION, Strategy.SUGGESTIONS, Strategy.INFORMATION

NEGATIVE = frozenset({Emotion.SADNESS, Emotion.ANGER, Emotion.FEAR, Emotion.DISGUST})

# Acts that do not change what is felt: the emotion's row still answers them.
_PLAIN_ACTS = frozenset({None, "advice", "yes", "no"})
_STAGES = {
    "exploration": (_Q, _RS, _RF, _A),
    "comforting": (_RF, _A, _RS, _Q),
    "action": (_S, _A, _Q, _I, _RF),
}


def stage(context: ReplyContext) -> str:
    """Return ``exploration``, ``comforting`` or ``action``."""
    if context.turn < EXPLORE:
        return "exploration"
    unsettled = context.state.trend in (Trend.WORSENING, Trend.VOLATILE)
    return "comforting" if context.turn < COMFORT or unsettled else "action"


def plan(context: ReplyContext) -> Strategy:
    """Choose the support strategy of one reply by the table above.

    Args:
        context: What the reply will be made from.

    Returns:
        Any strategy but :attr:`Strategy.SELF_DISCLOSURE`.
    """
    if context.safety.level != SafetyLevel.NONE:
        return _Q
    act = act_of(context.text)
    if act not in _PLAIN_ACTS:
        return Strategy.OTHERS
    used = context.memory.strategies
    if act == "advice":
        return _I if used and used[-1] == _S else _S
    if act in ("yes", "no") and context.scenario != "tutoring":
        return _Q
    return _least_used(_row(context), used)


def _row(context: ReplyContext) -> tuple[Strategy, ...]:
    state = context.state
    if context.scenario == "tutoring":
        return (_Q, _A)
    if state.uncertain:
        return (_Q, _RS, _RF)
    if state.label == Emotion.JOY:
        return (_Q, _A, _RS, _RF)
    if state.label == Emotion.NEUTRAL:
        return (_Q, _RS, _A)
    if state.label == Emotion.SURPRISE:
        return (_Q, _RF, _RS, _A)
    used = context.memory.strategies
    if shifted(state) and (not used or used[-1] != _RF):
        return (_RF,)
    if state.trend == Trend.WORSENING:
        return (_A, _RF, _Q, _RS)
    row = _STAGES[stage(context)]
    if _S in used[-3:]:
        row = tuple(strategy for strategy in row if strategy != _S)
    return row


def shifted(state: EmotionState) -> bool:
    """Say whether the emotion most likely changed since the person's last utterance."""
    return state.shift is not None and state.shift >= SHIFT


def _least_used(row: tuple[Strategy, ...], used: tuple[Strategy, ...]) -> Strategy:
    last = used[-1] if used else None
    free = [strategy for strategy in row if strategy != last] or list(row)

    def age(strategy: Strategy) -> int:
        return used[::-1].index(strategy) if strategy in used else len(used) + 1

    return max(free, key=lambda strategy: (age(strategy), -free.index(strategy)))
