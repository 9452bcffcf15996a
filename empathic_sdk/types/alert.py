"""What leaves the agent when something is worrying: high-level, and about nobody in particular."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from empathic_sdk.types.base import Value
from empathic_sdk.types.safety import SafetyLevel


class Alert(Value):
    """That a turn was worrying. It names nobody and holds nothing that anybody said.

    Attributes:
        kind: ``safety``.
        level: How worrying; never ``none``.
        at: When (UTC), to the minute: a finer time would lead to the turn.
        reasons: Named signs; one that is not a name is ``unnamed``.
    """

    kind: Literal["safety"] = "safety"
    level: SafetyLevel
    at: datetime
    reasons: tuple[str, ...] = ()
