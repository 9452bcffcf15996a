"""Themes: how the page looks, and a default that does not flicker."""

from __future__ import annotations

from empathic_sdk.errors import InputError
from empathic_sdk.style.hysteresis import steady
from empathic_sdk.types import Emotion, EmotionState, HookContext, SafetyLevel, Theme

# Every text/background pair exceeds 7 : 1 and every primary/background pair 4.5 : 1, so that an
# accent may carry small text too.
PAPER = Theme(name="paper", primary="#3f5e78", background="#faf8f4", text="#2a2d34")
DUSK = Theme(name="dusk", primary="#4c5f8a", background="#eef1f7", text="#262c3d")
MEADOW = Theme(name="meadow", primary="#2f6b4f", background="#f1f6f0", text="#23312a")
SUNRISE = Theme(name="sunrise", primary="#a2481a", background="#fff7ea", text="#3a2a1c")
SLATE = Theme(name="slate", primary="#4b5a63", background="#f2f4f5", text="#23292d")
ORCHID = Theme(name="orchid", primary="#7a3f86", background="#f9f3fa", text="#33253a")
HARBOUR = Theme(name="harbour", primary="#0f5c6e", background="#f4faf9", text="#12262b")
CHALK = Theme(name="chalk", primary="#2a5aa8", background="#f7f9fc", text="#1f2733")

THEMES: dict[str, Theme] = {
    theme.name: theme for theme in (PAPER, DUSK, MEADOW, SUNRISE, SLATE, ORCHID, HARBOUR, CHALK)
}
"""Every theme that ships, by name. ``harbour`` is for safety turns, ``chalk`` for tutoring."""

_ROOMS = {
    Emotion.NEUTRAL: PAPER,
    Emotion.JOY: SUNRISE,
    Emotion.SADNESS: DUSK,
    Emotion.ANGER: SLATE,  # cool and low in saturation: red would provoke
    Emotion.SURPRISE: ORCHID,
    Emotion.FEAR: MEADOW,
    Emotion.DISGUST: SLATE,
}
_FAINT = 0.25  # below this intensity no emotion changes the theme


def default_theme(context: HookContext) -> Theme:
    """Choose a theme, slowly.

    Safety ``high``/``imminent`` changes the theme at once; then the person's own choice
    (``preferences["theme"]``) and tutoring's fixed theme apply. Otherwise every state of the
    conversation asks for the theme of its emotion (``paper`` at low intensity, none if uncertain),
    and :func:`~empathic_sdk.style.hysteresis.steady` chooses among them: a single odd turn never
    changes the theme, a lasting change takes two turns.

    Args:
        context: The context of this turn.

    Returns:
        One of :data:`THEMES`.
    """
    if context.safety.level in (SafetyLevel.HIGH, SafetyLevel.IMMINENT):
        return HARBOUR
    chosen = THEMES.get(context.user.preferences.get("theme", "").strip().lower())
    if chosen is not None:
        return chosen
    if context.scenario == "tutoring":
        return CHALK
    return steady(context, _wish, PAPER)


def blend(one: Theme, other: Theme, share: float) -> Theme:
    """Return the theme ``share`` of the way from ``one`` to ``other``, for a page that fades.

    Colours are mixed channel by channel in sRGB, as a CSS transition does. Between any two of
    :data:`THEMES` every step on the way keeps WCAG AA, for the accent too (a test holds it).

    Args:
        one: The theme at 0.
        other: The theme at 1.
        share: 0 to 1.

    Raises:
        InputError: ``share`` is out of range, or (between themes of your own) text would be
            unreadable half-way.
    """
    if not 0.0 <= share <= 1.0:
        raise InputError(f"share must lie in [0, 1], not {share!r}")
    return Theme(
        name=other.name if share > 0 else one.name,
        primary=_mix(one.primary, other.primary, share),
        background=_mix(one.background, other.background, share),
        text=_mix(one.text, other.text, share),
    )


def _mix(one: str, other: str, share: float) -> str:
    pairs = ((int(one[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _wish(state: EmotionState) -> Theme | None:
    if state.uncertain:
        return None
    return PAPER if state.intensity < _FAINT else _ROOMS[state.label]
