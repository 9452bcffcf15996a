"""A clock that is wrong deletes nothing early; one that is right is believed."""

from __future__ import annotations

import json
import logging
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.profiles import ProfileStore
from empathic_sdk.types import Mastery, Modality
from tests.profiles.direct import writing
from tests.profiles.factory import make_turn
from tests.profiles.test_retention import Clock, age

YEARS = timedelta(days=3650)


def slept(store: ProfileStore, hours: float, *, restarted: bool = False) -> None:
    """Let the machine's own evidence say that so much time went by since the store last looked."""
    with writing(store) as db:
        kept = json.loads(db.execute("SELECT clock FROM upkeep").fetchone()[0])
        for one in filter(None, (kept, kept["claim"])):
            one["uptime"] -= hours * 3600
            if restarted:
                one["boot"] = "another run of the machine"
        db.execute("UPDATE upkeep SET clock = ?", [json.dumps(kept)])


@pytest.mark.parametrize("days", [3, 40, 400, 36_500])
def test_a_jump_ahead_deletes_nothing(
    path: Path, days: float, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    with ProfileStore(path, keep_days=2, clock=clock) as store:
        for n in range(5):
            store.record(make_turn(f"t{n}"))
        with caplog.at_level(logging.WARNING):
            clock.ahead = timedelta(days=days)
            store.record(make_turn("t5"))
        assert "there is evidence for no later than" in caplog.text and "ada" not in caplog.text
        assert store.purge() == 0 and store.get("ada").turns == 6


@pytest.mark.parametrize("before", [None, 30.0])
def test_nor_when_the_store_is_opened(path: Path, before: float | None) -> None:
    clock = Clock()
    with ProfileStore(path, keep_days=before) as store:
        store.record(make_turn("t1"))
    clock.ahead = YEARS
    for _ in range(3):
        with ProfileStore(path, keep_days=30, clock=clock) as store:
            assert store.get("ada").turns == 1 and store.purge() == 0


def test_what_is_too_old_without_it_goes_in_spite_of_it(path: Path) -> None:
    clock = Clock()
    with ProfileStore(path, keep_days=2, clock=clock) as store:
        store.record(make_turn("old"))
        store.record(make_turn("new"))
        age(store, 3, "old")
        clock.ahead = YEARS
        assert store.purge() == 1
        assert [t["id"] for t in store.turns("ada")] == ["new"]


def test_time_that_went_by_counts(path: Path) -> None:
    clock = Clock()
    with ProfileStore(path, keep_days=2, clock=clock) as store:
        store.record(make_turn("t1"))
    clock.ahead = timedelta(days=3)
    with ProfileStore(path) as store:
        slept(store, 72)
    with ProfileStore(path, keep_days=2, clock=clock) as store:
        assert store.users() == []


def test_a_clock_ahead_of_what_went_by_counts_as_far_as_that(path: Path) -> None:
    clock = Clock()
    with ProfileStore(path, keep_days=2, clock=clock) as store:
        for id, days in (("a", 1.9), ("b", 1.2), ("c", 0.0)):
            store.record(make_turn(id))
            age(store, days, id)
        clock.ahead = YEARS
        slept(store, 12)
        assert store.purge() == 1
        assert [t["id"] for t in store.turns("ada")] == ["b", "c"]


def test_a_clock_that_says_so_for_a_day_is_right(path: Path) -> None:
    """The machine was off for months: nothing but its clock says so."""
    clock = Clock()
    with ProfileStore(path, keep_days=30, clock=clock) as store:
        store.record(make_turn("t1"))
        slept(store, 0, restarted=True)
    clock.ahead = timedelta(days=100)
    with ProfileStore(path, keep_days=30, clock=clock) as store:
        assert store.get("ada").turns == 1
        slept(store, 23)
        clock.ahead += timedelta(hours=23)
        assert store.purge() == 0
        slept(store, 2)
        clock.ahead += timedelta(hours=2)
        assert store.purge() == 1 and store.users() == []


def test_a_store_that_kept_everything_so_far(path: Path) -> None:
    clock = Clock()
    with ProfileStore(path) as store:
        store.record(make_turn("t1"))
        slept(store, 24 * 40)
    clock.ahead = timedelta(days=40)
    with ProfileStore(path, keep_days=30, clock=clock) as store:
        assert store.users() == []


def test_also_where_the_machine_is_started_every_day(path: Path) -> None:
    clock = Clock()
    with ProfileStore(path, keep_days=30, clock=clock) as store:
        store.record(make_turn("t1"))
        slept(store, 0, restarted=True)
    clock.ahead = timedelta(days=100)
    for hours in (0, 12, 12):
        clock.ahead += timedelta(hours=hours)
        with ProfileStore(path, keep_days=30, clock=clock) as store:
            slept(store, 0, restarted=True)
    clock.ahead += timedelta(hours=1)
    with ProfileStore(path, keep_days=30, clock=clock) as store:
        assert store.users() == []


def test_a_jump_that_is_put_right_is_forgotten(path: Path) -> None:
    clock = Clock()
    with ProfileStore(path, keep_days=30, clock=clock) as store:
        store.record(make_turn("t1"))
        clock.ahead = YEARS
        assert store.purge() == 0
        clock.ahead = timedelta()
        assert store.purge() == 0
        # A day later it jumps again: that is a new claim, not one that has stood for a day.
        slept(store, 25)
        clock.ahead = YEARS + timedelta(hours=25)
        assert store.purge() == 0 and store.get("ada").turns == 1


def test_jumps_that_follow_each_other_are_no_evidence(path: Path) -> None:
    clock = Clock()
    with ProfileStore(path, keep_days=30, clock=clock) as store:
        store.record(make_turn("t1"))
        for n in range(1, 6):
            clock.ahead = YEARS + timedelta(days=40 * n)
            assert store.purge() == 0
        assert store.get("ada").turns == 1


def test_a_clock_set_back_purges_less(path: Path) -> None:
    clock = Clock()
    with ProfileStore(path, keep_days=2, clock=clock) as store:
        store.record(make_turn("t1"))
        age(store, 3, "t1")
        clock.ahead = timedelta(days=-2)
        assert store.purge() == 0
        clock.ahead = timedelta()
        assert store.purge() == 1


def test_a_clock_without_a_zone_is_refused(path: Path) -> None:
    with pytest.raises(ConfigurationError, match="time zone"):
        ProfileStore(path, keep_days=2, clock=lambda: datetime(2024, 1, 1))
    ProfileStore(path, clock=lambda: datetime(2024, 1, 1)).close()  # nobody asks it


# -- a purge by another process while a turn is under way ---------------------------------------


def purged(path: Path) -> None:
    with ProfileStore(path, keep_days=30) as other:
        other.purge()


def test_a_turn_is_recorded_though_a_purge_forgot_the_person(path: Path) -> None:
    with ProfileStore(path) as store:
        store.record(make_turn("t1"), session=b"one")
        age(store, 40, "t1")
        person = store.get("ada")
        purged(path)
        assert store.users() == []
        store.record(make_turn("t2"), since=person.since)
        assert [t["id"] for t in store.turns("ada")] == ["t2"]
        assert store.get("ada").since == person.since and store.check() == []
        # So does another that began before it.
        store.record(make_turn("t3"), since=person.since)
        assert store.get("ada").turns == 2


def test_an_erasure_still_wins(path: Path) -> None:
    with ProfileStore(path) as store:
        store.record(make_turn("t1"))
        age(store, 40, "t1")
        person = store.get("ada")
        purged(path)
        store.record(make_turn("b1", user="bob"))
        store.erase("ada")
        store.record(make_turn("t2"), since=person.since)
        assert store.users() == ["bob"]


def test_whoever_keeps_something_is_not_forgotten_by_a_purge(path: Path) -> None:
    with ProfileStore(path) as store:
        store.record(make_turn("t1"), session=b"one", mastery={"sums": Mastery(known=0.5)})
        store.consent("ada", Modality.FACE, True)
        age(store, 40, "t1")
        since = store.get("ada").since
        purged(path)
        assert store.get("ada").since == since and store.session("ada", "c1") is None
        store.record(make_turn("t2"), since=since)
        assert store.get("ada").turns == 1 and "sums" in store.get("ada").mastery


def test_marks_of_a_purge_name_nobody(path: Path) -> None:
    with ProfileStore(path) as store:
        store.record(make_turn("Qturn-3312-id", user="Qperson-9918-name"))
        age(store, 40, "Qturn-3312-id")
        purged(path)
        everything = b"".join(p.read_bytes() for p in path.parent.iterdir())
        assert b"Qperson-9918" not in everything and b"Qturn-3312" not in everything
