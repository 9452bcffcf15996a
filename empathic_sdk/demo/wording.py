"""Plain words for the recognised state and the style of the reply."""

from __future__ import annotations

from empathic_sdk import (
    Emotion,
    EmotionState,
    Modality,
    Pacing,
    ResponseStyle,
    SafetyLevel,
    Strategy,
    Tone,
)

WORDS = {
    Emotion.NEUTRAL: "neutral",
    Emotion.JOY: "joyful",
    Emotion.SADNESS: "sad",
    Emotion.ANGER: "angry",
    Emotion.SURPRISE: "surprised",
    Emotion.FEAR: "afraid",
    Emotion.DISGUST: "disgusted",
}
"""Each emotion as an adjective."""

CHANNELS = {
    Modality.TEXT: "your words",
    Modality.SPEECH: "your voice",
    Modality.FACE: "your face",
    Modality.BEHAVIOUR: "how you type",
}
"""Each modality as one says it to the person."""

# Strong, clear, faint.
_DEGREES = {
    Emotion.NEUTRAL: ("calm", "calm", "calm"),
    Emotion.JOY: ("delighted", "glad", "content"),
    Emotion.SADNESS: ("very sad", "sad", "a little low"),
    Emotion.ANGER: ("furious", "angry", "a little annoyed"),
    Emotion.SURPRISE: ("astonished", "surprised", "a little surprised"),
    Emotion.FEAR: ("very afraid", "afraid", "a little worried"),
    Emotion.DISGUST: ("disgusted", "put off", "a little put off"),
}
_STRONG, _CLEAR, _STIRRED = 0.85, 0.5, 0.15
_ADVISING = (Strategy.SUGGESTIONS, Strategy.INFORMATION)


def seems(state: EmotionState) -> str:
    """Say how somebody seems: ``you seem overwhelmed``; never more than an impression."""
    if state.uncertain:
        return "I am not sure how you feel"
    heavy = state.label in (Emotion.SADNESS, Emotion.FEAR)
    if heavy and state.intensity >= _STRONG and state.arousal >= _STIRRED:
        return "you seem overwhelmed"
    strong, clear, faint = _DEGREES[state.label]
    if state.intensity >= _STRONG:
        return f"you seem {strong}"
    return f"you seem {clear if state.intensity >= _CLEAR else faint}"


def manner(
    style: ResponseStyle,
    state: EmotionState,
    *,
    level: SafetyLevel = SafetyLevel.NONE,
    strategy: Strategy | None = None,
) -> str:
    """Say how the answer comes, and why: ``gentle, slow, short, no advice yet: you seem sad``.

    Args:
        style: What the hooks chose.
        state: What they chose it for.
        level: What the safety protocol found: it decides before any feeling does.
        strategy: Of the reply, once it is known.
    """
    if level in (SafetyLevel.HIGH, SafetyLevel.IMMINENT):
        return "calm and direct, with people who can help: what you wrote sounds serious"
    if level is SafetyLevel.CONCERN:
        return "gentle, asking how you are first: what you wrote worries me a little"
    words = [_sound(style.tone), *_pace(style.pacing), _length(style.pacing)]
    if strategy in _ADVISING:
        words.append("with a suggestion")
    elif strategy is not None and state.valence < 0 and not state.uncertain:
        words.append("no advice yet")
    return f"{', '.join(words)}: {seems(state)}"


def _sound(tone: Tone) -> str:
    if tone.energy >= 0.7:
        return "bright"
    if tone.formality >= 0.7:
        return "formal"
    if tone.warmth >= 0.8:
        return "gentle"
    if tone.warmth >= 0.65:
        return "warm"
    return "calm" if tone.warmth > 0.5 else "plain"


def _pace(pacing: Pacing) -> list[str]:
    if pacing.words_per_minute <= 160:
        return ["slow"]
    return ["lively"] if pacing.words_per_minute >= 230 else []


def _length(pacing: Pacing) -> str:
    if pacing.max_sentences <= 2:
        return "very short"
    return "short" if pacing.max_sentences <= 3 else "taking its time"
