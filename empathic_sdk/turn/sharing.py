"""Notices that several people use an agent under the name that is there for one."""

from __future__ import annotations

import logging
import threading
import time
import warnings
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from empathic_sdk.errors import SharedUserWarning
from empathic_sdk.responders.cancellable import Live
from empathic_sdk.types import UserContext

log = logging.getLogger("empathic_sdk")

UNNAMED = UserContext().user
"""The user of a caller who names none."""

_SHARED = (
    f"two conversations use this agent as the user {UNNAMED!r} at the same time: they share one "
    "memory, and one person's words may reach the other; name each person with user="
)

MOST = 256
"""Conversations of the unnamed user that are remembered."""


class UnnamedUser:
    """Warns once where two conversations use the unnamed user at the same time. Thread-safe.

    At the same time means: a turn begins while another one is under way whose caller still waits,
    or a conversation is returned to after another one, within ``idle_s``. A program for one person
    that begins one conversation after the other is not warned.

    Args:
        idle_s: Seconds of silence after which a conversation counts as over.
    """

    def __init__(self, *, idle_s: float) -> None:
        self._idle_s = idle_s
        self._under_way: list[Live] = []
        self._last: OrderedDict[str, float] = OrderedDict()
        self._warned = False
        self._lock = threading.Lock()

    @contextmanager
    def turn(self, user: str, conversation: str, live: Live | None) -> Iterator[None]:
        """Watch one turn.

        Args:
            user: Whose it is; only the unnamed user's turns are watched.
            conversation: Name of the conversation.
            live: Says whether the caller still waits.
        """
        if user != UNNAMED or self._warned:
            yield
            return
        live = live or Live()
        with self._lock:
            shared = any(not other.given_up for other in self._under_way)
            shared = self._returns(conversation) or shared
            warn, self._warned = shared and not self._warned, shared or self._warned
            self._under_way.append(live)
        try:
            if warn:
                try:
                    warnings.warn(_SHARED, SharedUserWarning, stacklevel=2)
                except SharedUserWarning:  # warnings are errors here; a turn is not lost for it
                    log.warning("%s", _SHARED)
            yield
        finally:
            with self._lock:
                self._under_way = [other for other in self._under_way if other is not live]

    def _returns(self, conversation: str) -> bool:
        """Note a turn; return whether its conversation goes on after another one began."""
        now = time.monotonic()
        last = self._last.pop(conversation, None)
        between = [at for at in self._last.values() if last is not None and at > last]
        self._last[conversation] = now
        while len(self._last) > MOST:
            self._last.popitem(last=False)
        return last is not None and bool(between) and now - last <= self._idle_s
