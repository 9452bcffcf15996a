"""Those who were lately forgotten because nothing of theirs was young enough to keep.

A turn under way must not bring back somebody who was erased meanwhile; but one who merely grew too
old has not asked to be forgotten, and is just here again. All that tells them apart is kept for a
day: the moment when each was first known, without a name.
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
    """Note when those were first known who are forgotten now."""
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
    """Say whether somebody first known then was forgotten for age, and nobody erased since."""
    return any(datetime.fromisoformat(one) == first for one in _marks(db))


def clear_marks(db: Database) -> None:
    """Drop them all: somebody is erased, and no mark says who."""
    db.execute("UPDATE upkeep SET purged = '{}' WHERE purged != '{}'")


def _marks(db: Database) -> dict[str, str]:
    found: dict[str, str] = parsed(
        "upkeep.purged", db.execute("SELECT purged FROM upkeep").fetchone()[0]
    )
    return found
