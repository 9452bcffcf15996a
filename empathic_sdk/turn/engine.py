"""The turn engine: recognises, assesses, styles and answers an utterance.

All entry points run it: the agent (``stateful.py`` adds the store), LangChain's middleware and chat
model (``stateless.py`` takes state in and gives it out as bytes). It is written once, as ordinary
blocking code; asynchronous callers run it in a worker thread, where hooks that are coroutines are
sent back to the caller's event loop.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Sequence
from typing import NamedTuple

from empathic_sdk.errors import HookError, log_in_full
from empathic_sdk.language.requests import requests
from empathic_sdk.policy import agreed, allowed
from empathic_sdk.recognition.recognizer import EmotionRecognizer
from empathic_sdk.recognition.session import DialogueSession
from empathic_sdk.responders.cancellable import Live
from empathic_sdk.responders.llm import LLMResponder
from empathic_sdk.runtime.lanes import Lane
from empathic_sdk.safety.assessment import RiskAssessor
from empathic_sdk.style import call, decide, told
from empathic_sdk.turn.conversation import Conversation
from empathic_sdk.turn.parts import deployment_of
from empathic_sdk.turn.scenarios import readable, without
from empathic_sdk.types import (
    AGENT,
    EmotionState,
    PacingHook,
    ResponseStyle,
    SafetyAssessment,
    SafetyLevel,
    ThemeHook,
    ToneHook,
    Turn,
    UserContext,
    Utterance,
)
from empathic_sdk.types.protocols import Recognizer, Responder, SafetyAssessor, Scenario, Session
from empathic_sdk.types.reply import AnsweredContext, Reply, ReplyContext, TurnContext
from empathic_sdk.types.safety import named

URGENT_HOOKS_S = 2.0
"""Seconds that the hooks have together where a turn's safety level is not ``none``."""

log = logging.getLogger("empathic_sdk")


class Hooks(NamedTuple):
    """The caller's hooks; ``None`` is the default one."""

    tone: ToneHook | None = None
    pacing: PacingHook | None = None
    theme: ThemeHook | None = None


class UtteranceReading(NamedTuple):
    """One utterance with its state and vectors.

    Attributes:
        utterance: What was said, with the words of its audio where they are known.
        state: The recognised state.
        text_vector: Its text vector, where the planner reads any; otherwise empty.
        reply_vector: That of the agent's reply before it, if there was one.
    """

    utterance: Utterance
    state: EmotionState
    text_vector: tuple[float, ...] = ()
    reply_vector: tuple[float, ...] = ()


class UnrecordedTurn(NamedTuple):
    """A finished turn that is not recorded yet.

    Attributes:
        context: The whole turn.
        fallbacks: What failed, and who stepped in.
    """

    context: AnsweredContext
    fallbacks: tuple[str, ...]

    def turn(self, *, user: str, timings: dict[str, float], turn_id: str | None = None) -> Turn:
        """Return the value that callers get."""
        context, reply = self.context, self.context.reply
        quiet = reply.safety.level is SafetyLevel.NONE
        return Turn(
            id=turn_id or uuid.uuid4().hex,
            reply=reply.text,
            emotion=context.state,
            style=context.style,
            strategy=reply.strategy,
            safety=reply.safety,
            responder=reply.responder,
            fallbacks=(*self.fallbacks, *reply.fallbacks),
            timings=timings,
            user=user,
            conversation=context.conversation,
            learning=reply.learning,
            exercise=reply.exercise,
            answer=reply.answer,
            proposals=requests(context.text) if quiet else (),
        )


class StepClock:
    """Milliseconds per step of a turn.

    Attributes:
        laps: Milliseconds of each step so far, by name.
    """

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._start = self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        """End the step ``name``."""
        now = time.perf_counter()
        self.laps[name] = round((now - self._last) * 1e3, 3)
        self._last = now

    def total(self) -> float:
        """Return the milliseconds since the start."""
        return round((time.perf_counter() - self._start) * 1e3, 3)


