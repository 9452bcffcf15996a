"""Turns SQLite errors into errors of this package that say what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from empathic_sdk.errors import (
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreKeyError,
    StoreLockedError,
    StoreReadOnlyError,
)
from empathic_sdk.profiles.cipher import VARIABLE
from empathic_sdk.profiles.damage import DamagedValueError

# A write that found no room, or, at a limit on file sizes, could not be made.
_NO_ROOM = (sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE)
_DAMAGE = (sqlite3.SQLITE_IOERR_SHORT_READ,)


class Explainer:
    """Turns errors of the driver into ours.

    Args:
        where: How messages name the store: its path.
        sql: The driver's module; its errors are translated as well as Python's own.
        timeout_s: How long a caller waited, for the message of a lock.
        encrypted: Whether there is a key that may not fit.
    """

    def __init__(self, where: str, sql: Any, timeout_s: float, encrypted: bool) -> None:
        self.where = where
        self.timeout_s = timeout_s
        self._errors = (sqlite3.Error, sql.Error)
        self._encrypted = encrypted

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise a :class:`StoreError` of the right kind in place of the driver's."""
        try:
            yield
        except self._errors as error:
            found = self.explained(error)
            if isinstance(found, StoreCorruptError) and "Could not decode" in str(error):
                raise found from None  # the driver's message quotes the value
            raise found from error
        except DamagedValueError as error:
            raise StoreCorruptError(
                f"the profile store {self.where} holds a value that cannot be read "
                f"({error.place}); see what else is damaged with `empathic profile check`, and "
                "restore it from a backup"
            ) from None

    def explained(self, error: Exception) -> StoreError:
        """Return what to raise for an error of the driver's."""
        store = f"the profile store {self.where}"
        if is_kind(error, sqlite3.SQLITE_BUSY) or is_kind(error, sqlite3.SQLITE_LOCKED):
            return StoreLockedError(
                f"{store} is held by another process for more than {self.timeout_s:g} s; "
                "try again, or open it with a longer timeout_s"
            )
        if is_kind(error, sqlite3.SQLITE_READONLY):
            return StoreReadOnlyError(
                f"{store} cannot be written; check the permissions of the file and its folder"
            )
        code = getattr(error, "sqlite_errorcode", 0)
        if is_kind(error, sqlite3.SQLITE_FULL) or code in _NO_ROOM:
            return StoreFullError(
                f"{store} cannot grow: the disk is full, or a limit on file sizes is reached. What "
                "was recorded before stands; make room and try again"
            )
        if is_kind(error, sqlite3.SQLITE_NOTADB) and self._encrypted:
            return StoreKeyError(
                f"the key in {VARIABLE} does not open {self.where}, or the file is damaged or no "
                "profile store; it was left as it is"
            )
        if is_kind(error, sqlite3.SQLITE_NOTADB):
            return StoreCorruptError(
                f"{self.where} is no profile store, or one that is damaged; it was left as it "
                f"is. If it is encrypted, set {VARIABLE}; otherwise give another path, or restore "
                "the file from a backup"
            )
        if "Could not decode" in str(error):
            return StoreCorruptError(
                f"{store} holds a text that is no UTF-8; see what is damaged with `empathic "
                "profile check`, and restore it from a backup"
            )
        if is_kind(error, sqlite3.SQLITE_CORRUPT) or code in _DAMAGE or "no such " in str(error):
            return StoreCorruptError(f"{store} is damaged ({error}); restore it from a backup")
        return StoreError(f"{store} failed ({error}); check its path, its folder and the disk")


def is_kind(error: Exception, code: int) -> bool:
    """Say whether an error is of a family of SQLite's result codes, such as SQLITE_BUSY."""
    # The low byte is the family (SQLITE_BUSY), the rest says which of it (SQLITE_BUSY_SNAPSHOT).
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == code
