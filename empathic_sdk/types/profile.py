"""All that is known of a person, and what they may be asked to let be kept."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from empathic_sdk.types.base import Value
from empathic_sdk.types.emotion import Emotion, Modality, Signed
from empathic_sdk.types.learning import Mastery

PROFILE_VERSION = 1
Count = Annotated[int, Field(ge=0)]


class Proposal(Value):
    """Something a person asked for in passing; kept only when they agree.

    Attributes:
        kind: ``preference`` (how to answer) or ``attribute`` (who they are).
        name: ``tone pacing advice``, or ``name pronouns``.
        value: What is to be kept.
    """

    kind: Literal["preference", "attribute"]
    name: str
    value: str


class Behaviour(Value):
    """How somebody has been over all their turns.

    Attributes:
        turns: How many.
        conversations: In how many talks.
        mean_valence: Mean of the valence shown.
        mean_arousal: And of the arousal.
        var_valence: Variance of the valence.
        var_arousal: And of the arousal.
    """

    turns: Count = 0
    conversations: Count = 0
    mean_valence: Signed = 0.0
    mean_arousal: Signed = 0.0
    var_valence: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    var_arousal: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0


class Profile(Value):
    """What is known of one person, as :meth:`ProfileStore.profile` gives it (PED eq 59).

    Attributes:
        version: Of this value.
        user: Who.
        attributes: What they said about themselves: ``name pronouns age_group timezone``.
        behaviour: How they have been.
        preferences: How they want to be answered.
        preference_vector: The same as numbers in [-1, 1]: warmth, directness, formality, length,
            pace, advice; 0 where nothing was asked for.
        emotions: How often each emotion was shown.
        transitions: How often one emotion was followed by another in a talk, by the earlier one.
        bias: See :class:`UserContext`.
        threshold: See there.
        weights: See there.
        q: Q-values by state, an action each (docs/personalisation.md).
        mastery: What tutoring believes they have learned.
    """

    version: Literal[1] = 1
    user: str
    attributes: dict[str, str] = Field(default_factory=dict)
    behaviour: Behaviour = Field(default_factory=Behaviour)
    preferences: dict[str, str] = Field(default_factory=dict)
    preference_vector: tuple[Signed, ...] = (0.0,) * 6
    emotions: dict[Emotion, int] = Field(default_factory=dict)
    transitions: dict[Emotion, dict[Emotion, int]] = Field(default_factory=dict)
    bias: tuple[float, ...] = ()
    threshold: Signed = 0.0
    weights: dict[Modality, float] = Field(default_factory=dict)
    q: dict[str, tuple[float, ...]] = Field(default_factory=dict)
    mastery: dict[str, Mastery] = Field(default_factory=dict)
