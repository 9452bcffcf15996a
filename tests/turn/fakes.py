"""Parts of somebody's own, as plain as they can be."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from empathic_sdk.errors import ConflictError
from empathic_sdk.types import (
    Emotion,
    EmotionState,
    SafetyAssessment,
    Turn,
    UserContext,
    Utterance,
)
from empathic_sdk.types.reply import Reply, ReplyContext, TurnContext
from tests.replying import make_state


class CountingSession:
    """Reads every utterance as the next emotion, and knows how many there were."""

    def __init__(self, user: UserContext) -> None:
        self.user = user
        self.count = 0

    def add(self, utterance: Utterance | str, /) -> EmotionState:
        self.count += 1
        made: EmotionState = make_state(list(Emotion)[self.count % 7])
        return made

    def state(self) -> bytes:
        return b"\xffcount %d" % self.count  # not even text

    def restore(self, state: bytes, /) -> None:
        self.count = int(state.split()[1])


class CountingRecognizer:
    """A recogniser without any network."""

    text = None

    def recognize(self, utterance: Utterance | str, /) -> EmotionState:
        return self.session().add(utterance)

    def recognize_dialogue(self, utterances: Iterable[Utterance | str], /) -> list[EmotionState]:
        session = self.session()
        return [session.add(utterance) for utterance in utterances]

    def session(self, user: UserContext | None = None, /) -> CountingSession:
        return CountingSession(user or UserContext())


class Notebook:
    """A store that fits the protocol and nothing else: dicts in memory."""

    def __init__(self) -> None:
        self.rows: list[Turn] = []
        self.sessions: dict[tuple[str, str], bytes] = {}
        self.notes: list[Any] = []
        self.forgetters: list[Callable[[str], object]] = []

    def get(self, user: str, /) -> UserContext:
        return UserContext(user=user, turns=sum(t.user == user for t in self.rows))

    def record(
        self,
        turn: Turn,
        /,
        *,
        text: str | None = None,
        keep_text: bool = False,
        session: bytes | None = None,
        mastery: Any = None,
        since: datetime | None = None,
        override: Any = None,
        expected: Any = ...,
    ) -> None:
        if expected is not ... and expected != self.session(turn.user, turn.conversation):
            raise ConflictError("it went on elsewhere")
        self.rows.append(turn)
        if session is not None:
            self.sessions[turn.user, turn.conversation] = session

    def session(self, user: str, conversation: str, /) -> bytes | None:
        return self.sessions.get((user, conversation))

    def turns(
        self, user: str, /, *, conversation: str | None = None, limit: int | None = None
    ) -> list[dict[str, Any]]:
        found = [t.model_dump(mode="json") for t in self.rows if t.user == user]
        return found[-limit:] if limit else found

    def feedback(
        self, turn_id: str, /, *, user: str, emotion: Any = None, rating: int | None = None
    ) -> None:
        self.notes.append((turn_id, emotion, rating))

    def adopt(self, user: str, proposals: Iterable[Any], /) -> None:
        self.notes.extend((p.name, p.value) for p in proposals)

    def on_erase(self, forget: Callable[[str], object], /) -> Callable[[], None]:
        self.forgetters.append(forget)
        return lambda: self.forgetters.remove(forget)


class Parrot:
    """A responder that says what it was told to."""

    name = "parrot"

    def __init__(self, *sentences: str) -> None:
        self.sentences = sentences
        self.seen: list[ReplyContext] = []

    def reply(self, context: ReplyContext, /) -> Reply:
        self.seen.append(context)
        return Reply(sentences=self.sentences)


class Calm:
    """An assessor that finds nothing, and keeps what it was shown."""

    def __init__(self, found: Any = None) -> None:
        self.found = found or SafetyAssessment()
        self.seen: list[TurnContext] = []

    def assess(self, context: TurnContext, /) -> SafetyAssessment:
        self.seen.append(context)
        if isinstance(self.found, Exception):
            raise self.found
        made: SafetyAssessment = self.found
        return made
