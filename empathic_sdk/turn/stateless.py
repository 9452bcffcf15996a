"""Turns for agents of other frameworks: nothing is stored here, state is passed as bytes.

:class:`~empathic_sdk.EmotionAwareAgent` remembers people and writes the reply itself. This class
remembers nothing: the state that the next turn depends on is returned as bytes and passed in
again, so the framework can keep it with its own state.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable
from functools import cached_property
from typing import Any, Literal, NamedTuple

from empathic_sdk.errors import EmpathicError, InputError, PolicyError, outline
from empathic_sdk.policy import agreed, allowed
from empathic_sdk.responders.embedded import EmbeddedResponder
from empathic_sdk.responders.guarded import GuardedResponder
from empathic_sdk.responders.prompting import system_prompt
from empathic_sdk.safety.output_guard import SecondOpinion, check_text
from empathic_sdk.turn.codec import dump_turn, load_turn
from empathic_sdk.turn.conversation import Conversation
from empathic_sdk.turn.engine import Hooks, StepClock, TurnEngine, UnrecordedTurn, UtteranceReading
from empathic_sdk.turn.parts import (
    assessor_of,
    check_hooks,
    check_parts,
    check_planner,
    deployment_of,
    planner_for,
    responder_of,
    second_opinion,
)
from empathic_sdk.turn.scenarios import readable, scenario_of
from empathic_sdk.types import (
    AGENT,
    PacingHook,
    SafetyLevel,
    ThemeHook,
    ToneHook,
    Turn,
    UserContext,
    Utterance,
)
from empathic_sdk.types.protocols import Recognizer, Responder, SafetyAssessor, Scenario
from empathic_sdk.types.reply import AnsweredContext
from empathic_sdk.types.safety import Remark

MOST = 24
"""Maximum number of utterances read at once; the newest ones are."""

UNREADABLE = "…"
"""State of an utterance that could not be read."""

Said = Iterable[tuple[str, str] | Utterance]

log = logging.getLogger("empathic_sdk")


class StatelessTurn(NamedTuple):
    """A turn of a conversation that is stored elsewhere.

    Attributes:
        turn: The turn, as the agent returns it. Its reply is the embedded responder's, including
            the safety protocol.
        context: Everything it was made from, including its reply; about the person's last
            utterance.
        help_line: The protocol's sentence with a help line, if one must still be shown on this
            quiet turn; otherwise empty.
        state: Pass it in with the next utterance. Derived values only.

    ``dump`` and ``load`` carry it through a store that takes JSON.
    """

    turn: Turn
    context: AnsweredContext
    help_line: str
    state: bytes

    @property
    def crisis(self) -> bool:
        """Whether only the safety protocol may answer."""
        return self.context.reply.safety.level != SafetyLevel.NONE

    def dump(self) -> dict[str, Any]:
        """Return the turn as JSON values, without what the person said."""
        return dump_turn(self.turn, self.context, self.help_line, self.state)

    @classmethod
    def load(cls, dumped: dict[str, Any]) -> StatelessTurn:
        """Read what :meth:`dump` wrote.

        Raises:
            InputError: It is not in this format.
        """
        stored = load_turn(dumped)
        answered = UnrecordedTurn(stored.context, stored.fallbacks)
        user = stored.context.user.user
        turn = answered.turn(user=user, timings=stored.timings, turn_id=stored.id)
        return cls(turn, stored.context, stored.help_line, stored.state.encode())

    # Names of the first release.

    @property
    def reply(self) -> Any:
        """The reply; the old name of ``context.reply``."""
        return _old("reply", "context.reply", self.context.reply)

    @property
    def line(self) -> str:
        """The old name of ``help_line``."""
        return str(_old("line", "help_line", self.help_line))

    @property
    def kept(self) -> bytes:
        """The old name of ``state``."""
        return bytes(_old("kept", "state", self.state))


class StatelessTurns:
    """Processes turns of conversations that are stored elsewhere. Thread-safe.

    Args:
        recognizer: Recognises emotion.
        tone: Your hook, as for the agent; ``None`` = the default.
        pacing: Your hook.
        theme: Your hook.
        scenario: ``"counselling"``, ``"tutoring"``, or an object that fits ``Scenario``.
        language: Language of the embedded replies and the system prompt.
        planner: Chooses the support strategy: ``"rules"`` or ``"learned"``.
        max_sentences: Maximum length of a reply, whatever the pacing says.
        responder: Writes the replies, as for the agent.
        safety: Assesses danger, as for the agent.

    Raises:
        ConfigurationError: An argument is wrong.
        MissingExtraError: Tutoring without its extra.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        *,
        tone: ToneHook | None = None,
        pacing: PacingHook | None = None,
        theme: ThemeHook | None = None,
        scenario: Scenario | str = "counselling",
        language: str = "en",
        planner: Literal["rules", "learned"] = "rules",
        max_sentences: int | None = None,
        responder: Responder | None = None,
        safety: SafetyAssessor | None = None,
    ) -> None:
        """Keep the parts."""
        check_parts(recognizer, responder, safety)
        check_hooks(tone=tone, pacing=pacing, theme=theme)
        check_planner(planner)
        self._scenario = scenario_of(scenario)
        self._recognizer, self._safety = recognizer, safety
        self._hooks = Hooks(tone, pacing, theme)
        self._language = language
        self._deployment = deployment_of(recognizer)
        embedded = EmbeddedResponder(language=language)
        if planner == "learned":
            embedded.planner = planner_for(recognizer)
        answers = responder_of(responder or self._scenario.responder, embedded)
        if isinstance(answers, GuardedResponder):
            answers.second = second_opinion(recognizer, safety)
        self._engine = TurnEngine(
            recognizer=recognizer,
            responder=answers,
            assessor=assessor_of(recognizer, safety),
            safety=safety,
            scenario=self._scenario,
            max_sentences=max_sentences,
        )

    def take(
        self,
        said: Said,
        *,
        state: bytes | None = None,
        user: UserContext | None = None,
        conversation: str = "",
        earlier: Said = (),
    ) -> StatelessTurn | None:
        """Process utterances in order: one turn for each of the person's.

        Args:
            said: Utterances, or pairs of speaker (``"user"`` or ``"agent"``) and text. Empty ones,
                and those that may not be processed here, are skipped.
            state: ``StatelessTurn.state`` of the last turn; an unreadable one (from an older
                version) starts a new conversation.
            user: What is known about the person: consents, preferences.
            conversation: Its name; part of the seed of every choice.
            earlier: Earlier utterances, already part of ``state``: only the safety protocol reads
                them again, as context.

        Returns:
            The last turn; ``None`` where the person said nothing.
        """
        person = user or UserContext()
        utterances = self._utterances(said, person)
        if not any(u.speaker != AGENT for u in utterances):
            return None
        engine, clock = self._engine, StepClock()
        held = self._opened(state, person)
        held.note(*(Remark(u.speaker != AGENT, u.text or "") for u in _plain(earlier)))
        reads = engine.reads_replies
        read = iter(
            self._read(held, [u for u in utterances if reads or u.speaker != AGENT], person)
        )
        clock.lap("recognize")
        answered = None
        for utterance in utterances:
            if utterance.speaker == AGENT:
                held.note(Remark(False, utterance.text or ""))
                if reads:
                    next(read)
                continue
            answered = engine.take(
                held, next(read), person=person, name=conversation, hooks=self._hooks, clock=clock
            )
            # The caller decides what is said to the person; it is passed in with the next turn.
            held.commit(*held.after(answered.context, said=False))
        assert answered is not None
        timings = {**clock.laps, "total": clock.total()}
        turn = answered.turn(user=person.user, timings=timings)
        return StatelessTurn(turn, answered.context, _help_line(answered), held.encoded())

    def session_after(self, said: Said, *, user: UserContext | None = None) -> bytes:
        """Return the state of the recogniser's session after what was said: words alone.

        No turn is taken: nothing is assessed, and no hook is called. Where it cannot be read the
        session is a new one.

        Args:
            said: As for :meth:`take`.
            user: What is known of the person.
        """
        person = user or UserContext()
        words = [Utterance(u.text, speaker=u.speaker) for u in _plain(said) if u.text]
        reads = self._engine.reads_replies
        heard = [u for u in self._utterances(words, person) if reads or u.speaker != AGENT]
        held = self._engine.open(person)
        if heard:
            try:
                self._engine.read(held, heard, person)
            except EmpathicError as error:
                log.warning("what was said before could not be read anew: %s", outline(error))
                held = self._engine.open(person)
        return held.session.state()

    def prompt(self, turn: StatelessTurn) -> str:
        """Return the instructions for a language model, without its role."""
        return system_prompt(
            turn.context,
            turn.context.reply.strategy,
            language=self._language,
            role=False,
            line_follows=bool(turn.help_line),
        )

    def check(
        self, text: str, turn: StatelessTurn, *, grave_only: bool = False
    ) -> tuple[str, tuple[str, ...]]:
        """Return what may be shown of a model's text, and which rules the rest breaks.

        Args:
            text: The model's text.
            turn: What it answers.
            grave_only: Refuse only what could do a person harm: the text comes back whole and
                unchanged, or empty. The second opinion, whose findings are never grave, is not
                asked.
        """
        if grave_only:
            return check_text(text, turn.context, grave_only=True)
        return check_text(text, turn.context, self._second)

    @cached_property
    def _second(self) -> SecondOpinion | None:
        return second_opinion(self._recognizer, self._safety)

    def _opened(self, state: bytes | None, person: UserContext) -> Conversation:
        held = self._engine.open(person)
        if state is not None:
            try:
                held.load(state)
            except InputError:
                log.warning("the stored state of a conversation was unreadable; it starts anew")
                return self._engine.open(person)
        return held

    def _utterances(self, said: Said, person: UserContext) -> list[Utterance]:
        """Return the newest :data:`MOST` readable utterances, with audio transcribed."""
        found = []
        for utterance in _plain(said):
            try:
                left = readable(utterance, self._scenario)
                allowed(left.modalities, self._deployment, agreed(person, self._deployment))
                found.append(self._engine.prepare(left, person))
            except PolicyError:
                continue
        return found

    def _read(
        self, held: Conversation, said: list[Utterance], person: UserContext
    ) -> list[UtteranceReading]:
        """Read utterances; if the media of one are broken, read only its words."""
        try:
            return self._engine.read(held, said, person)
        except EmpathicError as error:
            log.warning(
                "a recording or picture could not be read; only words are: %s", outline(error)
            )
        words = [Utterance(u.text or UNREADABLE, speaker=u.speaker, at=u.at) for u in said]
        return self._engine.read(held, words, person)


