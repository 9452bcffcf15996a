"""Values of the safety protocol: levels, readings, help lines, assessments."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, NamedTuple

from pydantic import Field

from empathic_sdk.types.base import Value

# Reasons are names of risk patterns. Anything else might be the person's own words.
_SIGN = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,63}")


class SafetyLevel(StrEnum):
    """How worrying an utterance is."""

    NONE = "none"
    CONCERN = "concern"
    HIGH = "high"
    IMMINENT = "imminent"


class RiskReading(Value):
    """Output of the risk model for an utterance in its dialogue: scores in [0, 1].

    They are shifted so that 0.5 is the threshold chosen on dev; they are not calibrated.
    """

    concern: Annotated[float, Field(ge=0, le=1)] = Field(
        description="Chance that it deserves a look at least."
    )
    high: Annotated[float, Field(ge=0, le=1)] = Field(
        description="Chance of a wish to die or to hurt themselves, said plainly or sideways."
    )
    imminent: Annotated[float, Field(ge=0, le=1)] = Field(
        description="Chance of such a wish with intent, means or a time."
    )
    other: Annotated[float, Field(ge=0, le=1)] = Field(
        description="Chance that it is about somebody else."
    )
    past: Annotated[float, Field(ge=0, le=1)] = Field(
        description="Chance that it is about their own past."
    )


class Remark(NamedTuple):
    """An earlier utterance of a conversation in words.

    Attributes:
        own: Whether the person said it; otherwise it was said to them.
        text: Its words.
    """

    own: bool
    text: str


class HelpLine(Value):
    """Human help that a person can reach."""

    name: str = Field(description="Who answers.")
    contact: str = Field(description="Number or address, as it is typed.")
    hours: str = Field(description="When it can be reached, such as `24/7`.")
    locale: str = Field(
        default="*",
        description="Region it serves, such as `US`; `*` for everywhere.",
    )


class SafetyAssessment(Value):
    """The safety protocol's view of one turn."""

    level: SafetyLevel = Field(
        default=SafetyLevel.NONE,
        description="How worrying the utterance is.",
    )
    reasons: tuple[str, ...] = Field(
        default=(),
        description="Named signs, never the person's words (`hopelessness`, `plan`, ...).",
    )
    actions: tuple[str, ...] = Field(
        default=(),
        description="What was done (`asked_directly`, `showed_help_lines`, ...).",
    )
    help_lines: tuple[HelpLine, ...] = Field(default=(), description="Help lines that were shown.")


def named(reasons: Iterable[str]) -> tuple[str, ...]:
    """Return reasons that are safe to store and pass on: each a name, or ``unnamed``."""
    return tuple(r if _SIGN.fullmatch(r) else "unnamed" for r in reasons)
