"""Joins the findings of the risk patterns and the scores of the risk model to one decision.

The findings of the patterns are an input of the model (``risk_model.py``). Where the two differ,
the model adds risks that no pattern covers, and lets a text pass that only looks like danger (a
film, a quotation, a figure of speech). The patterns alone decide what it was not trained on:
violence and abuse, other languages, answers to the protocol's own questions.
"""

from __future__ import annotations

import re

from empathic_sdk.safety import cues
from empathic_sdk.safety.detector import MODELLED, RiskFindings
from empathic_sdk.safety.kinds import rank
from empathic_sdk.types import EmotionState, RiskReading, SafetyAssessment, SafetyLevel
from empathic_sdk.types.base import Value

PASS = {SafetyLevel.CONCERN: 0.5, SafetyLevel.HIGH: 0.25}
"""A score below this lets a pattern of that level pass; an imminent one never passes."""

SURE = 0.8
"""Score from which the model alone may rate a text above ``concern``."""

_ASKS = re.compile(
    r"\b(?:suicide|suicidal|end(?:ing)? your life|kill(?:ing)? yourself|hurt(?:ing)? yourself|"
    r"want(?:ing)? to (?:live|die)|(?:being|be) alive)\b",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"([^?.!]+)([?.!]|$)")


class RiskContext(Value):
    """The protocol's memory of a conversation: JSON-serialisable, no words.

    Attributes:
        level: Level of the last turn.
        asked: Whether the last reply asked directly about suicide.
    """

    level: SafetyLevel = SafetyLevel.NONE
    asked: bool = False

    @classmethod
    def after(cls, level: SafetyLevel, reply: str) -> RiskContext:
        """Return the memory after a turn and its reply."""
        return cls(level=level, asked=asks(reply))

    def with_other(self, other: RiskContext) -> RiskContext:
        """Return it after two turns that overlapped: what either found stays found."""
        higher = max(self.level, other.level, key=rank)
        return RiskContext(level=higher, asked=self.asked or other.asked)


def asks(reply: str) -> bool:
    """Say whether a reply asks directly about suicide or self-harm."""
    return any(clause[2] == "?" and _ASKS.search(clause[1]) for clause in _CLAUSE.finditer(reply))


def strong(findings: RiskFindings) -> bool:
    """Say whether the patterns alone would rate a text ``high`` or worse."""
    return rank(findings.alone.level) >= rank(SafetyLevel.HIGH)


def judge(
    findings: RiskFindings,
    state: EmotionState | None = None,
    *,
    reading: RiskReading | None = None,
    context: RiskContext | None = None,
) -> SafetyAssessment:
    """Assess a text in its dialogue.

    Args:
        findings: Findings of the patterns.
        state: The person's emotion state; lets weak signs count.
        reading: Scores of the model; without them only the patterns decide.
        context: The protocol's memory of the conversation.

    Returns:
        Level and reasons; ``actions`` and ``help_lines`` are filled by the responder.
    """
    context = context or RiskContext()
    by_patterns = findings.assess(state, previous=context.level, asked=context.asked)
    if reading is None or not findings.segments:
        return by_patterns
    level, reason = _level(reading)
    found = set(by_patterns.reasons)
    if rank(level) > rank(by_patterns.level) and not _answers(findings, found, context):
        return SafetyAssessment(level=level, reasons=tuple(sorted(found | {reason})))
    if found <= MODELLED and passes(findings, reading, by_patterns.level):
        return SafetyAssessment()
    return by_patterns


def passes(findings: RiskFindings, reading: RiskReading, level: SafetyLevel) -> bool:
    """Say whether the model is sure that findings of a level are no risk of either kind."""
    if findings.foreign or level not in PASS:
        return False
    light = level == SafetyLevel.CONCERN
    return reading.concern < PASS[level] and (light or reading.high < 0.5)


def _answers(findings: RiskFindings, found: set[str], context: RiskContext) -> bool:
    """Say whether a text answers the protocol or says goodbye: the patterns handle both.

    The model was not trained on the protocol's own conversations: after a worrying turn it scores
    "No", "I'm safe now" and "thanks, bye" too high.
    """
    first = findings.segments[0] if findings.segments else ""
    if "reached_out" in found or (context.asked and cues.starts("no", first)):
        return True
    whole = " ".join(findings.segments)
    return len(whole.split()) <= 6 and (cues.has("goodbye", whole) or cues.has("thanks", whole))


def _level(reading: RiskReading) -> tuple[SafetyLevel, str]:
    """Return the level of the model's scores alone, and the name of its reason."""
    if reading.concern < 0.5:
        return SafetyLevel.NONE, ""
    # About somebody else or the past it is a concern, unless the patterns say more.
    if reading.other >= 0.5:
        return SafetyLevel.CONCERN, "other_person"
    if reading.past >= 0.5:
        return SafetyLevel.CONCERN, "past"
    if reading.high < 0.5 or reading.concern < SURE:
        return SafetyLevel.CONCERN, "contextual_risk"
    if reading.imminent < 0.5:
        return SafetyLevel.HIGH, "contextual_risk"
    return SafetyLevel.IMMINENT, "contextual_risk"
