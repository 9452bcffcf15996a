"""Safety: risk patterns, detector, risk model, decision, protocol and output guard.

Names are loaded on first use: importing this package alone needs no PyTorch.
"""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from empathic_sdk.safety.assessment import (
        RiskAssessor,
        assess_turn,
        draft_reader,
        risk_reading,
        shipped_reader,
    )
    from empathic_sdk.safety.decision import RiskContext, judge
    from empathic_sdk.safety.detector import Finding, RiskFindings, assess
    from empathic_sdk.safety.draft_model import DraftReader
    from empathic_sdk.safety.kinds import RiskKind, rank
    from empathic_sdk.safety.output_guard import Verdict, check_sentence, check_text
    from empathic_sdk.safety.risk_model import Before, RiskReader

_HOMES = {
    "Before": "risk_model",
    "DraftReader": "draft_model",
    "Finding": "detector",
    "RiskAssessor": "assessment",
    "RiskContext": "decision",
    "RiskFindings": "detector",
    "RiskKind": "kinds",
    "RiskReader": "risk_model",
    "Verdict": "output_guard",
    "assess": "detector",
    "assess_turn": "assessment",
    "check_sentence": "output_guard",
    "check_text": "output_guard",
    "draft_reader": "assessment",
    "judge": "decision",
    "rank": "kinds",
    "risk_reading": "assessment",
    "shipped_reader": "assessment",
}
_RENAMED = {"Heard": "RiskFindings", "Signs": "RiskFindings"}

__all__ = [
    "Before",
    "DraftReader",
    "Finding",
    "RiskAssessor",
    "RiskContext",
    "RiskFindings",
    "RiskKind",
    "RiskReader",
    "Verdict",
    "assess",
    "assess_turn",
    "check_sentence",
    "check_text",
    "draft_reader",
    "judge",
    "rank",
    "risk_reading",
    "shipped_reader",
]


def __getattr__(name: str) -> Any:
    if name in _RENAMED:
        new = _RENAMED[name]
        warnings.warn(
            f"{name} is {new} now; the old name goes with the next release",
            DeprecationWarning,
            stacklevel=2,
        )
        return __getattr__(new)
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
