"""The published shape of an export: typed models, and the JSON schema that is made from them.

``export.schema.json`` beside this file is what the models say; a test holds them together. A key
that is not named here is an error, so nothing can slip into an export without being published.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from importlib.resources import files
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from empathic_sdk.types import Emotion, Modality, Purpose, SafetyLevel, Strategy, Trend

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Signed = Annotated[float, Field(ge=-1.0, le=1.0)]
Count = Annotated[int, Field(ge=0)]
Step = Annotated[str, Field(pattern=r"^[a-z]+>[a-z]+$")]
Rating = Annotated[int, Field(ge=-1, le=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Profile(_Part):
    """Running totals over the turns that are kept."""

    created: datetime = Field(description="When the person was first known (UTC).")
    turns: Count
    conversations: Count
    last_emotion: Emotion | None
    last_seen: datetime | None
    warned: date | None = Field(description="The change of their days that was last told of.")
    attributes: dict[str, str] = Field(description="What the person said about themselves.")
    transitions: dict[Step, Count] = Field(description="From emotion > to emotion, within a talk.")
    valence_sum: float
    arousal_sum: float
    valence_squares: float
    arousal_squares: float
    emotions: dict[Emotion, Count] = Field(description="How often each emotion was shown.")


class Consent(_Part):
    """One decision; the last one about a modality stands."""

    modality: Modality
    granted: bool
    version: str = Field(description="Which wording of the notice they decided on.")
    at: datetime


class OverrideOf(_Part):
    """Biometric data of theirs that were processed where only an exception allows it."""

    context: str
    purpose: Purpose
    reason: str
    by: str = Field(description="Who answers for it.")
    modality: Modality
    turns: Count
    first: datetime
    last: datetime


class Conversation(_Part):
    """One talk and the state in which it can be continued: derived values, no words."""

    name: str
    started: datetime
    updated: datetime
    session: JsonValue
    session_encoding: Literal["json", "base64"] | None


class MasteryOf(_Part):
    """What tutoring believes about one skill."""

    skill: str
    known: Share
    seen: Count
    version: Count
    at: datetime


class DayOf(_Part):
    """One day: sums over its turns (UTC)."""

    day: date
    turns: Count
    mood_sum: float
    mood_squares: float
    distressed: Count


class ActsOf(_Part):
    """What acts on the next states of the person."""

    bias: list[float] = Field(description="A number an emotion, added to its log-probability.")
    threshold: float
    weights: dict[Modality, float]


class LearnedOf(_Part):
    """All that is counted and fitted, Q-values included (docs/personalisation.md)."""

    version: Count
    spoken: Count
    turns: Count
    bias: list[float]
    proof: float
    sense: float
    corrections: Count
    caution: float
    weights: dict[Modality, float]
    steps: Count
    sums: dict[Modality, float]
    squares: dict[Modality, float]
    q: dict[str, list[float]]


class LearningOf(_Part):
    """What feedback taught."""

    version: Count
    at: datetime
    acts: ActsOf
    learned: LearnedOf


class Feedback(_Part):
    """What the person said about one of their turns."""

    turn: str = Field(description="Id of the turn.")
    emotion: Emotion | None
    rating: Rating | None
    at: datetime


class EmotionOf(_Part):
    """What was estimated of one utterance."""

    label: Emotion
    probabilities: dict[Emotion, Share]
    confidence: Share
    uncertain: bool
    valence: Signed
    arousal: Signed
    intensity: Share
    shift: Share | None
    change: dict[Emotion, Signed] | None
    trend: Trend
    contributions: dict[Modality, float]
    missing: list[Modality]
    general: dict[Emotion, Share] | None = Field(description="Without what feedback taught.")
    apart: dict[Modality, Emotion] = Field(description="What each says alone.")


class PacingOf(_Part):
    """How fast the reply was meant to come."""

    delay_s: float
    words_per_minute: float
    max_sentences: int


class SafetyOf(_Part):
    """What the safety protocol found: a level, and names of signs."""

    level: SafetyLevel
    reasons: list[str]


class TurnOf(_Part):
    """One recorded turn."""

    id: str
    conversation: str
    at: datetime
    emotion: EmotionOf
    tone: str
    pacing: PacingOf
    theme: str
    strategy: Strategy
    safety: SafetyOf
    responder: str
    timings: dict[str, float] = Field(description="Milliseconds a step.")
    text: str | None = Field(description="What was said; only where words are kept.")
    reply: str | None = Field(description="What was answered; only where words are kept.")


class Export(_Part):
    """Everything that is stored about one person."""

    model_config = ConfigDict(title="Export of an empathic-sdk profile store")

    # "schema" is the name of an old method of pydantic's.
    schema_: int = Field(alias="schema", description="Number of migrations of the store.")
    exported_at: datetime
    user: str
    profile: Profile | None = Field(description="null for somebody unknown.")
    preferences: dict[str, str]
    consents: list[Consent]
    overrides: list[OverrideOf]
    conversations: list[Conversation]
    mastery: list[MasteryOf]
    days: list[DayOf]
    learning: LearningOf | None
    feedback: list[Feedback]
    turns: list[TurnOf]


def export_schema() -> dict[str, Any]:
    """Return the published JSON schema (draft 2020-12) of what ``ProfileStore.export`` gives."""
    text = files("empathic_sdk.profiles").joinpath("export.schema.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def made_schema() -> dict[str, Any]:
    """Return the schema as the models say it: ``python -m empathic_sdk.profiles.schema``."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return dialect | Export.model_json_schema(by_alias=True)


if __name__ == "__main__":
    print(json.dumps(made_schema(), indent=2, sort_keys=True))
