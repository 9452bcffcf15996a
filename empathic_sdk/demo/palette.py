"""Derives all colours of the page, light and dark, from an agent's theme."""

from __future__ import annotations

from collections.abc import Mapping

from empathic_sdk import Emotion, Theme
from empathic_sdk.types import contrast

AA = 4.5
"""Least contrast of text (WCAG 2.2, 1.4.3)."""
AA_GRAPHICS = 3.0
"""Least contrast of lines, bars and points (1.4.11)."""

START = Theme(name="start", primary="#3f5e78", background="#faf8f4", text="#2a2d34")
"""The page before the first turn."""

_HUES = {
    Emotion.NEUTRAL: "#7b8794",
    Emotion.JOY: "#c98a00",
    Emotion.SADNESS: "#3f74c4",
    Emotion.ANGER: "#c8453c",
    Emotion.SURPRISE: "#9a5cc0",
    Emotion.FEAR: "#2f8f7c",
    Emotion.DISGUST: "#7f8b2c",
}
_WHITE, _BLACK, _NIGHT, _CHALK = "#ffffff", "#000000", "#14171c", "#f1f2f5"


def mix(one: str, other: str, share: float) -> str:
    """Return ``one`` with ``share`` (0 to 1) of ``other`` in it, both ``#rrggbb``."""
    pairs = zip(_channels(one), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def readable(colour: str, on: tuple[str, ...], towards: str, least: float = AA) -> str:
    """Move ``colour`` towards another until it has the contrast ``least`` on every ground."""
    for step in range(21):
        tried = mix(colour, towards, step / 20)
        if all(contrast(tried, ground) >= least for ground in on):
            return tried
    return towards


def colours(theme: Theme, *, dark: bool = False) -> dict[str, str]:
    """Return every colour of the page by name, readable whatever the theme's accent.

    Args:
        theme: What the agent chose.
        dark: For the dark scheme: a light theme keeps its hue and becomes a night version of
            itself; a theme that is dark already stays.
    """
    is_dark = contrast(theme.text, _BLACK) > contrast(theme.text, _WHITE)
    ground, text = theme.background, theme.text
    if dark and not is_dark:
        ground, text = mix(_NIGHT, theme.primary, 0.14), mix(_CHALK, theme.primary, 0.08)
        is_dark = True
    panel = mix(ground, _WHITE, 0.055 if is_dark else 0.7)
    bubble = mix(panel, theme.primary, 0.16 if is_dark else 0.07)
    panel, bubble = (c if contrast(text, c) >= AA else ground for c in (panel, bubble))
    grounds = (ground, panel, bubble)
    accent = readable(theme.primary, grounds, text)
    found = {
        "bg": ground,
        "panel": panel,
        "bubble": bubble,
        "text": text,
        "muted": readable(mix(text, ground, 0.32), grounds, text),
        "line": mix(panel, text, 0.16),
        "edge": readable(mix(text, panel, 0.5), (ground, panel), text, AA_GRAPHICS),
        "accent": accent,
        "on-accent": max((_WHITE, mix(_NIGHT, text, 0.0)), key=lambda c: contrast(c, accent)),
    }
    for emotion, hue in _HUES.items():
        found[f"e-{emotion}"] = readable(hue, (panel,), text, AA_GRAPHICS)
    return found


def sheet(theme: Theme) -> str:
    """Return the theme as CSS: variables on this page's body, for both schemes."""
    return (
        f"body{{{_variables(colours(theme))}}}"
        f"body.dark{{color-scheme:dark;{_variables(colours(theme, dark=True))}}}"
    )


def _variables(named: Mapping[str, str]) -> str:
    return "".join(f"--es-{name}:{value};" for name, value in named.items())


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))
