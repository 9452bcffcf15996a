"""Talks that are going on: kept in memory while they are live, in the store between."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice

from pydantic import TypeAdapter, ValidationError

from empathic_sdk.errors import ConfigurationError, InputError
from empathic_sdk.recognition.session import DialogueSession, Transfers
from empathic_sdk.safety.decision import RiskContext
from empathic_sdk.safety.risk_model import REMEMBERED, Before
from empathic_sdk.types import EmotionState, Exchange, SafetyLevel, Utterance
from empathic_sdk.types.reply import ResponderMemory

HISTORY = 20
WORDS = 400
# Of an earlier state nothing looks at these; a reason may name a file.
_UNUSED = {"unread", "general", "apart"}
_STATES = TypeAdapter(list[EmotionState])
# The turns that the running code is part of, on whatever thread: a hook has one of its own.
_HOLDS: ContextVar[tuple[object, ...]] = ContextVar("holds", default=())


class Talk:
    """One conversation of one user: what the next turn depends on.

    Attributes:
        session: The recogniser's state of it.
        history: The person's last 20 states, oldest first.
        memory: What the responder used lately.
        turns: Turns so far.
        safety: Level of the last turn.
        risk: What the safety protocol remembers of it.
        before: Its last utterances in words, cut short, for the risk model; never stored.
        unheard: The agent's last reply, which the session has not heard yet. It holds words, so it
            is never stored: a talk that another process takes up goes on without it.
        past: Its last turns in words, for a language model; empty where none answers. Never
            stored with the talk either.
        kept: What :meth:`dump` gave when it was last stored.
        lock: Held during a turn, so that two turns of one talk follow each other.
        holder: Marks the turn that holds it; that turn's code finds the mark in its context.
    """

    def __init__(self, session: DialogueSession) -> None:
        self.session = session
        self.history: deque[EmotionState] = deque(maxlen=HISTORY)
        self.memory = ResponderMemory()
        self.turns = 0
        self.safety = SafetyLevel.NONE
        self.risk = RiskContext()
        self.before: tuple[Before, ...] = ()
        self.unheard: tuple[Utterance, ...] = ()
        self.past: tuple[Exchange, ...] = ()
        self.kept: bytes | None = None
        self.lock = threading.Lock()
        self.holder: object | None = None
        self.used = time.monotonic()
        self._blank = self.dump()

    def advance(
        self,
        state: EmotionState,
        memory: ResponderMemory,
        level: SafetyLevel,
        reply: str = "",
    ) -> bytes:
        """Take in a finished turn and return the talk as bytes, to be stored with it."""
        self.history.append(state)
        self.memory = memory
        self.safety = level
        self.risk = RiskContext.after(level, reply)
        self.turns += 1
        return self.dump()

    def remember(self, *said: tuple[bool, str]) -> None:
        """Keep words for the risk model, as much of them as it reads: whether the person's, what.

        The agent's last words also say whether it asked about suicide.
        """
        cut = (Before(own, text[:WORDS]) for own, text in said if text.strip())
        self.before = (*self.before, *cut)[-REMEMBERED:]
        if said and not said[-1][0]:
            self.risk = RiskContext.after(self.risk.level, said[-1][1])

    def sync(self, stored: bytes | None) -> None:
        """Follow what is stored: another process may have gone on with this talk, or erased it."""
        if stored != self.kept:
            self.kept = None
            self.unheard = ()
            self.past = ()
            self.before = ()
            self.load(stored or self._blank)
            self.kept = stored

    def attend(self, last: Talk) -> None:
        """Stay attentive after a worrying turn of the same person in another talk."""
        self.memory = last.memory
        self.safety = last.safety
        self.risk = last.risk
        self._blank = self.dump()  # a first turn that fails does not lose it

    def undo(self) -> None:
        """Go back to the last turn that was stored: a turn that failed leaves no trace."""
        self.load(self.kept or self._blank)

    def dump(self) -> bytes:
        """Return it as bytes: derived values only."""
        return json.dumps(
            {
                "session": json.loads(self.session.state()),
                "history": _STATES.dump_python(
                    list(self.history),
                    mode="json",
                    exclude={"__all__": _UNUSED},
                ),
                "memory": self.memory.model_dump(mode="json"),
                "turns": self.turns,
                "safety": self.safety,
                "risk": self.risk.model_dump(mode="json"),
            }
        ).encode()

    def load(self, dumped: bytes) -> None:
        """Continue from what :meth:`dump` returned.

        Raises:
            InputError: These bytes are something else.
        """
        try:
            d = json.loads(dumped)
            self.session.restore(json.dumps(d["session"]).encode())
            history = _STATES.validate_python(d["history"])
            self.history = deque(history, maxlen=HISTORY)
            self.memory = ResponderMemory.model_validate(d["memory"])
            self.turns = int(d["turns"])
            self.safety = SafetyLevel(d["safety"])
            # A state from before there was a risk model knows the level alone.
            self.risk = RiskContext.model_validate(d.get("risk", {"level": d["safety"]}))
            self.kept = dumped
        except (ValueError, KeyError, TypeError, RecursionError, ValidationError) as error:
            raise InputError("the stored state of this conversation cannot be read") from error


class Talks:
    """The live talks, least recently used first; at most ``limit``, each idle at most ``idle_s``.

    Nothing is lost when one leaves: every turn stores its talk's state with it.
    """

    def __init__(self, *, limit: int = 1000, idle_s: float = 1800.0) -> None:
        self._limit = limit
        self._idle_s = idle_s
        self._talks: OrderedDict[tuple[str, str], Talk] = OrderedDict()
        self._current: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._talks)

    def name(
        self,
        user: str,
        conversation: str | None,
        stored: Callable[[str, str], bytes | None] | None = None,
    ) -> str:
        """Return the name of the talk: the given one, or the user's current one.

        A talk without a name ends when its user has been silent for ``idle_s``, and when
        ``stored``, which looks a talk up in the store, finds that it was erased elsewhere.
        """
        if conversation is not None:
            if not isinstance(conversation, str) or not conversation.strip():
                raise InputError("a conversation's name must be a non-empty str, or None")
            return conversation
        now = time.monotonic()
        with self._lock:
            name, last = self._current.get(user, ("", -self._idle_s - 1.0))
            talk = self._talks.get((user, name))
        # Reads the store: not under the lock.
        erased = talk and talk.kept is not None and stored and stored(user, name) is None
        with self._lock:
            name, last = self._current.get(user, ("", -self._idle_s - 1.0))
            gone = erased and self._talks.get((user, name)) is talk
            if gone:
                del self._talks[user, name]
            if not name or gone or now - last > self._idle_s:
                name = uuid.uuid4().hex
            self._current[user] = (name, now)
            self._current.move_to_end(user)
            return name

    @contextmanager
    def held(
        self, user: str, conversation: str, opened: Callable[[str, str], Talk]
    ) -> Iterator[Talk]:
        """Hold a talk for one turn; ``opened`` makes it when it is not in memory.

        Raises:
            ConfigurationError: The caller is part of a turn that holds it: a hook asked for
                another turn of the talk that it is part of.
        """
        key = (user, conversation)
        while True:
            with self._lock:
                talk = self._talks.get(key)
            if talk is None:
                made = opened(user, conversation)  # reads the store: not under the lock
                with self._lock:
                    talk = self._talks.setdefault(key, made)
            self._refuse_own(talk)
            with talk.lock:
                # It may have been forgotten (erased) while we waited for its lock.
                with self._lock:
                    if self._talks.get(key) is not talk:
                        continue
                    self._talks.move_to_end(key)
                    talk.used = time.monotonic()
                    self._evict(keep=key)
                hold = talk.holder = object()
                token = _HOLDS.set((*_HOLDS.get(), hold))
                try:
                    yield talk
                finally:
                    talk.holder = None
                    _HOLDS.reset(token)
                return

    def transfers(self, user: str, conversation: str) -> Transfers | None:
        """Return how the utterances of a live talk compare; ``None`` where it is not in memory."""
        with self._lock:
            talk = self._talks.get((user, conversation))
        if talk is None:
            return None
        self._refuse_own(talk)
        with talk.lock:
            return talk.session.transfers()

    def forget(self, user: str) -> None:
        """Drop every live talk of ``user``, after the turn under way in it."""
        with self._lock:
            self._current.pop(user, None)
            mine = [(key, talk) for key, talk in self._talks.items() if key[0] == user]
        for _, talk in mine:
            self._refuse_own(talk)
        for key, talk in mine:
            with talk.lock, self._lock:
                if self._talks.get(key) is talk:
                    del self._talks[key]

    @staticmethod
    def _refuse_own(talk: Talk) -> None:
        if talk.holder is not None and any(hold is talk.holder for hold in _HOLDS.get()):
            raise ConfigurationError(
                "a hook cannot take another turn of its own conversation, nor erase its user: "
                "the turn it is part of is not finished; do it after respond() has returned"
            )

    def _evict(self, *, keep: tuple[str, str]) -> None:
        now = time.monotonic()
        for key in list(islice(self._talks, 8)):  # the longest unused; a few a turn keep up
            talk = self._talks[key]
            if now - talk.used <= self._idle_s and len(self._talks) <= self._limit:
                break
            if key != keep and not talk.lock.locked():
                del self._talks[key]
        for user in list(islice(self._current, 8)):
            if now - self._current[user][1] <= self._idle_s:
                break
            del self._current[user]
