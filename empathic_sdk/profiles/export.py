"""Everything that is stored about one person, as one JSON-serialisable dict."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from sqlite_utils import Database

from empathic_sdk.profiles.damage import parsed, reading_from
from empathic_sdk.profiles.learned import exported
from empathic_sdk.profiles.migrations import VERSION
from empathic_sdk.profiles.rows import turn_rows
from empathic_sdk.types.emotion import MODALITY_NAME

_PROFILE = """SELECT created, turns, conversations, last_emotion, last_seen, valence_sum, emotions,
                     preferences, warned, attributes, transitions, arousal_sum, valence_squares,
                     arousal_squares
              FROM users WHERE name = ?"""
_CONSENTS = """SELECT modality, granted, version, consents.at
               FROM consents JOIN users ON users.id = consents.user_id
               WHERE users.name = ? ORDER BY consents.id"""
_MASTERY = """SELECT skill, known, seen, version, at FROM mastery
              JOIN users ON users.id = mastery.user_id WHERE users.name = ? ORDER BY skill"""
_DAYS = """SELECT day, days.turns, mood_sum, mood_squares, distressed FROM days
           JOIN users ON users.id = days.user_id WHERE users.name = ? ORDER BY day"""
_OVERRIDES = """SELECT context, purpose, reason, by, modality, override_uses.turns, first, last
                FROM override_uses JOIN overrides ON overrides.id = override_id
                JOIN users ON users.id = override_uses.user_id
                WHERE users.name = ? ORDER BY override_id, modality"""
_CONVERSATIONS = """SELECT conversations.name, started, updated, session
                    FROM conversations JOIN users ON users.id = conversations.user_id
                    WHERE users.name = ? ORDER BY conversations.id"""


def export_user(db: Database, user: str, *, turns: bool = True) -> dict[str, Any]:
    """Return everything stored about ``user``; call it inside a transaction.

    Data that do not fit the published schema were not written by this package, and are refused.
    Without ``turns`` these are left out, and the feedback on them.
    """
    with reading_from("users"):
        found = _everything(db, user, turn_rows(db, user) if turns else [])
    from empathic_sdk.profiles.schema import Export  # only who exports pays for it

    # A session is its owner's affair, however deep it is nested.
    bare = [{**c, "session": None} for c in found["conversations"]]
    try:
        Export.model_validate({**found, "conversations": bare})
    except ValidationError as error:
        if not all(map(_is_modality_of_others, error.errors())):
            with reading_from("export"):
                raise
    return found


def _is_modality_of_others(error: ErrorDetails) -> bool:
    """Say whether a name is refused only because nobody has registered it in this process."""
    return (
        error["type"] == "enum"
        and str(error["ctx"]["expected"]).startswith("'text'")
        and MODALITY_NAME.fullmatch(str(error["input"])) is not None
    )


def _everything(db: Database, user: str, turns: list[dict[str, Any]]) -> dict[str, Any]:
    found = list(db.query(_PROFILE, [user]))
    profile: dict[str, Any] | None = found[0] if found else None
    preferences: dict[str, str] = {}
    if profile is not None:
        preferences = parsed("users.preferences", profile.pop("preferences"))
        for name in ("emotions", "attributes", "transitions"):
            profile[name] = parsed(f"users.{name}", profile[name])
    return {
        "schema": VERSION,
        "exported_at": datetime.now(UTC).isoformat(),
        "user": user,
        "profile": profile,
        "preferences": preferences,
        "consents": [{**c, "granted": bool(c["granted"])} for c in db.query(_CONSENTS, [user])],
        "overrides": list(db.query(_OVERRIDES, [user])),
        "conversations": [_conversation(c) for c in db.query(_CONVERSATIONS, [user])],
        "mastery": list(db.query(_MASTERY, [user])),
        "days": list(db.query(_DAYS, [user])),
        "learning": exported(db, user),
        "feedback": [{"turn": t["id"], **t["feedback"]} for t in turns if t["feedback"]],
        "turns": [{k: v for k, v in t.items() if k != "feedback"} for t in turns],
    }


def _conversation(row: dict[str, Any]) -> dict[str, Any]:
    # Shown as JSON if possible, so that people can read it.
    session, encoding = row["session"], None
    if session is not None:
        try:
            session, encoding = json.loads(session, parse_constant=_refuse), "json"
        except (ValueError, RecursionError):
            session, encoding = base64.b64encode(session).decode("ascii"), "base64"
    return {**row, "session": session, "session_encoding": encoding}


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