class TurnEngine:
    """Processes turns. Holds no conversations and no store; thread-safe.

    Args:
        recognizer: Recognises emotion.
        responder: Writes the replies.
        assessor: The safety assessment that ships.
        safety: An assessor in its place, or ``None``.
        scenario: The purpose of the agent.
        max_sentences: Maximum length of a reply, whatever the pacing says.
    """

    def __init__(
        self,
        *,
        recognizer: Recognizer,
        responder: Responder,
        assessor: RiskAssessor,
        safety: SafetyAssessor | None,
        scenario: Scenario,
        max_sentences: int | None = None,
    ) -> None:
        self.recognizer = recognizer
        self.responder = responder
        self.scenario = scenario
        self.deployment = deployment_of(recognizer)
        self._assessor = assessor
        self._safety = safety
        self._max_sentences = max_sentences
        self._hook_lane, self._safety_lane = Lane(), Lane()

    @property
    def reads_replies(self) -> bool:
        """Whether replies are read as part of the dialogue."""
        return getattr(self.recognizer, "dialogue", None) is not None

    def open(self, person: UserContext) -> Conversation:
        """Begin a conversation."""
        return Conversation(self.recognizer.session(person))

    def prepare(self, said: Utterance, person: UserContext) -> Utterance:
        """Return an utterance with only what may be read, and its audio transcribed.

        Raises:
            PolicyError: The scenario reads nothing of it, or nothing may be processed here.
        """
        said = readable(said, self.scenario)
        if not isinstance(self.recognizer, EmotionRecognizer):  # which applies the policy itself
            consented = agreed(person, self.deployment)
            said = without(said, allowed(said.modalities, self.deployment, consented))
        listen = getattr(self.recognizer, "listen", None)
        return said if listen is None else listen(said, person)

    def read(
        self, conversation: Conversation, said: Sequence[Utterance], person: UserContext
    ) -> list[UtteranceReading]:
        """Read the next utterances of a conversation, in one pass if the recogniser can.

        A reply is context for the person's next words: the reply that the session has not read
        yet comes first. One pass costs nearly the same for one text and for two.

        Raises:
            InputError: One of them cannot be read; then none is read.
            PolicyError: Nothing in one of them may be processed here.
        """
        session = conversation.session
        session.user = person  # what they consent to may have changed since
        whole = [*conversation.words.pending, *said]
        states = _states(session, whole)
        vectors = self._vectors(session, whole)
        return [
            UtteranceReading(utterance, state, *vector)
            for utterance, state, vector in zip(whole, states, vectors, strict=True)
        ][len(whole) - len(said) :]

    def take(
        self,
        conversation: Conversation,
        reading: UtteranceReading,
        *,
        person: UserContext,
        name: str,
        hooks: Hooks,
        clock: StepClock,
        live: Live | None = None,
    ) -> UnrecordedTurn:
        """Assess, style and answer one utterance. The conversation is not changed.

        Args:
            conversation: The conversation it belongs to.
            reading: The utterance.
            person: What is known about the person.
            name: Name of the conversation.
            hooks: The caller's hooks.
            clock: Times the steps.
            live: Receives the sentences of a language model as they come.
        """
        record, words, text = conversation.record, conversation.words, reading.utterance.text or ""
        context = TurnContext(
            text=text,
            at=reading.utterance.at,
            state=reading.state,
            history=record.history,
            user=person,
            scenario=self.scenario.name,
            turn=record.turns,
            conversation=name,
            memory=record.memory,
            before=words.before,
            previous=record.risk.level,
            asked=record.risk.asked,
            gives_up=self.scenario.gives_up(text),
            past=words.past,
            text_vector=reading.text_vector,
            reply_vector=reading.reply_vector,
        )
        safety, problems = self._assess(context)
        context = context.assessed(safety)
        clock.lap("safety")
        style, more = decide(
            context.for_hooks(),
            **hooks._asdict(),
            within_s=None if safety.level is SafetyLevel.NONE else URGENT_HOOKS_S,
            lane=self._hook_lane,
        )
        clock.lap("hooks")
        styled = context.styled(self._limited(style))
        reply = self._reply(styled, live)
        clock.lap("respond")
        return UnrecordedTurn(styled.answered(reply), (*problems, *more))

    def _assess(self, context: TurnContext) -> tuple[SafetyAssessment, tuple[str, ...]]:
        if self._safety is None:
            return self._assessor.assess(context), ()
        try:
            given = context.model_copy(deep=True)
            found = call(self._safety.assess, given, lane=self._safety_lane)
            if not isinstance(found, SafetyAssessment):
                raise HookError(
                    f"safety= must return a SafetyAssessment, not {type(found).__name__}"
                )
            level = SafetyLevel(found.level)
            return SafetyAssessment(level=level, reasons=named(found.reasons)), ()
        except Exception as error:
            log_in_full(error, "the safety assessor")
            log.warning("the safety assessor failed; the one that ships decides: %s", told(error))
            return self._assessor.assess(context), (f"safety:{type(error).__name__}",)

    def _limited(self, style: ResponseStyle) -> ResponseStyle:
        most = self._max_sentences
        if most is None or most >= style.pacing.max_sentences:
            return style
        pacing = style.pacing.model_copy(update={"max_sentences": most})
        return style.model_copy(update={"pacing": pacing})

    def _reply(self, context: ReplyContext, live: Live | None) -> Reply:
        if isinstance(self.responder, LLMResponder):
            return self.responder.reply(context, live)
        reply: Reply = self.responder.reply(context)
        return reply

    def _vectors(
        self, session: Session, said: Sequence[Utterance]
    ) -> list[tuple[tuple[float, ...], tuple[float, ...]]]:
        """Return text vectors for a learned planner: of each utterance and the one before."""
        rows = session.text_vectors if isinstance(session, DialogueSession) else None
        if rows is None or getattr(self.responder, "planner", None) is None:
            return [((), ())] * len(said)
        found = []
        for i, row in enumerate(rows):
            replied = i > 0 and said[i - 1].speaker == AGENT
            found.append((tuple(row.tolist()), tuple(rows[i - 1].tolist()) if replied else ()))
        return found


def _states(session: Session, said: Sequence[Utterance]) -> list[EmotionState]:
    if isinstance(session, DialogueSession):
        return session.extend(said, listen=False)  # that was tried when they were prepared
    return [session.add(utterance) for utterance in said]
