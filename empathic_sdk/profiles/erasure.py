"""Deletes rows in small steps, so that other writers do not wait long."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from sqlite_utils import Database

from empathic_sdk.profiles.leaving import leave, leaving, left
from empathic_sdk.profiles.purged import clear_marks
from empathic_sdk.profiles.referrals import forget_few
from empathic_sdk.profiles.retention import purge_days, purge_turns

_STEP_S = 0.025  # how long the turn to write is held, and a commit
_FEW = 50  # rows deleted between two looks at the clock
_AT_ONCE = 200  # turns of a person who goes in a single step


class Writable(Protocol):
    """What takes steps: a store's file."""

    def writing(self) -> AbstractContextManager[Database]:
        """Give the database inside a transaction."""


def begin_erasure(db: Database, user: str) -> int:
    """Forget ``user`` by name, and all of them who left few rows; return how many turns go."""
    clear_marks(db)  # one of them may be of this person, forgotten for age during a turn
    row = db.execute("SELECT id FROM users WHERE name = ?", [user]).fetchone()
    if row is None:
        return 0
    turns = db.execute("SELECT count(*) FROM turns WHERE user_id = ?", row).fetchone()[0]
    if turns <= _AT_ONCE:
        db.execute("DELETE FROM users WHERE id = ?", row)
    else:
        leave(db, row[0])
    forget_few(db)
    db.execute("UPDATE upkeep SET erasures = erasures + 1")  # the file owes a compaction
    return int(turns)


def finish_erasures(file: Writable) -> None:
    """Delete the rest of all users whose erasure has begun, here or in a process that died."""
    while _step(file, _erase_some):
        pass


def purge(file: Writable, cutoff: str) -> int:
    """Delete the turns from before ``cutoff``, see :mod:`retention`; return how many."""
    removed = 0

    def some(db: Database, end: float) -> bool:
        nonlocal removed
        gone, more = purge_turns(db, cutoff, end, _FEW)
        removed += gone
        return more or purge_days(db, cutoff, end)

    while _step(file, some):
        pass
    return removed


def _step(file: Writable, work: Callable[[Database, float], bool]) -> bool:
    with file.writing() as db:
        return work(db, time.monotonic() + _STEP_S)


def _erase_some(db: Database, end: float) -> bool:
    """Delete rows until ``end``; say whether there are more."""
    for user_id in leaving(db):
        for table, key in (("turns", "seq"), ("conversations", "id")):
            while db.execute(
                f"DELETE FROM {table} WHERE {key} IN "
                f"(SELECT {key} FROM {table} WHERE user_id = ? LIMIT ?)",
                [user_id, _FEW],
            ).rowcount:
                if time.monotonic() >= end:
                    return True
        left(db, user_id)
    return False
