"""A turn is recorded on the state that it began from, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from empathic_sdk.errors import ConflictError, InputError, StoreError
from empathic_sdk.profiles import ProfileStore
from tests.profiles.conftest import Start
from tests.profiles.factory import make_turn


def test_the_second_of_two_turns_that_overlap_changes_nothing(path: Path) -> None:
    with ProfileStore(path) as here, ProfileStore(path) as there:
        here.record(make_turn("t1"), session=b"calm", expected=None)
        before = there.session("ada", "c1")
        here.record(make_turn("t2"), session=b"crisis", expected=b"calm")
        kept = {**here.export("ada"), "exported_at": None}
        with pytest.raises(ConflictError, match="nothing was recorded") as caught:
            there.record(make_turn("t3"), text="x", session=b"calm again", expected=before)
        assert isinstance(caught.value, StoreError)
        assert {**here.export("ada"), "exported_at": None} == kept
        assert here.session("ada", "c1") == b"crisis" and here.get("ada").turns == 2
        there.record(make_turn("t3"), session=b"watchful", expected=b"crisis")
        assert here.session("ada", "c1") == b"watchful" and here.check() == []


def test_where_nothing_is_expected_there_must_be_nothing(store: ProfileStore) -> None:
    with pytest.raises(ConflictError):
        store.record(make_turn("t1"), session=b"s", expected=b"earlier")
    assert store.users() == []
    store.record(make_turn("t1"), session=b"s", expected=None)
    with pytest.raises(ConflictError):
        store.record(make_turn("t2"), session=b"s2", expected=None)
    # Another conversation of theirs, and the same name of somebody else's, are their own.
    store.record(make_turn("t3", conversation="c2"), session=b"s3", expected=None)
    store.record(make_turn("t4", user="bob"), session=b"s4", expected=None)
    assert store.session("ada", "c1") == b"s"


def test_without_an_expectation_the_last_writer_wins(store: ProfileStore) -> None:
    store.record(make_turn("t1"), session=b"one")
    store.record(make_turn("t2"), session=b"two")
    assert store.session("ada", "c1") == b"two"


def test_a_repeated_turn_is_no_conflict(store: ProfileStore) -> None:
    store.record(make_turn("t1"), session=b"one", expected=None)
    store.record(make_turn("t2"), session=b"two", expected=b"one")
    store.record(make_turn("t1"), session=b"one", expected=None)  # it was not sure that it went in
    assert store.session("ada", "c1") == b"two" and store.get("ada").turns == 2


def test_an_erased_person_is_no_conflict(store: ProfileStore) -> None:
    store.record(make_turn("t1"), session=b"one", expected=None)
    since = store.get("ada").since
    store.erase("ada")
    store.record(make_turn("t2"), session=b"two", expected=b"one", since=since)
    assert store.users() == []


def test_a_turn_without_a_state_is_compared_too(store: ProfileStore) -> None:
    store.record(make_turn("t1"), session=b"one", expected=None)
    with pytest.raises(ConflictError):
        store.record(make_turn("t2"), expected=b"zero")
    store.record(make_turn("t2"), expected=b"one")
    assert store.session("ada", "c1") == b"one" and store.get("ada").turns == 2


def test_what_is_expected_is_bytes(store: ProfileStore) -> None:
    with pytest.raises(InputError, match="expected must be bytes"):
        store.record(make_turn(), expected="one")  # type: ignore[arg-type]


def test_no_turn_of_two_processes_is_lost(path: Path, start: Start) -> None:
    workers = [start("counting", path, f"w{n}", 60) for n in range(2)]
    for worker in workers:
        assert worker.stdout is not None and worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        worker.communicate(timeout=300)
        assert worker.returncode == 0
    with ProfileStore(path) as store:
        # Every turn built on the one before it.
        assert store.session("ada", "c1") == b"120"
        assert store.get("ada").turns == 120 and store.check() == []


def test_a_harmless_turn_of_another_process_does_not_cover_a_crisis(
    path: Path, start: Start
) -> None:
    with ProfileStore(path) as store:
        store.record(make_turn("t1"), session=b"calm", expected=None)
        other = start("overlapping", path)
        assert other.stdout is not None and other.stdin is not None
        assert other.stdout.readline() == "began\n"
        store.record(make_turn("crisis"), session=b"watchful", expected=b"calm")
        said, _ = other.communicate("go\n", timeout=60)
        assert said == "ConflictError\n"
        assert store.session("ada", "c1") == b"watchful"
        assert [t["id"] for t in store.turns("ada")] == ["t1", "crisis"]
