"""Conversion between values and rows: only the listed fields are stored."""

from __future__ import annotations

import json
import math
from datetime import date, datetime
from typing import Any

from sqlite_utils import Database

from empathic_sdk.profiles.damage import parsed, reading_from
from empathic_sdk.profiles.learned import taught
from empathic_sdk.types import DaySummary, Emotion, Mastery, Modality, Turn, UserContext
from empathic_sdk.types.emotion import MODALITY_NAME
from empathic_sdk.types.safety import named

_JSON = (
    "probabilities",
    "change",
    "contributions",
    "missing",
    "general",
    "apart",
    "pacing",
    "safety_reasons",
    "timings",
)
"""Names of modalities, also of those that are registered elsewhere alone."""

_KINDS: dict[str, type] = {"missing": list, "safety_reasons": list}  # of JSON; else a dict
_EMOTION = (
    "label",
    "probabilities",
    "confidence",
    "uncertain",
    "valence",
    "arousal",
    "intensity",
    "shift",
    "change",
    "trend",
    "contributions",
    "missing",
    "general",
    "apart",
)


def row_of(turn: Turn, *, text: str | None, keep_text: bool) -> dict[str, Any]:
    """Return the columns of ``turn`` that describe it; those that place it are the store's."""
    emotion, style, safety = turn.emotion, turn.style, turn.safety
    row: dict[str, Any] = {
        **{name: getattr(emotion, name) for name in _EMOTION},
        "tone": style.tone.name,
        "pacing": {
            "delay_s": style.pacing.delay_s,
            "words_per_minute": style.pacing.words_per_minute,
            "max_sentences": style.pacing.max_sentences,
        },
        "theme": style.theme.name,
        "strategy": turn.strategy,
        "safety_level": safety.level,
        "safety_reasons": named(safety.reasons),
        "responder": turn.responder,
        # JSON has no word for infinity or NaN.
        "timings": {k: v for k, v in turn.timings.items() if math.isfinite(v)},
        "text": readable(text) if keep_text else None,
        "reply": readable(turn.reply) if keep_text else None,
    }
    for name in _JSON:
        row[name] = None if row[name] is None else dumps(row[name])
    return row


def context_of(db: Database, user: str) -> UserContext:
    """Return what is known of ``user``: a few rows, however many turns there are."""
    with reading_from("users"):
        return _context_of(db, user)


def _context_of(db: Database, user: str) -> UserContext:
    row = db.execute(
        "SELECT turns, conversations, last_emotion, last_seen, valence_sum, emotions, "
        "preferences, attributes, created, id FROM users WHERE name = ?",
        [user],
    ).fetchone()
    if row is None:
        return UserContext(user=user)
    *row, user_id = row
    turns, conversations, last_emotion, last_seen, valence_sum, emotions = row[:6]
    preferences, attributes, since = row[6:]
    shown = parsed("users.emotions", emotions)
    agreed = consented(db, user)
    return UserContext(
        user=user,
        turns=turns,
        conversations=conversations,
        last_emotion=last_emotion,
        last_seen=last_seen and datetime.fromisoformat(last_seen),
        since=datetime.fromisoformat(since),
        # Adding up may round a hair past the ends.
        mean_valence=max(-1.0, min(1.0, valence_sum / turns)) if turns else 0.0,
        emotions={e: shown[e] for e in Emotion if e in shown},
        preferences=parsed("users.preferences", preferences),
        attributes=parsed("users.attributes", attributes),
        consents=frozenset(agreed),
        consent_versions=agreed,
        mastery=_mastery(db, user_id),
        **taught(db, user_id),
    )


def _mastery(db: Database, user_id: int) -> dict[str, Mastery]:
    rows = db.execute(
        "SELECT skill, known, seen, version FROM mastery WHERE user_id = ? ORDER BY skill",
        [user_id],
    )
    with reading_from("mastery"):
        return {
            skill: Mastery(known=known, seen=seen, version=version)
            for skill, known, seen, version in rows
        }


