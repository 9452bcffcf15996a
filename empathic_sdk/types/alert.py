"""The alert that an agent raises on a worrying turn: a level and a time, and no name."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from empathic_sdk.types.base import Value
from empathic_sdk.types.safety import SafetyLevel


class Alert(Value):
    """Notice that a turn was worrying. It names nobody and quotes nobody."""

    kind: Literal["safety"] = Field(default="safety", description="Always `safety`.")
    level: SafetyLevel = Field(description="How worrying the turn was; never `none`.")
    at: datetime = Field(
        description="When (UTC), to the minute: a finer time would lead to the turn."
    )
    reasons: tuple[str, ...] = Field(
        default=(),
        description="Named signs; one that is not a name is `unnamed`.",
    )
