"""Frozen values that the packages exchange. Importing them needs no torch."""

from empathic_sdk.types.alert import Alert
from empathic_sdk.types.chat import ChatMessage, Exchange, LanguageModel
from empathic_sdk.types.consent import (
    BIOMETRIC,
    CONSENT_VERSION,
    Override,
    OverrideUse,
    Purpose,
)
from empathic_sdk.types.dialogue import DialogueStep
from empathic_sdk.types.emotion import (
    Emotion,
    EmotionState,
    LearningState,
    Modality,
    Trend,
    register_modality,
)
from empathic_sdk.types.features import AlignedWindows, Embedding, FeatureSequence
from empathic_sdk.types.learning import Answer, AnswerOutcome, Exercise, Mastery
from empathic_sdk.types.monitor import (
    ChangeKind,
    ChangePoint,
    DaySummary,
    LongitudinalWarning,
    MonitorReport,
)
from empathic_sdk.types.profile import Behaviour, Profile, Proposal
from empathic_sdk.types.safety import HelpLine, RiskReading, SafetyAssessment, SafetyLevel
from empathic_sdk.types.style import (
    HookContext,
    Pacing,
    PacingHook,
    ResponseStyle,
    Theme,
    ThemeHook,
    Tone,
    ToneHook,
    contrast,
)
from empathic_sdk.types.transcript import Transcript, Word
from empathic_sdk.types.turn import (
    SentenceEvent,
    StateEvent,
    Strategy,
    StreamEvent,
    Turn,
    TurnEvent,
)
from empathic_sdk.types.user import UserContext
from empathic_sdk.types.utterance import AGENT, BehaviourEvent, BehaviourKind, Utterance

__all__ = [
    "AGENT",
    "BIOMETRIC",
    "CONSENT_VERSION",
    "Alert",
    "AlignedWindows",
    "Answer",
    "AnswerOutcome",
    "Behaviour",
    "BehaviourEvent",
    "BehaviourKind",
    "ChangeKind",
    "ChangePoint",
    "ChatMessage",
    "DaySummary",
    "DialogueStep",
    "Embedding",
    "Emotion",
    "EmotionState",
    "Exchange",
    "Exercise",
    "FeatureSequence",
    "HelpLine",
    "HookContext",
    "LanguageModel",
    "LearningState",
    "LongitudinalWarning",
    "Mastery",
    "Modality",
    "MonitorReport",
    "Override",
    "OverrideUse",
    "Pacing",
    "PacingHook",
    "Profile",
    "Proposal",
    "Purpose",
    "ResponseStyle",
    "RiskReading",
    "SafetyAssessment",
    "SafetyLevel",
    "SentenceEvent",
    "StateEvent",
    "Strategy",
    "StreamEvent",
    "Theme",
    "ThemeHook",
    "Tone",
    "ToneHook",
    "Transcript",
    "Trend",
    "Turn",
    "TurnEvent",
    "UserContext",
    "Utterance",
    "Word",
    "contrast",
    "register_modality",
]
