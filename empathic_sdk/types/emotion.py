"""Emotions, modalities and emotion states: the output of the recogniser."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.types.base import Value

Unit = Annotated[float, Field(ge=0.0, le=1.0)]
Signed = Annotated[float, Field(ge=-1.0, le=1.0)]


class Emotion(StrEnum):
    """Seven emotions: Ekman's six and neutral. The order is that of every probability vector."""

    NEUTRAL = "neutral"
    JOY = "joy"
    SADNESS = "sadness"
    ANGER = "anger"
    SURPRISE = "surprise"
    FEAR = "fear"
    DISGUST = "disgust"


UNPLEASANT = (Emotion.SADNESS, Emotion.ANGER, Emotion.FEAR, Emotion.DISGUST)
MOOD = {e: {Emotion.JOY: 1.0}.get(e, -1.0 if e in UNPLEASANT else 0.0) for e in Emotion}
"""Contribution of each emotion to the mood."""


class Modality(StrEnum):
    """A channel through which a person shows how they feel.

    :func:`register_modality` adds others: they are members of this type, but iterating over it
    does not yield them.
    """

    TEXT = "text"
    SPEECH = "speech"
    FACE = "face"
    BEHAVIOUR = "behaviour"

    @classmethod
    def _missing_(cls, value: object) -> Modality | None:
        return _OWN.get(value) if isinstance(value, str) else None


_OWN: dict[str, Modality] = {}
MODALITY_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


def register_modality(name: str) -> Modality:
    """Return a modality of your own, such as ``physiology``; a second call returns the same.

    It counts as biometric: where it is read, a deployment context and the person's consent to it
    are needed, as for voice, face and behaviour. Register it in every process
    that reads data recorded with it.

    Raises:
        ConfigurationError: It is not a name of lower-case letters, digits and underscores.
    """
    if not isinstance(name, str) or not MODALITY_NAME.fullmatch(name):
        raise ConfigurationError(
            f"a modality needs a name of lower-case letters, digits and _, not {name!r}"
        )
    if name in tuple(Modality):
        return Modality(name)
    if name not in _OWN:
        made = str.__new__(Modality, name)
        made._name_, made._value_ = name.upper(), name
        _OWN[name] = made
    return _OWN[name]


class Trend(StrEnum):
    """Where a speaker's emotion is heading over their last few utterances."""

    IMPROVING = "improving"
    WORSENING = "worsening"
    STEADY = "steady"
    VOLATILE = "volatile"


class EmotionState(Value):
    """The emotion that one utterance shows, given what this speaker showed before."""

    label: Emotion = Field(
        description=(
            "The most probable emotion. Always set; look at `uncertain` before acting on it."
        )
    )
    probabilities: dict[Emotion, Unit] = Field(
        description="Probability of each emotion, in the order of `Emotion`; they sum to 1."
    )
    confidence: Unit = Field(description="Calibrated probability that `label` is right.")
    uncertain: bool = Field(
        description="`True` where the confidence lies below the threshold chosen on dev data."
    )
    valence: Signed = Field(description="Unpleasant (-1) to pleasant (1).")
    arousal: Signed = Field(description="Calm (-1) to excited (1).")
    intensity: Unit = Field(description="How strongly anything is felt at all, 0 to 1.")
    shift: Unit | None = Field(
        default=None,
        description=(
            "Probability that the emotion changed since this speaker's last utterance; `None` on "
            "their first."
        ),
    )
    change: dict[Emotion, Signed] | None = Field(
        default=None,
        description=(
            "Probability now minus probability then, for each emotion; `None` on the first."
        ),
    )
    trend: Trend = Field(
        default=Trend.STEADY,
        description="Where this speaker is heading over their last few utterances.",
    )
    contributions: dict[Modality, Unit] = Field(
        description="Share of each present modality in `label`; they sum to 1."
    )
    missing: tuple[Modality, ...] = Field(
        default=(),
        description="Modalities that played no part: not given, not allowed, or broken.",
    )
    unread: dict[Modality, str] = Field(
        default_factory=dict,
        description=(
            "Why a modality that was given played no part. Never stored: a reason may name a file."
        ),
    )
    general: dict[Emotion, Unit] | None = Field(
        default=None,
        description=(
            "The probabilities without what this person's corrections taught; `None` where they "
            "changed nothing."
        ),
    )
    apart: dict[Modality, Emotion] = Field(
        default_factory=dict,
        description="What each modality alone would say; empty where only one was read.",
    )

    @model_validator(mode="after")
    def _sums(self) -> EmotionState:
        if tuple(self.probabilities) != tuple(Emotion):
            raise ValueError("probabilities must hold all seven emotions in the order of Emotion")
        if abs(sum(self.probabilities.values()) - 1.0) > 1e-4:
            raise ValueError("probabilities must sum to 1")
        if self.contributions and abs(sum(self.contributions.values()) - 1.0) > 1e-4:
            raise ValueError("contributions must sum to 1")
        return self

    @property
    def mood(self) -> float:
        """Pleasant minus unpleasant, in [-1, 1]; trends and daily levels are computed from it."""
        return sum(MOOD[e] * p for e, p in self.probabilities.items())


class LearningState(Value):
    """How a learner is doing, each in [0, 1]."""

    engagement: Unit = Field(description="How much the learner takes part, 0 to 1.")
    confusion: Unit = Field(description="How far the learner seems not to follow, 0 to 1.")
    frustration: Unit = Field(description="How far failure wears the learner down, 0 to 1.")
    boredom: Unit = Field(description="How far the exercises seem too easy or too dull, 0 to 1.")
