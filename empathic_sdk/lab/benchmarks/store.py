"""A store of many people and turns, made up, and how fast one more turn is with it.

The file is filled behind the store's back, in one transaction without waiting for the disk; what is
measured then goes through the public API alone.
"""

from __future__ import annotations

import os
import random
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from empathic_sdk.lab.benchmarks.harness import Timings, once, timed
from empathic_sdk.types import (
    Emotion,
    EmotionState,
    Modality,
    Pacing,
    ResponseStyle,
    SafetyAssessment,
    Strategy,
    Theme,
    Tone,
    Trend,
    Turn,
)

SESSION = 6000  # bytes; what a talk of ten turns has with the dialogue model that ships
_BLOCK = 200_000


def fill(path: Path, *, users: int, turns: int, seed: int = 1) -> None:
    """Fill a new store with ``turns`` turns of ``users`` people, each in talks of 20 turns.

    As in life, turns of different people follow each other; the totals are those of the turns.

    Args:
        path: Where no file is yet.
        users: People; ``user-0`` and so on.
        turns: All together, at least one each.
        seed: For ids and emotions.
    """
    from empathic_sdk import ProfileStore

    with ProfileStore(path) as store:
        # One real row, as a pattern for all the others.
        store.record(a_turn("pattern", "user-0", 0))
    raw = sqlite3.connect(path, isolation_level=None)
    for pragma in (
        "journal_mode=OFF", "synchronous=OFF", "cache_size=-2000000", "temp_store=MEMORY",
    ):  # fmt: skip
        raw.execute(f"PRAGMA {pragma}").fetchall()
    columns = [row[1] for row in raw.execute("PRAGMA table_info(turns)")]
    pattern = dict(zip(columns, raw.execute("SELECT * FROM turns").fetchone(), strict=True))
    raw.execute("BEGIN")
    for table in ("turns", "conversations", "users"):
        raw.execute(f"DELETE FROM {table}")
    raw.executemany(
        "INSERT INTO users (id, name, created) VALUES (?, ?, '2024-01-01T00:00:00.000000+00:00')",
        ((n + 1, f"user-{n}") for n in range(users)),
    )
    # Turn number n is of person n modulo `users`, so a person's talks change every 20 rounds.
    rounds = -(-turns // users)
    talks = -(-rounds // 20)
    raw.executemany(
        "INSERT INTO conversations (id, user_id, name, started, updated, session) "
        "VALUES (?, ?, ?, '2024-01-01', '2024-01-01', ?)",
        _talks(users, talks, seed),
    )
    places = ", ".join(f":{c}" for c in columns)
    for start in range(0, turns, _BLOCK):
        raw.executemany(
            f"INSERT INTO turns VALUES ({places})",
            _rows(pattern, range(start, min(turns, start + _BLOCK)), users, talks, seed),
        )
    _total(raw)
    raw.execute("COMMIT")
    raw.close()


def _talks(users: int, talks: int, seed: int) -> Iterator[tuple[Any, ...]]:
    rng = random.Random(seed)
    for n in range(users * talks):
        # Only the newest talk of a person keeps its whole state in this made-up life.
        newest = n % talks == talks - 1
        yield n + 1, n // talks + 1, f"{rng.getrandbits(128):032x}", b"s" * SESSION * newest


def _rows(
    pattern: dict[str, Any], numbers: range, users: int, talks: int, seed: int
) -> Iterator[dict[str, Any]]:
    rng = random.Random(f"{seed}-{numbers.start}")
    emotions = list(Emotion)
    for n in numbers:
        user, turn = n % users, n // users
        at = f"2024-{1 + n % 12:02}-01T00:00:00.{n % 1_000_000:06}+00:00"
        yield {
            **pattern, "seq": n + 1, "user_id": user + 1, "at": at,
            "conversation_id": user * talks + turn // 20 + 1, "id": f"{rng.getrandbits(128):032x}",
            "label": emotions[rng.randrange(7)], "valence": rng.randrange(-8, 9) / 8,
        }  # fmt: skip


def _total(raw: sqlite3.Connection) -> None:
    """Give every user the totals of their turns."""
    raw.execute(
        "CREATE TEMP TABLE sums AS SELECT user_id, label, count(*) AS n, sum(valence) AS v "
        "FROM turns GROUP BY user_id, label"
    )
    raw.execute("CREATE INDEX temp.sums_of_user ON sums(user_id)")
    raw.execute(
        """UPDATE users SET
            turns = (SELECT sum(n) FROM sums WHERE user_id = users.id),
            valence_sum = (SELECT sum(v) FROM sums WHERE user_id = users.id),
            emotions = (SELECT json_group_object(label, n) FROM sums WHERE user_id = users.id),
            conversations = (SELECT count(*) FROM conversations WHERE user_id = users.id),
            (last_emotion, last_seen) = (SELECT label, at FROM turns WHERE user_id = users.id
                                         ORDER BY seq DESC LIMIT 1)"""
    )


def a_turn(id: str, user: str, number: int) -> Turn:
    """Return a turn such as the agent records."""
    label = list(Emotion)[number % 7]
    return Turn(
        id=id, user=user, conversation=f"talk-{number % 3}", reply="", responder="embedded",
        emotion=EmotionState(
            label=label, probabilities={e: 0.4 if e is label else 0.1 for e in Emotion},
            confidence=0.4, uncertain=True, valence=-0.5, arousal=0.25, intensity=0.75,
            shift=0.125, change=dict.fromkeys(Emotion, 0.015625), trend=Trend.STEADY,
            contributions={Modality.TEXT: 1.0},
            missing=(Modality.SPEECH, Modality.FACE, Modality.BEHAVIOUR),
        ),
        style=ResponseStyle(
            tone=Tone(name="gentle", warmth=0.9, energy=0.2, formality=0.3, instructions="-"),
            pacing=Pacing(delay_s=0.5, words_per_minute=150, max_sentences=3),
            theme=Theme(name="dusk", primary="#334455", background="#ffffff", text="#000000"),
        ),
        strategy=Strategy.REFLECTION, safety=SafetyAssessment(),
        timings={"recognize": 12.5, "hooks": 0.1, "respond": 1.5, "record": 3.0},
    )  # fmt: skip


def bench_store(
    *, users: int, turns: int, calls: int = 500, folder: Path | None = None, seed: int = 1
) -> dict[str, Any]:
    """Return what one look-up and one record cost in a store of so many people and turns.

    Args:
        users: People.
        turns: Of all of them together.
        calls: Of each kind that are measured, about people drawn by chance.
        folder: Where the file goes, and is deleted from afterwards; a temporary one.
        seed: Of the file and the draw.

    Returns:
        Milliseconds: ``get_p50_ms get_p95_ms record_p50_ms record_p95_ms``, and beside them
        ``fsync_p50_ms``, what a page written to the same disk and waited for costs by itself, and
        ``record_own_p50_ms``, what a record costs without waiting for the disk.
        ``build_s``, ``file_mb``, ``sound``: whether ``check`` finds nothing wrong, and how many
        seconds it takes (``check_s``).
    """
    from empathic_sdk import ProfileStore

    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        path = Path(place) / "profiles.db"
        built = once(fill, path, users=users, turns=turns, seed=seed)
        with ProfileStore(path) as store:
            who = [f"user-{rng.randrange(users)}" for _ in range(calls)]

            def record(kind: str) -> Timings:
                return timed(
                    lambda n: store.record(
                        a_turn(f"{kind}-{n}", who[n], n), session=b"s" * SESSION
                    ),
                    calls,
                )

            get = timed(lambda n: store.get(who[n]), calls)
            new = record("new")
            # The same work without waiting for the disk: what is the store's own.
            store._file._live().execute("PRAGMA synchronous = OFF")
            own = record("own")
            wrong: list[str] = []
            checked = once(lambda: wrong.extend(store.check()))
        fsync = timed(_page(Path(place) / "page"), min(calls, 200))
        size = path.stat().st_size
    return {
        "users": users, "turns": turns, "calls": calls,
        "get_p50_ms": get.p50, "get_p95_ms": get.p95,
        "record_p50_ms": new.p50, "record_p95_ms": new.p95,
        "record_own_p50_ms": own.p50, "fsync_p50_ms": fsync.p50,
        "build_s": built.seconds, "file_mb": size / 1e6,
        "sound": not wrong, "check_s": checked.seconds,
    }  # fmt: skip


def _page(path: Path) -> Callable[[int], object]:
    def write(_: int) -> None:
        with path.open("ab") as f:
            f.write(b"x" * 4096)
            f.flush()
            os.fsync(f.fileno())

    return write
