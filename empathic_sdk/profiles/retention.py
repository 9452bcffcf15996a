"""Retention: deletes turns older than a number of days, and what was derived from them."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from sqlite_utils import Database

from empathic_sdk.profiles.purged import mark
from empathic_sdk.profiles.rows import dumps

DAY = timedelta(days=1)
"""Retention is enforced when a store is opened, and then at most once in this time."""


class RetentionSchedule:
    """Decides when to purge old turns, and which age is too old.

    Args:
        keep_days: Days that a turn is kept; ``None`` keeps it for good.
    """

    def __init__(self, keep_days: float | None) -> None:
        self.keep_days = keep_days
        self._looked: datetime | None = None

    def due(self, now: datetime) -> bool:
        """Return whether a purge is due, and record it as done."""
        if self.keep_days is None:
            return False
        # A clock that was set back counts, too: waiting for it to catch up may take years.
        if self._looked is not None and abs(now - self._looked) < DAY:
            return False
        self._looked = now
        return True

    def cutoff(self, now: datetime) -> str:
        """Return the time before which a turn is too old, as the store writes times."""
        assert self.keep_days is not None
        return (now - timedelta(days=self.keep_days)).isoformat(timespec="microseconds")


def purge_turns(db: Database, cutoff: str, end: float, few: int) -> tuple[int, bool]:
    """Delete turns from before ``cutoff`` until ``end`` (monotonic), person by person.

    With them go their feedback, the sums of their days and the conversations that ended before. The
    totals of their users are counted anew from what is left. Somebody about whom nothing is left is
    forgotten; preferences, consents and what was learned of a person stay.

    Returns:
        How many turns, and whether there are more.
    """
    removed = 0
    old = "FROM turns WHERE user_id = ? AND at < ? LIMIT ?"
    while time.monotonic() < end:
        row = db.execute("SELECT user_id FROM turns WHERE at < ? LIMIT 1", [cutoff]).fetchone()
        if row is None:
            return removed, False
        gone = few
        while gone == few and time.monotonic() < end:
            gone = db.execute(
                f"DELETE FROM turns WHERE seq IN (SELECT seq {old})", [row[0], cutoff, few]
            ).rowcount
            removed += gone
        if db.execute(f"SELECT 1 {old}", [row[0], cutoff, 1]).fetchone():
            recount(db, row[0])
            _owe(db)
        else:
            _settle(db, row[0], cutoff)
    return removed, True


def purge_days(db: Database, cutoff: str, end: float) -> bool:
    """Delete the sums of days before ``cutoff`` of all without turns then; say if there are more.

    The day in which the cutoff lies is kept whole until it is over.
    """
    while time.monotonic() < end:
        rows = db.execute(
            "SELECT DISTINCT user_id FROM days WHERE day < ? LIMIT 50", [cutoff[:10]]
        ).fetchall()
        for (user_id,) in rows:
            _settle(db, user_id, cutoff)
        if not rows:
            return False
    return True


def _settle(db: Database, user_id: int, cutoff: str) -> None:
    """Bring a user in line with the turns that are left."""
    db.execute("DELETE FROM days WHERE user_id = ? AND day < ?", [user_id, cutoff[:10]])
    db.execute("DELETE FROM conversations WHERE user_id = ? AND updated < ?", [user_id, cutoff])
    recount(db, user_id)
    _drop_if_bare(db, user_id)
    _owe(db)


def _owe(db: Database) -> None:
    db.execute("UPDATE upkeep SET erasures = erasures + 1")  # the file owes a compaction


def recount(db: Database, user_id: int) -> None:
    """Set the running totals of a user to what their turns add up to."""
    shown: dict[str, int] = {}
    valence = 0.0
    for label, count, total in db.execute(
        "SELECT label, count(*), sum(valence) FROM turns WHERE user_id = ? GROUP BY label",
        [user_id],
    ):
        shown[label] = count
        valence += total
    moved: dict[str, int] = {}
    for before, after, count in db.execute(
        "SELECT before, label, count(*) FROM (SELECT label, lag(label) OVER "
        "(PARTITION BY conversation_id ORDER BY seq) AS before FROM turns WHERE user_id = ?) "
        "WHERE before IS NOT NULL GROUP BY before, label",
        [user_id],
    ):
        moved[f"{before}>{after}"] = count
    sums = db.execute(
        "SELECT total(arousal), total(valence * valence), total(arousal * arousal) FROM turns "
        "WHERE user_id = ?",
        [user_id],
    ).fetchone()
    conversations = db.execute("SELECT count(*) FROM conversations WHERE user_id = ?", [user_id])
    last = db.execute(
        "SELECT label, at FROM turns WHERE user_id = ? ORDER BY seq DESC LIMIT 1", [user_id]
    ).fetchone()
    db.execute(
        "UPDATE users SET turns = ?, conversations = ?, valence_sum = ?, emotions = ?, "
        "transitions = ?, arousal_sum = ?, valence_squares = ?, arousal_squares = ?, "
        "last_emotion = ?, last_seen = ? WHERE id = ?",
        [
            sum(shown.values()),
            conversations.fetchone()[0],
            valence,
            dumps(shown),
            dumps(moved),
            *sums,
            *(last or (None, None)),
            user_id,
        ],
    )


def tables_about_users(db: Database) -> list[str]:
    """Return the tables whose rows belong to a user."""
    rows = db.execute(
        "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c "
        "WHERE m.type = 'table' AND c.name = 'user_id' ORDER BY m.name"
    )
    return [row[0] for row in rows]


def _drop_if_bare(db: Database, user_id: int) -> None:
    asked = db.execute(
        "SELECT preferences, attributes FROM users WHERE id = ?", [user_id]
    ).fetchone()
    if asked == ("{}", "{}") and not any(
        db.execute(f"SELECT 1 FROM {table} WHERE user_id = ? LIMIT 1", [user_id]).fetchone()
        for table in tables_about_users(db)
    ):
        first = db.execute("SELECT created FROM users WHERE id = ?", [user_id]).fetchone()
        mark(db, first)
        db.execute("DELETE FROM users WHERE id = ?", [user_id])
