"""Hooks: from what a person shows to tone, pacing and theme of the reply."""

from empathic_sdk.style.calls import HOOK_TIMEOUT_S, call, told
from empathic_sdk.style.decide import adecide, decide
from empathic_sdk.style.hysteresis import steady
from empathic_sdk.style.pacing import PACINGS, default_pacing
from empathic_sdk.style.themes import THEMES, blend, default_theme
from empathic_sdk.style.tones import TONES, default_tone

__all__ = [
    "HOOK_TIMEOUT_S",
    "PACINGS",
    "THEMES",
    "TONES",
    "adecide",
    "blend",
    "call",
    "decide",
    "default_pacing",
    "default_theme",
    "default_tone",
    "steady",
    "told",
]
