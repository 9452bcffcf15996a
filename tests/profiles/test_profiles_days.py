from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database

from empathic_sdk.errors import InputError
from empathic_sdk.profiles import ProfileStore, migrations
from empathic_sdk.types import Emotion
from tests.profiles.direct import tables, writing
from tests.profiles.factory import make_turn

MANY = """WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < 100000)
    INSERT INTO turns (user_id, conversation_id, id, at, label, probabilities, confidence,
        uncertain, valence, arousal, intensity, trend, contributions, missing, tone, pacing, theme,
        strategy, safety_level, safety_reasons, responder, timings)
    SELECT user_id, conversation_id, 'n' || i, at, label, probabilities, confidence, uncertain,
        valence, arousal, intensity, trend, contributions, missing, tone, pacing, theme, strategy,
        safety_level, safety_reasons, responder, timings FROM k, turns"""


def today() -> date:
    return datetime.now(UTC).date()


def test_a_day_by_hand(store: ProfileStore) -> None:
    # make_turn gives its label 0.4 and each other emotion 0.1: the mood of joy is .4 - .4,
    # that of sadness .1 - .7.
    for number, label in enumerate((Emotion.JOY, Emotion.SADNESS, Emotion.SADNESS)):
        store.record(make_turn(f"t{number}", label=label))
    store.record(make_turn("t0", label=Emotion.ANGER))  # known: changes nothing
    store.record(make_turn("t1", user="bo"))
    (found,) = store.days("ada")
    assert found.turns == 3 and found.day == today()
    assert found.level == pytest.approx(-0.4)
    assert found.variability == pytest.approx((2 * 0.2**2 + 0.4**2) ** 0.5 / 3**0.5)
    assert found.distress == pytest.approx(2 / 3)


def test_limits(store: ProfileStore) -> None:
    store.record(make_turn())
    with writing(store) as db:
        for k in range(1, 300):
            then = (today() - timedelta(days=k)).isoformat()
            db.execute("INSERT INTO days VALUES (1, ?, 2, 0.5, 0.25, 0)", [then])
    assert len(store.days("ada")) == 180
    some = store.days("ada", before=today(), limit=3)
    assert [(today() - d.day).days for d in some] == [3, 2, 1]
    assert store.days("nobody") == []
    with pytest.raises(InputError, match="limit"):
        store.days("ada", limit=-1)
    with pytest.raises(InputError):
        store.days("")


def test_a_warning_is_claimed_once(path: Path) -> None:
    apart = timedelta(days=28)
    with ProfileStore(path) as store, ProfileStore(path) as other:
        assert not store.claim_warning("ada", date(2025, 5, 1), apart=apart)  # nobody of that name
        store.record(make_turn())
        assert store.claim_warning("ada", date(2025, 5, 1), apart=apart)
        assert not other.claim_warning("ada", date(2025, 5, 1), apart=apart)
        assert not other.claim_warning("ada", date(2025, 5, 29), apart=apart)
        assert other.claim_warning("ada", date(2025, 5, 30), apart=apart)
    with ProfileStore(path) as store:
        assert not store.claim_warning("ada", date(2025, 6, 2), apart=apart)


def test_exported_and_erased(store: ProfileStore) -> None:
    store.record(make_turn())
    store.claim_warning("ada", date(2025, 5, 1), apart=timedelta(days=1))
    told = store.export("ada")
    assert told["profile"]["warned"] == "2025-05-01"
    (row,) = told["days"]
    assert row["day"] == today().isoformat() and row["turns"] == row["distressed"] == 1
    assert row["mood_sum"] == pytest.approx(-0.6) and row["mood_squares"] == pytest.approx(0.36)
    store.erase("ada")
    with tables(store) as db:
        assert db["days"].count == 0


def test_older_stores_get_their_days(path: Path) -> None:
    with ProfileStore(path) as store:
        for number, label in enumerate((Emotion.JOY, Emotion.FEAR)):
            store.record(make_turn(f"t{number}", label=label))
        store.record(make_turn("t9", user="bo", label=Emotion.NEUTRAL))
        expected = {user: store.days(user) for user in ("ada", "bo")}
    db = Database(path)  # back to what the version before left
    db.execute("DROP TABLE days")
    db.execute("ALTER TABLE users DROP COLUMN warned")
    db.execute("DELETE FROM _sqlite_migrations WHERE name = 'm004_days'")
    db.execute(f"PRAGMA user_version = {migrations.VERSION - 1}")
    db.conn.commit()
    db.close()
    with ProfileStore(path) as store:
        for user, days in expected.items():
            (before,), (after,) = days, store.days(user)
            assert after.model_dump(exclude={"level", "variability"}) == before.model_dump(
                exclude={"level", "variability"}
            )
            assert after.level == pytest.approx(before.level)
            assert after.variability == pytest.approx(before.variability, abs=1e-9)


def test_the_cost_does_not_grow_with_the_turns(store: ProfileStore) -> None:
    store.record(make_turn())
    with writing(store) as db:
        db.execute(MANY)
        for k in range(1, 400):
            then = (today() - timedelta(days=k)).isoformat()
            db.execute("INSERT INTO days VALUES (1, ?, 250, 10.0, 40.0, 60)", [then])
    took = []
    for _ in range(5):
        start = time.perf_counter()
        assert len(store.days("ada", before=today())) == 180
        took.append(time.perf_counter() - start)
    assert min(took) < 0.02
    start = time.perf_counter()
    store.record(make_turn("one-more"))
    assert time.perf_counter() - start < 0.5
