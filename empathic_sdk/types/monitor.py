"""Values of longitudinal monitoring: days, lasting changes, warnings, the report."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from empathic_sdk.types.base import Value
from empathic_sdk.types.emotion import Signed, Unit


class ChangeKind(StrEnum):
    """How a person's days changed."""

    DECLINE = "decline"
    IMPROVEMENT = "improvement"
    INSTABILITY = "instability"


WARNED_OF = frozenset({ChangeKind.DECLINE, ChangeKind.INSTABILITY})
"""Changes that cause a warning; an improvement is only reported."""


class DaySummary(Value):
    """One day (UTC) of one person, as recognised then; later corrections do not count."""

    day: date = Field(description="The day (UTC).")
    turns: Annotated[int, Field(ge=1)] = Field(description="Turns on that day.")
    level: Signed = Field(
        description="Mean mood: the probability of joy minus that of the four unpleasant emotions."
    )
    variability: Annotated[float, Field(ge=0.0, le=1.0)] = Field(
        description="Standard deviation of the mood within the day (0 for a single turn)."
    )
    distress: Unit = Field(description="Share of turns labelled with an unpleasant emotion.")


class ChangePoint(Value):
    """A lasting change between days."""

    kind: ChangeKind = Field(description="How the days changed.")
    since: date = Field(description="The first day after the change, estimated.")
    found: date = Field(description="The day whose states gave it away.")


class LongitudinalWarning(Value):
    """A hint for a human that a person's days have changed; not a diagnosis, may be wrong."""

    kind: ChangeKind = Field(description="`decline` or `instability`.")
    since_days: Annotated[int, Field(ge=0)] = Field(
        description="About how many days ago the change began."
    )
    message: str = Field(
        description="The same in words. It names nobody and holds nothing that anybody said."
    )


class MonitorReport(Value):
    """Report on one person's last days and weeks."""

    days: tuple[DaySummary, ...] = Field(
        default=(),
        description="Days on which they spoke, oldest first.",
    )
    level: Signed | None = Field(
        default=None,
        description="Mean of the daily levels; `None` without a day.",
    )
    variability: Annotated[float, Field(ge=0.0)] | None = Field(
        default=None,
        description="Sample standard deviation of the daily levels; `None` below two days.",
    )
    inertia: Signed | None = Field(
        default=None,
        description=(
            "Lag-1 autocorrelation of the daily levels over pairs of neighbouring calendar days; "
            "`None` below five such pairs, or where nothing varies."
        ),
    )
    distress_share: Unit | None = Field(
        default=None,
        description="Share of turns labelled with an unpleasant emotion; `None` without a day.",
    )
    change_points: tuple[ChangePoint, ...] = Field(
        default=(),
        description="Lasting changes between days, oldest first.",
    )
    warning: LongitudinalWarning | None = Field(
        default=None,
        description=(
            "A hint, while the newest change is of a kind to be warned of and was found in the "
            "last 30 days."
        ),
    )
