"""Tracks unfinished copies of a store, which must not outlive an erasure."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sqlite_utils import Database

from empathic_sdk.errors import StoreFullError, StoreLockedError, StoreReadOnlyError
from empathic_sdk.profiles.backup import remove_stale, unfinished
from empathic_sdk.profiles.damage import parsed
from empathic_sdk.profiles.file import StoreFile


def note_copy(file: StoreFile, part: Path) -> None:
    """Record that a copy is being written to ``part``, if the store is writable.

    A copy beside the store is found without a record.
    """
    if file.path is not None and part.parent == file.path.parent and not file.encrypted:
        return
    _change(file, lambda parts: [*parts, str(part)])


def tidy_copies(file: StoreFile) -> None:
    """Delete the unfinished copies that no process is writing any more, wherever they are."""
    with file.reading() as db:
        noted = _noted(db)
    gone = [part for part in noted if remove_stale(Path(part))]
    if gone:
        _change(file, lambda parts: [part for part in parts if part not in gone])
    if file.path is not None:
        for part in unfinished(file.path.parent):
            remove_stale(part)


def left_over(file: StoreFile) -> list[str]:
    """Return a message for each unfinished copy."""
    with file.reading() as db:
        parts = [Path(part) for part in _noted(db)]
    if file.path is not None:
        parts += unfinished(file.path.parent)
    return [
        f"{part} is an unfinished copy with people's data: another process is writing it, or it "
        "goes when the store is opened again"
        for part in dict.fromkeys(parts)
        if part.exists()
    ]


def _noted(db: Database) -> list[str]:
    found: list[str] = parsed(
        "upkeep.copies", db.execute("SELECT copies FROM upkeep").fetchone()[0], list
    )
    return found


def _change(file: StoreFile, change: Callable[[list[str]], list[str]]) -> None:
    with (
        suppress(StoreReadOnlyError, StoreLockedError, StoreFullError),
        file.writing() as db,
    ):
        db.execute("UPDATE upkeep SET copies = ?", [json.dumps(change(_noted(db)))])
