"""The file of a store: transactions, compaction, copies."""

from __future__ import annotations

import os
import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlite_utils import Database

from empathic_sdk.errors import (
    StoreError,
    StoreFullError,
    StoreLockedError,
    StoreReadOnlyError,
)
from empathic_sdk.profiles.connection import Connector, ended
from empathic_sdk.profiles.erasure import finish_erasures
from empathic_sdk.profiles.explained import is_kind
from empathic_sdk.profiles.identity import FileIdentity
from empathic_sdk.profiles.readers import Readers
from empathic_sdk.profiles.unused import Scrubber
from empathic_sdk.profiles.wal import LogState
from empathic_sdk.runtime.processes import ForkGate

_PAUSE_S = (0.001, 0.005)  # between two tries to get a turn to write
_STEP_S = 0.05  # how long one try at the checkpoint may hold writers up
_SMALL = 8_000_000  # bytes of a file that is rewritten in less time than anybody notices
_SQLITE = ForkGate()
_INHERITED: list[object] = []  # of a process before a fork: SQLite must not even close them


class StoreFile:
    """One store of one process, shared by its threads: a connection that writes, some that read.

    Never open the database file by other means than SQLite while one of these exists: closing
    any descriptor of a file drops every POSIX lock that this process has on it.

    Args:
        path: Absolute; ``None`` keeps everything in memory.
        timeout_s: Seconds to wait for other processes.
    """

    def __init__(self, path: Path | None, timeout_s: float) -> None:
        """Open the file, or make it."""
        self.path = path
        self.timeout_s = timeout_s
        self._where = "in memory" if path is None else str(path)
        self._lock = threading.RLock()
        self._pid = os.getpid()
        self._connector = Connector(path, timeout_s)
        self.encrypted = self._connector.encrypted
        self._readers = Readers(self._connector.reader)
        self._identity: FileIdentity | None = None
        self._db: Database | None = None
        with self._translated():
            self._db, self._alone = self._connector.writer()
            try:
                if path is not None:
                    # Whoever reads makes the log, if it is not there.
                    self._db.execute("SELECT erasures FROM upkeep").fetchone()
                    self._identity = FileIdentity(path, encrypted=self.encrypted)
                    self._identity.settle()
                self._log = self._connector.log_found
                self._pay_debt()
            except BaseException:
                self.close()
                raise

    @contextmanager
    def reading(self) -> Iterator[Database]:
        """Yield the database for reading, as a snapshot."""
        self._refuse_fork()  # before any lock: a thread that held it may not exist here
        with self._translated(), self._reader() as db, db.atomic():
            yield db

    @contextmanager
    def writing(self) -> Iterator[Database]:
        """Yield the database inside a transaction, which is committed whole or not at all.

        The changes are in the file at the store's path when this ends without an error.
        """
        self._refuse_fork()
        with self._translated(), self._lock:
            db = self._live()
            with self._turn_to_write(db):
                yield db
            self._check_identity()

    @contextmanager
    def _reader(self) -> Iterator[Database]:
        if self._alone:
            with self._lock:
                yield self._live()
            return
        self._live()
        with self._readers.one() as db:
            self._open_one()  # it may have been closed since; from here on that waits for us
            yield db

    @contextmanager
    def _turn_to_write(self, db: Database) -> Iterator[None]:
        self._begin(db)
        with ended(db):
            yield

    def _begin(self, db: Database) -> None:
        # SQLite's own waiting asks at ever longer intervals, so that among many writers one that
        # waits long waits ever longer. This asks at short ones, of random length.
        deadline = time.monotonic() + self.timeout_s
        _patience(db, 0.0)
        try:
            while True:
                try:
                    db.execute("BEGIN IMMEDIATE")
                    return
                except self._connector.sql.OperationalError as error:
                    if not is_kind(error, sqlite3.SQLITE_BUSY) or time.monotonic() >= deadline:
                        raise
                    time.sleep(random.uniform(*_PAUSE_S))
        finally:
            _patience(db, self.timeout_s)

    def compact(self, timeout_s: float) -> None:
        """Remove all traces of deleted data from the file and its log.

        A small file is rewritten. In a large one the bytes that hold nothing any more are
        overwritten in place, a little at a time, while others read and write.

        Raises:
            StoreLockedError: Somebody read or wrote for longer than ``timeout_s`` seconds.
        """
        self._refuse_fork()
        with self._translated():
            with self._lock:
                db = self._live()
                # Rows of somebody whose erasure has just begun still owe their bytes after this.
                erasures = db.execute(
                    "SELECT CASE leaving WHEN '[]' THEN erasures ELSE compacted END FROM upkeep"
                ).fetchone()[0]
                large = self._is_large(db)
                if not large:
                    self._rewrite(db, timeout_s)
            if large:
                assert self._identity is not None
                self._empty_log(timeout_s)  # so that everything is in the file
                with Scrubber(self._connector.connect, self._identity.descriptor) as scrubber:
                    scrubber.scrub(timeout_s, self._being_read)
            self._empty_log(timeout_s)
            with self._lock:
                self._live().execute("UPDATE upkeep SET compacted = max(compacted, ?)", [erasures])

    def _is_large(self, db: Database) -> bool:
        if self._alone or self.encrypted:
            return False
        if db.execute("PRAGMA auto_vacuum").fetchone()[0]:
            return False  # pages of a kind that the scrubber does not know
        size, pages = (db.execute(f"PRAGMA page_{p}").fetchone()[0] for p in ("size", "count"))
        return bool(size * pages > _SMALL)

    def _rewrite(self, db: Database, timeout_s: float) -> None:
        try:
            _patience(db, timeout_s)
            db.vacuum()
        finally:
            _patience(db, self.timeout_s)

    def _empty_log(self, timeout_s: float) -> None:
        """Move everything into the file and truncate its log."""
        deadline = time.monotonic() + timeout_s
        while True:
            with self._lock:
                db = self._live()
                try:
                    # Most of the work holds nobody up; the rest takes the turn to write.
                    db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
                    _patience(db, min(timeout_s, _STEP_S))
                    busy = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
                finally:
                    _patience(db, self.timeout_s)
            if not busy:
                return
            # Readers of an older state keep the log from being emptied; waiting inside
            # SQLite would hold the write lock all the while, so wait out here.
            if time.monotonic() >= deadline:
                raise self._being_read(timeout_s)
            time.sleep(_STEP_S / 5)

    def _being_read(self, timeout_s: float) -> StoreLockedError:
        return StoreLockedError(
            f"the profile store {self._where} is being read, by another process perhaps, and "
            f"its log could not be emptied within {timeout_s:g} s"
        )

    def copy(self, dest: Path) -> None:
        """Copy everything recorded, and nothing deleted, into the empty file ``dest``.

        The copy is a snapshot; others can go on reading and writing.
        """
        self._refuse_fork()
        with self._translated():
            with self._lock:
                db = self._live()
            if self.path is None:
                with self._lock:
                    db.execute("VACUUM INTO ?", [str(dest)])
                return
            own = self._connector.connect()  # so that this process, too, can go on
            try:
                own.execute("VACUUM INTO ?", [str(dest)])
            finally:
                own.close()

    def log_state(self) -> LogState | None:
        """Return what is wrong with the log; ``None`` where there is none.

        Damage found on opening is still reported, although SQLite has truncated it since.
        """
        now = self._connector.log_state()
        return self._log if now is not None and not now.lost else now

    def close(self) -> None:
        """Close the connections; closing twice is fine."""
        if os.getpid() != self._pid:
            _INHERITED.append((self._db, self._readers))
            return
        with self._translated(), self._lock:
            back = self._readers.close(self.timeout_s + 1.0)
            if self._db is not None:
                self._db.close()
                self._db = None
            if self._identity is not None and back:
                self._identity.close()

    def _live(self) -> Database:
        self._refuse_fork()
        db = self._open_one()
        self._check_identity()
        return db

    def _open_one(self) -> Database:
        if self._db is None:
            raise StoreError(f"the profile store {self._where} is closed; open a new one")
        return self._db

    def _check_identity(self) -> None:
        if self._identity is not None:
            self._identity.check()

    def _refuse_fork(self) -> None:
        if os.getpid() != self._pid:
            raise StoreError(
                f"the profile store {self._where} was opened before this process was forked; "
                "open a new one in each process"
            )

    def _pay_debt(self) -> None:
        with self.reading() as db:
            owed = db.execute("SELECT erasures > compacted FROM upkeep").fetchone()[0]
        if owed:
            with suppress(StoreLockedError, StoreReadOnlyError, StoreFullError):
                finish_erasures(self)
                self.compact(0.0)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        self._connector.explain.timeout_s = self.timeout_s
        with _SQLITE.inside(), self._connector.explain.translated():
            yield


def _patience(db: Database, seconds: float) -> None:
    db.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}").fetchall()
