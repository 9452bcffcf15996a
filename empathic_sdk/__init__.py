"""Conversational agents that notice how a person feels and answer accordingly.

>>> from empathic_sdk import EmotionAwareAgent
>>> with EmotionAwareAgent() as agent:
...     turn = agent.respond("I failed the exam again.", user="ada")

Names are loaded when first used, so importing this package alone stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from empathic_sdk import _moved

if TYPE_CHECKING:
    from empathic_sdk.agent import EmotionAwareAgent
    from empathic_sdk.encoders.behaviour import BehaviourEncoder
    from empathic_sdk.encoders.face import FaceEncoder
    from empathic_sdk.encoders.speech import SpeechEncoder
    from empathic_sdk.encoders.text import TextEncoder
    from empathic_sdk.encoders.transcription import Transcriber
    from empathic_sdk.errors import EmpathicError
    from empathic_sdk.policy import Deployment
    from empathic_sdk.profiles import ProfileStore
    from empathic_sdk.recognition.recognizer import EmotionRecognizer
    from empathic_sdk.recognition.session import DialogueSession
    from empathic_sdk.types import (
        Alert,
        BehaviourEvent,
        BehaviourKind,
        Emotion,
        EmotionState,
        FeatureSequence,
        HelpLine,
        HookContext,
        LearningState,
        Modality,
        Pacing,
        ResponseStyle,
        SafetyAssessment,
        SafetyLevel,
        SentenceEvent,
        StateEvent,
        Strategy,
        Theme,
        Tone,
        Trend,
        Turn,
        TurnEvent,
        UserContext,
        Utterance,
    )

__version__ = "0.1.0"

_moved.install()

_HOMES = {
    "Alert": "types",
    "BehaviourEncoder": "encoders.behaviour",
    "BehaviourEvent": "types",
    "BehaviourKind": "types",
    "Deployment": "policy",
    "DialogueSession": "recognition.session",
    "Emotion": "types",
    "EmotionAwareAgent": "agent",
    "EmotionRecognizer": "recognition.recognizer",
    "EmotionState": "types",
    "EmpathicError": "errors",
    "FaceEncoder": "encoders.face",
    "FeatureSequence": "types",
    "HelpLine": "types",
    "HookContext": "types",
    "LearningState": "types",
    "Modality": "types",
    "Pacing": "types",
    "ProfileStore": "profiles",
    "ResponseStyle": "types",
    "SafetyAssessment": "types",
    "SafetyLevel": "types",
    "SentenceEvent": "types",
    "SpeechEncoder": "encoders.speech",
    "StateEvent": "types",
    "Strategy": "types",
    "TextEncoder": "encoders.text",
    "Theme": "types",
    "Tone": "types",
    "Transcriber": "encoders.transcription",
    "Trend": "types",
    "Turn": "types",
    "TurnEvent": "types",
    "UserContext": "types",
    "Utterance": "types",
}

__all__ = [
    "Alert",
    "BehaviourEncoder",
    "BehaviourEvent",
    "BehaviourKind",
    "Deployment",
    "DialogueSession",
    "Emotion",
    "EmotionAwareAgent",
    "EmotionRecognizer",
    "EmotionState",
    "EmpathicError",
    "FaceEncoder",
    "FeatureSequence",
    "HelpLine",
    "HookContext",
    "LearningState",
    "Modality",
    "Pacing",
    "ProfileStore",
    "ResponseStyle",
    "SafetyAssessment",
    "SafetyLevel",
    "SentenceEvent",
    "SpeechEncoder",
    "StateEvent",
    "Strategy",
    "TextEncoder",
    "Theme",
    "Tone",
    "Transcriber",
    "Trend",
    "Turn",
    "TurnEvent",
    "UserContext",
    "Utterance",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'empathic_sdk' has no attribute {name!r}")
    value = getattr(import_module(f"empathic_sdk.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
