"""Hooks: from what a person shows to tone, pacing and theme of the reply."""

from empathic_sdk.hooks.decide import HOOK_TIMEOUT_S, adecide, decide, settle
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
    "decide",
    "default_pacing",
    "default_theme",
    "default_tone",
    "settle",
    "steady",
]
