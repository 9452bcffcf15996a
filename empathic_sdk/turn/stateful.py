"""Turns with stored conversations: joins engine, live conversations and store."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import NamedTuple

from empathic_sdk.errors import ConflictError, InputError, outline
from empathic_sdk.policy import overridden
from empathic_sdk.responders.cancellable import Live
from empathic_sdk.turn.codec import ConversationRecord
from empathic_sdk.turn.conversation import Conversation
from empathic_sdk.turn.conversations import Conversations
from empathic_sdk.turn.engine import Hooks, StepClock, TurnEngine
from empathic_sdk.types import Exchange, SafetyLevel, Turn, UserContext, Utterance
from empathic_sdk.types.protocols import Store

ATTENTIVE_FOR = timedelta(days=7)
"""How long a worrying turn still affects a new conversation of the same person."""

MOST_TRIES = 4
"""How often a turn is taken again because the conversation went on elsewhere meanwhile."""

log = logging.getLogger("empathic_sdk")


class FinishedTurn(NamedTuple):
    """A finished turn and its reply, cut into sentences."""

    turn: Turn
    sentences: tuple[str, ...]


class StatefulTurns:
    """Processes turns of conversations that are kept here and in a store.

    Args:
        engine: Processes a turn.
        store: Remembers people and conversations.
        conversations: The live conversations.
        keep_text: Whether words are stored.
        past: Number of turns whose words are kept for a language model.
    """

    def __init__(
        self,
        *,
        engine: TurnEngine,
        store: Store,
        conversations: Conversations,
        keep_text: bool,
        past: int = 0,
    ) -> None:
        self._engine = engine
        self._store = store
        self._conversations = conversations
        self._keep_text = keep_text
        self._past = past

    def take(
        self,
        said: Utterance,
        *,
        user: str,
        conversation: str,
        hooks: Hooks,
        live: Live | None = None,
    ) -> FinishedTurn:
        """Take one turn. It is recorded whole, in one transaction, or not at all.

        Where another process recorded a turn of the conversation meanwhile, this one is taken
        again on the state that stands now; hooks and a language model are then asked again.
        """
        clock = StepClock()
        with self._conversations.held(user, conversation, self._open) as held:
            for left in reversed(range(MOST_TRIES)):
                try:
                    return self._take(said, user, conversation, hooks, held, clock, live, left == 0)
                except ConflictError:
                    held.undo()
                    if left == 0:
                        raise
                except BaseException:
                    held.undo()
                    raise
        raise AssertionError("the last try does not end in a conflict")

    def _take(
        self,
        said: Utterance,
        user: str,
        name: str,
        hooks: Hooks,
        held: Conversation,
        clock: StepClock,
        live: Live | None,
        last: bool,
    ) -> FinishedTurn:
        engine = self._engine
        person = self._store.get(user)
        before = self._sync(held, user, name)
        said = engine.prepare(said, person)
        (reading,) = engine.read(held, [said], person)
        clock.lap("recognize")
        answered = engine.take(
            held, reading, person=person, name=name, hooks=hooks, clock=clock, live=live
        )
        turn = answered.turn(user=user, timings=dict(clock.laps))
        reply = answered.context.reply
        record, words = held.after(answered.context, reads=engine.reads_replies, past=self._past)
        put = partial(
            self._store.record,
            turn,
            text=said.text if self._keep_text else None,
            keep_text=self._keep_text,
            mastery=reply.mastery,
            since=person.since,
            override=overridden(said.modalities, engine.deployment, person),
        )
        stored = held.encoded(record)
        try:
            put(session=stored, expected=before)
        except ConflictError:
            if not last and not (live is not None and live.shown):
                raise
            record, stored = self._beside(put, held, record, person, name)
        held.commit(record, words, stored)
        clock.lap("record")
        timings = {**clock.laps, "total": clock.total()}
        return FinishedTurn(turn.model_copy(update={"timings": timings}), reply.sentences)

    def _beside(
        self,
        put: Callable[..., None],
        held: Conversation,
        record: ConversationRecord,
        person: UserContext,
        name: str,
    ) -> tuple[ConversationRecord, bytes]:
        """Record a turn that cannot be taken again beside what was recorded meanwhile.

        Its reply is out. What stands of the two turns is the higher risk.
        """
        for _ in range(MOST_TRIES * 10):  # each of them is somebody else's turn that went in
            current = self._store.session(person.user, name)
            other = self._engine.open(person)
            with suppress(InputError):
                other.sync(current)
            risk = record.risk.with_other(other.record.risk)
            merged = record.model_copy(update={"risk": risk})
            stored = held.encoded(merged)
            with suppress(ConflictError):
                put(session=stored, expected=current)
                return merged, stored
        raise ConflictError(
            "this conversation goes on elsewhere faster than a turn can be recorded"
        )

    def _open(self, user: str, name: str) -> Conversation:
        person = self._store.get(user)
        opened = self._engine.open(person)
        if self._store.session(user, name) is None:
            self._carry_over(opened, person)
        return opened

    def _sync(self, held: Conversation, user: str, name: str) -> bytes | None:
        """Follow what is stored, and return it."""
        stored = self._store.session(user, name)
        try:
            held.sync(stored)
        except InputError as error:
            # Older or damaged: the conversation starts anew; its recorded turns stay.
            log.warning("the stored state of a conversation was unreadable: %s", outline(error))
            held.undo()
        if self._past and self._keep_text and held.record.turns and not held.words.past:
            rows = self._store.turns(user, conversation=name, limit=self._past)
            held.remember_past(
                tuple(
                    Exchange(row["text"], row["reply"])
                    for row in rows
                    if row.get("text") and row.get("reply")
                )
            )
        return stored

    def _carry_over(self, opened: Conversation, person: UserContext) -> None:
        """Keep the safety context when a new conversation follows a worrying one."""
        seen = person.last_seen
        if seen is None or datetime.now(UTC) - seen > ATTENTIVE_FOR:
            return
        last = self._store.turns(person.user, limit=1)
        if not last or last[0]["safety"]["level"] == SafetyLevel.NONE:
            return
        stored = self._store.session(person.user, last[0]["conversation"])
        earlier = self._engine.open(person)
        try:
            earlier.sync(stored)
        except InputError:
            return
        opened.stay_attentive(earlier)
