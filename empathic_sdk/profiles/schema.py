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
    turns: Count = Field(description="Turns that are kept.")
    conversations: Count = Field(description="Conversations that those turns belong to.")
    last_emotion: Emotion | None = Field(description="What was shown last; null where nothing was.")
    last_seen: datetime | None = Field(
        description="When (UTC) the last turn was; null where there is none."
    )
    warned: date | None = Field(description="The change of their days that was last told of.")
    attributes: dict[str, str] = Field(description="What the person said about themselves.")
    transitions: dict[Step, Count] = Field(
        description="From emotion > to emotion, within a conversation."
    )
    valence_sum: float = Field(description="Sum of the valence of the turns.")
    arousal_sum: float = Field(description="Sum of the arousal of the turns.")
    valence_squares: float = Field(description="Sum of the squares of the valence.")
    arousal_squares: float = Field(description="Sum of the squares of the arousal.")
    emotions: dict[Emotion, Count] = Field(description="How often each emotion was shown.")


class Consent(_Part):
    """One decision; the last one about a modality stands."""

    modality: Modality = Field(description="What the decision is about.")
    granted: bool = Field(description="Whether it may be processed.")
    version: str = Field(description="Which wording of the notice they decided on.")
    at: datetime = Field(description="When they decided (UTC).")


class OverrideOf(_Part):
    """Biometric data of theirs that were processed where only an exception allows it."""

    context: str = Field(description="Deployment context in which it happened.")
    purpose: Purpose = Field(description="Which exception was claimed.")
    reason: str = Field(description="Why, in the deployer's words.")
    by: str = Field(description="Who answers for it.")
    modality: Modality = Field(description="What was processed.")
    turns: Count = Field(description="In how many turns.")
    first: datetime = Field(description="When first (UTC).")
    last: datetime = Field(description="When last (UTC).")


class Conversation(_Part):
    """One conversation and its stored state: derived values, no words."""

    name: str = Field(description="Name of the conversation.")
    started: datetime = Field(description="When it began (UTC).")
    updated: datetime = Field(description="When its last turn was (UTC).")
    session: JsonValue = Field(
        description="State of the recogniser's session: derived values, no words."
    )
    session_encoding: Literal["json", "base64"] | None = Field(
        description="How `session` is written: `json`, `base64`, or null where there is none."
    )


class MasteryOf(_Part):
    """What tutoring believes about one skill."""

    skill: str = Field(description="The skill and its level: `fractions.2` is fractions, level 2.")
    known: Share = Field(description="Probability that the person has it.")
    seen: Count = Field(description="Exercises that counted.")
    version: Count = Field(description="Version of the model that gave the probability.")
    at: datetime = Field(description="When it was estimated (UTC).")


class DayOf(_Part):
    """One day: sums over its turns (UTC)."""

    day: date = Field(description="The day (UTC).")
    turns: Count = Field(description="Turns on that day.")
    mood_sum: float = Field(description="Sum of the mood of its turns.")
    mood_squares: float = Field(description="Sum of the squares of the mood.")
    distressed: Count = Field(description="Turns labelled with an unpleasant emotion.")


class ActsOf(_Part):
    """What acts on the next states of the person."""

    bias: list[float] = Field(description="One number per emotion, added to its log-probability.")
    threshold: float = Field(
        description="Added to the confidence below which a state is `uncertain`."
    )
    weights: dict[Modality, float] = Field(
        description="How far each modality is believed beside the others."
    )


class LearnedOf(_Part):
    """All that is counted and fitted, Q-values included (docs/personalisation.md)."""

    version: Count = Field(description="Version of the learning rules.")
    spoken: Count = Field(description="Turns that they said something about.")
    turns: Count = Field(description="Turns since the first of those.")
    bias: list[float] = Field(
        description="One number per emotion, before it is decided whether it may act."
    )
    proof: float = Field(description="Log-evidence for the bias against none at all.")
    sense: float = Field(
        description="Log-evidence that what they say they felt has to do with what they showed."
    )
    corrections: Count = Field(description="How often they said what they felt.")
    caution: float = Field(description="What may be added to the threshold of `uncertain`.")
    weights: dict[Modality, float] = Field(
        description="How far each modality is believed, before it is decided whether that may act."
    )
    steps: Count = Field(description="Decisions of the Q-learner so far.")
    sums: dict[Modality, float] = Field(description="Sum of each modality's advantages.")
    squares: dict[Modality, float] = Field(
        description="Sum of the squares of each modality's advantages."
    )
    q: dict[str, list[float]] = Field(description="Q-values of the actions, by state.")


