"""Live conversations: in memory while in use, in the store in between."""

from __future__ import annotations

import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice

from empathic_sdk.errors import ConflictError, InputError, ReentrancyError
from empathic_sdk.recognition.session import DialogueSession, Transfers
from empathic_sdk.runtime.lanes import aside
from empathic_sdk.turn.conversation import WAITING, Conversation

# The turns that the running code is part of, on any thread: hooks run on their own threads.
_HOLDS: ContextVar[tuple[object, ...]] = ContextVar("holds", default=())


class Conversations:
    """The live conversations, least recently used first.

    At most ``limit`` of them, each idle at most ``idle_s``.

    Nothing is lost when one leaves: every turn stores its conversation's state with it.
    """

    def __init__(self, *, limit: int = 1000, idle_s: float = 1800.0) -> None:
        self._limit = limit
        self._idle_s = idle_s
        self._live: OrderedDict[tuple[str, str], Conversation] = OrderedDict()
        self._current: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._live)

    def name(
        self,
        user: str,
        conversation: str | None,
        stored: Callable[[str, str], bytes | None] | None = None,
    ) -> str:
        """Return the name of the conversation: the given one, or the user's current one.

        A conversation without a name ends when its user has been silent for ``idle_s``, and when
        ``stored``, which looks a conversation up in the store, finds that it was erased elsewhere.
        """
        if conversation is not None:
            if not isinstance(conversation, str) or not conversation.strip():
                raise InputError("a conversation's name must be a non-empty str, or None")
            return conversation
        now = time.monotonic()
        with self._lock:
            name, last = self._current.get(user, ("", -self._idle_s - 1.0))
            found = self._live.get((user, name))
        # Reads the store: not under the lock.
        erased = found and found.stored is not None and stored and stored(user, name) is None
        with self._lock:
            name, last = self._current.get(user, ("", -self._idle_s - 1.0))
            gone = erased and self._live.get((user, name)) is found
            if gone:
                del self._live[user, name]
            if not name or gone or now - last > self._idle_s:
                name = uuid.uuid4().hex
            self._current[user] = (name, now)
            self._current.move_to_end(user)
            return name

    @contextmanager
    def held(
        self, user: str, conversation: str, opened: Callable[[str, str], Conversation]
    ) -> Iterator[Conversation]:
        """Lock a conversation for one turn; ``opened`` makes it if it is not in memory.

        Raises:
            ReentrancyError: The caller is part of a turn that holds it: a hook asked for
                another turn of its own conversation.
            ConflictError: Too many turns of it wait already.
        """
        key = (user, conversation)
        while True:
            with self._lock:
                found = self._live.get(key)
            if found is None:
                made = opened(user, conversation)  # reads the store: not under the lock
                with self._lock:
                    found = self._live.setdefault(key, made)
            self._refuse_own(found)
            with _turn_of(found, new=True):
                # It may have been erased while we waited for its lock.
                with self._lock:
                    if self._live.get(key) is not found:
                        continue
                    self._live.move_to_end(key)
                    found.used = time.monotonic()
                    self._evict(keep=key)
                hold = found.holder = object()
                token = _HOLDS.set((*_HOLDS.get(), hold))
                try:
                    yield found
                finally:
                    found.holder = None
                    _HOLDS.reset(token)
                return

    def transfers(self, user: str, conversation: str) -> Transfers | None:
        """Return how the utterances of a live conversation compare.

        ``None`` if it is not in memory, or its session makes no comparisons.
        """
        with self._lock:
            found = self._live.get((user, conversation))
        if found is None:
            return None
        self._refuse_own(found)
        with _turn_of(found):
            session = found.session
            return session.transfers() if isinstance(session, DialogueSession) else None

    def __contains__(self, key: tuple[str, str]) -> bool:
        """Whether a conversation, by user and name, is in memory."""
        return key in self._live

    def forget(self, user: str) -> None:
        """Drop every live conversation of ``user``, after the turn under way in it."""
        with self._lock:
            self._current.pop(user, None)
            mine = [(key, found) for key, found in self._live.items() if key[0] == user]
        for _, found in mine:
            self._refuse_own(found)
        for key, found in mine:
            with _turn_of(found), self._lock:
                if self._live.get(key) is found:
                    del self._live[key]

    @staticmethod
    def _refuse_own(found: Conversation) -> None:
        if found.holder is not None and any(hold is found.holder for hold in _HOLDS.get()):
            raise ReentrancyError(
                "a hook cannot take another turn of its own conversation, nor erase its user: "
                "the turn it is part of is not finished; do it after respond() has returned"
            )

    def _evict(self, *, keep: tuple[str, str]) -> None:
        now = time.monotonic()
        for key in list(islice(self._live, 8)):  # the least recently used; a few per turn suffice
            found = self._live[key]
            if now - found.used <= self._idle_s and len(self._live) <= self._limit:
                break
            if key != keep and not found.lock.locked():
                del self._live[key]
        for user in list(islice(self._current, 8)):
            if now - self._current[user][1] <= self._idle_s:
                break
            del self._current[user]


@contextmanager
def _turn_of(found: Conversation, *, new: bool = False) -> Iterator[None]:
    """Lock a conversation; whoever waits for it lets others compute meanwhile.

    Args:
        found: The conversation.
        new: For a new turn, of which only so many may wait.

    Raises:
        ConflictError: Too many wait.
    """
    if not found.lock.acquire(blocking=False):
        if new and not found.waiting.acquire(blocking=False):
            raise ConflictError(
                f"{WAITING} turns of this conversation wait already: wait for their replies"
            )
        try:
            with aside():
                found.lock.acquire()
        finally:
            if new:
                found.waiting.release()
    try:
        yield
    finally:
        found.lock.release()