def _plain(said: Said) -> list[Utterance]:
    found = []
    for one in list(said)[-MOST:]:
        try:
            found.append(one if isinstance(one, Utterance) else Utterance(one[1], speaker=one[0]))
        except InputError:  # nothing visible in it
            continue
    return found


def _help_line(answered: UnrecordedTurn) -> str:
    safety = answered.context.reply.safety
    if safety.level != SafetyLevel.NONE:
        return ""
    sentences = answered.context.reply.sentences
    return " ".join(s for s in sentences if any(h.contact in s for h in safety.help_lines))


def _old(name: str, new: str, value: Any) -> Any:
    warnings.warn(
        f"StatelessTurn.{name} is now {new}; the old name goes with the next release",
        DeprecationWarning,
        stacklevel=3,
    )
    return value


class _Listening(StatelessTurns):
    """The first release's class and method names of :class:`StatelessTurns`."""

    def hear(self, said: Said, *, kept: bytes | None = None, **more: Any) -> StatelessTurn | None:
        """:meth:`take`, under its name in the first release."""
        return self.take(said, state=kept, **more)

    def guide(self, heard: StatelessTurn) -> str:
        """:meth:`prompt`, under its name in the first release."""
        return self.prompt(heard)


_RENAMED = {"Heard": ("StatelessTurn", StatelessTurn), "Listening": ("StatelessTurns", _Listening)}


def __getattr__(name: str) -> Any:
    if name not in _RENAMED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    new, value = _RENAMED[name]
    warnings.warn(
        f"{name} is now {new}; the old name goes with the next release",
        DeprecationWarning,
        stacklevel=2,
    )
    return value
