"""Users whose erasure has begun: the name goes at once, the rows in small steps."""

from __future__ import annotations

import json
import secrets

from sqlite_utils import Database

from empathic_sdk.profiles.damage import parsed

STAYING = "users.id NOT IN (SELECT value FROM upkeep, json_each(upkeep.leaving))"
"""SQL condition for users whose erasure has not begun."""

# What is kept of a person beside turns and conversations: few rows, all gone at once.
_SMALL = ("consents", "days", "mastery", "learning", "override_uses")


def leave(db: Database, user_id: int) -> None:
    """Take the name from a user and note that their rows are to be deleted."""
    for table in _SMALL:
        db.execute(f"DELETE FROM {table} WHERE user_id = ?", [user_id])
    db.execute(
        "UPDATE users SET name = ?, preferences = '{}', attributes = '{}', warned = NULL "
        "WHERE id = ?",
        [f"erased {secrets.token_hex(16)}", user_id],
    )
    _keep(db, [*leaving(db), user_id])


def leaving(db: Database) -> list[int]:
    """Return the users whose rows are still to be deleted."""
    found: list[int] = parsed(
        "upkeep.leaving", db.execute("SELECT leaving FROM upkeep").fetchone()[0], list
    )
    return found


def left(db: Database, user_id: int) -> None:
    """Note that nothing is left of a user."""
    db.execute("DELETE FROM users WHERE id = ?", [user_id])
    _keep(db, [one for one in leaving(db) if one != user_id])


def _keep(db: Database, users: list[int]) -> None:
    db.execute("UPDATE upkeep SET leaving = ?", [json.dumps(users)])
