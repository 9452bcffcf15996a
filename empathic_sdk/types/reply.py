"""One turn as a value that grows, and what a responder gives."""

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
"""How many template digests a memory keeps."""

STRATEGIES = 12
"""How many past strategies a memory keeps."""


class ResponderMemory(Value):
    """What a responder remembers from turn to turn. Small, JSON both ways, no words of a person.

    Attributes:
        recent: Digests of the templates used lately, oldest first (at most :data:`RECENT`).
        strategies: Strategies used lately, oldest first (at most :data:`STRATEGIES`).
        turns: How many replies were given in this conversation.
        topic: Coarse subject of the conversation (``school``, ...), if one was noticed.
        level: Safety level of the last turn: hand it to ``assess(..., previous=)``.
        risk: What the last worrying turn was about (``suicide self_harm abuse harm harm_done``).
        since_lines: Turns since the full help lines were shown; ``None`` where they never were.
        profile_used: Whether the profile was already mentioned in this conversation.
        advice: ``offered`` where the last reply offered ideas, ``declined`` from when the person
            said that they want none until they ask for some, else ``open``.
        tutoring: The lesson so far; ``None`` outside tutoring.
    """

    recent: tuple[str, ...] = ()
    strategies: tuple[Strategy, ...] = ()
    turns: Annotated[int, Field(ge=0)] = 0
    topic: str | None = None
    level: SafetyLevel = SafetyLevel.NONE
    risk: str | None = None
    since_lines: Annotated[int, Field(ge=0)] | None = None
    profile_used: bool = False
    advice: Literal["open", "offered", "declined"] = "open"
    tutoring: TutorState | None = None


class TurnContext(HookContext):
    """One turn as it grows: what was said and read, then what the safety protocol found.

    Everything that a step of a turn may use stands here once. :class:`HookContext` is the part of
    it that holds no words; :class:`ReplyContext` adds the style, :class:`AnsweredContext` the
    reply.

    Attributes:
        text: What the person wrote or said; may be empty (a face or a voice alone).
        at: When it was said (``Utterance.at``), if that is known: how long an answer took.
        conversation: Name of the conversation; part of the seed of every choice.
        memory: What the last :class:`Reply` of this conversation returned.
        before: The last utterances in words, oldest first, for the safety protocol.
        previous: Safety level of the last turn.
        asked: Whether the last reply asked directly about suicide or self-harm.
        gives_up: Whether the words only give up an exercise: no sign of a low mood.
        past: Earlier turns of this conversation in words, oldest first; only a language model
            gets any.
        text_vector: Text vector of ``text``, which the learned planner reads; empty where none
            is known, and then the rules plan.
        reply_vector: Text vector of the reply before it, if it is known.
    """

    text: str
    at: float | None = None
    conversation: str = ""
    memory: ResponderMemory = Field(default_factory=ResponderMemory)
    before: tuple[Remark, ...] = ()
    previous: SafetyLevel = SafetyLevel.NONE
    asked: bool = False
    gives_up: bool = False
    past: tuple[Exchange, ...] = ()
    text_vector: tuple[float, ...] = ()
    reply_vector: tuple[float, ...] = ()

    def for_hooks(self) -> HookContext:
        """Return what hooks may see of it."""
        return HookContext(**{name: getattr(self, name) for name in HookContext.model_fields})

    def assessed(self, safety: SafetyAssessment) -> TurnContext:
        """Return it with what the safety protocol found."""
        return self.model_copy(update={"safety": safety})

    def styled(self, style: ResponseStyle) -> ReplyContext:
        """Return it with what the hooks decided."""
        return ReplyContext(**dict(self), style=style)


class ReplyContext(TurnContext):
    """Everything a responder may use for one reply.

    Attributes:
        style: Tone, pacing and theme that the hooks decided.
    """

    style: ResponseStyle

    def answered(self, reply: Reply) -> AnsweredContext:
        """Return it with the reply."""
        return AnsweredContext(**dict(self), reply=reply)


class Reply(Value):
    """One reply.

    A responder of your own needs to give the sentences alone: the safety protocol, its memory and
    the strategy are taken from the embedded reply (see ``types.protocols.Responder``).

    Attributes:
        sentences: What to say, a sentence an item; never empty.
        strategy: Its support strategy.
        safety: The assessment that came in, with ``actions`` and ``help_lines`` filled.
        memory: To hand in with the next turn of the same conversation.
        learning: How the learner is doing; ``None`` outside tutoring, and so are the next two.
        exercise: What waits for an answer now.
        answer: What became of the answer in this turn.
        mastery: Estimates that changed in this turn, for the profile.
        responder: Who answered.
        fallbacks: What went wrong on the way.
    """

    sentences: Annotated[tuple[str, ...], Field(min_length=1)]
    strategy: Strategy = Strategy.OTHERS
    safety: SafetyAssessment = Field(default_factory=SafetyAssessment)
    memory: ResponderMemory = Field(default_factory=ResponderMemory)
    learning: LearningState | None = None
    exercise: Exercise | None = None
    answer: Answer | None = None
    mastery: dict[str, Mastery] = Field(default_factory=dict)
    responder: str = "embedded"
    fallbacks: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The sentences, joined by a space."""
        return " ".join(self.sentences)


class AnsweredContext(ReplyContext):
    """A whole turn, before it is recorded.

    Attributes:
        reply: What is said, and what was done about the safety of the person.
    """

    reply: Reply
