"""One conversation of one user: everything that its next turn depends on."""

from __future__ import annotations

import logging
import threading
import time

from empathic_sdk.errors import InputError, outline
from empathic_sdk.responders.prompting import HISTORY_CHARS, LONGEST_PAST, safe_text
from empathic_sdk.safety.decision import RiskContext
from empathic_sdk.safety.risk_model import REMEMBERED
from empathic_sdk.turn.codec import ConversationRecord, decode, encode
from empathic_sdk.types import AGENT, Exchange, Utterance
from empathic_sdk.types.base import Value
from empathic_sdk.types.protocols import Session
from empathic_sdk.types.reply import AnsweredContext
from empathic_sdk.types.safety import Remark

log = logging.getLogger("empathic_sdk")

WAITING = 128
"""Maximum number of turns that wait for the one under way in their conversation."""

HISTORY = 20
"""Number of states of the person that are remembered."""

WORDS = 400
"""Characters of an earlier utterance that the risk model reads."""


class ConversationWords(Value):
    """The words of a conversation that are kept, in memory only and never stored.

    Attributes:
        before: The last utterances, cut short, for the risk model.
        pending: The agent's last reply, which the session has not read yet. If another process
            continues the conversation, it does so without it.
        past: The last turns, for a language model; empty without one.
    """

    before: tuple[Remark, ...] = ()
    pending: tuple[Utterance, ...] = ()
    past: tuple[Exchange, ...] = ()


class Conversation:
    """One conversation of one user.

    A turn reads it, and :meth:`commit` is the one place that changes it afterwards. What is stored
    of it (``record`` and the session's state) is encoded by ``turn/codec.py``.

    Attributes:
        session: The recogniser's session.
        record: The stored part, apart from the session.
        words: The words, which are never stored.
        stored: The bytes that were stored last, ``None`` before the first turn.
        lock: Held during a turn, so that two turns of one conversation follow each other.
        waiting: A place for each turn that waits for it.
        holder: Marks the turn that holds the lock; its code finds the mark in its context.
        used: Time of the last use (``time.monotonic``).
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.record = ConversationRecord()
        self.words = ConversationWords()
        self.stored: bytes | None = None
        self.lock = threading.Lock()
        self.waiting = threading.BoundedSemaphore(WAITING)
        self.holder: object | None = None
        self.used = time.monotonic()
        self._unread = session.state()
        self._blank = self.encoded()

    def after(
        self, context: AnsweredContext, *, said: bool = True, reads: bool = True, past: int = 0
    ) -> tuple[ConversationRecord, ConversationWords]:
        """Return the record and words after a turn; nothing changes yet.

        Args:
            context: The turn.
            said: Whether the person receives this reply. If not, what they received is added with
                :meth:`note`.
            reads: Whether the session also reads replies.
            past: Number of turns whose words are kept for a language model.
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
            exchanges = recent_past((*exchanges, exchange), past)
        return record, ConversationWords(
            before=_shortened(words.before, remarks), pending=pending, past=exchanges
        )

    def commit(
        self, record: ConversationRecord, words: ConversationWords, stored: bytes | None = None
    ) -> None:
        """Adopt what :meth:`after` returned.

        Args:
            record: The stored part of the conversation.
            words: Its words.
            stored: The bytes that were stored, if they were.
        """
        self.record, self.words = record, words
        if stored is not None:
            self.stored = stored

    def note(self, *remarks: Remark) -> None:
        """Add utterances that were no turn of this agent, oldest first.

        The last one to the person also determines whether they were asked about suicide.
        """
        record = self.record
        if remarks and not remarks[-1].own:
            risk = RiskContext.after(record.risk.level, remarks[-1].text)
            record = record.model_copy(update={"risk": risk})
        before = _shortened(self.words.before, remarks)
        self.commit(record, self.words.model_copy(update={"before": before}))

    def sync(self, stored: bytes | None) -> None:
        """Adopt the stored state: another process may have continued or erased it.

        Raises:
            InputError: The bytes are not a stored conversation.
        """
        if stored == self.stored:
            return
        self.stored = None
        self.words = ConversationWords()
        self.load(stored or self._blank)
        self.stored = stored

    def stay_attentive(self, last: Conversation) -> None:
        """Start with the safety context of a recent worrying conversation of the same person."""
        kept = {"memory": last.record.memory, "risk": last.record.risk}
        self.record = self.record.model_copy(update=kept)
        self._blank = self.encoded()  # a first turn that fails does not lose it

    def remember_past(self, exchanges: tuple[Exchange, ...]) -> None:
        """Restore the words of the last turns, which are stored only with ``keep_text``."""
        self.words = self.words.model_copy(update={"past": exchanges})

    def undo(self) -> None:
        """Return to the last stored turn: a failed turn leaves no trace."""
        self.load(self.stored or self._blank)

    def encoded(self, record: ConversationRecord | None = None) -> bytes:
        """Return the bytes to store; with ``record``, those after :meth:`commit`."""
        return encode(record or self.record, self.session.state())

    def load(self, stored: bytes) -> None:
        """Continue from what :meth:`encoded` returned.

        A session's state belongs to the weights that wrote it. Where the recogniser refuses it,
        the session begins anew; the record goes on, above all what the safety protocol remembers.

        Raises:
            InputError: The bytes are not a stored conversation; nothing has changed then.
        """
        record, session = decode(stored)
        try:
            self.session.restore(session)
        except InputError as error:
            log.warning(
                "the recogniser cannot continue the stored state of a conversation (of other "
                "weights or damaged): it begins anew, everything else goes on: %s",
                outline(error),
            )
            self.session.restore(self._unread)
        self.record = record


def recent_past(past: tuple[Exchange, ...], most: int) -> tuple[Exchange, ...]:
    """Return the newest turns for a language model.

    Where they are too many the oldest go, half of ``most`` at a time: a request then begins like
    the one before it for several turns, which is what prompt caches need.

    Args:
        past: All of them, oldest first.
        most: Their number at most.
    """
    step = max(1, most // 2)
    while len(past) > most or (
        len(past) > 1 and sum(len(e.said) + len(e.reply) for e in past) > HISTORY_CHARS
    ):
        past = past[step:] if len(past) > step else past[1:]
    return past


def _shortened(
    before: tuple[Remark, ...], more: tuple[Remark, ...] | list[Remark]
) -> tuple[Remark, ...]:
    cut = (Remark(own, text[:WORDS]) for own, text in more if text.strip())
    return (*before, *cut)[-REMEMBERED:]
