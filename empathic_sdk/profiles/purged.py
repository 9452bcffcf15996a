"""Tracks users who were recently purged by retention rather than erased.

A turn under way must not bring back a user who was erased meanwhile; a user whose data merely
expired may come back. To tell them apart, the time when each was first known is kept for a day,
without a name.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from sqlite_utils import Database

from empathic_sdk.profiles.damage import parsed

_KEPT_FOR = timedelta(days=1)
_MOST = 1000


def mark(db: Database, firsts: Iterable[str]) -> None:
    """Record when the users purged now were first known."""
    now = datetime.now(UTC)
    kept = {
        first: at
        for first, at in _marks(db).items()
        if abs(now - datetime.fromisoformat(at)) < _KEPT_FOR
    }
    kept |= dict.fromkeys(firsts, now.isoformat())
    newest = dict(list(kept.items())[-_MOST:])
    db.execute("UPDATE upkeep SET purged = ?", [json.dumps(newest)])


def is_marked(db: Database, first: datetime) -> bool:
    """Say whether a user first known then was purged, with no erasure since."""
    return any(datetime.fromisoformat(one) == first for one in _marks(db))


def clear_marks(db: Database) -> None:
    """Drop them all: somebody is erased, and no mark says who."""
    db.execute("UPDATE upkeep SET purged = '{}' WHERE purged != '{}'")


def _marks(db: Database) -> dict[str, str]:
    found: dict[str, str] = parsed(
        "upkeep.purged", db.execute("SELECT purged FROM upkeep").fetchone()[0]
    )
    return found