class LearningOf(_Part):
    """What feedback taught."""

    version: Count = Field(description="Version of the learning rules.")
    at: datetime = Field(description="When it was last learned from (UTC).")
    acts: ActsOf = Field(description="What acts on the next states.")
    learned: LearnedOf = Field(description="All that is counted and fitted.")


class Feedback(_Part):
    """What the person said about one of their turns."""

    turn: str = Field(description="Id of the turn.")
    emotion: Emotion | None = Field(
        description="What they say they felt; null where they did not say."
    )
    rating: Rating | None = Field(description="-1, 0 or 1; null where they gave none.")
    at: datetime = Field(description="When (UTC).")


class EmotionOf(_Part):
    """What was estimated of one utterance."""

    label: Emotion = Field(description="The most probable emotion.")
    probabilities: dict[Emotion, Share] = Field(description="Probability of each emotion.")
    confidence: Share = Field(description="Calibrated probability that `label` is right.")
    uncertain: bool = Field(description="Whether the confidence lies below the threshold.")
    valence: Signed = Field(description="Unpleasant (-1) to pleasant (1).")
    arousal: Signed = Field(description="Calm (-1) to excited (1).")
    intensity: Share = Field(description="How strongly anything is felt at all.")
    shift: Share | None = Field(
        description=(
            "Probability that the emotion changed since this speaker's last utterance; null on "
            "their first."
        )
    )
    change: dict[Emotion, Signed] | None = Field(
        description="Probability now minus probability then, for each emotion; null on the first."
    )
    trend: Trend = Field(description="Where the person was heading.")
    contributions: dict[Modality, float] = Field(
        description="Share of each present modality in `label`."
    )
    missing: list[Modality] = Field(description="Modalities that played no part.")
    general: dict[Emotion, Share] | None = Field(
        description=(
            "The probabilities without what feedback taught; null where it changed nothing."
        )
    )
    apart: dict[Modality, Emotion] = Field(description="What each modality alone says.")


class PacingOf(_Part):
    """How fast the reply was meant to come."""

    delay_s: float = Field(description="Seconds before the first word.")
    words_per_minute: float = Field(description="Speed of what is streamed.")
    max_sentences: int = Field(description="Most sentences of the reply.")


class SafetyOf(_Part):
    """What the safety protocol found: a level, and names of signs."""

    level: SafetyLevel = Field(description="How worrying the utterance was.")
    reasons: list[str] = Field(description="Names of the signs that were found.")


class TurnOf(_Part):
    """One recorded turn."""

    id: str = Field(description="Name of the turn.")
    conversation: str = Field(description="Name of the conversation that it belongs to.")
    at: datetime = Field(description="When it was recorded (UTC).")
    emotion: EmotionOf = Field(description="What the person showed.")
    tone: str = Field(description="Name of the tone of the reply.")
    pacing: PacingOf = Field(description="How fast the reply was meant to come.")
    theme: str = Field(description="Name of the theme.")
    strategy: Strategy = Field(description="Support strategy of the reply.")
    safety: SafetyOf = Field(description="What the safety protocol found.")
    responder: str = Field(description="Who answered.")
    timings: dict[str, float] = Field(description="Milliseconds per step.")
    text: str | None = Field(description="What was said; only where words are kept.")
    reply: str | None = Field(description="What was answered; only where words are kept.")


class Export(_Part):
    """Everything that is stored about one person."""

    model_config = ConfigDict(title="Export of an empathic-sdk profile store")

    # "schema" is the name of an old method of pydantic's.
    schema_: int = Field(alias="schema", description="Number of migrations of the store.")
    exported_at: datetime = Field(description="When the export was made (UTC).")
    user: str = Field(description="Name of the user in the store.")
    profile: Profile | None = Field(description="Running totals; null for somebody unknown.")
    preferences: dict[str, str] = Field(description="What they asked for, by name.")
    consents: list[Consent] = Field(description="Their decisions about consent, oldest first.")
    overrides: list[OverrideOf] = Field(
        description="Biometric data of theirs that were processed under an exception."
    )
    conversations: list[Conversation] = Field(description="Their conversations.")
    mastery: list[MasteryOf] = Field(description="What tutoring believes they have learned.")
    days: list[DayOf] = Field(description="Sums over each day.")
    learning: LearningOf | None = Field(
        description="What feedback taught; null where it taught nothing."
    )
    feedback: list[Feedback] = Field(description="What they said about their turns.")
    turns: list[TurnOf] = Field(description="Their recorded turns.")


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
