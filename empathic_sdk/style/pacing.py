"""Pacing: how soon, how fast and how much; and the default way to choose it."""

from __future__ import annotations

from empathic_sdk.style.hysteresis import shifted
from empathic_sdk.style.tones import STRONG
from empathic_sdk.types import Emotion, HookContext, Pacing, SafetyLevel, Trend

EVEN = Pacing(delay_s=0.5, words_per_minute=190, max_sentences=3)
UNHURRIED = Pacing(delay_s=1.2, words_per_minute=150, max_sentences=3)
BRIEF = Pacing(delay_s=0.6, words_per_minute=180, max_sentences=2)
LIVELY = Pacing(delay_s=0.2, words_per_minute=240, max_sentences=3)
TASK = Pacing(delay_s=0.2, words_per_minute=220, max_sentences=3)
CHECK_IN = Pacing(delay_s=0.3, words_per_minute=180, max_sentences=4)
PROMPT = Pacing(delay_s=0.0, words_per_minute=240, max_sentences=6)

PACINGS: dict[str, Pacing] = {
    "even": EVEN,
    "unhurried": UNHURRIED,
    "brief": BRIEF,
    "lively": LIVELY,
    "task": TASK,
    "check_in": CHECK_IN,
    "prompt": PROMPT,
}
"""Every pacing that ships, by name. ``prompt`` never waits: it is for safety turns."""

_ALIASES = {"slow": "unhurried", "fast": "lively", "short": "brief", "normal": "even"}


def default_pacing(context: HookContext) -> Pacing:
    """Choose a pacing from the whole context.

    First that applies: safety ``high``/``imminent`` -> no delay and room for help lines,
    ``concern`` -> room for a check-in; the pacing the person asked for
    (``preferences["pacing"]``: a name of :data:`PACINGS`, or ``slow fast short normal``);
    tutoring; uncertain -> even; sadness or fear that is strong, worsening or has just set in ->
    slower; anger and disgust -> brief; strong joy, not volatile -> livelier.

    Pacing depends only on the present turn: changes between turns do not disturb.

    Args:
        context: The context of this turn.

    Returns:
        One of :data:`PACINGS`.
    """
    if context.safety.level in (SafetyLevel.HIGH, SafetyLevel.IMMINENT):
        return PROMPT
    if context.safety.level == SafetyLevel.CONCERN:
        return CHECK_IN
    asked = context.user.preferences.get("pacing", "").strip().lower()
    wanted = PACINGS.get(_ALIASES.get(asked, asked))
    if wanted is not None:
        return wanted
    if context.scenario == "tutoring":
        return TASK
    state = context.state
    if state.uncertain:
        return EVEN
    strong = state.intensity >= STRONG
    lower = state.trend == Trend.WORSENING or shifted(state)
    if state.label in (Emotion.SADNESS, Emotion.FEAR) and (strong or lower):
        return UNHURRIED
    if state.label in (Emotion.ANGER, Emotion.DISGUST):
        return BRIEF
    if state.label == Emotion.JOY and strong and state.trend != Trend.VOLATILE:
        return LIVELY
    return EVEN
