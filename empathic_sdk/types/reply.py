"""The context of a turn, which grows step by step, and the reply of a responder."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from empathic_sdk.types import (
    Answer,
    Exchange,
    Exercise,
    HookContext,
    LearningState,
    Mastery,
    ResponseStyle,
    SafetyAssessment,
    SafetyLevel,
    Strategy,
)
from empathic_sdk.types.base import Value
from empathic_sdk.types.safety import Remark
from empathic_sdk.types.tutoring import TutorState

RECENT = 40
"""Template digests that a memory keeps."""

STRATEGIES = 12
"""Past strategies that a memory keeps."""


class ResponderMemory(Value):
    """A responder's memory between turns: small, JSON-serialisable, no words of a person."""

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


class TurnContext(HookContext):
    """Context of a turn: what was said and recognised, then what the safety protocol found.

    Everything that a step of a turn may use is here. :class:`HookContext` is the part of it that
    holds no words; :class:`ReplyContext` adds the style, :class:`AnsweredContext` the
    reply.
    """

    text: str = Field(
        description="What the person wrote or said; may be empty (a face or a voice alone)."
    )
    at: float | None = Field(
        default=None,
        description="When it was said (`Utterance.at`), if that is known: how long an answer took.",
    )
    conversation: str = Field(
        default="",
        description="Name of the conversation; part of the seed of every choice.",
    )
    memory: ResponderMemory = Field(
        default_factory=ResponderMemory,
        description="What the last `Reply` of this conversation returned.",
    )
    before: tuple[Remark, ...] = Field(
        default=(),
        description="The last utterances in words, oldest first, for the safety protocol.",
    )
    previous: SafetyLevel = Field(
        default=SafetyLevel.NONE,
        description="Safety level of the last turn.",
    )
    asked: bool = Field(
        default=False,
        description="Whether the last reply asked directly about suicide or self-harm.",
    )
    gives_up: bool = Field(
        default=False,
        description="Whether the words only give up an exercise: no sign of a low mood.",
    )
    past: tuple[Exchange, ...] = Field(
        default=(),
        description=(
            "Earlier turns of this conversation in words, oldest first; only a language model "
            "gets any."
        ),
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

    def for_hooks(self) -> HookContext:
        """Return the part that hooks may see."""
        return HookContext(**{name: getattr(self, name) for name in HookContext.model_fields})

    def assessed(self, safety: SafetyAssessment) -> TurnContext:
        """Return this context with the safety assessment."""
        return self.model_copy(update={"safety": safety})

    def styled(self, style: ResponseStyle) -> ReplyContext:
        """Return this context with the style that the hooks chose."""
        return ReplyContext(**dict(self), style=style)


class ReplyContext(TurnContext):
    """Everything a responder may use for one reply."""

    style: ResponseStyle = Field(description="Tone, pacing and theme that the hooks decided.")

    def answered(self, reply: Reply) -> AnsweredContext:
        """Return this context with the reply."""
        return AnsweredContext(**dict(self), reply=reply)


class Reply(Value):
    """One reply.

    A responder of your own needs to give the sentences alone: the safety protocol, its memory and
    the strategy are taken from the embedded reply (see
    :class:`~empathic_sdk.types.protocols.Responder`).
    """

    sentences: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="What to say, one sentence per item; never empty."
    )
    strategy: Strategy = Field(
        default=Strategy.OTHERS,
        description="Support strategy of the reply.",
    )
    safety: SafetyAssessment = Field(
        default_factory=SafetyAssessment,
        description="The assessment that came in, with `actions` and `help_lines` filled.",
    )
    memory: ResponderMemory = Field(
        default_factory=ResponderMemory,
        description="What to hand in with the next turn of the same conversation.",
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


class AnsweredContext(ReplyContext):
    """A whole turn, before it is recorded.

    Attributes:
        reply: What is said, and what was done about the safety of the person.
    """

    reply: Reply = Field(description="The reply.")
