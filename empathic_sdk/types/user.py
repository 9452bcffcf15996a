"""What the profile store knows of a person, as values."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field, model_validator

from empathic_sdk.types.base import Value
from empathic_sdk.types.emotion import Emotion, Modality, Signed
from empathic_sdk.types.learning import Mastery


class UserContext(Value):
    """The part of a profile that recognition, hooks and replies may use. Default = a stranger.

    Attributes:
        user: Name of the user in the store.
        turns: How many turns were recorded.
        conversations: In how many talks.
        last_emotion: What they showed last, if ever.
        last_seen: When (UTC).
        since: When the store first knew of them (UTC); another time after an erasure.
        mean_valence: Mean over all recorded turns.
        emotions: How often each emotion was shown.
        preferences: What they asked for (``tone``, ``language``, ...).
        consents: The biometric modalities that they let be processed.
        consent_versions: Under which wording of the notice they said so; one that is not named
            counts as given under the wording in force.
        weights: How far a modality of theirs is to be believed beside the others, where not 1;
            0 leaves it out as long as there is another.
        mastery: What tutoring believes they have learned: ``fractions.2`` is fractions, level 2.
        bias: Learned from their corrections: added to the log-probability of each emotion, in the
            order of :class:`Emotion`. Empty = nothing.
        attributes: What they said about themselves (``name``, ``pronouns``, ...).
        threshold: Learned, too: added to the confidence below which a state is ``uncertain``.
    """

    user: str = "default"
    turns: Annotated[int, Field(ge=0)] = 0
    conversations: Annotated[int, Field(ge=0)] = 0
    last_emotion: Emotion | None = None
    last_seen: datetime | None = None
    since: datetime | None = None
    mean_valence: Signed = 0.0
    emotions: dict[Emotion, int] = Field(default_factory=dict)
    preferences: dict[str, str] = Field(default_factory=dict)
    consents: frozenset[Modality] = frozenset()
    consent_versions: dict[Modality, str] = Field(default_factory=dict)
    weights: dict[Modality, Annotated[float, Field(ge=0.0, le=10.0)]] = Field(default_factory=dict)
    mastery: dict[str, Mastery] = Field(default_factory=dict)
    bias: tuple[Annotated[float, Field(ge=-10.0, le=10.0)], ...] = ()
    threshold: Signed = 0.0
    attributes: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _whole(self) -> UserContext:
        if self.bias and len(self.bias) != len(Emotion):
            raise ValueError(f"bias must hold {len(Emotion)} numbers, or none")
        return self
