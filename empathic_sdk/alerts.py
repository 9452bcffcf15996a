"""Telling somebody that a turn was worrying, without saying whose or what was said."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from empathic_sdk.errors import outline
from empathic_sdk.hooks import settle
from empathic_sdk.types import Alert, SafetyAssessment, SafetyLevel
from empathic_sdk.types.safety import named

AlertHook = Callable[[Alert], object]
log = logging.getLogger("empathic_sdk")


def alert_of(safety: SafetyAssessment) -> Alert | None:
    """Return what may leave of a safety assessment, ``None`` where nothing is worrying."""
    if safety.level is SafetyLevel.NONE:
        return None
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    return Alert(level=safety.level, at=now, reasons=named(safety.reasons))


def tell(on_alert: AlertHook, what: Any) -> None:
    """Call the caller's alarm; what it raises is logged and reaches nobody else."""
    try:
        result = on_alert(what)
        if inspect.isawaitable(result):
            settle(result)
    except Exception as error:
        # The person has their answer; a broken alarm must be loud, but not to them.
        log.error("on_alert raised: %s", outline(error))
