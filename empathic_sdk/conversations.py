"""Talks that are going on: kept in memory while they are live, in the store between."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice

from pydantic import TypeAdapter, ValidationError

from empathic_sdk.errors import ConfigurationError, InputError
from empathic_sdk.response import ResponderMemory
from empathic_sdk.session import DialogueSession, Transfers
from empathic_sdk.types import EmotionState, Exchange, SafetyLevel, Utterance

HISTORY = 20
_STATES = TypeAdapter(list[EmotionState])


class Talk:
    """One conversation of one user: what the next turn depends on.

    Attributes:
        session: The recogniser's state of it.
        history: The person's last 20 states, oldest first.
        memory: What the responder used lately.
        turns: Turns so far.
        safety: Level of the last turn.
        unheard: The agent's last reply, which the session has not heard yet. It holds words, so it
            is never stored: a talk that another process takes up goes on without it.
        past: Its last turns in words, for a language model; empty where none answers. Never
            stored with the talk either.
        kept: What :meth:`dump` gave when it was last stored.
        lock: Held during a turn, so that two turns of one talk follow each other.
        holder: The thread that holds it.
    """

    def __init__(self, session: DialogueSession) -> None:
        self.session = session
        self.history: deque[EmotionState] = deque(maxlen=HISTORY)
        self.memory = ResponderMemory()
        self.turns = 0
        self.safety = SafetyLevel.NONE
        self.unheard: tuple[Utterance, ...] = ()
        self.past: tuple[Exchange, ...] = ()
        self.kept: bytes | None = None
        self.lock = threading.Lock()
        self.holder: int | None = None
        self.used = time.monotonic()
        self._blank = self.dump()

    def advance(self, state: EmotionState, memory: ResponderMemory, level: SafetyLevel) -> bytes:
        """Take in a finished turn and return the talk as bytes, to be stored with it."""
        self.history.append(state)
        self.memory = memory
        self.safety = level
        self.turns += 1
        return self.dump()

    def sync(self, stored: bytes | None) -> None:
        """Follow what is stored: another process may have gone on with this talk, or erased it."""
        if stored != self.kept:
            self.kept = None
            self.unheard = ()
            self.past = ()
            self.load(stored or self._blank)
            self.kept = stored

    def attend(self, last: Talk) -> None:
        """Stay attentive after a worrying turn of the same person in another talk."""
        self.memory = last.memory
        self.safety = last.safety
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
                    list(self.history), mode="json", exclude={"__all__": {"unread"}}
                ),
                "memory": self.memory.model_dump(mode="json"),
                "turns": self.turns,
                "safety": self.safety,
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

    def name(self, user: str, conversation: str | None) -> str:
        """Return the name of the talk: the given one, or the user's current one.

        A talk without a name ends when its user has been silent for ``idle_s``.
        """
        if conversation is not None:
            if not isinstance(conversation, str) or not conversation.strip():
                raise InputError("a conversation's name must be a non-empty str, or None")
            return conversation
        now = time.monotonic()
        with self._lock:
            name, last = self._current.get(user, ("", -self._idle_s - 1.0))
            if not name or now - last > self._idle_s:
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
            ConfigurationError: This thread already holds it: a hook or an alarm asked for
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
                talk.holder = threading.get_ident()
                try:
                    yield talk
                finally:
                    talk.holder = None
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
        if talk.holder == threading.get_ident():
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
