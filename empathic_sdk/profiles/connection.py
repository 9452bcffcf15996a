"""Opens connections to the file of a store safely, and migrates its schema."""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from sqlite_utils import Database

from empathic_sdk.errors import (
    StoreCorruptError,
    StoreError,
    StoreKeyError,
    StoreReadOnlyError,
    StoreVersionError,
)
from empathic_sdk.profiles.cipher import VARIABLE, driver, key_from_environment, unlock
from empathic_sdk.profiles.clock import trusted_time
from empathic_sdk.profiles.explained import Explainer, is_kind
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
from empathic_sdk.profiles.wal import SOUND, LogState, inspect
from empathic_sdk.runtime.processes import ForkLock

log = logging.getLogger("empathic_sdk")
_CREATING = ForkLock()


class Opened(NamedTuple):
    """The connection that writes.

    Attributes:
        db: The connection.
        alone: Whether there can be no other: the store is in memory, or in a folder in which no
            log can be kept.
    """

    db: Database
    alone: bool


class Connector:
    """Makes the connections to one store.

    Args:
        path: Absolute; ``None`` keeps everything in memory.
        timeout_s: Seconds to wait for other processes.

    Attributes:
        explain: Turns the driver's errors into ours.
        encrypted: Whether there is a key.
        log_found: State of the log when :meth:`writer` opened the file.
    """

    def __init__(self, path: Path | None, timeout_s: float) -> None:
        self.path = path
        self.timeout_s = timeout_s
        self._where = "in memory" if path is None else str(path)
        self._key = None if path is None else key_from_environment()
        self.encrypted = self._key is not None
        self.log_found = SOUND
        self.sql = driver(self._key)
        self.explain = Explainer(self._where, self.sql, timeout_s, self.encrypted)

    def writer(self) -> Opened:
        """Open the file, or make it, and bring its schema up to date.

        Raises:
            StoreCorruptError: It is another application's, or it or its log is damaged; it is
                left as it is.
        """
        if self.path is not None:
            _create(self.path)
            self._peek(self.path)
            self._refuse_damaged_log(self.path)
        db = self.connect()
        try:
            return self._settle(db)
        except BaseException:
            db.close()
            raise

    def reader(self) -> Database:
        """Open one more connection, which cannot write."""
        db = self.connect()
        db.execute("PRAGMA temp_store=MEMORY")
        db.execute("PRAGMA query_only=ON")
        return db

    def connect(self, mode: str = "mode=rw") -> Database:
        """Open a bare connection."""
        where = ":memory:" if self.path is None else f"{self.path.as_uri()}?{mode}"
        connection = self.sql.connect(
            where,
            uri=self.path is not None,
            timeout=self.timeout_s,
            isolation_level=None,
            check_same_thread=False,
        )
        if self._key is not None:
            unlock(connection, self._key)
        return Database(connection, execute_plugins=False)

    def log_state(self) -> LogState | None:
        """Inspect the log; ``None`` for a store without a file."""
        return None if self.path is None else inspect(Path(f"{self.path}-wal"))

    def _refuse_damaged_log(self, path: Path) -> None:
        found = self.log_found = inspect(Path(f"{path}-wal"))
        if found.lost and not found.certain:
            log.warning(
                "the last change in the log of a profile store cannot be read: it was being "
                "written when the power failed, or it is damaged; the store goes on without it"
            )
        if found.certain:
            raise StoreCorruptError(
                f"the log {path}-wal is damaged and {found.lost} recorded changes lie behind the "
                "damage; it was left as it is. Restore the store from a backup, or move the log "
                f"and {path}-shm away to go on without what it holds"
            )

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
            if self.encrypted:
                raise StoreKeyError(
                    f"{path} is not encrypted, and {VARIABLE} is set; unset it, or move the store "
                    "into an encrypted one (docs/privacy.md); it was left as it is"
                )
        except sqlite3.DatabaseError:
            return
        finally:
            peek.close()

    def _settle(self, db: Database) -> Opened:
        alone = self.path is None
        try:
            db.execute("SELECT 1 FROM sqlite_master").fetchone()
        except self.sql.OperationalError as error:
            if not (
                is_kind(error, sqlite3.SQLITE_CANTOPEN) or is_kind(error, sqlite3.SQLITE_READONLY)
            ):
                raise
            # A folder that cannot be written has no room for the files beside a log. Without
            # a log there is nothing that could be missed by reading the bare file.
            beside = Path(f"{self._where}-wal")
            if beside.exists() and beside.stat().st_size:
                raise
            db.close()
            db, alone = self.connect("mode=ro&immutable=1"), True
        # Each of these leaves the file alone; temporary tables may hold what is erased.
        for pragma in ("foreign_keys=ON", "synchronous=FULL", "temp_store=MEMORY"):
            db.execute(f"PRAGMA {pragma}")
        db.execute("PRAGMA secure_delete=ON").fetchall()
        self._check(db)
        if not is_current(db):
            with immediate(db):
                self._check(db)  # another process may have been faster
                if not is_current(db):
                    migrate(db)
                    trusted_time(db, datetime.now(UTC))  # from here on, time is accounted for
        if self.path is not None:
            self._use_log(db)
        return Opened(db, alone)

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
            except self.sql.OperationalError as error:
                if is_kind(error, sqlite3.SQLITE_READONLY):
                    return None
                # SQLite does not wait by itself here, and two processes may both be creating.
                if not is_kind(error, sqlite3.SQLITE_BUSY) or time.monotonic() >= deadline:
                    raise
                time.sleep(0.01)

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
def immediate(db: Database) -> Iterator[None]:
    """Run a block in a transaction that writes from its beginning."""
    # sqlite-utils' atomic() begins a transaction that becomes a writing one half-way, which
    # SQLite refuses at once if another process wrote in between; this one waits its turn.
    db.execute("BEGIN IMMEDIATE")
    with ended(db):
        yield


@contextmanager
def ended(db: Database) -> Iterator[None]:
    """End the transaction under way: commit it, or roll it back where the block raises."""
    try:
        yield
        db.commit()
    except BaseException:
        # A full disk may have ended the transaction already; the first error is the one to tell.
        with suppress(Exception):
            db.rollback()
        raise


def _create(path: Path) -> None:
    """Make an empty file for its owner alone; SQLite gives its companions the same mode."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Under a lock, so that closing this descriptor cannot drop another thread's locks.
        with _CREATING:
            if not path.exists():
                with suppress(FileExistsError):  # another process was faster
                    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        there = path.exists()
    except PermissionError as error:
        raise StoreReadOnlyError(
            f"no profile store can be made at {path}: the folder cannot be written"
        ) from error
    except OSError as error:
        raise StoreError(f"no profile store can be made at {path}: {error.strerror}") from error
    if there and not path.is_file():
        kind = "a folder" if path.is_dir() else "not a regular file"
        raise StoreError(f"{path} is {kind}; give the path of a file")
