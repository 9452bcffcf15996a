"""Chooses one of the eight support strategies (Liu et al. 2021, arXiv 2106.01144) for a turn.

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

Stages follow the conversation: *exploration* on the first :data:`EXPLORE` turns, *comforting* up to
:data:`COMFORT`, then *action*, but never action while the state worsens or is volatile. Among the
strategies of a row the least recently used one wins, the row's order breaks ties, and the one used
last turn is left out.

:func:`permitted` limits both these rules and the learned planner
(:mod:`empathic_sdk.dialogue.planner`): safety first, advice only where it is asked for or
:func:`may_suggest` allows it, none to a person who declined it.

Self-disclosure is never planned: a program has no life to disclose, and an invented one would be
a lie told to someone who confides.
"""

from __future__ import annotations

import re

import numpy as np

from empathic_sdk.dialogue.planner import STRATEGIES, Planner, features, feeling
from empathic_sdk.language.dialogue_acts import act_of
from empathic_sdk.types import Emotion, EmotionState, SafetyLevel, Strategy, Trend
from empathic_sdk.types.reply import ReplyContext

EXPLORE = 3
"""Turns of exploration at the start of a conversation."""

COMFORT = 7
"""Last turn of comforting in a conversation."""

SHIFT = 0.5
"""Probability from which a shift of emotion counts as one."""

QUIET = 2
"""Turns at the start of a conversation without advice, unless it is asked for."""

REST = 3
"""Turns after advice without new advice, unless it is asked for."""

CALM = 0.5
"""Intensity below which a state is calm enough for ideas."""

_Q, _RS, _RF = Strategy.QUESTION, Strategy.RESTATEMENT, Strategy.REFLECTION
_A, _S, _I = Strategy.AFFIRMATION, Strategy.SUGGESTIONS, Strategy.INFORMATION

NEGATIVE = frozenset({Emotion.SADNESS, Emotion.ANGER, Emotion.FEAR, Emotion.DISGUST})
COMFORTING = frozenset({_RS, _RF, _A})
"""Strategies that show a person that they were understood."""

# Acts that leave the emotion's row in force.
_PLAIN_ACTS = frozenset({None, "advice", "yes", "no"})
_STAGES = {
    "exploration": (_Q, _RS, _RF, _A),
    "comforting": (_RF, _A, _RS, _Q),
    "action": (_S, _A, _Q, _I, _RF),
}
_DECLINES = frozenset({"no", "none", "never", "off", "unwanted"})
_REFUSED = re.compile(
    r"\b(?:no|not|n't|dont|never|stop|without|enough|sick of|tired of|fed up with)\b"
    r"(?: (?:want|need|wanting|needing|asking for|looking for|after|here for|giving me|telling me|"
    r"offering|getting|tell|give|offer|more|any|your|all|the|that|this|really|just|me|of|"
    r"unsolicited)){0,5} "
    r"(?:advice|suggestions?|tips|(?<!no )(?:solutions?|ideas)|what to do)\b|"
    r"\b(?:just|only|rather|simply) (?:\w+ ){0,3}(?:vent|listen|be heard|be listened to|"
    r"get (?:it|this) off my chest)\b"
)


def refuses_advice(text: str) -> bool:
    """Say whether a person asks not to be advised ("I don't want advice", "just listen")."""
    plain = text[:2000].lower().replace("’", "'").replace("n't", " n't")
    return _REFUSED.search(re.sub(r"[^a-z' ]+", " ", plain)) is not None


def act_in_context(context: ReplyContext) -> str | None:
    """Return the dialogue act of a text, given the offer before it.

    "Yes" to an offer of ideas asks for advice; a refusal of advice does not, although it has the
    word.
    """
    act = act_of(context.text)
    if act == "advice" and refuses_advice(context.text):
        return None
    if act == "yes" and context.memory.advice == "offered":
        return "advice"
    return act


def wish(context: ReplyContext, strategy: Strategy) -> str:
    """Return the attitude to advice after a turn (``ResponderMemory.advice``)."""
    act = act_in_context(context)
    if refuses_advice(context.text) or (act == "no" and context.memory.advice == "offered"):
        return "declined"
    if act == "advice":
        return "open"
    if context.memory.advice == "declined":
        return "declined"
    return "offered" if strategy == _S else "open"


def stage(context: ReplyContext) -> str:
    """Return ``exploration``, ``comforting`` or ``action``."""
    if context.turn < EXPLORE:
        return "exploration"
    unsettled = context.state.trend in (Trend.WORSENING, Trend.VOLATILE)
    return "comforting" if context.turn < COMFORT or unsettled else "action"


