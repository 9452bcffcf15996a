"""A person's profile, and proposals to add to it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from empathic_sdk.types.base import Value
from empathic_sdk.types.emotion import Emotion, Modality, Signed
from empathic_sdk.types.learning import Mastery

PROFILE_VERSION = 1
Count = Annotated[int, Field(ge=0)]


class Proposal(Value):
    """Something a person asked for in passing; kept only when they agree."""

    kind: Literal["preference", "attribute"] = Field(
        description="`preference` (how to answer) or `attribute` (who they are)."
    )
    name: str = Field(description="`tone pacing advice`, or `name pronouns`.")
    value: str = Field(description="The value that is to be kept.")


class Behaviour(Value):
    """Statistics over all turns of a person."""

    turns: Count = Field(default=0, description="Recorded turns.")
    conversations: Count = Field(default=0, description="Conversations that these turns belong to.")
    mean_valence: Signed = Field(default=0.0, description="Mean of the valence shown.")
    mean_arousal: Signed = Field(default=0.0, description="Mean of the arousal shown.")
    var_valence: Annotated[float, Field(ge=0.0, le=1.0)] = Field(
        default=0.0,
        description="Variance of the valence shown.",
    )
    var_arousal: Annotated[float, Field(ge=0.0, le=1.0)] = Field(
        default=0.0,
        description="Variance of the arousal shown.",
    )


class Profile(Value):
    """Everything known about one person, from :meth:`ProfileStore.profile` (PED eq 59)."""

    version: Literal[1] = Field(default=1, description="Version of this value.")
    user: str = Field(description="Name of the user in the store.")
    attributes: dict[str, str] = Field(
        default_factory=dict,
        description="What they said about themselves: `name pronouns age_group timezone`.",
    )
    behaviour: Behaviour = Field(
        default_factory=Behaviour,
        description="How they have been over all their turns.",
    )
    preferences: dict[str, str] = Field(
        default_factory=dict,
        description="How they want to be answered.",
    )
    preference_vector: tuple[Signed, ...] = Field(
        default=(0.0,) * 6,
        description=(
            "The same as numbers in [-1, 1]: warmth, directness, formality, length, pace, "
            "advice; 0 where nothing was asked for."
        ),
    )
    emotions: dict[Emotion, int] = Field(
        default_factory=dict,
        description="How often each emotion was shown.",
    )
    transitions: dict[Emotion, dict[Emotion, int]] = Field(
        default_factory=dict,
        description=(
            "How often one emotion was followed by another in a conversation, by the earlier one."
        ),
    )
    bias: tuple[float, ...] = Field(
        default=(),
        description=(
            "Added to the log-probability of each emotion, as in `UserContext`; empty = nothing."
        ),
    )
    threshold: Signed = Field(
        default=0.0,
        description=(
            "Added to the confidence below which a state is `uncertain`, as in `UserContext`."
        ),
    )
    weights: dict[Modality, float] = Field(
        default_factory=dict,
        description=(
            "How far each modality is believed beside the others, as in `UserContext`; 1 where "
            "not named."
        ),
    )
    q: dict[str, tuple[float, ...]] = Field(
        default_factory=dict,
        description="Q-values of the actions, by state (docs/personalisation.md).",
    )
    mastery: dict[str, Mastery] = Field(
        default_factory=dict,
        description="What tutoring believes they have learned.",
    )
