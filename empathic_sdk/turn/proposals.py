"""Open proposals of past turns: in memory only, because nobody has agreed to them yet."""

from __future__ import annotations

import threading
from collections import OrderedDict

from empathic_sdk.errors import UnknownTurnError
from empathic_sdk.profiles.checks import check_name
from empathic_sdk.types import Proposal, Turn
from empathic_sdk.types.protocols import Store

MOST = 1000


class Proposals:
    """The open proposals of the last turns of all people; thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._open: OrderedDict[tuple[str, str], tuple[Proposal, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def note(self, turn: Turn) -> None:
        """Remember the proposals of a turn."""
        if turn.proposals:
            with self._lock:
                self._open[turn.user, turn.id] = turn.proposals
                while len(self._open) > MOST:
                    self._open.popitem(last=False)

    def settle(self, turn_id: str, user: str, *, keep: bool) -> tuple[Proposal, ...]:
        """Close the proposals of a turn; save them to the profile if the person agreed.

        Raises:
            InputError: A name is no str, or empty.
            UnknownTurnError: This turn of theirs has no open proposals.
        """
        check_name(user, "user")
        check_name(turn_id, "turn id")
        with self._lock:
            found = self._open.pop((user, turn_id), ())
        if not found:
            raise UnknownTurnError(
                f"turn {turn_id!r} of {user!r} proposed nothing that is still open"
            )
        if keep:
            try:
                self._store.adopt(user, found)
            except BaseException:
                with self._lock:  # it can be tried again
                    self._open[user, turn_id] = found
                raise
        return found

    def forget(self, user: str) -> None:
        """Drop the proposals of a person who is erased."""
        with self._lock:
            for key in [k for k in self._open if k[0] == user]:
                del self._open[key]
