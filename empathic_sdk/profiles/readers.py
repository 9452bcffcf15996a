"""Pool of read connections, so that readers do not wait for writers of their process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlite_utils import Database

_MOST_IDLE = 4


class Readers:
    """A pool of connections, which makes a new one if none is idle.

    Args:
        connect: Makes a connection.
    """

    def __init__(self, connect: Callable[[], Database]) -> None:
        self._connect = connect
        self._idle: list[Database] = []
        self._out = 0
        self._closed = False
        self._changed = threading.Condition()

    @contextmanager
    def one(self) -> Iterator[Database]:
        """Lend a connection to the block."""
        with self._changed:
            self._out += 1
            db = self._idle.pop() if self._idle else None
        try:
            if db is None:
                db = self._connect()
            yield db
        finally:
            with self._changed:
                self._out -= 1
                if db is not None:
                    if self._closed or db.conn.in_transaction or len(self._idle) >= _MOST_IDLE:
                        db.close()
                    else:
                        self._idle.append(db)
                self._changed.notify_all()

    def close(self, timeout_s: float) -> bool:
        """Close all of them; return whether those that were lent came back in time."""
        with self._changed:
            self._closed = True
            while self._idle:
                self._idle.pop().close()
            return self._changed.wait_for(lambda: self._out == 0, timeout_s)
