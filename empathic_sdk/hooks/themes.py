"""Themes: how the page looks, and a default that does not flicker."""

from __future__ import annotations

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
    Emotion.ANGER: SLATE,  # cool and low in saturation: red would stoke
    Emotion.SURPRISE: ORCHID,
    Emotion.FEAR: MEADOW,
    Emotion.DISGUST: SLATE,
}
_FAINT = 0.25  # below this intensity nothing is felt strongly enough to repaint a room


def default_theme(context: HookContext) -> Theme:
    """Choose a theme, slowly.

    Safety ``high``/``imminent`` changes the room at once; then the person's own choice
    (``preferences["theme"]``) and tutoring's fixed theme apply. Otherwise the turns of
    ``context.history`` and this one are replayed in order under one rule:

    * a turn that is uncertain says nothing;
    * the first turn that says something sets the room;
    * after that the room changes only when two turns that follow one another (those that say
      nothing aside) ask for the same other theme.

    So one odd turn never flips the room. Where the history no longer reaches back to the first
    turn of the talk, the replay starts from ``paper``, and needs two turns to leave it: otherwise
    the theme would hang on whichever turn happens to be the oldest kept.

    Args:
        context: What is known at this turn.

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
    whole = context.turn <= len(context.history)
    room: Theme | None = None if whole else PAPER
    last: Theme | None = None
    for state in (*context.history, context.state):
        wish = _wish(state)
        if wish is None:
            continue
        if room is None or wish == last:
            room = wish
        last = wish
    return room or PAPER


def _wish(state: EmotionState) -> Theme | None:
    if state.uncertain:
        return None
    return PAPER if state.intensity < _FAINT else _ROOMS[state.label]