def may_suggest(context: ReplyContext) -> bool:
    """Say whether ideas may be offered unasked.

    Not on the first :data:`QUIET` turns, not within :data:`REST` turns of the last ones, not to a
    person who declined them (now, earlier, or by ``preferences["advice"] = "no"``), not before two
    replies that showed understanding, and not while the state is uncertain, worsening,
    volatile, just upset, or more upset than before.
    """
    state, memory = context.state, context.memory
    if context.turn < QUIET or memory.advice == "declined" or refuses_advice(context.text):
        return False
    if context.user.preferences.get("advice", "").strip().lower() in _DECLINES:
        return False
    used = memory.strategies
    if {_S, _I} & set(used[-REST:]) or sum(s in COMFORTING for s in used) < 2:
        return False
    if state.uncertain or state.trend in (Trend.WORSENING, Trend.VOLATILE) or shifted(state):
        return False
    before = [s.intensity for s in context.history]
    return state.intensity < CALM or not before or state.intensity <= max(before)


def permitted(context: ReplyContext) -> tuple[Strategy, ...]:
    """Return the strategies that a reply may use, for any planner. Never empty.

    A pure function of the context. First that applies:

    ==========================================  ==================================================
    safety ``concern`` and above                question
    an act (greeting, thanks, ...)              others
    advice was asked for, or an offer taken     suggestions, information
    a bare yes or no                            question
    tutoring                                    question, affirmation
    uncertain                                   question, restatement, reflection
    joy, neutral, surprise                      question, restatement, reflection, affirmation
    anything else                               these, and suggestions and information where
                                                :func:`may_suggest` says so
    ==========================================  ==================================================
    """
    if context.safety.level != SafetyLevel.NONE:
        return (_Q,)
    act = act_in_context(context)
    if act not in _PLAIN_ACTS:
        return (Strategy.OTHERS,)
    if act == "advice":
        return (_S, _I)
    if context.scenario == "tutoring":
        return (_Q, _A)
    if act in ("yes", "no"):
        return (_Q,)
    if context.state.uncertain:
        return (_Q, _RS, _RF)
    exploring = (_Q, _RS, _RF, _A)
    heavy = context.state.label in NEGATIVE
    return (*exploring, _S, _I) if heavy and may_suggest(context) else exploring


def plan(context: ReplyContext, planner: Planner | None = None) -> Strategy:
    """Choose the support strategy of one reply.

    Args:
        context: The context of the reply.
        planner: Chooses among the :func:`permitted` strategies if the context has a text vector;
            ``None``: the table above does.

    Returns:
        Any strategy but :attr:`Strategy.SELF_DISCLOSURE`.
    """
    allowed = permitted(context)
    used = context.memory.strategies
    if len(allowed) == 1:
        return allowed[0]
    if act_in_context(context) == "advice":
        return _I if used and used[-1] == _S and context.memory.advice != "offered" else _S
    if planner is not None and len(context.text_vector) == planner.width:
        return _learned(context, planner, allowed)
    row = tuple(s for s in _row(context) if s in allowed) or allowed
    return _least_used(row, used)


def likely(context: ReplyContext, planner: Planner) -> dict[Strategy, float]:
    """Return the planner's probability of each strategy, before :func:`permitted` applies."""
    states = (*context.history, context.state)
    x = features(
        said=np.asarray(context.text_vector, np.float32),
        replied=np.asarray(context.reply_vector, np.float32)
        if len(context.reply_vector) == planner.width
        else None,
        feelings=np.stack([feeling(state) for state in states]),
        used=[STRATEGIES.index(s) for s in context.memory.strategies],
        turn=context.turn,
        again=False,
        width=planner.width,
    )
    p = planner.distribution(x[None])[0]
    return {strategy: float(p[i]) for i, strategy in enumerate(STRATEGIES)}


def _learned(context: ReplyContext, planner: Planner, allowed: tuple[Strategy, ...]) -> Strategy:
    p = likely(context, planner)
    used = context.memory.strategies
    # The same strategy twice in a row sounds mechanical, even if people do it.
    free = [s for s in allowed if not used or s != used[-1]] or list(allowed)
    return max(free, key=lambda s: (p[s], -free.index(s)))


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
    return _STAGES[stage(context)]


def shifted(state: EmotionState) -> bool:
    """Say whether the emotion most likely changed since the person's last utterance."""
    return state.shift is not None and state.shift >= SHIFT


def _least_used(row: tuple[Strategy, ...], used: tuple[Strategy, ...]) -> Strategy:
    last = used[-1] if used else None
    free = [strategy for strategy in row if strategy != last] or list(row)

    def age(strategy: Strategy) -> int:
        return used[::-1].index(strategy) if strategy in used else len(used) + 1

    return max(free, key=lambda strategy: (age(strategy), -free.index(strategy)))
