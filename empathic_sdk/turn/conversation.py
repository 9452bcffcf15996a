"""One conversation of one user: what its next turn depends on."""

from __future__ import annotations

import threading
import time

from empathic_sdk.responders.prompting import LONGEST_PAST, safe_text
from empathic_sdk.safety.decision import RiskContext
from empathic_sdk.safety.risk_model import REMEMBERED
from empathic_sdk.turn.codec import ConversationRecord, decode, encode
from empathic_sdk.types import AGENT, Exchange, Utterance
from empathic_sdk.types.base import Value
from empathic_sdk.types.protocols import Session
from empathic_sdk.types.reply import AnsweredContext
from empathic_sdk.types.safety import Remark

HISTORY = 20
"""States of the person that are remembered."""

WORDS = 400
"""Characters of an utterance that the risk model is shown later."""


class ConversationWords(Value):
    """What is remembered of a conversation in words: in memory alone, never stored.

    Attributes:
        before: The last utterances, cut short, for the risk model.
        pending: The agent's last reply, which the session has not read yet. Where another process
            takes the conversation up, it goes on without it.
        past: The last turns, for a language model; empty where none answers.
    """

    before: tuple[Remark, ...] = ()
    pending: tuple[Utterance, ...] = ()
    past: tuple[Exchange, ...] = ()


class Conversation:
    """One conversation of one user.

    A turn reads it, and :meth:`commit` is the one place that changes it afterwards. What is stored
    of it (``record`` and the session's state) is encoded by ``turn/codec.py``.

    Attributes:
        session: The recogniser's handle on it.
        record: What is stored of it beside the session.
        words: What is never stored.
        stored: The bytes that were stored last, ``None`` before the first turn.
        lock: Held during a turn, so that two turns of one conversation follow each other.
        holder: Marks the turn that holds it; that turn's code finds the mark in its context.
        used: When it was used last (``time.monotonic``).
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.record = ConversationRecord()
        self.words = ConversationWords()
        self.stored: bytes | None = None
        self.lock = threading.Lock()
        self.holder: object | None = None
        self.used = time.monotonic()
        self._blank = self.encoded()

    def after(
        self, context: AnsweredContext, *, said: bool = True, reads: bool = True, past: int = 0
    ) -> tuple[ConversationRecord, ConversationWords]:
        """Return what is remembered after a turn; nothing changes yet.

        Args:
            context: The turn.
            said: Whether its reply is what the person gets to hear. If not, what was said to them
                is taken in with :meth:`note`.
            reads: Whether the session reads replies, too.
            past: How many turns are remembered in words for a language model.
        """
        reply, words = context.reply, self.words
        record = ConversationRecord(
            history=(*self.record.history, context.state)[-HISTORY:],
            memory=reply.memory,
            turns=self.record.turns + 1,
            risk=RiskContext.after(reply.safety.level, reply.text),
        )
        remarks = [Remark(True, context.text), *([Remark(False, reply.text)] if said else [])]
        pending, exchanges = words.pending, words.past
        if said and reads:
            pending = (Utterance(reply.text, speaker=AGENT),)
        if past and context.text.strip():
            exchange = Exchange(safe_text(context.text, LONGEST_PAST), reply.text)
            exchanges = (*exchanges, exchange)[-past:]
        return record, ConversationWords(
            before=_shortened(words.before, remarks), pending=pending, past=exchanges
        )

    def commit(
        self, record: ConversationRecord, words: ConversationWords, stored: bytes | None = None
    ) -> None:
        """Take over what :meth:`after` gave.

        Args:
            record: What is stored of the conversation.
            words: What is not.
            stored: The bytes that were stored, if they were.
        """
        self.record, self.words = record, words
        if stored is not None:
            self.stored = stored

    def note(self, *remarks: Remark) -> None:
        """Take in what was said without a turn, oldest first: before, or by another agent.

        The last words to the person also say whether they were asked about suicide.
        """
        record = self.record
        if remarks and not remarks[-1].own:
            risk = RiskContext.after(record.risk.level, remarks[-1].text)
            record = record.model_copy(update={"risk": risk})
        before = _shortened(self.words.before, remarks)
        self.commit(record, self.words.model_copy(update={"before": before}))

    def sync(self, stored: bytes | None) -> None:
        """Follow what is stored: another process may have gone on, or erased it.

        Raises:
            InputError: The bytes are something else.
        """
        if stored == self.stored:
            return
        self.stored = None
        self.words = ConversationWords()
        self.load(stored or self._blank)
        self.stored = stored

    def stay_attentive(self, last: Conversation) -> None:
        """Begin with what is remembered of a worrying conversation of the same person."""
        kept = {"memory": last.record.memory, "risk": last.record.risk}
        self.record = self.record.model_copy(update=kept)
        self._blank = self.encoded()  # a first turn that fails does not lose it

    def remember_past(self, exchanges: tuple[Exchange, ...]) -> None:
        """Take up the last turns in words, which were stored because the developer asked for it."""
        self.words = self.words.model_copy(update={"past": exchanges})

    def undo(self) -> None:
        """Go back to the last turn that was stored: a turn that failed leaves no trace."""
        self.load(self.stored or self._blank)

    def encoded(self, record: ConversationRecord | None = None) -> bytes:
        """Return what is stored of it; with ``record``, as it will be after :meth:`commit`."""
        return encode(record or self.record, self.session.state())

    def load(self, stored: bytes) -> None:
        """Continue from what :meth:`encoded` gave.

        Raises:
            InputError: The bytes are something else; then nothing has changed.
        """
        record, session = decode(stored)
        self.session.restore(session)
        self.record = record


def _shortened(
    before: tuple[Remark, ...], more: tuple[Remark, ...] | list[Remark]
) -> tuple[Remark, ...]:
    cut = (Remark(own, text[:WORDS]) for own, text in more if text.strip())
    return (*before, *cut)[-REMEMBERED:]
