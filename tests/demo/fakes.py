"""An agent of the public shape, without a model: it feels what it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from empathic_sdk import (
    Deployment,
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
from empathic_sdk.demo.guard import SCOPE, Bound
from empathic_sdk.types import StreamEvent, UserContext
from tests.demo.test_panels import state, style


@dataclass
class Request:
    """A Gradio request as a handler gets it, of a page that the guard has seen."""

    session_hash: str
    username: str | None = None
    visitor: str = ""

    @property
    def request(self) -> Any:
        bound = Bound(self.visitor or f"cookie-of-{self.session_hash}", self.session_hash)
        return SimpleNamespace(scope={SCOPE: bound})


LINE = HelpLine(name="Lifeline", contact="988", hours="24/7")


class FakeRecognizer:
    """Understands the words "spoken words" in every sound."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.listened: list[UserContext] = []

    def listen(self, said: Utterance, person: UserContext) -> Utterance:
        self.listened.append(person)
        return said.model_copy(update={"text": "spoken words"})


class FakeAgent:
    """Answers everything with two sentences; ``danger`` in a text raises the level."""

    def __init__(
        self, profiles: ProfileStore | None = None, *, context: Any = "personal", **turn: Any
    ) -> None:
        self.profiles = profiles or ProfileStore()
        self.recognizer = FakeRecognizer(Deployment(context=context))
        self.told: list[dict[str, Any]] = []
        self.heard: list[Utterance] = []
        self.hold = asyncio.Event()
        self.hold.set()
        self.fail: Exception | None = None
        self.turn = turn

    def notice(self) -> str:
        return "You are talking with an AI."

    def transfers(self, *, user: str, conversation: str) -> Any:
        return None

    async def astream(
        self, utterance: Utterance | str, *, user: str, conversation: str | None = None
    ) -> AsyncIterator[StreamEvent]:
        said = Utterance.of(utterance)
        self.heard.append(said)
        if self.fail is not None:
            raise self.fail
        await self.hold.wait()
        safety = SafetyAssessment()
        if "danger" in (said.text or ""):
            safety = SafetyAssessment(level=SafetyLevel.HIGH, help_lines=(LINE,))
        given: dict[str, Any] = {
            "id": f"t{len(self.profiles.turns(user))}",
            "reply": "One. Two.",
            "emotion": state(),
            "style": style(),
            "strategy": Strategy.QUESTION,
            "safety": safety,
            "responder": "fake",
            "user": user,
            "conversation": conversation or "c",
            "timings": {"recognize": 20.0, "total": 30.0},
        }
        turn = Turn(**(given | self.turn))
        self.profiles.record(turn)
        yield StateEvent(emotion=turn.emotion, style=turn.style, safety=safety)
        yield SentenceEvent(text="One.")
        yield SentenceEvent(text="Two.")
        yield TurnEvent(turn=turn)

    async def afeedback(self, turn_id: str, **said: Any) -> None:
        self.profiles.feedback(turn_id, **said)
        self.told.append({"turn": turn_id, **said})
