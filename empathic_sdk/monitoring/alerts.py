"""Alerts about a worrying turn or period, without names and words."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from empathic_sdk.errors import log_in_full, outline
from empathic_sdk.runtime.lanes import Lane
from empathic_sdk.style import call
from empathic_sdk.types import Alert, SafetyAssessment, SafetyLevel
from empathic_sdk.types.safety import named

AlertHook = Callable[[Any], object]
"""Takes an :class:`Alert` or a :class:`~empathic_sdk.types.LongitudinalWarning`."""
log = logging.getLogger("empathic_sdk")


def alert_of(safety: SafetyAssessment) -> Alert | None:
    """Return the alert for a safety assessment, ``None`` if nothing is worrying."""
    if safety.level is SafetyLevel.NONE:
        return None
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    return Alert(level=safety.level, at=now, reasons=named(safety.reasons))


def tell(on_alert: AlertHook, what: Any, lane: Lane) -> None:
    """Call the caller's alert function, in its own lane; its errors are only logged."""
    try:
        call(on_alert, what, lane=lane)
    except Exception as error:
        # The person has their answer; a broken alarm must be loud, but not to them.
        log_in_full(error, "on_alert")
        log.error("on_alert raised: %s", outline(error))
