"""The file behind a store: opened without doing harm, transactions, compaction, error texts."""

from __future__ import annotations

import os
import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from json import JSONDecodeError
from pathlib import Path

from sqlite_utils import Database

from empathic_sdk.errors import (
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreKeyError,
    StoreLockedError,
    StoreReadOnlyError,
    StoreVersionError,
)
from empathic_sdk.profiles.cipher import VARIABLE, driver, key_from_environment, unlock
from empathic_sdk.profiles.migrations import (
    APPLICATION_ID,
    VERSION,
    application_id,
    is_blank,
    is_current,
    is_newer,
    migrate,
    user_version,
)

_CREATING = threading.Lock()
# A write that found no room, or, at a limit on file sizes, could not be made.
_NO_ROOM = (sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE)
_PAUSE_S = (0.001, 0.005)  # between two tries to get a turn to write
_STEP_S = 0.05  # how long one try at the checkpoint may hold writers up


class StoreFile:
    """One connection to one store, shared by the threads of one process.

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
        self._key = None if path is None else key_from_environment()
        self._sql = driver(self._key)
        self._pid = os.getpid()
        self._db: Database | None = None
        with self._translated():
            if path is not None:
                _create(path)
                self._peek(path)
            db = self._connect("mode=rw")
            try:
                self._db = db = self._settle(db)
                self._pay_debt()
            except BaseException:
                db.close()
                raise

    @contextmanager
    def reading(self) -> Iterator[Database]:
        """Give the database, as it is at one moment."""
        with self._lock, self._translated():
            db = self._live()
            with db.atomic():
                yield db

    @contextmanager
    def writing(self) -> Iterator[Database]:
        """Give the database inside a transaction: all that the block does, or nothing."""
        with self._lock, self._translated():
            db = self._live()
            with self._turn_to_write(db):
                yield db

    @contextmanager
    def _turn_to_write(self, db: Database) -> Iterator[None]:
        # SQLite's own waiting asks at ever longer intervals, so that among many writers one that
        # waits long waits ever longer. This asks at short ones, of random length.
        deadline = time.monotonic() + self.timeout_s
        _patience(db, 0.0)
        try:
            while True:
                try:
                    db.execute("BEGIN IMMEDIATE")
                    break
                except self._sql.OperationalError as error:
                    if not _is(error, sqlite3.SQLITE_BUSY) or time.monotonic() >= deadline:
                        raise
                    time.sleep(random.uniform(*_PAUSE_S))
        finally:
            _patience(db, self.timeout_s)
        with _ended(db):
            yield

    def compact(self, timeout_s: float) -> None:
        """Rewrite the file so that nothing deleted is left in it or in its log.

        Raises:
            StoreLockedError: Somebody read or wrote for longer than ``timeout_s`` seconds.
        """
        deadline = time.monotonic() + timeout_s
        with self._lock, self._translated():
            db = self._live()
            erasures = db.execute("SELECT erasures FROM upkeep").fetchone()[0]
            try:
                _patience(db, timeout_s)
                db.vacuum()
                _patience(db, min(timeout_s, _STEP_S))
                # Readers of an older state keep the log from being emptied; waiting inside
                # SQLite would hold the write lock all the while, so wait out here.
                while db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                    if time.monotonic() >= deadline:
                        raise StoreLockedError(
                            f"the profile store {self._where} is being read by another process, "
                            f"and its log could not be emptied within {timeout_s:g} s"
                        )
                    time.sleep(_STEP_S / 5)
                _patience(db, timeout_s)
                db.execute("UPDATE upkeep SET compacted = max(compacted, ?)", [erasures])
            finally:
                _patience(db, self.timeout_s)

    def copy(self, dest: Path) -> None:
        """Write all that is recorded, and nothing that was deleted, into the empty file ``dest``.

        As it is at one moment; others go on reading and writing.
        """
        with self._translated():
            with self._lock:
                db = self._live()
            if self.path is None:
                with self._lock:
                    db.execute("VACUUM INTO ?", [str(dest)])
                return
            own = self._connect("mode=rw")  # so that this process, too, can go on
            try:
                own.execute("VACUUM INTO ?", [str(dest)])
            finally:
                own.close()

    def close(self) -> None:
        """Close the connection; closing twice is fine."""
        with self._lock, self._translated():
            if self._db is not None:
                self._db.close()
                self._db = None

    def _live(self) -> Database:
        if self._db is None:
            raise StoreError(f"the profile store {self._where} is closed; open a new one")
        if os.getpid() != self._pid:
            raise StoreError(
                f"the profile store {self._where} was opened before this process was forked; "
                "open a new one in each process"
            )
        return self._db

    def _connect(self, mode: str) -> Database:
        where = ":memory:" if self.path is None else f"{self.path.as_uri()}?{mode}"
        connection = self._sql.connect(
            where,
            uri=self.path is not None,
            timeout=self.timeout_s,
            isolation_level=None,
            check_same_thread=False,
        )
        if self._key is not None:
            unlock(connection, self._key)
        return Database(connection, execute_plugins=False)

    def _peek(self, path: Path) -> None:
        # Opening another application's file the usual way may already change it (its log is
        # emptied on close). Immutable, SQLite takes no lock, makes no file and writes nothing.
        # A header that cannot be read proves nothing here: another process may be writing it.
        # Without a key, whatever the environment says: what opens so is not encrypted.
        where = f"{path.as_uri()}?mode=ro&immutable=1"
        peek = Database(
            sqlite3.connect(where, uri=True, isolation_level=None), execute_plugins=False
        )
        try:
            if peek.execute("PRAGMA page_count").fetchone()[0] == 0:
                return
            if application_id(peek) != APPLICATION_ID:
                raise self._foreign()
            if user_version(peek) > VERSION:
                raise self._newer()
            if self._key is not None:
                raise StoreKeyError(
                    f"{path} is not encrypted, and {VARIABLE} is set; unset it, or move the store "
                    "into an encrypted one (docs/privacy.md); it was left as it is"
                )
        except sqlite3.DatabaseError:
            return
        finally:
            peek.close()

    def _settle(self, db: Database) -> Database:
        """Bring the schema up to date; return the connection to go on with."""
        try:
            db.execute("SELECT 1 FROM sqlite_master").fetchone()
        except self._sql.OperationalError as error:
            if not (_is(error, sqlite3.SQLITE_CANTOPEN) or _is(error, sqlite3.SQLITE_READONLY)):
                raise
            # A folder that cannot be written has no room for the files beside a log. Without
            # a log there is nothing that could be missed by reading the bare file.
            log = Path(f"{self._where}-wal")
            if log.exists() and log.stat().st_size:
                raise
            db.close()
            db = self._connect("mode=ro&immutable=1")
        # Each of these leaves the file alone; temporary tables may hold what is erased.
        for pragma in ("foreign_keys=ON", "synchronous=FULL", "temp_store=MEMORY"):
            db.execute(f"PRAGMA {pragma}")
        db.execute("PRAGMA secure_delete=ON").fetchall()
        self._check(db)
        if not is_current(db):
            with _immediate(db):
                self._check(db)  # another process may have been faster
                if not is_current(db):
                    migrate(db)
        if self.path is not None:
            self._use_log(db)
        return db

    def _check(self, db: Database) -> None:
        if is_blank(db):
            return
        if application_id(db) != APPLICATION_ID:
            raise self._foreign()
        if is_newer(db):
            raise self._newer()

    def _use_log(self, db: Database) -> None:
        deadline = time.monotonic() + self.timeout_s
        while True:
            try:
                return db.enable_wal()
            except self._sql.OperationalError as error:
                if _is(error, sqlite3.SQLITE_READONLY):
                    return None
                # SQLite does not wait by itself here, and two processes may both be creating.
                if not _is(error, sqlite3.SQLITE_BUSY) or time.monotonic() >= deadline:
                    raise
                time.sleep(0.01)

    def _pay_debt(self) -> None:
        with self.reading() as db:
            owed = db.execute("SELECT erasures > compacted FROM upkeep").fetchone()[0]
        if owed:
            with suppress(StoreLockedError, StoreReadOnlyError, StoreFullError):
                self.compact(0.0)

    def _foreign(self) -> StoreCorruptError:
        return StoreCorruptError(
            f"{self._where} is a database of another application; it was left as it is. "
            "Give the profile store a path of its own"
        )

    def _newer(self) -> StoreVersionError:
        return StoreVersionError(
            f"{self._where} was written by a newer version of empathic-sdk (this one knows "
            f"schema {VERSION}); it was left as it is. Update the package to open it"
        )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, self._sql.Error) as error:
            raise self._explained(error) from error
        except JSONDecodeError as error:
            raise StoreCorruptError(
                f"the profile store {self._where} holds a value that cannot be read; "
                "restore it from a backup"
            ) from error

    def _explained(self, error: Exception) -> StoreError:
        store = f"the profile store {self._where}"
        if _is(error, sqlite3.SQLITE_BUSY) or _is(error, sqlite3.SQLITE_LOCKED):
            return StoreLockedError(
                f"{store} is held by another process for more than {self.timeout_s:g} s; "
                "try again, or open it with a longer timeout_s"
            )
        if _is(error, sqlite3.SQLITE_READONLY):
            return StoreReadOnlyError(
                f"{store} cannot be written; check the permissions of the file and its folder"
            )
        if _is(error, sqlite3.SQLITE_FULL) or getattr(error, "sqlite_errorcode", 0) in _NO_ROOM:
            return StoreFullError(
                f"{store} cannot grow: the disk is full, or a limit on file sizes is reached. What "
                "was recorded before stands; make room and try again"
            )
        if _is(error, sqlite3.SQLITE_NOTADB) and self._key is not None:
            return StoreKeyError(
                f"the key in {VARIABLE} does not open {self._where}, or the file is damaged or no "
                "profile store; it was left as it is"
            )
        if _is(error, sqlite3.SQLITE_NOTADB):
            return StoreCorruptError(
                f"{self._where} is no profile store, or one that is damaged; it was left as it "
                f"is. If it is encrypted, set {VARIABLE}; otherwise give another path, or restore "
                "the file from a backup"
            )
        if _is(error, sqlite3.SQLITE_CORRUPT) or "no such " in str(error):
            return StoreCorruptError(f"{store} is damaged ({error}); restore it from a backup")
        return StoreError(f"{store} failed ({error}); check its path, its folder and the disk")


@contextmanager
def _immediate(db: Database) -> Iterator[None]:
    # sqlite-utils' atomic() begins a transaction that becomes a writing one half-way, which
    # SQLite refuses at once if another process wrote in between; this one waits its turn.
    db.execute("BEGIN IMMEDIATE")
    with _ended(db):
        yield


@contextmanager
def _ended(db: Database) -> Iterator[None]:
    try:
        yield
        db.commit()
    except BaseException:
        # A full disk may have ended the transaction already; the first error is the one to tell.
        with suppress(Exception):
            db.rollback()
        raise


def _is(error: Exception, code: int) -> bool:
    # The low byte is the family (SQLITE_BUSY), the rest says which of it (SQLITE_BUSY_SNAPSHOT).
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == code


def _patience(db: Database, seconds: float) -> None:
    db.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}").fetchall()


def _create(path: Path) -> None:
    """Make an empty file for its owner alone; SQLite gives its companions the same mode."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Under a lock, so that closing this descriptor cannot drop another thread's locks.
        with _CREATING:
            if not path.exists():
                with suppress(FileExistsError):  # another process was faster
                    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except PermissionError as error:
        raise StoreReadOnlyError(
            f"no profile store can be made at {path}: the folder cannot be written"
        ) from error
    except OSError as error:
        raise StoreError(f"no profile store can be made at {path}: {error.strerror}") from error
    if path.exists() and not path.is_file():
        kind = "a folder" if path.is_dir() else "not a regular file"
        raise StoreError(f"{path} is {kind}; give the path of a file")
