"""What comes out: a finished turn, and the events of a streamed one."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from empathic_sdk.types.base import Value
from empathic_sdk.types.emotion import EmotionState, LearningState
from empathic_sdk.types.learning import Answer, Exercise
from empathic_sdk.types.profile import Proposal
from empathic_sdk.types.safety import SafetyAssessment
from empathic_sdk.types.style import ResponseStyle


class Strategy(StrEnum):
    """The eight support strategies of ESConv (Liu et al. 2021)."""

    QUESTION = "question"
    RESTATEMENT = "restatement"
    REFLECTION = "reflection_of_feelings"
    SELF_DISCLOSURE = "self_disclosure"
    AFFIRMATION = "affirmation_and_reassurance"
    SUGGESTIONS = "providing_suggestions"
    INFORMATION = "information"
    OTHERS = "others"


class Turn(Value):
    """One finished turn. ``Turn.model_validate_json(turn.model_dump_json()) == turn``.

    Attributes:
        id: Its name in the store.
        reply: What to say.
        emotion: What the person showed.
        style: How the reply is meant to sound, come and look.
        strategy: Support strategy of the reply.
        safety: What the safety protocol found and did.
        responder: Who answered (``embedded``, or the name of a language model).
        fallbacks: What went wrong on the way and who stepped in; empty on a normal turn.
        timings: Milliseconds a step (``recognize``, ``hooks``, ``respond``, ``record``, ``total``).
        user: Whose turn.
        conversation: In which talk.
        learning: How the learner is doing; ``None`` outside tutoring.
        exercise: What waits for an answer after this turn; ``None`` where nothing does.
        answer: What became of the answer in this turn; ``None`` where there was none.
        proposals: What they asked for that could be remembered, if they agree
            (``agent.accept(turn.id, user=...)``). Not stored with the turn.
    """

    id: str
    reply: str
    emotion: EmotionState
    style: ResponseStyle
    strategy: Strategy
    safety: SafetyAssessment
    responder: str
    fallbacks: tuple[str, ...] = ()
    timings: dict[str, float] = Field(default_factory=dict)
    user: str
    conversation: str
    learning: LearningState | None = None
    exercise: Exercise | None = None
    answer: Answer | None = None
    proposals: tuple[Proposal, ...] = ()


class StateEvent(Value):
    """First event of a stream: what was noticed, and how the answer will come."""

    kind: Literal["state"] = "state"
    emotion: EmotionState
    style: ResponseStyle
    safety: SafetyAssessment


class SentenceEvent(Value):
    """One sentence of the reply."""

    kind: Literal["sentence"] = "sentence"
    text: str


class TurnEvent(Value):
    """Last event of a stream: the finished turn."""

    kind: Literal["turn"] = "turn"
    turn: Turn


StreamEvent = StateEvent | SentenceEvent | TurnEvent
