"""What leaves the agent when something is worrying: high-level, and about nobody in particular."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from empathic_sdk.types.base import Value
from empathic_sdk.types.safety import SafetyLevel


class Alert(Value):
    """That a turn was worrying. It names nobody and holds nothing that anybody said."""

    kind: Literal["safety"] = Field(default="safety", description="Always `safety`.")
    level: SafetyLevel = Field(description="How worrying the turn was; never `none`.")
    at: datetime = Field(
        description="When (UTC), to the minute: a finer time would lead to the turn."
    )
    reasons: tuple[str, ...] = Field(
        default=(),
        description="Named signs; one that is not a name is `unnamed`.",
    )
