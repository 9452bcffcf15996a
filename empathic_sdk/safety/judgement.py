"""The safety protocol's second ear: a model's reading of a line in its dialogue, beside the signs.

The model (``safety/risk_reader.py``) has been told which signs stand in the line. Where the two
differ they are joined here: it adds what nobody wrote down, and lets a line pass that only looks
like a sign (a film, a quotation, a figure of speech). What it was not taught stays with the signs:
violence and abuse, other languages, answers to the protocol's own questions.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from empathic_sdk.safety.cues import BYE, NO, THANKS
from empathic_sdk.safety.detector import Heard, rank, speaks_foreign
from empathic_sdk.safety.signs import SUICIDE_REASONS
from empathic_sdk.types import EmotionState, RiskReading, SafetyAssessment, SafetyLevel
from empathic_sdk.types.base import Value

PASS = {SafetyLevel.CONCERN: 0.5, SafetyLevel.HIGH: 0.25}
"""A reading below this may let a sign of that level pass; an imminent one never does."""

SURE = 0.8
"""From here on the model alone may call a line more than a concern."""

_ASKS = re.compile(
    r"\b(?:suicide|suicidal|end(?:ing)? your life|kill(?:ing)? yourself|hurt(?:ing)? yourself|"
    r"want(?:ing)? to (?:live|die)|(?:being|be) alive)\b[^?.!]*\?",
    re.IGNORECASE,
)
# What the model knows of: reasons of the signs that it may let pass.
ITS_OWN = SUICIDE_REASONS - {"method_request"} | {
    "hopelessness", "self_harm", "past", "other_person", "bereavement", "joke", "denied", "means",
    "time", "intent",
}  # fmt: skip


class RiskContext(Value):
    """What the protocol remembers of a talk. JSON both ways, no words of anybody.

    Attributes:
        level: Level of the last turn.
        asked: Whether the last reply asked directly about suicide.
    """

    level: SafetyLevel = SafetyLevel.NONE
    asked: bool = False

    @classmethod
    def after(cls, level: SafetyLevel, reply: str) -> RiskContext:
        """Return it after a turn and the reply to it."""
        return cls(level=level, asked=asks(reply))


def asks(reply: str) -> bool:
    """Say whether a reply asks directly about suicide or self-harm."""
    return bool(_ASKS.search(reply))


class Signs(NamedTuple):
    """What the patterns say of a line.

    Attributes:
        heard: Its segments and the signs in them.
        alone: What they amount to by themselves.
        foreign: Whether one of them is in another language than English.
    """

    heard: Heard
    alone: SafetyAssessment
    foreign: bool = False

    @classmethod
    def of(cls, text: str) -> Signs:
        """Look for signs in a text."""
        heard = Heard.of(text)
        alone = heard.assess()
        return cls(heard, alone, bool(alone.reasons) and speaks_foreign(heard.spoken))

    def marks(self) -> tuple[float, ...]:
        """Return eight numbers, 0 or 1, for the model."""
        found, level = set(self.alone.reasons), rank(self.alone.level)
        return (
            *(float(level >= k) for k in (1, 2, 3)),
            float(bool(found & (SUICIDE_REASONS | {"self_harm"}))),
            float(bool(found & {"other_person", "bereavement"})),
            float("past" in found),
            float(bool(found & {"joke", "denied"})),
            float(bool(found - ITS_OWN)),
        )


def strong(signs: Signs) -> bool:
    """Say whether the signs alone would call a line ``high`` or worse."""
    return rank(signs.alone.level) >= rank(SafetyLevel.HIGH)


def judge(
    signs: Signs,
    state: EmotionState | None = None,
    *,
    reading: RiskReading | None = None,
    context: RiskContext | None = None,
) -> SafetyAssessment:
    """Say how worrying a line is in its dialogue.

    Args:
        signs: What the patterns say of it.
        state: What the person shows; lets weak signs count.
        reading: What the model says; without one the signs judge alone.
        context: What was there before.

    Returns:
        Level and reasons; ``actions`` and ``help_lines`` are the responder's to fill.
    """
    context = context or RiskContext()
    by_signs = signs.heard.assess(state, previous=context.level, asked=context.asked)
    if reading is None or not signs.heard.spoken:
        return by_signs
    level, reason = _level(reading)
    found = set(by_signs.reasons)
    if rank(level) > rank(by_signs.level) and not _answers(signs.heard, found, context):
        return SafetyAssessment(level=level, reasons=tuple(sorted(found | {reason})))
    if found <= ITS_OWN and passes(signs, reading, by_signs.level):
        return SafetyAssessment()
    return by_signs


def passes(signs: Signs, reading: RiskReading, level: SafetyLevel) -> bool:
    """Say whether the model is sure that signs of a level are none: of neither kind of risk."""
    if signs.foreign or level not in PASS:
        return False
    light = level == SafetyLevel.CONCERN
    return reading.concern < PASS[level] and (light or reading.high < 0.5)


def _answers(heard: Heard, found: set[str], context: RiskContext) -> bool:
    """Say whether a line answers the protocol or takes its leave: the signs understand both.

    The model was not taught the protocol's own talks. "No", "I'm safe now" and "thanks, bye" read
    gravely to it after what went before.
    """
    first = heard.spoken[0] if heard.spoken else ""
    if "reached_out" in found or (context.asked and NO.match(first)):
        return True
    whole = " ".join(heard.spoken)
    return len(whole.split()) <= 6 and bool(BYE.search(whole) or THANKS.search(whole))


def _level(reading: RiskReading) -> tuple[SafetyLevel, str]:
    """Return the level of a reading alone, and the name of its reason."""
    if reading.concern < 0.5:
        return SafetyLevel.NONE, ""
    # Told of somebody else or of the past it wants a gentle look, unless the signs say more.
    if reading.other >= 0.5:
        return SafetyLevel.CONCERN, "other_person"
    if reading.past >= 0.5:
        return SafetyLevel.CONCERN, "past"
    if reading.high < 0.5 or reading.concern < SURE:
        return SafetyLevel.CONCERN, "contextual_risk"
    if reading.imminent < 0.5:
        return SafetyLevel.HIGH, "contextual_risk"
    return SafetyLevel.IMMINENT, "contextual_risk"
