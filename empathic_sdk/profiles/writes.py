"""Functions that change rows, to be called inside a writing transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from types import EllipsisType
from typing import Any

from sqlite_utils import Database

from empathic_sdk.errors import ConflictError
from empathic_sdk.profiles.damage import parsed, reading_from
from empathic_sdk.profiles.purged import is_marked
from empathic_sdk.profiles.referrals import count_referral
from empathic_sdk.profiles.rows import dumps
from empathic_sdk.types import Emotion, Mastery, Modality, OverrideUse, Turn
from empathic_sdk.types.emotion import UNPLEASANT


def add_turn(
    db: Database,
    turn: Turn,
    row: dict[str, Any],
    session: bytes | None,
    mastery: Mapping[str, Mastery],
    *,
    override: OverrideUse | None = None,
    since: datetime | None = None,
    expected: bytes | EllipsisType | None = ...,
) -> None:
    """Add ``turn`` unless it is there; count it; put session and mastery in place of the last.

    Raises:
        ConflictError: The state of the conversation is not the ``expected`` one.
    """
    now = _now()
    if since is not None and not _is_same_person(db, turn.user, since):
        return
    # One who was forgotten for age during this turn goes on as the person that they were.
    first = now if since is None else since.isoformat(timespec="microseconds")
    user_id = _user_id(db, turn.user, first)
    if db.execute(
        "SELECT 1 FROM turns WHERE user_id = ? AND id = ?", [user_id, turn.id]
    ).fetchone():
        # Its session too: a late repetition must not turn the conversation back.
        return
    conversation = db.execute(
        "SELECT id, session FROM conversations WHERE user_id = ? AND name = ?",
        [user_id, turn.conversation],
    ).fetchone()
    if expected is not ... and expected != (conversation and conversation[1]):
        raise ConflictError(
            "this conversation went on elsewhere while the turn was taken; nothing was recorded. "
            "Read its state again and take the turn on that"
        )
    if conversation is None:
        conversation_id = db.execute(
            "INSERT INTO conversations (user_id, name, started, updated, session) "
            "VALUES (?, ?, ?, ?, ?)",
            [user_id, turn.conversation, now, now, session],
        ).lastrowid
    else:
        conversation_id = conversation[0]
        db.execute(
            "UPDATE conversations SET updated = ?, session = coalesce(?, session) WHERE id = ?",
            [now, session, conversation_id],
        )
    before = db.execute(
        "SELECT label FROM turns WHERE conversation_id = ? ORDER BY seq DESC LIMIT 1",
        [conversation_id],
    ).fetchone()
    row = {**row, "user_id": user_id, "conversation_id": conversation_id, "id": turn.id, "at": now}
    values = ", ".join(f":{name}" for name in row)
    db.execute(f"INSERT INTO turns ({', '.join(row)}) VALUES ({values})", row)
    label = turn.emotion.label
    emotions, transitions = db.execute(
        "SELECT emotions, transitions FROM users WHERE id = ?", [user_id]
    ).fetchone()
    shown, moved = parsed("users.emotions", emotions), parsed("users.transitions", transitions)
    with reading_from("users.emotions"):
        shown[label] = shown.get(label, 0) + 1
    if before is not None:
        step = f"{before[0]}>{label}"
        with reading_from("users.transitions"):
            moved[step] = moved.get(step, 0) + 1
    valence, arousal = turn.emotion.valence, turn.emotion.arousal
    db.execute(
        "UPDATE users SET turns = turns + 1, conversations = conversations + ?, "
        "valence_sum = valence_sum + ?, arousal_sum = arousal_sum + ?, "
        "valence_squares = valence_squares + ?, arousal_squares = arousal_squares + ?, "
        "emotions = ?, transitions = ?, last_emotion = ?, last_seen = ? WHERE id = ?",
        [
            int(conversation is None),
            valence,
            arousal,
            valence * valence,
            arousal * arousal,
            dumps(shown),
            dumps(moved),
            label,
            now,
            user_id,
        ],
    )
    mood = turn.emotion.mood
    db.execute(
        "INSERT INTO days (user_id, day, turns, mood_sum, mood_squares, distressed) "
        "VALUES (?, ?, 1, ?, ?, ?) ON CONFLICT (user_id, day) DO UPDATE SET "
        "turns = turns + 1, mood_sum = mood_sum + excluded.mood_sum, "
        "mood_squares = mood_squares + excluded.mood_squares, "
        "distressed = distressed + excluded.distressed",
        [user_id, now[:10], mood, mood * mood, int(label in UNPLEASANT)],
    )
    for skill, m in mastery.items():
        db.execute(
            "INSERT OR REPLACE INTO mastery (user_id, skill, known, seen, version, at) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            [user_id, skill, m.known, m.seen, m.version, now],
        )
    count_referral(db, turn.safety, now[:10])

    if override is not None:
        declared = add_override(db, override)
        for modality in override.modalities:
            db.execute(
                "INSERT INTO override_uses VALUES (?, ?, ?, 1, ?, ?) ON CONFLICT DO UPDATE "
                "SET turns = turns + 1, last = excluded.last",
                [user_id, declared, modality, now, now],
            )


def add_override(db: Database, use: OverrideUse) -> int:
    """Note that an override was declared, if it was not before; return its row."""
    said = [use.context, use.override.purpose, use.override.reason, use.override.by]
    db.execute(
        "INSERT INTO overrides (context, purpose, reason, by, at) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT DO NOTHING",
        [*said, _now()],
    )
    row = db.execute(
        "SELECT id FROM overrides WHERE (context, purpose, reason, by) = (?, ?, ?, ?)", said
    ).fetchone()
    return int(row[0])


def _is_same_person(db: Database, user: str, since: datetime) -> bool:
    """Say whether ``user`` is still the one first known at ``since``: not erased meanwhile."""
    row = db.execute("SELECT created FROM users WHERE name = ?", [user]).fetchone()
    with reading_from("users.created"):
        return (row and datetime.fromisoformat(row[0])) == since or is_marked(db, since)


def set_warned(db: Database, user: str, found: date, apart: timedelta) -> bool:
    """Note a warning of a change found then; ``False`` where one so near was given already."""
    updated = db.execute(
        "UPDATE users SET warned = ? WHERE name = ? AND (warned IS NULL OR warned < ?)",
        [found.isoformat(), user, (found - apart).isoformat()],
    )
    return updated.rowcount > 0


def set_feedback(
    db: Database, turn_id: str, user: str, emotion: Emotion | None, rating: int | None
) -> bool:
    """Store feedback on a turn; return whether ``user`` has that turn."""
    row = db.execute(
        "SELECT seq FROM turns WHERE id = ? AND user_id = (SELECT id FROM users WHERE name = ?)",
        [turn_id, user],
    ).fetchone()
    if row is None:
        return False
    db.execute(
        "INSERT INTO feedback (turn_seq, emotion, rating, at) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (turn_seq) DO UPDATE SET at = excluded.at, "
        "emotion = coalesce(excluded.emotion, emotion), "
        "rating = coalesce(excluded.rating, rating)",
        [row[0], emotion, rating, _now()],
    )
    return True


def add_consent(db: Database, user: str, modality: Modality, granted: bool, version: str) -> None:
    """Append a decision; those before it stay, as evidence of what stood when."""
    now = _now()
    db.execute(
        "INSERT INTO consents (user_id, modality, granted, version, at) VALUES (?, ?, ?, ?, ?)",
        [_user_id(db, user, now), modality, granted, version, now],
    )


def set_preferences(db: Database, user: str, preferences: Mapping[str, str | None]) -> None:
    """Set those that have a value and remove the others; a stranger who asks nothing stays one."""
    _set(db, user, "preferences", preferences)


def set_attributes(db: Database, user: str, attributes: Mapping[str, str | None]) -> None:
    """Do the same with what they say about themselves."""
    _set(db, user, "attributes", attributes)


def _set(db: Database, user: str, column: str, values: Mapping[str, str | None]) -> None:
    wanted = {k: v for k, v in values.items() if v is not None}
    row = db.execute(f"SELECT id, {column} FROM users WHERE name = ?", [user]).fetchone()
    if row is None and not wanted:
        return
    user_id, stored = row or (_user_id(db, user, _now()), "{}")
    with reading_from(f"users.{column}"):
        kept = {k: v for k, v in json.loads(stored).items() if k not in values}
    db.execute(f"UPDATE users SET {column} = ? WHERE id = ?", [dumps(kept | wanted), user_id])


def _user_id(db: Database, user: str, now: str) -> int:
    row = db.execute("SELECT id FROM users WHERE name = ?", [user]).fetchone()
    if row is not None:
        return int(row[0])
    inserted = db.execute("INSERT INTO users (name, created) VALUES (?, ?)", [user, now]).lastrowid
    assert inserted is not None
    return inserted


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
