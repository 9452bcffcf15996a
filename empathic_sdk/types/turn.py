"""Output of an agent: a finished turn, and the events of a streamed one."""

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
    """One finished turn. ``Turn.model_validate_json(turn.model_dump_json()) == turn``."""

    id: str = Field(description="Name of the turn in the store.")
    reply: str = Field(description="What to say.")
    emotion: EmotionState = Field(description="What the person showed.")
    style: ResponseStyle = Field(description="How the reply is meant to sound, come and look.")
    strategy: Strategy = Field(description="Support strategy of the reply.")
    safety: SafetyAssessment = Field(description="What the safety protocol found and did.")
    responder: str = Field(
        description="Who answered: `embedded`, or the name of a language model or responder."
    )
    fallbacks: tuple[str, ...] = Field(
        default=(),
        description="What went wrong on the way and who stepped in; empty on a normal turn.",
    )
    timings: dict[str, float] = Field(
        default_factory=dict,
        description="Milliseconds per step (`recognize`, `hooks`, `respond`, `record`, `total`).",
    )
    user: str = Field(description="Name of the user whose turn it is.")
    conversation: str = Field(description="Name of the conversation that it belongs to.")
    learning: LearningState | None = Field(
        default=None,
        description="How the learner is doing; `None` outside tutoring.",
    )
    exercise: Exercise | None = Field(
        default=None,
        description="What waits for an answer after this turn; `None` where nothing does.",
    )
    answer: Answer | None = Field(
        default=None,
        description="What became of the answer in this turn; `None` where there was none.",
    )
    proposals: tuple[Proposal, ...] = Field(
        default=(),
        description=(
            "What they asked for that could be remembered, if they agree (`agent.accept(turn.id, "
            "user=...)`). Not stored with the turn."
        ),
    )


class StateEvent(Value):
    """First event of a stream: the recognised state, and the style of the reply."""

    kind: Literal["state"] = Field(default="state", description="Always `state`.")
    emotion: EmotionState = Field(description="What the person showed.")
    style: ResponseStyle = Field(description="How the reply is meant to sound, come and look.")
    safety: SafetyAssessment = Field(description="What the safety protocol found.")


class SentenceEvent(Value):
    """One sentence of the reply."""

    kind: Literal["sentence"] = Field(default="sentence", description="Always `sentence`.")
    text: str = Field(description="The sentence.")


class TurnEvent(Value):
    """Last event of a stream: the finished turn."""

    kind: Literal["turn"] = Field(default="turn", description="Always `turn`.")
    turn: Turn = Field(description="The finished turn.")


StreamEvent = StateEvent | SentenceEvent | TurnEvent
