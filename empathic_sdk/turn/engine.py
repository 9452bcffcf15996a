"""One turn, from utterance to :class:`Turn`, as a plain sequence of calls.

It is written once, as ordinary blocking code; asynchronous callers run it in a worker thread
(see ``agent.py``), where hooks that are coroutines are sent back to the caller's event loop.
"""

from __future__ import annotations

import logging
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from empathic_sdk.dialogue.planner import Planner, shipped_planner
from empathic_sdk.errors import InputError, outline
from empathic_sdk.language.requests import requests
from empathic_sdk.policy import overridden, text_alone
from empathic_sdk.profiles import ProfileStore
from empathic_sdk.recognition.recognizer import EmotionRecognizer
from empathic_sdk.responders.cancellable import Live
from empathic_sdk.responders.embedded import EmbeddedResponder
from empathic_sdk.responders.llm import LLMResponder
from empathic_sdk.responders.prompting import LONGEST_PAST, safe_text
from empathic_sdk.runtime import checkpoints
from empathic_sdk.safety.assessment import assess_turn
from empathic_sdk.safety.risk_model import RiskReader
from empathic_sdk.style import decide
from empathic_sdk.turn.conversations import Talk, Talks
from empathic_sdk.tutoring import gives_up
from empathic_sdk.types import (
    Exchange,
    HookContext,
    PacingHook,
    SafetyLevel,
    ThemeHook,
    ToneHook,
    Turn,
    UserContext,
    Utterance,
)
from empathic_sdk.types.reply import Reply, ReplyContext

ATTENTIVE_FOR = timedelta(days=7)
"""How long a worrying turn is remembered into a new talk of the same person."""

AGENT = "agent"
log = logging.getLogger("empathic_sdk")


def planner_for(recognizer: EmotionRecognizer) -> Planner | None:
    """Return the learned support planner, or ``None`` with a warning where the rules must do.

    It reads the vectors of the text encoder it was trained with; another's mean nothing to it.
    """
    planner = shipped_planner()
    if planner is None:
        return None
    path = recognizer.text.path
    if path is not None and checkpoints.sha256(path) == planner.about["text_sha256"]:
        return planner
    log.warning(
        "the learned support planner was trained with another text encoder than %r; the rules "
        "decide alone",
        recognizer.text.name,
    )
    return None


class Hooks(NamedTuple):
    """The caller's own hooks; ``None`` is the default one."""

    tone: ToneHook | None = None
    pacing: PacingHook | None = None
    theme: ThemeHook | None = None


class Outcome(NamedTuple):
    """A finished turn and its reply, cut into sentences."""

    turn: Turn
    sentences: tuple[str, ...]


