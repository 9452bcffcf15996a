"""What days and weeks of one person's states say: levels, changes, and a hint that one is there."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from empathic_sdk.types.base import Value
from empathic_sdk.types.emotion import Signed, Unit


class ChangeKind(StrEnum):
    """How somebody's days came to differ from those before."""

    DECLINE = "decline"
    IMPROVEMENT = "improvement"
    INSTABILITY = "instability"


WARNED_OF = frozenset({ChangeKind.DECLINE, ChangeKind.INSTABILITY})
"""Changes that are worth a hint; an improvement is only reported."""


class DaySummary(Value):
    """One day (UTC) of one person, as it was read at the time; later corrections do not count.

    Attributes:
        day: Which.
        turns: How many.
        level: Mean mood: the probability of joy minus that of the four unpleasant emotions.
        variability: Standard deviation of the mood within the day (0 for a single turn).
        distress: Share of turns labelled with an unpleasant emotion.
    """

    day: date
    turns: Annotated[int, Field(ge=1)]
    level: Signed
    variability: Annotated[float, Field(ge=0.0, le=1.0)]
    distress: Unit


class ChangePoint(Value):
    """A lasting change between days.

    Attributes:
        kind: Which.
        since: The first day after the change, estimated.
        found: The day whose states gave it away.
    """

    kind: ChangeKind
    since: date
    found: date


class LongitudinalWarning(Value):
    """A hint for a human that somebody's days have changed; no diagnosis, and it may be wrong.

    Attributes:
        kind: ``decline`` or ``instability``.
        since_days: About how many days ago the change began.
        message: The same in words. It names nobody and holds nothing that anybody said.
    """

    kind: ChangeKind
    since_days: Annotated[int, Field(ge=0)]
    message: str


class MonitorReport(Value):
    """One person's last days and weeks.

    Attributes:
        days: Days on which they spoke, oldest first.
        level: Mean of the daily levels; ``None`` without a day.
        variability: Sample standard deviation of the daily levels; ``None`` below two days.
        inertia: Lag-1 autocorrelation of the daily levels over pairs of neighbouring calendar
            days; ``None`` below five such pairs, or where nothing varies.
        distress_share: Share of turns labelled with an unpleasant emotion; ``None`` without a day.
        change_points: Oldest first.
        warning: A hint, while the newest change is of a kind to be warned of and was found in the
            last 30 days.
    """

    days: tuple[DaySummary, ...] = ()
    level: Signed | None = None
    variability: Annotated[float, Field(ge=0.0)] | None = None
    inertia: Signed | None = None
    distress_share: Unit | None = None
    change_points: tuple[ChangePoint, ...] = ()
    warning: LongitudinalWarning | None = None
