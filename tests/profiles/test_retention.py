"""Turns that are too old go, at opening and once a day, with their bytes."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from empathic_sdk import EmotionAwareAgent, EmotionRecognizer
from empathic_sdk.errors import ConfigurationError
from empathic_sdk.profiles import ProfileStore
from empathic_sdk.types import Emotion, Mastery, Modality
from tests.profiles.conftest import Start, release
from tests.profiles.direct import writing
from tests.profiles.disk import searching
from tests.profiles.factory import make_turn

OLD, NEW = "Qoldword-4471", "Qnewword-4472"


class Clock:
    """Shows the time at which it was made, and what it was set forward by."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def age(store: ProfileStore, days: float, *ids: str) -> None:
    """Make turns older, and talks that hold nothing younger."""
    when = (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="microseconds")
    with writing(store) as db:
        for id in ids:
            db.execute("UPDATE turns SET at = ? WHERE id = ?", [when, id])
        db.execute(
            "UPDATE conversations SET updated = (SELECT max(at) FROM turns WHERE "
            "conversation_id = conversations.id)"
        )
        db.execute("DELETE FROM days")
        db.execute(
            "INSERT INTO days SELECT user_id, substr(at, 1, 10), count(*), 0.0, 0.0, 0 "
            "FROM turns GROUP BY user_id, substr(at, 1, 10)"
        )


def fill(store: ProfileStore) -> None:
    for n in range(6):
        store.record(
            make_turn(f"old-{n}", conversation="gone", label=Emotion.ANGER, valence=-0.75),
            text=f"{OLD} {n}", keep_text=True, session=(OLD * 500).encode(),
        )  # fmt: skip
    store.record(make_turn("mixed-old", conversation="mixed", valence=-0.25))
    store.record(make_turn("mixed-new", conversation="mixed", label=Emotion.JOY, valence=0.5))
    store.record(make_turn("new", conversation="new"), text=NEW, keep_text=True)
    store.feedback("old-1", user="ada", rating=1)
    store.feedback("new", user="ada", rating=-1)
    store.record(make_turn("b", user="Qbob-4433-other"))
    store.record(make_turn("c", user="carl", reply="x"), mastery={"x": Mastery(known=0.5)})
    store.consent("dora", Modality.FACE, True)
    age(store, 40, *(f"old-{n}" for n in range(6)), "mixed-old", "b", "c")


def test_opening_purges_rows_and_bytes_and_counts_anew(path: Path) -> None:
    with ProfileStore(path) as store:
        fill(store)
    with searching(path) as disk:
        assert disk.finds(OLD) and disk.finds("Qbob-4433-other")
        with ProfileStore(path, keep_days=30) as store:
            assert [t["id"] for t in store.turns("ada")] == ["mixed-new", "new"]
            person = store.get("ada")
            assert (person.turns, person.conversations) == (2, 2)
            assert person.emotions == Counter({Emotion.JOY: 1, Emotion.SADNESS: 1})
            assert person.mean_valence == pytest.approx(0.0)
            assert person.last_emotion is Emotion.SADNESS
            exported = store.export("ada")
            assert [f["turn"] for f in exported["feedback"]] == ["new"]
            assert [c["name"] for c in exported["conversations"]] == ["mixed", "new"]
            # Nothing is left of one; what another learned, and a third decided, stays.
            assert store.users() == ["ada", "carl", "dora"]
            carl = store.get("carl")
            assert (carl.turns, carl.last_seen, set(carl.mastery)) == (0, None, {"x"})
            assert not disk.finds(OLD) and not disk.finds("Qbob-4433-other")
            assert disk.finds(NEW)


def test_without_a_limit_nothing_goes(path: Path) -> None:
    with ProfileStore(path) as store:
        fill(store)
    with ProfileStore(path) as store:
        assert store.get("ada").turns == 9 and store.purge() == 0


def test_a_store_that_stays_open_purges_once_a_day(path: Path, start: Start) -> None:
    clock = Clock()
    with ProfileStore(path, timeout_s=0.2, keep_days=2, clock=clock) as store:
        store.record(make_turn("a"))
        age(store, 3, "a")
        store.record(make_turn("b"))
        assert len(store.turns("ada")) == 2  # looked at this when it was opened
        clock.ahead = timedelta(hours=23)
        store.record(make_turn("c"))
        assert len(store.turns("ada")) == 3
        clock.ahead = timedelta(hours=25)
        store.record(make_turn("d"))
        assert [t["id"] for t in store.turns("ada")] == ["b", "c", "d"]
        assert store.get("ada").turns == 3
        age(store, 3, "b", "c", "d")
        clock.ahead = timedelta(hours=50)
        reader = start("reading", path)
        assert reader.stdout is not None and reader.stdout.readline() == "3\n"
        # Somebody reads: the bytes wait, but neither the turn nor the deletion does.
        store.record(make_turn("e"))
        assert [t["id"] for t in store.turns("ada")] == ["e"]
        release(reader)


def test_a_clock_set_back_does_not_stop_it(path: Path) -> None:
    clock = Clock()
    clock.ahead = timedelta(days=365)
    with ProfileStore(path, keep_days=2, clock=clock) as store:
        clock.ahead = timedelta()
        store.record(make_turn("a"))
        age(store, 3, "a")
        clock.ahead = timedelta(days=1.5)
        store.record(make_turn("b"))
        assert [t["id"] for t in store.turns("ada")] == ["b"]


@pytest.mark.parametrize("days", [0, -1, float("nan"), float("inf"), 40_000])
def test_days_must_be_days(days: float) -> None:
    with pytest.raises(ConfigurationError, match="keep_days"):
        ProfileStore(keep_days=days)


def test_an_agent_hands_it_on(recognizer: EmotionRecognizer, path: Path) -> None:
    with ProfileStore(path) as store:
        fill(store)
        with pytest.raises(ConfigurationError, match="belongs to the ProfileStore"):
            EmotionAwareAgent(recognizer=recognizer, profiles=store, keep_days=30)
    with EmotionAwareAgent(recognizer=recognizer, profiles=path, keep_days=30) as agent:
        assert agent.profiles.get("ada").turns == 2
