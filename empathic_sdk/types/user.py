"""The part of a profile that a turn uses."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field, model_validator

from empathic_sdk.types.base import Value
from empathic_sdk.types.emotion import Emotion, Modality, Signed
from empathic_sdk.types.learning import Mastery


class UserContext(Value):
    """Profile data that recognition, hooks and replies may use; by default an unknown user."""

    user: str = Field(default="default", description="Name of the user in the store.")
    turns: Annotated[int, Field(ge=0)] = Field(
        default=0,
        description="How many turns were recorded.",
    )
    conversations: Annotated[int, Field(ge=0)] = Field(
        default=0,
        description="How many conversations those turns belong to.",
    )
    last_emotion: Emotion | None = Field(
        default=None,
        description="What they showed last, if ever.",
    )
    last_seen: datetime | None = Field(default=None, description="When their last turn was (UTC).")
    since: datetime | None = Field(
        default=None,
        description="When the store first knew of them (UTC); another time after an erasure.",
    )
    mean_valence: Signed = Field(default=0.0, description="Mean valence over all recorded turns.")
    emotions: dict[Emotion, int] = Field(
        default_factory=dict,
        description="How often each emotion was shown.",
    )
    preferences: dict[str, str] = Field(
        default_factory=dict,
        description="What they asked for (`tone`, `language`, ...).",
    )
    consents: frozenset[Modality] = Field(
        default=frozenset(),
        description="The biometric modalities that they let be processed.",
    )
    consent_versions: dict[Modality, str] = Field(
        default_factory=dict,
        description=(
            "Under which wording of the notice they said so; one that is not named counts as "
            "given under the wording in force."
        ),
    )
    weights: dict[Modality, Annotated[float, Field(ge=0.0, le=10.0)]] = Field(
        default_factory=dict,
        description=(
            "How far a modality of theirs is to be believed beside the others, where not 1; 0 "
            "leaves it out as long as there is another."
        ),
    )
    mastery: dict[str, Mastery] = Field(
        default_factory=dict,
        description=(
            "What tutoring believes they have learned: `fractions.2` is fractions, level 2."
        ),
    )
    bias: tuple[Annotated[float, Field(ge=-10.0, le=10.0)], ...] = Field(
        default=(),
        description=(
            "Learned from their corrections: added to the log-probability of each emotion, in "
            "the order of `Emotion`. Empty = nothing."
        ),
    )
    threshold: Signed = Field(
        default=0.0,
        description=(
            "Learned from their corrections: added to the confidence below which a state is "
            "`uncertain`."
        ),
    )
    attributes: dict[str, str] = Field(
        default_factory=dict,
        description="What they said about themselves (`name`, `pronouns`, ...).",
    )

    @model_validator(mode="after")
    def _whole(self) -> UserContext:
        if self.bias and len(self.bias) != len(Emotion):
            raise ValueError(f"bias must hold {len(Emotion)} numbers, or none")
        return self
