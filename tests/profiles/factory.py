"""Turns as plain values. Nothing in here imports torch, so that subprocesses start quickly."""

from __future__ import annotations

from empathic_sdk.types import (
    Emotion,
    EmotionState,
    HelpLine,
    Modality,
    Pacing,
    ResponseStyle,
    SafetyAssessment,
    SafetyLevel,
    Strategy,
    Theme,
    Tone,
    Trend,
    Turn,
)


def make_turn(
    id: str = "t1",
    *,
    user: str = "ada",
    conversation: str = "c1",
    label: Emotion = Emotion.SADNESS,
    valence: float = -0.5,
    reply: str = "That sounds hard.",
    reasons: tuple[str, ...] = (),
    timings: dict[str, float] | None = None,
) -> Turn:
    return Turn(
        id=id,
        reply=reply,
        emotion=EmotionState(
            label=label,
            probabilities={e: 0.4 if e is label else 0.1 for e in Emotion},
            confidence=0.4,
            uncertain=True,
            valence=valence,
            arousal=0.25,
            intensity=0.75,
            shift=0.125,
            change=dict.fromkeys(Emotion, 0.0),
            trend=Trend.WORSENING,
            contributions={Modality.TEXT: 1.0},
            missing=(Modality.SPEECH, Modality.FACE),
        ),
        style=ResponseStyle(
            tone=Tone(
                name="gentle",
                warmth=0.9,
                energy=0.2,
                formality=0.3,
                instructions="Be TONEWORDS-5534.",
            ),
            pacing=Pacing(delay_s=0.5, words_per_minute=150, max_sentences=3),
            theme=Theme(name="dusk", primary="#334455", background="#ffffff", text="#000000"),
        ),
        strategy=Strategy.REFLECTION,
        safety=SafetyAssessment(
            level=SafetyLevel.CONCERN if reasons else SafetyLevel.NONE,
            reasons=reasons,
            actions=("asked_directly",),
            help_lines=(HelpLine(name="LINENAME-5536", contact="000", hours="24/7"),),
        ),
        responder="embedded",
        fallbacks=("FALLBACKWORDS-5535 quoted the person",),
        timings={"recognize": 12.5, "total": 20.0} if timings is None else timings,
        user=user,
        conversation=conversation,
    )