class Pipeline:
    """The rooms of the house, wired: recognise, look up, decide, answer, record."""

    def __init__(
        self,
        *,
        recognizer: EmotionRecognizer,
        profiles: ProfileStore,
        responder: EmbeddedResponder | LLMResponder,
        talks: Talks,
        scenario: str,
        keep_text: bool,
        past: int = 0,
        risk: RiskReader | None = None,
    ) -> None:
        self.recognizer = recognizer
        self.profiles = profiles
        self.responder = responder
        self.talks = talks
        self.scenario = scenario
        self.keep_text = keep_text
        self.past = past
        self.risk = risk

    def run(
        self,
        said: Utterance,
        *,
        user: str,
        conversation: str,
        hooks: Hooks,
        live: Live | None = None,
    ) -> Outcome:
        """Take one turn. It is recorded whole, in one transaction, or not at all."""
        clock = _Clock()
        if self.scenario == "tutoring":
            said = text_alone(said)
        with self.talks.held(user, conversation, self._open) as talk:
            try:
                return self._turn(said, user, conversation, hooks, talk, clock, live)
            except BaseException:
                talk.undo()
                raise

    def _turn(
        self,
        said: Utterance,
        user: str,
        conversation: str,
        hooks: Hooks,
        talk: Talk,
        clock: _Clock,
        live: Live | None,
    ) -> Outcome:
        person = self.profiles.get(user)
        self._sync(talk, user, conversation)
        talk.session.user = person  # what they consent to may have changed since
        said = self.recognizer.listen(said, person)
        text = said.text or ""
        # What was said to a person is part of what their next words mean. Both are read in one
        # pass: a pass of the encoder costs nearly the same for one text and for two.
        state = talk.session.extend([*talk.unheard, said], listen=False)[-1]
        clock.lap("recognize")
        history = tuple(talk.history)
        # "I give up" of an exercise is no weak sign for a low mood to turn into a strong one.
        surrender = self.scenario == "tutoring" and gives_up(text)
        safety = assess_turn(
            text,
            None if surrender else state,
            before=talk.before,
            context=talk.risk,
            reader=self.risk,
        )
        clock.lap("safety")
        # A hook of the caller's gets copies: what it does to them must not reach the turn.
        shown = any(hook is not None for hook in hooks)
        style, fallbacks = decide(
            HookContext(
                state=state.model_copy(deep=True) if shown else state,
                history=tuple(s.model_copy(deep=True) for s in history) if shown else history,
                user=person,
                safety=safety,
                scenario=self.scenario,
                turn=talk.turns,
            ),
            **hooks._asdict(),
        )
        clock.lap("hooks")
        reply = self._reply(
            ReplyContext(
                text=text,
                state=state,
                history=history,
                style=style,
                safety=safety,
                user=person,
                scenario=self.scenario,
                turn=talk.turns,
                conversation=conversation,
                memory=talk.memory,
                **self._vectors(talk),
                at=said.at,
                past=talk.past,
            ),
            live,
        )
        clock.lap("respond")
        turn = Turn(
            id=uuid.uuid4().hex,
            reply=reply.text,
            emotion=state,
            style=style,
            strategy=reply.strategy,
            safety=reply.safety,
            responder=reply.responder,
            fallbacks=(*fallbacks, *reply.fallbacks),
            timings=dict(clock.laps),
            user=user,
            conversation=conversation,
            learning=reply.learning,
            exercise=reply.exercise,
            answer=reply.answer,
            proposals=requests(text) if reply.safety.level is SafetyLevel.NONE else (),
        )
        after = talk.advance(state, reply.memory, reply.safety.level, reply.text)
        self.profiles.record(
            turn,
            text=said.text if self.keep_text else None,
            keep_text=self.keep_text,
            session=after,
            mastery=reply.mastery,
            since=person.since,
            override=overridden(said.modalities, self.recognizer.deployment, person),
        )
        talk.kept = after
        if self.risk is not None:
            talk.remember((True, text), (False, reply.text))
        if self.recognizer.dialogue is not None:
            talk.unheard = (Utterance(reply.text, speaker=AGENT),)
        if self.past and text.strip():
            words = Exchange(safe_text(text, LONGEST_PAST), reply.text)
            talk.past = (*talk.past, words)[-self.past :]
        clock.lap("record")
        timings = {**clock.laps, "total": clock.total()}
        return Outcome(turn.model_copy(update={"timings": timings}), reply.sentences)

    def _vectors(self, talk: Talk) -> dict[str, tuple[float, ...]]:
        """Return the text vectors that a learned planner reads: of what was said, and before it."""
        rows = getattr(talk.session, "text_vectors", None)
        if rows is None or getattr(self.responder, "planner", None) is None:
            return {}
        found = {"text_vector": tuple(rows[-1].tolist())}
        if len(rows) > 1:
            found["reply_vector"] = tuple(rows[-2].tolist())
        return found

    def _reply(self, context: ReplyContext, live: Live | None) -> Reply:
        if isinstance(self.responder, LLMResponder):
            return self.responder.reply(context, live)
        return self.responder.reply(context)

    def _open(self, user: str, conversation: str) -> Talk:
        person = self.profiles.get(user)
        talk = Talk(self.recognizer.session(person))
        if self.profiles.session(user, conversation) is None:
            self._carry_over(talk, person)
        return talk

    def _sync(self, talk: Talk, user: str, conversation: str) -> None:
        try:
            talk.sync(self.profiles.session(user, conversation))
        except InputError as error:
            # Older or damaged: the talk begins anew, what was recorded of it stays.
            log.warning("the stored state of a conversation was unreadable: %s", outline(error))
            talk.undo()
        if self.past and self.keep_text and talk.turns and not talk.past:
            rows = self.profiles.turns(user, conversation=conversation, limit=self.past)
            talk.past = tuple(
                Exchange(row["text"], row["reply"])
                for row in rows
                if row.get("text") and row.get("reply")
            )

    def _carry_over(self, talk: Talk, person: UserContext) -> None:
        """A new talk soon after a worrying one is not a clean slate."""
        seen = person.last_seen
        if seen is None or datetime.now(UTC) - seen > ATTENTIVE_FOR:
            return
        last = self.profiles.turns(person.user, limit=1)
        if not last or last[0]["safety"]["level"] == SafetyLevel.NONE:
            return
        stored = self.profiles.session(person.user, last[0]["conversation"])
        earlier = Talk(self.recognizer.session(person))
        try:
            earlier.sync(stored)
        except InputError:
            return
        talk.attend(earlier)


class _Clock:
    """Milliseconds a step."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._start = self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = round((now - self._last) * 1e3, 3)
        self._last = now

    def total(self) -> float:
        return round((time.perf_counter() - self._start) * 1e3, 3)
