"""A store that was used before a fork: a clear error in the child, at once, whatever was held."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from empathic_sdk.errors import StoreError
from empathic_sdk.profiles import ProfileStore
from tests.profiles.factory import make_turn

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here"),
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),
]

CALLS: list[Callable[[ProfileStore], object]] = [
    lambda s: s.get("ada"),
    lambda s: s.record(make_turn("child")),
    lambda s: s.export("ada"),
    lambda s: s.erase("ada"),
    lambda s: s.backup("/nowhere"),
    lambda s: s.check(),
    lambda s: s.users(),
]


def in_child(act: Callable[[], int], *, within_s: float = 20.0) -> int:
    """Run something in a forked child; return its exit status, -1 where it hangs."""
    child = os.fork()
    if child == 0:
        status = 99
        try:
            status = act()
        finally:
            os._exit(status)
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return -1


def refusals(store: ProfileStore) -> int:
    found = 0
    for call in CALLS:
        try:
            call(store)
        except StoreError as error:
            found += "forked" in str(error)
    store.close()
    return found


def test_while_a_thread_is_inside_the_store(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, done = threading.Event(), threading.Event()

    def slow(*_: object) -> None:  # called inside the transaction that writes
        inside.set()
        assert done.wait(60)

    monkeypatch.setattr("empathic_sdk.profiles.store.set_preferences", slow)
    with ProfileStore(path) as store:
        store.record(make_turn("t1"))
        thread = threading.Thread(target=store.prefer, args=("ada",))
        thread.start()
        assert inside.wait(10)
        try:
            assert in_child(lambda: refusals(store)) == len(CALLS)
        finally:
            done.set()
            thread.join()
        store.record(make_turn("t2"))
        assert store.get("ada").turns == 2 and store.check() == []


def test_while_threads_read_and_write(path: Path) -> None:
    stop = threading.Event()

    def busy(n: int) -> None:
        turn = 0
        while not stop.is_set():
            store.record(make_turn(f"{n}-{turn}", user=f"u{n}"))
            store.get(f"u{n}")
            turn += 1

    with ProfileStore(path) as store:
        threads = [threading.Thread(target=busy, args=(n,)) for n in range(3)]
        for thread in threads:
            thread.start()
        try:
            found = [in_child(lambda: refusals(store)) for _ in range(5)]
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert found == [len(CALLS)] * 5
        assert store.check() == []


def test_a_store_in_memory(store: ProfileStore) -> None:
    with ProfileStore() as memory:
        memory.record(make_turn())
        assert in_child(lambda: refusals(memory)) == len(CALLS)
        assert memory.get("ada").turns == 1


def test_the_child_opens_one_of_its_own(path: Path) -> None:
    def act() -> int:
        with ProfileStore(path) as own:
            own.record(make_turn("child"))
            return own.get("ada").turns

    with ProfileStore(path) as store:
        store.record(make_turn("parent"))
        assert in_child(act) == 2
        assert store.get("ada").turns == 2 and store.check() == []
        store.record(make_turn("parent again"))
    with ProfileStore(path) as store:
        assert [t["id"] for t in store.turns("ada")] == ["parent", "child", "parent again"]
