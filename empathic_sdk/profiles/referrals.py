"""Counts of safety protocol actions per day, level, step and locale, without names.

A count can still identify a person if few people use a store. So a count under :data:`CROWD`
is never shown, and when an erasure leaves fewer than :data:`CROWD` people in the store, the
counts, which would then be about them and the one who left, are erased too.
"""

from __future__ import annotations

import re
from typing import Any

from sqlite_utils import Database

from empathic_sdk.profiles.leaving import STAYING
from empathic_sdk.types import SafetyAssessment, SafetyLevel

CROWD = 5
"""Minimum size of a count that is shown."""

TURN = "turn"
"""The step that counts the turn itself."""

_LENGTH = {"day": 10, "month": 7, "year": 4}
# Names of our own: whatever else a caller's responder puts there is not counted under its words.
_STEP = re.compile(r"[a-z][a-z_]{0,39}")
_REGION = re.compile(r"[A-Z]{2}")


def count_referral(db: Database, safety: SafetyAssessment, day: str) -> None:
    """Count a turn above ``none`` and each step taken in it; call it inside a transaction."""
    if safety.level == SafetyLevel.NONE:
        return
    shown = safety.help_lines[0].locale if safety.help_lines else "*"
    locale = shown if _REGION.fullmatch(shown) else "*"
    for step in (TURN, *dict.fromkeys(safety.actions)):
        if _STEP.fullmatch(step):
            db.execute(
                "INSERT INTO referrals VALUES (?, ?, ?, ?, 1) "
                "ON CONFLICT (day, level, step, locale) DO UPDATE SET count = count + 1",
                [day, str(safety.level), step, locale],
            )


def forget_few(db: Database) -> None:
    """Erase the counts if too few people are left to keep them anonymous."""
    if db.execute(f"SELECT count(*) FROM users WHERE {STAYING}").fetchone()[0] < CROWD:
        db.execute("DELETE FROM referrals")


def read_referrals(db: Database, by: str) -> list[dict[str, Any]]:
    """Return the counts per period, oldest first; ``count`` is ``None`` if it is under 5."""
    rows = db.execute(
        "SELECT substr(day, 1, ?) AS period, level, step, locale, sum(count) FROM referrals "
        "GROUP BY period, level, step, locale ORDER BY period, level, step, locale",
        [_LENGTH[by]],
    ).fetchall()
    return [
        {
            "period": period,
            "level": level,
            "step": step,
            "locale": locale,
            "count": count if count >= CROWD else None,
        }
        for period, level, step, locale, count in rows
    ]
