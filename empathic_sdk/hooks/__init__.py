"""Hooks: from what a person shows to tone, pacing and theme of the reply."""

from empathic_sdk.hooks.calls import HOOK_TIMEOUT_S, call, told
from empathic_sdk.hooks.decide import adecide, decide
from empathic_sdk.hooks.pacing import PACINGS, default_pacing
from empathic_sdk.hooks.steady import steady
from empathic_sdk.hooks.themes import THEMES, blend, default_theme
from empathic_sdk.hooks.tones import TONES, default_tone

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
