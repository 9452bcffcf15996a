"""Stores and loads what was learned from a person's feedback (see ``learning``)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sqlite_utils import Database

from empathic_sdk.profiles.damage import reading_from
from empathic_sdk.profiles.learning import TURNS, VERSION, Learned, Seen, learn
from empathic_sdk.types import Emotion, Modality

_PLACE = {e.value: i for i, e in enumerate(Emotion)}
_TURNS = """SELECT conversation_id, turns.label, turns.probabilities, turns.uncertain, general,
                   apart, feedback.emotion, feedback.rating
            FROM turns LEFT JOIN feedback ON feedback.turn_seq = turns.seq
            WHERE turns.user_id = ? AND turns.seq > ? ORDER BY turns.seq DESC LIMIT ?"""
_KEPT = """SELECT learning.version, bias, threshold, weights, learned, learning.at
           FROM learning JOIN users ON users.id = learning.user_id WHERE users.name = ?"""


def taught(db: Database, user_id: int) -> dict[str, Any]:
    """Return the learned fields of a ``UserContext``; empty without any.

    Results of another version of the learning rules are ignored until there is new feedback.
    """
    row = db.execute(
        "SELECT version, bias, threshold, weights FROM learning WHERE user_id = ?", [user_id]
    ).fetchone()
    if row is None or row[0] != VERSION:
        return {}
    _, bias, threshold, weights = row
    with reading_from("learning"):
        return {
            "bias": tuple(json.loads(bias)),
            "threshold": threshold,
            "weights": {Modality(m): w for m, w in json.loads(weights).items()},
        }


def relearn(db: Database, user: str) -> None:
    """Learn anew from the last turns of ``user``; call it in the transaction of their feedback."""
    user_id = db.execute("SELECT id FROM users WHERE name = ?", [user]).fetchone()[0]
    row = db.execute("SELECT since FROM learning WHERE user_id = ?", [user_id]).fetchone()
    since = 0 if row is None else row[0]
    turns = db.execute(_TURNS, [user_id, since, TURNS]).fetchall()
    with reading_from("turns"):
        seen = [_seen(t) for t in reversed(turns)]
    _keep(db, user_id, since, learn(seen, user))


def reset(db: Database, user: str) -> bool:
    """Forget what was learned, and learn from later turns only; say whether there was any."""
    row = db.execute(
        "SELECT learning.user_id FROM learning JOIN users ON users.id = learning.user_id "
        "WHERE users.name = ?",
        [user],
    ).fetchone()
    if row is None:
        return False
    last = db.execute("SELECT max(seq) FROM turns WHERE user_id = ?", row).fetchone()[0]
    _keep(db, row[0], last or 0, Learned())
    return True


def exported(db: Database, user: str) -> dict[str, Any] | None:
    """Return everything that is kept of it; ``None`` where nothing is."""
    for row in db.query(_KEPT, [user]):
        with reading_from("learning"):
            return {
                "version": row["version"],
                "at": row["at"],
                "acts": {"bias": json.loads(row["bias"]), "threshold": row["threshold"],
                         "weights": json.loads(row["weights"])},
                "learned": json.loads(row["learned"]),
            }  # fmt: skip
    return None


def _keep(db: Database, user_id: int, since: int, learned: Learned) -> None:
    db.execute(
        "INSERT OR REPLACE INTO learning (user_id, version, since, bias, threshold, weights, "
        "learned, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            user_id,
            VERSION,
            since,
            json.dumps(learned.bias()),
            learned.threshold(),
            json.dumps(learned.weights()),
            json.dumps(learned.as_dict()),
            datetime.now(UTC).isoformat(timespec="microseconds"),
        ],
    )


def _seen(row: tuple[Any, ...]) -> Seen:
    conversation, label, probabilities, uncertain, general, apart, felt, rating = row
    p = json.loads(general or probabilities)
    return Seen(
        conversation=str(conversation),
        general=tuple(p[e.value] for e in Emotion),
        shown=_PLACE[label],
        uncertain=bool(uncertain),
        apart={m: _PLACE[e] for m, e in json.loads(apart or "{}").items()},
        felt=None if felt is None else _PLACE[felt],
        rating=rating,
    )
