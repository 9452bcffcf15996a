"""Tones: how a reply sounds, and the default way to choose one."""

from __future__ import annotations

from empathic_sdk.style.hysteresis import shifted, steady
from empathic_sdk.types import Emotion, EmotionState, HookContext, SafetyLevel, Tone, Trend

WARM = Tone(
    name="warm",
    warmth=0.7,
    energy=0.4,
    formality=0.3,
    instructions=(
        "Friendly and plain. Short sentences, everyday words. "
        "Ask rather than assume; do not name a feeling the person has not named."
    ),
)
GENTLE = Tone(
    name="gentle",
    warmth=0.9,
    energy=0.15,
    formality=0.25,
    instructions=(
        "Soft and unhurried. Stay with what was said before moving on. "
        "No advice unless asked, no silver linings, no exclamation marks."
    ),
)
STEADY = Tone(
    name="steady",
    warmth=0.6,
    energy=0.3,
    formality=0.4,
    instructions=(
        "Calm, level and brief. Take the complaint seriously, do not soothe or correct, "
        "do not take sides against people who are not here."
    ),
)
BRIGHT = Tone(
    name="bright",
    warmth=0.85,
    energy=0.8,
    formality=0.15,
    instructions=(
        "Lively and glad with them. Be curious about the details; do not turn it into a lesson "
        "and do not dampen it."
    ),
)
CURIOUS = Tone(
    name="curious",
    warmth=0.65,
    energy=0.55,
    formality=0.25,
    instructions="Open and attentive. Let them tell the story; one question at a time.",
)
REASSURING = Tone(
    name="reassuring",
    warmth=0.85,
    energy=0.2,
    formality=0.3,
    instructions=(
        "Slow, concrete and steady. Name what is known, make the next step small. "
        "Do not promise that all will be well."
    ),
)
DIRECT = Tone(
    name="direct",
    warmth=0.45,
    energy=0.4,
    formality=0.35,
    instructions="To the point. No cushioning, no repetition; kind, but first of all clear.",
)
FORMAL = Tone(
    name="formal",
    warmth=0.5,
    energy=0.3,
    formality=0.85,
    instructions="Courteous and composed. Full sentences, no slang, no contractions.",
)
COACH = Tone(
    name="encouraging",
    warmth=0.7,
    energy=0.5,
    formality=0.25,
    instructions=(
        "Short and encouraging, pointed at the next step of the task. "
        "Praise effort and method, not talent; mistakes are information."
    ),
)
ANCHOR = Tone(
    name="anchoring",
    warmth=0.75,
    energy=0.2,
    formality=0.35,
    instructions=(
        "Calm, direct and present. Short sentences, no metaphors, no alarm. Say plainly what is "
        "asked and where help is; never methods, never a diagnosis; stay in the conversation."
    ),
)

TONES: dict[str, Tone] = {
    tone.name: tone
    for tone in (WARM, GENTLE, STEADY, BRIGHT, CURIOUS, REASSURING, DIRECT, FORMAL, COACH, ANCHOR)
}
"""Every tone that ships, by name."""

# Synonyms that people use.
_ALIASES = {
    "upbeat": "bright",
    "cheerful": "bright",
    "soft": "gentle",
    "calm": "steady",
    "blunt": "direct",
    "brief": "direct",
    "friendly": "warm",
    "casual": "warm",
    "polite": "formal",
    "professional": "formal",
}

STRONG = 0.5
"""Intensity from which a single feeling decides the tone."""


def default_tone(context: HookContext) -> Tone:
    """Choose a tone from the whole context.

    First that applies: safety ``high``/``imminent`` -> ``anchoring``, ``concern`` -> ``gentle``;
    the tone the person asked for (``preferences["tone"]``); tutoring -> ``encouraging``.
    Otherwise every state of the conversation asks for a tone (a volatile one for ``steady``, then
    by emotion; a weak and steady one asks for ``warm``, an uncertain one for none), and
    :func:`~empathic_sdk.style.hysteresis.steady` chooses among them. Only ``bright`` is never
    carried over: if this turn shows no certain joy it changes to ``warm`` at once,
    because a cheerful answer to bad news is worse than a change of tone.

    Args:
        context: The context of this turn.

    Returns:
        One of :data:`TONES`.
    """
    if context.safety.level in (SafetyLevel.HIGH, SafetyLevel.IMMINENT):
        return ANCHOR
    if context.safety.level == SafetyLevel.CONCERN:
        return GENTLE
    asked = context.user.preferences.get("tone", "").strip().lower()
    wanted = TONES.get(_ALIASES.get(asked, asked))
    if wanted is not None and wanted is not ANCHOR:
        return wanted
    if context.scenario == "tutoring":
        return COACH
    settled = steady(context, _wish, WARM)
    glad = context.state.label == Emotion.JOY and not context.state.uncertain
    return WARM if settled is BRIGHT and not glad else settled


def _wish(state: EmotionState) -> Tone | None:
    """Return the tone that one state asks for."""
    if state.uncertain:
        return None
    if state.trend == Trend.VOLATILE:
        return STEADY
    strong = state.intensity >= STRONG
    lower = state.trend == Trend.WORSENING or shifted(state)
    match state.label:
        case Emotion.SADNESS:
            return GENTLE if strong or lower else WARM
        case Emotion.FEAR:
            return REASSURING if strong or lower else WARM
        case Emotion.ANGER | Emotion.DISGUST:
            return STEADY
        case Emotion.JOY:
            return BRIGHT if strong else WARM
        case Emotion.SURPRISE:
            return CURIOUS
        case _:
            return WARM
