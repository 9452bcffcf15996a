"""Turns for agents of other frameworks: nothing is kept here, state travels as bytes.

Where :class:`~empathic_sdk.EmotionAwareAgent` remembers people and writes the reply itself, this
remembers none: what the next turn depends on goes out as bytes and comes back with it, so that it
lives where the framework keeps its own state.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable
from functools import cached_property
from typing import Any, Literal, NamedTuple

from empathic_sdk.errors import EmpathicError, InputError, PolicyError
from empathic_sdk.policy import agreed, allowed
from empathic_sdk.responders.embedded import EmbeddedResponder
from empathic_sdk.responders.guarded import GuardedResponder
from empathic_sdk.responders.prompting import system_prompt
from empathic_sdk.safety.assessment import RiskAssessor
from empathic_sdk.safety.output_guard import SecondOpinion, check_text
from empathic_sdk.turn.codec import dump_turn, load_turn
from empathic_sdk.turn.conversation import Conversation
from empathic_sdk.turn.engine import Answered, Hooks, Reading, StepClock, TurnEngine
from empathic_sdk.turn.parts import (
    check_hooks,
    check_parts,
    check_planner,
    deployment_of,
    planner_for,
    responder_of,
    second_opinion,
    text_of,
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
"""Utterances that are read at once at most, the newest."""

UNREADABLE = "…"
"""Stands for what could not be read at all."""

Said = Iterable[tuple[str, str] | Utterance]

log = logging.getLogger("empathic_sdk")


class StatelessTurn(NamedTuple):
    """A turn of a conversation that is kept elsewhere.

    Attributes:
        turn: The turn, as the agent gives it. Its reply is the embedded responder's, the safety
            protocol included.
        context: All that it was made from, its reply included; of the last thing that the person
            said.
        help_line: The protocol's sentence with a help line, where the turn is quiet and one is to
            stay in sight; otherwise empty.
        state: To hand in with what is said next. Derived values only.

    ``dump`` and ``load`` carry it through a store that takes JSON.
    """

    turn: Turn
    context: AnsweredContext
    help_line: str
    state: bytes

    @property
    def crisis(self) -> bool:
        """Whether the safety protocol answers, and nobody else."""
        return self.context.reply.safety.level != SafetyLevel.NONE

    def dump(self) -> dict[str, Any]:
        """Return it as JSON values, without what the person said."""
        return dump_turn(self.turn, self.context, self.help_line, self.state)

    @classmethod
    def load(cls, dumped: dict[str, Any]) -> StatelessTurn:
        """Return what :meth:`dump` gave.

        Raises:
            InputError: It is something else.
        """
        stored = load_turn(dumped)
        answered = Answered(stored.context, stored.fallbacks)
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
    """Takes turns of conversations that are kept elsewhere. Thread-safe.

    Args:
        recognizer: What reads emotion.
        tone: Your hook, as for the agent; ``None`` = the default.
        pacing: Your hook.
        theme: Your hook.
        scenario: ``"counselling"``, ``"tutoring"``, or an object that fits ``Scenario``.
        language: Of the embedded replies and the system prompt.
        planner: Who chooses the support strategy: ``"rules"`` or ``"learned"``.
        max_sentences: Length of a reply at most, whatever the pacing says.
        responder: Who writes the replies, as for the agent.
        safety: What assesses, as for the agent.

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
        self._recognizer = recognizer
        self._hooks = Hooks(tone, pacing, theme)
        self._language = language
        self._deployment = deployment_of(recognizer)
        embedded = EmbeddedResponder(language=language)
        if planner == "learned":
            embedded.planner = planner_for(recognizer)
        answers = responder_of(responder or self._scenario.responder, embedded)
        if isinstance(answers, GuardedResponder):
            answers.second = second_opinion(recognizer)
        self._engine = TurnEngine(
            recognizer=recognizer,
            responder=answers,
            assessor=RiskAssessor.shipped(text_of(recognizer)),
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
        """Take in what was said, in order: a turn for everything that the person said.

        Args:
            said: Utterances, or pairs of speaker (``"user"`` or ``"agent"``) and text. What holds
                nothing visible, or nothing that may be processed here, is passed over.
            state: ``StatelessTurn.state`` of the last turn; what cannot be read of it (an
                older version) counts as a new conversation.
            user: What is known of the person: consents, preferences.
            conversation: Its name; part of the seed of every choice.
            earlier: What was said before and is in ``state``: it is not read again, only shown to
                the safety protocol beside the new words.

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
            # What is said to the person is somebody else's affair, and comes with what is next.
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
            except EmpathicError:
                log.warning("what was said before could not be read anew", exc_info=True)
                held = self._engine.open(person)
        return held.session.state()

    def prompt(self, turn: StatelessTurn) -> str:
        """Return what to tell a language model besides its own role."""
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
        return second_opinion(self._recognizer)

    def _opened(self, state: bytes | None, person: UserContext) -> Conversation:
        held = self._engine.open(person)
        if state is not None:
            try:
                held.load(state)
            except InputError:
                log.warning("the kept state of a conversation was unreadable; it begins anew")
                return self._engine.open(person)
        return held

    def _utterances(self, said: Said, person: UserContext) -> list[Utterance]:
        """Return what may be read, words of a recording included; the newest :data:`MOST`."""
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
    ) -> list[Reading]:
        """Read utterances; where the media of one are broken, words alone."""
        try:
            return self._engine.read(held, said, person)
        except EmpathicError:
            log.warning("a recording or picture could not be read; words alone are", exc_info=True)
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


def _help_line(answered: Answered) -> str:
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
    """The first release's name and verbs of :class:`StatelessTurns`."""

    def hear(self, said: Said, *, kept: bytes | None = None, **more: Any) -> StatelessTurn | None:
        """:meth:`take`, as the first release called it."""
        return self.take(said, state=kept, **more)

    def guide(self, heard: StatelessTurn) -> str:
        """:meth:`prompt`, as the first release called it."""
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
