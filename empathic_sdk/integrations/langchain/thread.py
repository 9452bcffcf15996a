"""What the middleware keeps with a thread: small, of one size however long the thread grows.

A checkpointer writes an agent's state again and again, so little is put there. Two things are left
out of a turn. What the recogniser remembers of a dialogue is large: where it stands nowhere in this
process, it is read anew from the thread's messages. The states before the last are in the
conversation's record already.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

from empathic_sdk.errors import EmpathicError, InputError
from empathic_sdk.runtime.processes import ForkLock
from empathic_sdk.turn.codec import decode, encode
from empathic_sdk.turn.stateless import StatelessTurn

DIGITS = 5
"""Decimals of the numbers that are kept."""

SMALL = 512
"""Bytes, compressed, of a session's state that is kept with the thread."""

LARGEST = 1 << 20
"""Bytes of an unpacked turn at most: a longer one was not written here."""

SESSIONS = 64
"""Sessions of threads that a process remembers, the ones used last."""

_NO_SESSION = b"null"


def pack(turn: StatelessTurn) -> str:
    """Return a turn for a checkpoint: derived values and the reply, which may quote the person."""
    record, session = decode(turn.state)
    if len(zlib.compress(session)) > SMALL:
        session = _NO_SESSION
    dumped = turn.dump() | {"timings": {}, "state": None}
    dumped["context"] = {k: v for k, v in dumped["context"].items() if k != "history"}
    whole = _rounded([dumped, json.loads(encode(record, session))])
    packed = zlib.compress(json.dumps(whole, separators=(",", ":")).encode(), 9)
    return base64.b85encode(packed).decode("ascii")


def unpack(packed: str) -> StatelessTurn:
    """Return the turn that :func:`pack` was given, to the digits that are kept.

    Its ``state`` has no session where that was too large.

    Raises:
        InputError: It is something else.
    """
    try:
        unzip = zlib.decompressobj()
        text = unzip.decompress(base64.b85decode(packed), LARGEST)
        dumped, state = json.loads(text)
        dumped["state"] = json.dumps(state)
        dumped["context"]["history"] = state["history"][:-1]
    except (ValueError, KeyError, TypeError, AttributeError, zlib.error, RecursionError) as error:
        raise InputError("this is no turn of a thread") from error
    return StatelessTurn.load(dumped)


class Sessions:
    """What the recogniser remembers of the threads that this process saw last. Thread-safe."""

    def __init__(self) -> None:
        self._found: OrderedDict[bytes, bytes] = OrderedDict()
        self._lock = ForkLock()

    def remember(self, packed: str, turn: StatelessTurn) -> None:
        """Keep the session of a turn; ``packed`` is what :func:`pack` made of the turn."""
        _, session = decode(turn.state)
        with self._lock:
            self._found[_digest(packed)] = session
            while len(self._found) > SESSIONS:
                self._found.popitem(last=False)

    def state(self, packed: str, turn: StatelessTurn, read_anew: Callable[[], bytes]) -> bytes:
        """Return the whole state of a conversation, to go on with.

        Args:
            packed: What the thread keeps.
            turn: The same, unpacked.
            read_anew: Reads what was said before and returns the session's state.
        """
        record, session = decode(turn.state)
        if session != _NO_SESSION:
            return turn.state
        with self._lock:
            found = self._found.get(_digest(packed))
        return encode(record, read_anew() if found is None else found)


def stored_turn(state: Any) -> StatelessTurn | None:
    """Return the turn that an agent's state holds, of this or an earlier release; else ``None``."""
    stored = (state or {}).get("empathy_heard")
    if not isinstance(stored, dict):
        return None
    try:
        if "turn" in stored:
            return unpack(stored["turn"])
        return StatelessTurn.load(stored["heard"])
    except (EmpathicError, KeyError, TypeError):
        return None


def _digest(packed: str) -> bytes:
    return blake2b(packed.encode(), digest_size=16).digest()


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_rounded(v) for v in value]
    return value
