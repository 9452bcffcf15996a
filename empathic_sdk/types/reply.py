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
    """What a responder remembers from turn to turn. Small, JSON both ways, no words of a person.

    Attributes:
        recent: Digests of the templates used lately, oldest first (at most :data:`RECENT`).
        strategies: Strategies used lately, oldest first (at most :data:`STRATEGIES`).
        turns: How many replies were given in this talk.
        topic: Coarse subject of the talk (``school``, ``loneliness``, ...), if one was noticed.
        level: Safety level of the last turn: hand it to ``assess(..., previous=)``.
        risk: What the last worrying turn was about (``suicide self_harm abuse harm harm_done``).
        since_lines: Turns since the full help lines were shown; ``None`` where they never were.
        profile_used: Whether the profile was already mentioned in this talk.
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


class ReplyContext(Value):
    """Everything a responder may use for one reply.

    Attributes:
        text: What the person wrote or said; may be empty (a face or a voice alone).
        state: What they show now.
        history: What they showed on earlier turns of this talk, oldest first.
        style: Tone, pacing and theme that the hooks decided.
        safety: What :func:`~empathic_sdk.safety.assessment.assess_turn` found in ``text``.
        user: What the profile knows of them.
        scenario: ``counselling`` or ``tutoring``.
        turn: How many turns this talk had before, 0 on the first.
        conversation: Name of the talk; part of the seed of every choice.
        memory: What the last :class:`Reply` of this talk returned.
        text_vector: Text vector of ``text``, which the learned planner reads; empty where none
            is known, and then the rules plan.
        reply_vector: Text vector of the reply before it, if it is known.
        at: When it was said (``Utterance.at``), if that is known: how long an answer took.
        past: Earlier turns of this talk in words, oldest first; only a language model gets any.
    """

    text: str
    state: EmotionState
    history: tuple[EmotionState, ...] = ()
    style: ResponseStyle
    safety: SafetyAssessment = Field(default_factory=SafetyAssessment)
    user: UserContext = Field(default_factory=UserContext)
    scenario: str = "counselling"
    turn: Annotated[int, Field(ge=0)] = 0
    conversation: str = ""
    memory: ResponderMemory = Field(default_factory=ResponderMemory)
    text_vector: tuple[float, ...] = ()
    reply_vector: tuple[float, ...] = ()
    at: float | None = None
    past: tuple[Exchange, ...] = ()


class Reply(Value):
    """One reply.

    Attributes:
        sentences: What to say, a sentence an item; never empty.
        strategy: Its support strategy.
        safety: The assessment that came in, with ``actions`` and ``help_lines`` filled.
        memory: To hand in with the next turn of the same talk.
        learning: How the learner is doing; ``None`` outside tutoring, and so are the next two.
        exercise: What waits for an answer now.
        answer: What became of the answer in this turn.
        mastery: Estimates that changed in this turn, for the profile.
        responder: Who answered.
        fallbacks: What went wrong on the way.
    """

    sentences: Annotated[tuple[str, ...], Field(min_length=1)]
    strategy: Strategy
    safety: SafetyAssessment
    memory: ResponderMemory
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
