"""Integrity check of a store: the file, its references, and its totals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from itertools import groupby
from typing import Any

from sqlite_utils import Database

from empathic_sdk.profiles.checks import MOST
from empathic_sdk.profiles.damage import DamagedValueError, reading_from
from empathic_sdk.profiles.export import export_user
from empathic_sdk.profiles.leaving import STAYING
from empathic_sdk.profiles.person import profile_of
from empathic_sdk.profiles.rows import day_rows
from empathic_sdk.types import Emotion, SafetyLevel, Strategy, Trend

_MOST = 100
"""Maximum number of reported problems; a broken file may have millions."""


def problems(db: Database) -> Iterator[str]:
    """Yield the problems of a store in words.

    It reads everything, one row at a time.
    """
    broken = [row[0] for row in db.execute(f"PRAGMA integrity_check({_MOST})") if row[0] != "ok"]
    if broken:
        # What a broken file says of its rows means nothing.
        yield from (f"the file is damaged: {said}" for said in broken)
        return
    for table, rowid, parent, _ in db.execute("PRAGMA foreign_key_check"):
        yield f"row {rowid} of {table} refers to a row of {parent} that is not there"
    for (seq,) in db.execute(
        "SELECT seq FROM turns JOIN conversations c ON c.id = conversation_id "
        "WHERE c.user_id != turns.user_id"
    ):
        yield f"turn {seq} stands in a conversation of somebody else"
    conversations = dict(db.execute("SELECT user_id, count(*) FROM conversations GROUP BY user_id"))
    turns = _turns_by_user(db)
    upcoming = next(turns, None)
    for row in db.query(
        "SELECT id, name, turns, conversations, valence_sum, emotions, last_emotion, last_seen "
        f"FROM users WHERE {STAYING} ORDER BY id"
    ):
        there = _Totals()
        while upcoming is not None and upcoming[0] < row["id"]:
            upcoming = next(turns, None)  # of somebody whose erasure has begun
        if upcoming is not None and upcoming[0] == row["id"]:
            there, upcoming = upcoming[1], next(turns, None)
        yield from _differences(row, there, conversations.get(row["id"], 0))
        try:
            profile_of(db, row["name"])
            export_user(db, row["name"], turns=False)
            day_rows(db, row["name"], before=date.max, limit=MOST)
        except DamagedValueError as error:
            yield f"a value of user number {row['id']} cannot be read: {error.place}"
    for table, seq, column in _damaged_values(db):
        yield f"{column} of row {seq} of {table} cannot be read"
    owed = db.execute("SELECT erasures - compacted FROM upkeep").fetchone()[0]
    if owed > 0:
        yield "bytes of what was erased may still lie in the file: open the store to be rid of them"


def _damaged_values(db: Database) -> Iterator[tuple[str, int, str]]:
    """Give what no turn and no feedback can hold, as table, row and column.

    Row by row in Python this would take ten times as long.
    """
    for table, key, columns in (("turns", "seq", _TURNS), ("feedback", "turn_seq", _FEEDBACK)):
        cases = " ".join(f"WHEN NOT ({test}) THEN '{name}'" for name, test in columns.items())
        for seq, column in db.execute(
            f"SELECT {key}, CASE {cases} END AS wrong FROM {table} WHERE wrong IS NOT NULL"
        ):
            yield table, seq, column


def _one_of(name: str, kind: type[StrEnum]) -> str:
    return f"{name} IN ({', '.join(repr(str(one)) for one in kind)})"


def _between(name: str, low: int) -> str:
    return f"typeof({name}) IN ('real', 'integer') AND {name} BETWEEN {low} AND 1"


def _json(name: str, kind: str) -> str:
    return f"CASE WHEN json_valid({name}) THEN json_type({name}) = '{kind}' ELSE 0 END"


_TURNS = {
    "label": _one_of("label", Emotion),
    "trend": _one_of("trend", Trend),
    "strategy": _one_of("strategy", Strategy),
    "safety_level": _one_of("safety_level", SafetyLevel),
    "uncertain": "uncertain IN (0, 1)",
    **{name: _between(name, 0) for name in ("confidence", "intensity")},
    **{name: _between(name, -1) for name in ("valence", "arousal")},
    "shift": f"shift IS NULL OR ({_between('shift', 0)})",
    **{
        name: _json(name, "object")
        for name in ("probabilities", "contributions", "pacing", "timings")
    },
    **{name: _json(name, "array") for name in ("missing", "safety_reasons")},
    **{
        name: f"{name} IS NULL OR {_json(name, 'object')}"
        for name in ("change", "general", "apart")
    },
}
"""What must hold of the columns of a turn, in SQL."""

_FEEDBACK = {
    "emotion": f"emotion IS NULL OR {_one_of('emotion', Emotion)}",
    "rating": "rating IS NULL OR rating IN (-1, 0, 1)",
}


class _Totals:
    """What the turns of one user add up to."""

    def __init__(self) -> None:
        self.turns, self.valence = 0, 0.0
        self.emotions: dict[str, int] = {}
        self.last: tuple[str | None, str | None] = (None, None)


def _turns_by_user(db: Database) -> Iterator[tuple[int, _Totals]]:
    # The index gives them by user and then in order, without sorting anything.
    # Words are read to see whether they are text at all.
    rows = db.execute(
        "SELECT user_id, label, valence, at, text, reply FROM turns ORDER BY user_id, seq"
    )
    for user_id, mine in groupby(rows, key=lambda row: row[0]):
        totals = _Totals()
        for _, label, valence, at, _, _ in mine:
            totals.turns += 1
            with reading_from("turns"):
                totals.valence += valence
                totals.emotions[label] = totals.emotions.get(label, 0) + 1
            totals.last = (label, at)
        yield user_id, totals


def _differences(row: dict[str, Any], there: _Totals, conversations: int) -> Iterator[str]:
    try:
        emotions = json.loads(row["emotions"])
    except ValueError:
        emotions = row["emotions"]
    pairs = {
        "turns": (row["turns"], there.turns),
        "conversations": (row["conversations"], conversations),
        "emotions": (emotions, there.emotions),
        "last_emotion": (row["last_emotion"], there.last[0]),
        "last_seen": (row["last_seen"], there.last[1]),
    }
    for name, (said, counted) in pairs.items():
        if said != counted:
            yield f"{name} of {row['name']!r} says {said!r}; the turns say {counted!r}"
    with reading_from("users.valence_sum"):
        yield from _difference_of_sums(row, there)


def _difference_of_sums(row: dict[str, Any], there: _Totals) -> Iterator[str]:
    # Added up one by one and as a whole, floats differ in their last digits.
    if abs(row["valence_sum"] - there.valence) > 1e-9 * (there.turns + 1):
        yield (
            f"valence_sum of {row['name']!r} says {row['valence_sum']:g}; "
            f"the turns say {there.valence:g}"
        )
