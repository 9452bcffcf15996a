"""Reaching the database of a store past the store: its file, and the connections it makes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlite_utils import Database

from empathic_sdk.profiles import ProfileStore
from empathic_sdk.profiles.connection import Connector


@contextmanager
def writing(store: ProfileStore) -> Iterator[sqlite3.Connection]:
    """Give another connection to the file of ``store``, inside a transaction that is committed."""
    assert isinstance(store.path, Path), "only a store with a file can be reached from beside it"
    with closing(sqlite3.connect(store.path, isolation_level=None)) as db:
        # As the store itself does it: no old row is left where it was.
        db.execute("PRAGMA secure_delete = ON").fetchall()
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("BEGIN IMMEDIATE")
        yield db
        db.execute("COMMIT")


@contextmanager
def tables(store: ProfileStore) -> Iterator[Database]:
    """Give another connection to the file of ``store`` that knows about tables and columns."""
    assert isinstance(store.path, Path), "only a store with a file can be reached from beside it"
    with closing(Database(store.path)) as db:
        yield db


@contextmanager
def connections() -> Iterator[list[Database]]:
    """Collect the connections that stores make meanwhile; the first of a store is its writer."""
    made: list[Database] = []
    real = Connector.connect

    def connect(self: Connector, mode: str = "mode=rw") -> Database:
        made.append(real(self, mode))
        return made[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Connector, "connect", connect)
        yield made
