"""Protocols: any object that fits one can be plugged in.

===========================  =====================================  =============================
protocol                     where it goes                          what ships
===========================  =====================================  =============================
:class:`Recognizer`          ``EmotionAwareAgent(recognizer=)``     ``EmotionRecognizer``
:class:`Session`             what a recogniser opens                ``DialogueSession``
:class:`Encoder`             ``EmotionRecognizer(speech=, ...)``    ``SpeechEncoder``, ...
:class:`DialogueModel`       ``EmotionRecognizer(dialogue=)``       ``MDGET``, as a checkpoint
:class:`DialogueState`       what a dialogue model opens            inside the session
:class:`ProbabilityEncoder`  ``EmotionRecognizer(channels=)``       none
:class:`SafetyAssessor`      ``EmotionAwareAgent(safety=)``         ``RiskAssessor``
:class:`Responder`           ``EmotionAwareAgent(responder=)``      ``EmbeddedResponder``
:class:`LanguageModel`       ``EmotionAwareAgent(llm=)``            adapters in ``llm``
:class:`Store`               ``EmotionAwareAgent(store=)``          ``ProfileStore``
:class:`DayStore`            the same, and ``agent.watch`` works    ``ProfileStore``
:class:`Scenario`            ``EmotionAwareAgent(scenario=)``       two, by their names
:class:`Agent`               what takes turns                       ``EmotionAwareAgent``
===========================  =====================================  =============================
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from types import EllipsisType
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.types.chat import LanguageModel
from empathic_sdk.types.consent import OverrideUse
from empathic_sdk.types.dialogue import DialogueStep
from empathic_sdk.types.emotion import Emotion, EmotionState, Modality
from empathic_sdk.types.features import Embedding
from empathic_sdk.types.learning import Mastery
from empathic_sdk.types.monitor import DaySummary
from empathic_sdk.types.profile import Proposal
from empathic_sdk.types.reply import Reply, ReplyContext, TurnContext
from empathic_sdk.types.safety import SafetyAssessment
from empathic_sdk.types.turn import StreamEvent, Turn
from empathic_sdk.types.user import UserContext
from empathic_sdk.types.utterance import Utterance

__all__ = [
    "Agent", "DayStore", "DialogueModel", "DialogueState", "Encoder", "LanguageModel",
    "ProbabilityEncoder", "Recognizer", "Responder", "SafetyAssessor", "Scenario", "Session",
    "Store",
]  # fmt: skip


class Session(Protocol):
    """A recogniser's handle on one dialogue; used by one thread at a time.

    Attributes:
        user: Whose dialogue; what they consent to may change from turn to turn, so it is set
            before every turn.
    """

    user: UserContext

    def add(self, utterance: Utterance | str, /) -> EmotionState:
        """Return the state of this utterance, given those before it."""
        ...

    def state(self) -> bytes:
        """Return everything that the next ``add`` depends on: derived values, never words."""
        ...

    def restore(self, state: bytes, /) -> None:
        """Continue from what ``state`` returned; raise ``InputError`` for anything else."""
        ...


@runtime_checkable
class Recognizer(Protocol):
    """Recognises emotion in utterances, as :class:`~empathic_sdk.EmotionRecognizer` does.

    What may not be processed is removed before an utterance reaches it. Optional attributes that
    an agent uses: ``deployment`` (a ``Deployment``; without one only text is read);
    ``listen(utterance, user)``, which adds the words of a recording; ``dialogue``, not ``None``
    where the agent's replies are to be read, too; ``text``, the ``TextEncoder`` that the safety
    protocol shares (without the attribute the one that ships is loaded; with ``None`` only the
    patterns judge).
    """

    def recognize(self, utterance: Utterance | str, /) -> EmotionState:
        """Return the state of one utterance without context."""
        ...

    def recognize_dialogue(self, utterances: Iterable[Utterance | str], /) -> list[EmotionState]:
        """Return the state of each utterance, given those before it."""
        ...

    def session(self, user: UserContext | None = None, /) -> Session:
        """Open a dialogue that takes one utterance at a time."""
        ...


@runtime_checkable
class Encoder(Protocol):
    """Encodes one modality of an utterance as one vector."""

    @property
    def width(self) -> int:
        """Length of a vector."""
        ...

    def encode(self, items: Sequence[Any], /) -> list[Embedding]:
        """Return one embedding per item."""
        ...


@runtime_checkable
class ProbabilityEncoder(Protocol):
    """Encodes one signal of an utterance as emotion probabilities. Thread-safe."""

    def encode(self, items: Sequence[Any], /) -> list[Embedding]:
        """Return one embedding per item, each with ``probabilities``, or with ``missing``."""
        ...


@runtime_checkable
class DialogueState(Protocol):
    """State of a dialogue model in one dialogue. Used by one thread at a time."""

    def step(
        self,
        speaker: str,
        features: Mapping[str, NDArray[np.float32]],
        weights: Mapping[str, float],
        /,
    ) -> DialogueStep:
        """Process the next utterance, causally.

        If it raises, the state must stay as it was.

        Args:
            speaker: A digest that is the same for the same speaker.
            features: float32 ``[width]`` by modality: those that are present, at least one.
            weights: How far a modality is to be believed beside the others; 1 where not named.
        """
        ...

    def dump(self) -> Any:
        """Return everything that the next step depends on, as JSON values, without any words."""
        ...

    def load(self, dumped: Any, /) -> None:
        """Continue from what ``dump`` returned; raise any exception for anything else."""
        ...


@runtime_checkable
class DialogueModel(Protocol):
    """A causal model that reads a dialogue utterance by utterance. Thread-safe.

    An attribute ``calibration`` (a
    :class:`~empathic_sdk.recognition.calibration.Calibration`) says what its logits mean; without
    one they are taken as they are, and no state is ``uncertain``.
    """

    @property
    def name(self) -> str:
        """Identifies the model: a session state can be restored only with the same name."""
        ...

    @property
    def widths(self) -> Mapping[str, int]:
        """Width of the input vectors by modality; ``text`` must be among them."""
        ...

    def start(self) -> DialogueState:
        """Open an empty dialogue."""
        ...


@runtime_checkable
class SafetyAssessor(Protocol):
    """Says how worrying an utterance is, in place of the assessment that ships.

    The consequences of a level (the protocol's reply, help lines, alerts) stay. If it raises,
    returns another type or takes too long, the assessment that ships decides and
    ``Turn.fallbacks`` says so. ``assess`` may be a coroutine function.
    """

    def assess(self, context: TurnContext, /) -> SafetyAssessment | Any:
        """Return the level of ``context.text`` and its reasons; a reason is a name, not a quote."""
        ...


@runtime_checkable
class Responder(Protocol):
    """Writes replies in place of the responder that ships.

    A turn whose safety level is not ``none`` is answered by the safety protocol, and every
    sentence is checked before it is said. If ``reply`` raises, returns another type or takes
    too long, the embedded responder answers and ``Turn.fallbacks`` says so. ``reply`` may be a
    coroutine function. An attribute ``name`` is what ``Turn.responder`` shows.
    """

    def reply(self, context: ReplyContext, /) -> Reply | Any:
        """Return the sentences to say."""
        ...


@runtime_checkable
class Scenario(Protocol):
    """The purpose of an agent, as far as turns depend on it."""

    @property
    def name(self) -> str:
        """The name that hooks and responders see (``HookContext.scenario``)."""
        ...

    @property
    def modalities(self) -> frozenset[Modality] | None:
        """Modalities that may be read, ``None`` for all; the others are ignored."""
        ...

    @property
    def responder(self) -> Responder | None:
        """The responder; ``None``: the agent's own."""
        ...

    def gives_up(self, text: str, /) -> bool:
        """Say whether a text only gives up an exercise, which is no sign of a low mood."""
        ...


@runtime_checkable
class Store(Protocol):
    """Remembers people: what an agent needs of a profile store.

    ``declare(OverrideUse)`` is needed as well if an override of the policy is in force;
    ``keep_days``, if present, is mentioned in the notice. Thread-safe.
    """

    def get(self, user: str, /) -> UserContext:
        """Return what is known about ``user``; unknown users are ``UserContext(user=user)``."""
        ...

    def record(
        self,
        turn: Turn,
        /,
        *,
        text: str | None = None,
        keep_text: bool = False,
        session: bytes | None = None,
        mastery: Mapping[str, Mastery] | None = None,
        since: datetime | None = None,
        override: OverrideUse | None = None,
        expected: bytes | EllipsisType | None = ...,
    ) -> None:
        """Store a finished turn and the state of its conversation, all or nothing.

        Keep ``text`` and ``turn.reply`` only with ``keep_text``. Where the person was erased after
        ``since``, store nothing. Where ``expected`` is given and is not what :meth:`session`
        returns now (another process went on with the conversation), store nothing and raise
        ``errors.ConflictError``: the turn is then taken again.
        """
        ...

    def session(self, user: str, conversation: str, /) -> bytes | None:
        """Return the last state stored for this conversation, ``None`` if there is none."""
        ...

    def turns(
        self, user: str, /, *, conversation: str | None = None, limit: int | None = None
    ) -> list[dict[str, Any]]:
        """Return recorded turns, newest last; each has ``safety`` and ``conversation``."""
        ...

    def feedback(
        self,
        turn_id: str,
        /,
        *,
        user: str,
        emotion: Emotion | str | None = None,
        rating: int | None = None,
    ) -> None:
        """Store what ``user`` says about one of their turns."""
        ...

    def adopt(self, user: str, proposals: Iterable[Proposal], /) -> None:
        """Keep what ``user`` agreed to."""
        ...

    def on_erase(self, forget: Callable[[str], object], /) -> Callable[[], None]:
        """Call ``forget(user)`` on every erasure from now on; return a function that ends this."""
        ...


@runtime_checkable
class DayStore(Store, Protocol):
    """A store that also keeps daily summaries, for monitoring over weeks."""

    def days(
        self, user: str, /, *, before: date | None = None, limit: int = 180
    ) -> list[DaySummary]:
        """Return the last days on which ``user`` spoke, oldest first."""
        ...

    def claim_warning(self, user: str, found: date, /, *, apart: timedelta) -> bool:
        """Record a warning about ``user``; return whether it is the first for this change."""
        ...


class Agent(Protocol):
    """Answers utterances, as :class:`~empathic_sdk.EmotionAwareAgent` does."""

    def respond(
        self, utterance: Utterance | str, *, user: str = ..., conversation: str | None = ...
    ) -> Turn:
        """Answer one utterance."""
        ...

    async def arespond(
        self, utterance: Utterance | str, *, user: str = ..., conversation: str | None = ...
    ) -> Turn:
        """Answer one utterance in an event loop."""
        ...

    def stream(
        self, utterance: Utterance | str, *, user: str = ..., conversation: str | None = ...
    ) -> Iterator[StreamEvent]:
        """Yield the state, the sentences at the style's pace, then the turn."""
        ...

    def astream(
        self, utterance: Utterance | str, *, user: str = ..., conversation: str | None = ...
    ) -> AsyncIterator[StreamEvent]:
        """Yield the same in an event loop."""
        ...
