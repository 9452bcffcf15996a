"""Kinds of risk, the order of levels, and which reasons are about suicide."""

from __future__ import annotations

from enum import StrEnum

from empathic_sdk.types import SafetyLevel

_ORDER = tuple(SafetyLevel)


class RiskKind(StrEnum):
    """What a risk pattern is about."""

    SUICIDE = "suicide"
    SELF_HARM = "self_harm"
    OVERDOSE = "overdose"
    HARM_TO_OTHERS = "harm_to_others"
    INFANT = "infant"
    ABUSE = "abuse"
    PARTNER_VIOLENCE = "partner_violence"
    EATING_DISORDER = "eating_disorder"
    PSYCHOSIS = "psychosis"
    MEDICAL = "medical"
    OTHER_PERSON = "other_person"


SUICIDE_REASONS = frozenset({
    "suicide_intent", "suicidal_statement", "wish_to_die", "wish_not_to_live", "burden", "farewell",
    "preparation", "plan", "giving_away", "method_request", "suspicious_purchase", "own_death",
    "contextual_risk",
})  # fmt: skip
"""Reasons about suicide, after which the protocol asks about it directly."""


def rank(level: SafetyLevel) -> int:
    """Return the rank of a level, 0 for ``none``."""
    return _ORDER.index(level)