def consented(db: Database, user: str) -> dict[Modality, str]:
    """Return the modalities that ``user`` last said yes to, each with the notice's version.

    One that nobody has registered in this process can be read by nobody here, and is left out.
    """
    rows = db.execute(
        "SELECT modality, granted, version FROM consents WHERE id IN (SELECT max(id) "
        "FROM consents WHERE user_id = (SELECT id FROM users WHERE name = ?) GROUP BY modality)",
        [user],
    )
    granted_now = {modality: version for modality, granted, version in rows if granted}
    with reading_from("consents.modality"):
        return {Modality(m): version for m, version in granted_now.items() if not _is_foreign(m)}


def _is_foreign(modality: str) -> bool:
    """Whether it may be the name of a modality that this process has not registered."""
    try:
        Modality(modality)
    except ValueError:
        return MODALITY_NAME.fullmatch(modality) is not None
    return False


def turn_rows(
    db: Database, user: str, *, conversation: str | None = None, limit: int | None = None
) -> list[dict[str, Any]]:
    """Return the turns of ``user``, newest last; with ``limit``, the newest so many."""
    # One index serves both the choice and the order, so a limit bounds the cost.
    whose = "turns.user_id = (SELECT id FROM users WHERE name = :user)"
    if conversation is not None:
        whose = """turns.conversation_id = (SELECT id FROM conversations
                   WHERE name = :conversation
                   AND user_id = (SELECT id FROM users WHERE name = :user))"""
    rows = db.query(
        f"""SELECT turns.*, conversations.name AS conversation,
                   feedback.emotion AS corrected, feedback.rating, feedback.at AS feedback_at
            FROM turns JOIN conversations ON conversations.id = turns.conversation_id
            LEFT JOIN feedback ON feedback.turn_seq = turns.seq
            WHERE {whose} ORDER BY turns.seq DESC LIMIT :limit""",
        {"user": user, "conversation": conversation, "limit": -1 if limit is None else limit},
    )
    with reading_from("turns"):
        return [_plain(row) for row in rows][::-1]


def day_rows(db: Database, user: str, *, before: date, limit: int) -> list[DaySummary]:
    """Return the last ``limit`` days of ``user`` before a day, oldest first."""
    rows = db.execute(
        "SELECT day, turns, mood_sum, mood_squares, distressed FROM days "
        "WHERE user_id = (SELECT id FROM users WHERE name = ?) AND day < ? "
        "ORDER BY day DESC LIMIT ?",
        [user, before.isoformat(), limit],
    )
    with reading_from("days"):
        return [_day(*row) for row in rows][::-1]


def _day(day: str, turns: int, total: float, squares: float, distressed: int) -> DaySummary:
    level = total / turns
    return DaySummary(
        day=date.fromisoformat(day),
        turns=turns,
        level=min(1.0, max(-1.0, level)),
        variability=math.sqrt(min(1.0, max(0.0, squares / turns - level**2))),
        distress=distressed / turns,
    )


def dumps(value: Any) -> str:
    """Return ``value`` as JSON with every letter as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def readable(text: str | None) -> str | None:
    """Return ``text`` with each lone surrogate, which no file can hold, replaced by ``?``."""
    return None if text is None else text.encode("utf-8", "replace").decode("utf-8")


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    for name in _JSON:
        row[name] = (
            None
            if row[name] is None
            else parsed(f"turns.{name}", row[name], _KINDS.get(name, dict))
        )
    row["apart"] = row["apart"] or {}  # turns from before there was such a column
    row["uncertain"] = bool(row["uncertain"])
    feedback = None
    if row["feedback_at"] is not None:
        feedback = {
            "emotion": row["corrected"],
            "rating": row["rating"],
            "at": row["feedback_at"],
        }
    return {
        "id": row["id"],
        "conversation": row["conversation"],
        "at": row["at"],
        "emotion": {name: row[name] for name in _EMOTION},
        "tone": row["tone"],
        "pacing": row["pacing"],
        "theme": row["theme"],
        "strategy": row["strategy"],
        "safety": {"level": row["safety_level"], "reasons": row["safety_reasons"]},
        "responder": row["responder"],
        "timings": row["timings"],
        "text": row["text"],
        "reply": row["reply"],
        "feedback": feedback,
    }
