"""Erasing from a file too large to be rewritten: nothing is left, and nobody waits."""

from __future__ import annotations

import contextlib
import random
import shutil
import sqlite3
import struct
import threading
from pathlib import Path

import pytest

from empathic_sdk.lab.benchmarks.erasure import bench_erasure
from empathic_sdk.profiles import ProfileStore
from tests.profiles.conftest import Start, release
from tests.profiles.direct import connections
from tests.profiles.disk import forms
from tests.profiles.factory import make_turn

PEOPLE = 120
WORD = "Qword"


def name(n: int) -> str:
    return f"Qperson-{n:03d}-end"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of more than 8 MB in which people's turns follow each other in no order."""
    path = tmp_path_factory.mktemp("large") / "profiles.db"
    rng = random.Random(5)
    with connections() as made, ProfileStore(path) as store:
        # Nothing here is about waiting for the disk.
        made[0].execute("PRAGMA synchronous = OFF")
        for n in range(2400):
            who = rng.randrange(PEOPLE)
            store.record(
                make_turn(f"{name(who)}-{n}", user=name(who), conversation=f"{name(who)}-{n % 4}"),
                text=f"{WORD}-{who:03d} " * rng.randrange(1, 250),
                keep_text=True,
                session=name(who).encode() * rng.randrange(1, 500),
            )
    assert path.stat().st_size > 8_000_000
    return path


@pytest.fixture
def copy(large: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(large, tmp_path / "profiles.db"))


def found(path: Path, *texts: str) -> list[str]:
    everything = b"\0".join(p.read_bytes() for p in sorted(path.parent.iterdir()))
    return [t for t in texts if any(form in everything for form in forms(t))]


def unused(path: Path) -> bytes:
    """What is in the middle of pages and not zero; written down apart from the product."""
    content, found = path.read_bytes(), b""
    for start in range(0, len(content), 4096):
        page = content[start : start + 4096]
        at = 100 if start == 0 else 0
        if page[at] in (2, 5, 10, 13):
            cells, begin = struct.unpack_from(">HH", page, at + 3)
            gap = page[at + (8 if page[at] > 8 else 12) + 2 * cells : begin or 65536]
            found += gap if any(gap) else b""
    return found


def test_no_byte_of_anybody_erased_is_left(copy: Path, start: Start) -> None:
    rng = random.Random(6)
    gone: list[str] = []
    with ProfileStore(copy) as store:
        other = start("opened", copy)
        assert other.stdout is not None and other.stdout.readline()
        for n in rng.sample(range(PEOPLE), 12):
            here = [name(n), f"{WORD}-{n:03d}"]
            assert found(copy, *here) == here
            assert store.erase(name(n)) > 0
            gone += here
            # Others go on living beside it, so that rows move between pages.
            for k in range(10):
                who = name(rng.choice([p for p in range(PEOPLE) if name(p) not in gone]))
                store.record(make_turn(f"{who}-{n}-{k}", user=who), session=b"z" * 3000)
            assert found(copy, *here) == []
        assert copy.stat().st_size > 8_000_000, "it was not rewritten"
        assert store.check() == []
        release(other)
    assert found(copy, *gone) == [] and len(gone) == 24
    with ProfileStore(copy) as store:
        assert len(store.users()) == PEOPLE - 12 and store.check() == []


def test_deleting_alone_would_leave_copies_behind(path: Path) -> None:
    """Why there is more to it: SQLite's own ``secure_delete`` misses rows that were moved."""
    with ProfileStore(path) as store:
        store.record(make_turn("t1", user="ballast"), session=b"s" * 9_000_000)
    rng = random.Random(7)
    people = [
        f"Q{rng.getrandbits(64):016x}-{'person-' * rng.randrange(1, 25)}" for _ in range(2000)
    ]
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as raw:
        assert raw.execute("PRAGMA secure_delete = ON").fetchone() == (1,)
        raw.execute("PRAGMA synchronous = OFF")
        for person in people:
            raw.execute("INSERT INTO users (name, created) VALUES (?, '2024-01-01')", [person])
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        moved = unused(path)
        gone = [one for one in people if one[:17].encode() in moved]
        assert gone, "no row was copied when pages were split"
        raw.executemany("DELETE FROM users WHERE name = ?", [[one] for one in gone])
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = path.read_bytes()
    assert any(one[:17].encode() in content for one in gone)
    with ProfileStore(path) as store:
        assert not set(store.users()).intersection(gone)
        store.erase("nobody")
        content = path.read_bytes()
        assert [one for one in gone if one[:17].encode() in content] == []
        assert unused(path) == b"" and len(store.users()) == 2001 - len(gone)
    assert sqlite_says(path) == "ok"


def sqlite_says(path: Path) -> str:
    with contextlib.closing(sqlite3.connect(path)) as raw:
        return str(raw.execute("PRAGMA integrity_check").fetchone()[0])


def test_what_another_tool_deleted_carelessly_goes_too(copy: Path) -> None:
    with contextlib.closing(sqlite3.connect(copy)) as raw:
        raw.execute("PRAGMA secure_delete = OFF")
        raw.execute("DELETE FROM turns WHERE seq % 2 = 0")
        raw.execute("UPDATE conversations SET session = NULL")
        raw.commit()
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    everybody = [name(n) for n in range(PEOPLE)]
    text = copy.read_bytes()
    assert all(one.encode() * 2 in text for one in everybody[:1])
    with ProfileStore(copy) as store:
        store.erase(name(0))
        # A session repeats the name; nothing else does.
        assert not any(one.encode() * 2 in copy.read_bytes() for one in everybody)


def test_threads_read_and_write_meanwhile(copy: Path) -> None:
    stop = threading.Event()
    wrong: list[BaseException] = []

    def live(n: int) -> None:
        turn = 0
        try:
            while not stop.is_set():
                store.record(make_turn(f"new-{n}-{turn}", user=name(n)), session=b"s" * 2000)
                turn += 1
                assert store.get(name(n)).turns >= turn
        except BaseException as error:
            wrong.append(error)

    with ProfileStore(copy, timeout_s=30.0) as store:
        threads = [threading.Thread(target=live, args=(n,)) for n in (1, 2)]
        for thread in threads:
            thread.start()
        try:
            for n in range(10, 16):
                assert store.erase(name(n)) > 0
                assert found(copy, name(n)) == []
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert wrong == [] and store.check() == []


def test_turns_past_their_days_go_in_steps(copy: Path) -> None:
    with contextlib.closing(sqlite3.connect(copy)) as raw:
        raw.execute("UPDATE turns SET at = '2020-01-01T00:00:00.000000+00:00' WHERE seq <= 2000")
        raw.execute(
            "UPDATE conversations SET updated = (SELECT max(at) FROM turns WHERE "
            "conversation_id = conversations.id)"
        )
        raw.commit()
        last = raw.execute("SELECT id FROM turns WHERE seq = 2000").fetchone()[0]
    with ProfileStore(copy, keep_days=30) as store:
        assert sum(store.get(user).turns for user in store.users()) == 400
        assert found(copy, last) == [] and unused(copy) == b"" and store.check() == []


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_four_hundred_megabytes(tmp_path: Path) -> None:
    figures = bench_erasure(users=4000, turns=520_000, folder=tmp_path)
    assert figures["file_mb"] > 400 and figures["left_bytes"] == 0
    assert figures["memory_mb"] <= 64
    # Others use this machine, too: what a look-up waits when nobody is erased is no fault.
    assert figures["get_p95_ms"] <= 100
    assert figures["blocked_ms"] <= 100 + figures["quiet_ms"]
