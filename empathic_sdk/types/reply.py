"""What a responder gets and gives: frozen values of this room."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from empathic_sdk.types import (
    Answer,
    EmotionState,
    Exchange,
    Exercise,
    LearningState,
    Mastery,
    ResponseStyle,
    SafetyAssessment,
    SafetyLevel,
    Strategy,
    UserContext,
)
from empathic_sdk.types.base import Value
from empathic_sdk.types.tutoring import TutorState

RECENT = 40
"""How many template digests a memory keeps."""

STRATEGIES = 12
"""How many past strategies a memory keeps."""


class ResponderMemory(Value):
    """What a responder remembers from turn to turn. Small, JSON both ways, no words of a person."""

    recent: tuple[str, ...] = Field(
        default=(),
        description="Digests of the templates used lately, oldest first (at most `RECENT`).",
    )
    strategies: tuple[Strategy, ...] = Field(
        default=(),
        description="Strategies used lately, oldest first (at most `STRATEGIES`).",
    )
    turns: Annotated[int, Field(ge=0)] = Field(
        default=0,
        description="How many replies were given in this conversation.",
    )
    topic: str | None = Field(
        default=None,
        description=(
            "Coarse subject of the conversation (`school`, `loneliness`, ...), if one was noticed."
        ),
    )
    level: SafetyLevel = Field(
        default=SafetyLevel.NONE,
        description="Safety level of the last turn: hand it to `assess(..., previous=)`.",
    )
    risk: str | None = Field(
        default=None,
        description=(
            "What the last worrying turn was about (`suicide self_harm abuse harm harm_done`)."
        ),
    )
    since_lines: Annotated[int, Field(ge=0)] | None = Field(
        default=None,
        description="Turns since the full help lines were shown; `None` where they never were.",
    )
    profile_used: bool = Field(
        default=False,
        description="Whether the profile was already mentioned in this conversation.",
    )
    advice: Literal["open", "offered", "declined"] = Field(
        default="open",
        description=(
            "`offered` where the last reply offered ideas, `declined` from when the person said "
            "that they want none until they ask for some, else `open`."
        ),
    )
    tutoring: TutorState | None = Field(
        default=None,
        description="The lesson so far; `None` outside tutoring.",
    )


class ReplyContext(Value):
    """Everything a responder may use for one reply."""

    text: str = Field(
        description="What the person wrote or said; may be empty (a face or a voice alone)."
    )
    state: EmotionState = Field(description="What they show now.")
    history: tuple[EmotionState, ...] = Field(
        default=(),
        description="What they showed on earlier turns of this conversation, oldest first.",
    )
    style: ResponseStyle = Field(description="Tone, pacing and theme that the hooks decided.")
    safety: SafetyAssessment = Field(
        default_factory=SafetyAssessment,
        description="What the safety assessment found in `text`.",
    )
    user: UserContext = Field(
        default_factory=UserContext,
        description="What the profile knows of them.",
    )
    scenario: str = Field(
        default="counselling",
        description="Name of the scenario: `counselling`, `tutoring`, or one of your own.",
    )
    turn: Annotated[int, Field(ge=0)] = Field(
        default=0,
        description="How many turns this conversation had before, 0 on the first.",
    )
    conversation: str = Field(
        default="",
        description="Name of the conversation; part of the seed of every choice.",
    )
    memory: ResponderMemory = Field(
        default_factory=ResponderMemory,
        description="What the last `Reply` of this conversation returned.",
    )
    text_vector: tuple[float, ...] = Field(
        default=(),
        description=(
            "Text vector of `text`, which the learned planner reads; empty where none is known, "
            "and then the rules plan."
        ),
    )
    reply_vector: tuple[float, ...] = Field(
        default=(),
        description="Text vector of the agent's previous reply, if it is known; empty otherwise.",
    )
    at: float | None = Field(
        default=None,
        description="When it was said (`Utterance.at`), if that is known: how long an answer took.",
    )
    past: tuple[Exchange, ...] = Field(
        default=(),
        description=(
            "Earlier turns of this conversation in words, oldest first; only a language model "
            "gets any."
        ),
    )


class Reply(Value):
    """One reply."""

    sentences: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="What to say, one sentence per item; never empty."
    )
    strategy: Strategy = Field(description="Support strategy of the reply.")
    safety: SafetyAssessment = Field(
        description="The assessment that came in, with `actions` and `help_lines` filled."
    )
    memory: ResponderMemory = Field(
        description="What to hand in with the next turn of the same conversation."
    )
    learning: LearningState | None = Field(
        default=None,
        description="How the learner is doing; `None` outside tutoring.",
    )
    exercise: Exercise | None = Field(
        default=None,
        description="The exercise that waits for an answer now; `None` where none does.",
    )
    answer: Answer | None = Field(
        default=None,
        description="What became of the answer in this turn; `None` where there was none.",
    )
    mastery: dict[str, Mastery] = Field(
        default_factory=dict,
        description="Estimates of mastery that changed in this turn, for the profile.",
    )
    responder: str = Field(
        default="embedded",
        description="Who answered: `embedded`, or the name of a language model or responder.",
    )
    fallbacks: tuple[str, ...] = Field(
        default=(),
        description="What went wrong on the way and who stepped in; empty on a normal turn.",
    )

    @property
    def text(self) -> str:
        """The sentences, joined by a space."""
        return " ".join(self.sentences)
