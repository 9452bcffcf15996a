"""An agent of the public shape, without a model: it feels what it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from empathic_sdk import (
    HelpLine,
    ProfileStore,
    SafetyAssessment,
    SafetyLevel,
    SentenceEvent,
    StateEvent,
    Strategy,
    Turn,
    TurnEvent,
    Utterance,
)
from empathic_sdk.types import StreamEvent
from tests.demo.test_panels import state, style

LINE = HelpLine(name="Lifeline", contact="988", hours="24/7")


class FakeAgent:
    """Answers everything with two sentences; ``danger`` in a text raises the level."""

    def __init__(self, profiles: ProfileStore | None = None) -> None:
        self.profiles = profiles or ProfileStore()
        self.told: list[dict[str, Any]] = []
        self.hold = asyncio.Event()
        self.hold.set()
        self.fail: Exception | None = None

    def notice(self) -> str:
        return "You are talking with an AI."

    async def astream(
        self, utterance: str, *, user: str, conversation: str | None = None
    ) -> AsyncIterator[StreamEvent]:
        text = Utterance.of(utterance).text or ""
        if self.fail is not None:
            raise self.fail
        await self.hold.wait()
        safety = SafetyAssessment()
        if "danger" in text:
            safety = SafetyAssessment(level=SafetyLevel.HIGH, help_lines=(LINE,))
        turn = Turn(
            id=f"t{len(self.profiles.turns(user))}",
            reply="One. Two.",
            emotion=state(),
            style=style(),
            strategy=Strategy.QUESTION,
            safety=safety,
            responder="fake",
            user=user,
            conversation=conversation or "c",
        )
        self.profiles.record(turn)
        yield StateEvent(emotion=turn.emotion, style=turn.style, safety=safety)
        yield SentenceEvent(text="One.")
        yield SentenceEvent(text="Two.")
        yield TurnEvent(turn=turn)

    async def afeedback(self, turn_id: str, **said: Any) -> None:
        self.profiles.feedback(turn_id, **said)
        self.told.append({"turn": turn_id, **said})
