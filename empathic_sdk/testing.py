"""Fakes for tests of your own: a recogniser, a language model and a store that do as they are told.

None of it needs weights, a network or a test framework, and importing it is light::

    from empathic_sdk import EmotionAwareAgent
    from empathic_sdk.testing import FakeRecognizer, MemoryStore, ScriptedModel

    with EmotionAwareAgent(
        ScriptedModel("Tell me more."),
        recognizer=FakeRecognizer({"exam": "sadness"}),
        store=MemoryStore(),
    ) as agent:
        turn = agent.respond("I failed the exam.", user="ada")
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import Enum
from types import EllipsisType
from typing import Any

from empathic_sdk.errors import ConfigurationError, InputError
from empathic_sdk.policy import Deployment
from empathic_sdk.profiles import ProfileStore
from empathic_sdk.style import PACINGS, THEMES, TONES
from empathic_sdk.types import (
    ChatMessage,
    Emotion,
    EmotionState,
    Mastery,
    Modality,
    OverrideUse,
    ResponseStyle,
    SafetyAssessment,
    Strategy,
    Turn,
    UserContext,
    Utterance,
)
from empathic_sdk.types.emotion import MOOD

__all__ = [
    "HANG",
    "FakeRecognizer",
    "FakeSession",
    "MemoryStore",
    "ScriptedModel",
    "state",
    "turn",
]


def state(
    label: Emotion | str = Emotion.NEUTRAL, *, confidence: float = 0.8, **fields: Any
) -> EmotionState:
    """Return a whole :class:`EmotionState` from as little as its label.

    Args:
        label: What is shown.
        confidence: Its probability; the rest is shared by the other six.
        fields: Any field of :class:`EmotionState`, in place of what follows from the label.

    Raises:
        InputError: The label is no emotion, or a field is wrong.
    """
    try:
        label = Emotion(label)
    except ValueError:
        raise InputError(f"{label!r} is no emotion; there are: {', '.join(Emotion)}") from None
    rest = (1.0 - confidence) / (len(Emotion) - 1)
    made: dict[str, Any] = {
        "label": label,
        "probabilities": {e: confidence if e is label else rest for e in Emotion},
        "confidence": confidence,
        "uncertain": False,
        "valence": 0.5 * MOOD[label],
        "arousal": 0.0,
        "intensity": 0.6,
        "contributions": {Modality.TEXT: 1.0},
    }
    return EmotionState(**{**made, **fields})


def turn(
    reply: str = "I am listening.",
    *,
    emotion: EmotionState | Emotion | str = "neutral",
    **fields: Any,
) -> Turn:
    """Return a whole :class:`Turn` from as little as its reply.

    Args:
        reply: What was answered.
        emotion: What the person showed: a state, or a label for :func:`state`.
        fields: Any field of :class:`Turn`, in place of the defaults: ``id="turn-1"``,
            ``user="ada"``, ``conversation="main"``, no risk, a warm tone.

    Raises:
        InputError: A field is wrong.
    """
    made: dict[str, Any] = {
        "id": "turn-1",
        "reply": reply,
        "emotion": emotion if isinstance(emotion, EmotionState) else state(emotion),
        "style": ResponseStyle(tone=TONES["warm"], pacing=PACINGS["even"], theme=THEMES["paper"]),
        "strategy": Strategy.QUESTION,
        "safety": SafetyAssessment(),
        "responder": "scripted",
        "user": "ada",
        "conversation": "main",
    }
    return Turn(**{**made, **fields})


class FakeRecognizer:
    """Shows the emotions that a script says; fits ``Recognizer``.

    Args:
        script: Either what to show by what is said: the first key that occurs in the text (case
            does not matter) tells; or what to show one after the other in each dialogue, the last
            one from then on. Values are states, or labels for :func:`state`.
        default: Shown where the script says nothing.
        deployment: Where it claims to run; the strict default otherwise.

    Attributes:
        said: Every utterance that it was given, in order.
        text: ``None``: there are no text vectors, and the safety protocol judges by its patterns.

    Raises:
        ConfigurationError: The script is empty, or a value is no state and no label.

    Thread-safe.
    """

    text = None

    def __init__(
        self,
        script: Mapping[str, EmotionState | str] | Sequence[EmotionState | str] = ("neutral",),
        *,
        default: EmotionState | str = "neutral",
        deployment: Deployment | None = None,
    ) -> None:
        if isinstance(script, str) or not script:
            raise ConfigurationError("a script is a mapping or a sequence with something in it")
        self._by_words: dict[str, EmotionState] = {}
        self._in_turn: list[EmotionState] = []
        if isinstance(script, Mapping):
            self._by_words = {words.lower(): _shown(value) for words, value in script.items()}
        else:
            self._in_turn = [_shown(value) for value in script]
        self._default = _shown(default)
        self.deployment = deployment or Deployment()
        self.said: list[Utterance] = []

    def recognize(
        self, utterance: Utterance | str, *, user: UserContext | None = None
    ) -> EmotionState:
        """Return what the script says of one utterance, as of the first of a dialogue."""
        return self.session(user).add(utterance)

    def recognize_dialogue(
        self, utterances: Iterable[Utterance | str], *, user: UserContext | None = None
    ) -> list[EmotionState]:
        """Return what the script says of each."""
        session = self.session(user)
        return [session.add(utterance) for utterance in utterances]

    def session(self, user: UserContext | None = None) -> FakeSession:
        """Open a dialogue."""
        return FakeSession(self, user or UserContext())

    def shown(self, said: Utterance, place: int) -> EmotionState:
        """Return what the script says of the utterance at a place (from 0) of its dialogue."""
        self.said.append(said)
        if self._in_turn:
            return self._in_turn[min(place, len(self._in_turn) - 1)]
        text = (said.text or "").lower()
        found = (shown for words, shown in self._by_words.items() if words in text)
        return next(found, self._default)


class FakeSession:
    """One dialogue of a :class:`FakeRecognizer`; its state is how many utterances there were."""

    def __init__(self, recognizer: FakeRecognizer, user: UserContext) -> None:
        self.user = user
        self._recognizer = recognizer
        self._count = 0

    def add(self, utterance: Utterance | str) -> EmotionState:
        """Return what the script says of the next utterance."""
        shown = self._recognizer.shown(Utterance.of(utterance), self._count)
        self._count += 1
        return shown

    def state(self) -> bytes:
        """Return all that the next ``add`` depends on."""
        return json.dumps({"fake": self._count}).encode()

    def restore(self, state: bytes) -> None:
        """Continue from what :meth:`state` returned.

        Raises:
            InputError: It is anything else.
        """
        try:
            count = json.loads(state)["fake"]
        except (ValueError, KeyError, TypeError) as error:
            raise InputError("these bytes are not the state of a fake session") from error
        if type(count) is not int or count < 0:
            raise InputError("these bytes are not the state of a fake session")
        self._count = count


class _Wait(Enum):
    HANG = "hang"


HANG = _Wait.HANG
"""In a script: the model says nothing until :meth:`ScriptedModel.release`."""

Scripted = str | Exception | _Wait | Callable[[Sequence[ChatMessage]], str]


class ScriptedModel:
    """Says what a script says; fits ``LanguageModel``.

    Args:
        script: What it answers to one request after the other, the last one from then on: a text,
            which is streamed word by word; a function from the messages to one; an exception, which
            is raised; or :data:`HANG`.
        name: What ``Turn.responder`` shows.
        patience_s: Seconds that :data:`HANG` lasts at most, so that no test waits for ever.

    Attributes:
        sent: The messages of every request, in order.

    Raises:
        ConfigurationError: There is nothing in the script, or something that cannot be said.

    Thread-safe.
    """

    def __init__(self, *script: Scripted, name: str = "scripted", patience_s: float = 30.0) -> None:
        for item in script:
            if not (isinstance(item, str | Exception | _Wait) or callable(item)):
                raise ConfigurationError(f"a model cannot say {item!r}")
        if not script:
            raise ConfigurationError("a script needs at least one answer")
        self.name = name
        self.sent: list[tuple[ChatMessage, ...]] = []
        self._script = script
        self._patience_s = patience_s
        self._released = threading.Event()
        self._lock = threading.Lock()

    def stream(self, messages: Sequence[ChatMessage]) -> Iterator[str]:
        """Yield the next answer of the script in pieces."""
        with self._lock:
            item = self._script[min(len(self.sent), len(self._script) - 1)]
            self.sent.append(tuple(messages))
        return self._pieces(item, messages)

    def _pieces(self, item: Scripted, messages: Sequence[ChatMessage]) -> Iterator[str]:
        if isinstance(item, Exception):
            raise item
        if isinstance(item, _Wait):
            self._released.wait(self._patience_s)
            return
        text = item if isinstance(item, str) else item(messages)
        first, *others = text.split(" ")
        yield first
        for word in others:
            yield f" {word}"

    def release(self) -> None:
        """Let every request that hangs end, now and from now on."""
        self._released.set()


class MemoryStore(ProfileStore):
    """A profile store in memory that remembers what it was given, and fails when it is told to.

    Everything else is :class:`~empathic_sdk.ProfileStore`, so what passes with one passes with the
    other.

    Attributes:
        recorded: Every turn that was recorded, whole, in order; erasing a user removes theirs.
        fail: While it is an exception, ``get`` and ``record`` raise it.
    """

    def __init__(self) -> None:
        super().__init__(None)
        self.recorded: list[Turn] = []
        self.fail: Exception | None = None
        self.on_erase(self._drop)

    def get(self, user: str) -> UserContext:
        """Return what is known of ``user``, or raise what it was told to."""
        if self.fail is not None:
            raise self.fail
        return super().get(user)

    def record(
        self,
        turn: Turn,
        *,
        text: str | None = None,
        keep_text: bool = False,
        session: bytes | None = None,
        mastery: Mapping[str, Mastery] | None = None,
        since: datetime | None = None,
        override: OverrideUse | None = None,
        expected: bytes | EllipsisType | None = ...,
    ) -> None:
        """Store a finished turn, or raise what it was told to."""
        if self.fail is not None:
            raise self.fail
        super().record(
            turn, text=text, keep_text=keep_text, session=session, mastery=mastery, since=since,
            override=override, expected=expected,
        )  # fmt: skip
        # Nothing was stored where the person was erased meanwhile, and nothing twice.
        stored = any(row["id"] == turn.id for row in self.turns(turn.user, limit=1))
        if stored and all((one.user, one.id) != (turn.user, turn.id) for one in self.recorded):
            self.recorded.append(turn)

    def _drop(self, user: str) -> None:
        self.recorded = [one for one in self.recorded if one.user != user]


def _shown(value: EmotionState | str) -> EmotionState:
    if isinstance(value, EmotionState):
        return value
    try:
        return state(value)
    except InputError as error:
        raise ConfigurationError(str(error)) from error
