"""Full disks, damaged pages, checks and backups."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from empathic_sdk.cli import main
from empathic_sdk.errors import StoreCorruptError, StoreError, StoreFullError
from empathic_sdk.profiles import ProfileStore
from tests.profiles.conftest import Start
from tests.profiles.direct import connections, writing
from tests.profiles.disk import forms
from tests.profiles.factory import make_turn


def fill(store: ProfileStore, user: str, count: int = 40) -> None:
    for n in range(count):
        store.record(make_turn(f"{user}-{n}", user=user), session=b"s" * 2000)


# -- no room --------------------------------------------------------------------------------


def test_a_full_database_refuses_and_goes_on(path: Path) -> None:
    with connections() as made, ProfileStore(path) as store:
        fill(store, "ada", 5)
        db = made[0]
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages}").fetchall()
        before = {**store.export("ada"), "exported_at": None}
        with pytest.raises(StoreFullError, match="disk is full"):
            fill(store, "bob", 500)
        told = store.get("bob").turns
        assert told == len(store.turns("bob")) < 500
        assert {**store.export("ada"), "exported_at": None} == before
        assert store.check() == []
        db.execute("PRAGMA max_page_count = 1000000").fetchall()
        store.record(make_turn("more", user="bob"))
        assert store.get("bob").turns == told + 1


def check_filled(path: Path, worker: subprocess.Popen[str]) -> int:
    said, _ = worker.communicate(timeout=60)
    first, second = said.splitlines()
    told, kind, reason = first.split(" ", 2)
    assert kind == "StoreFullError" and "make room" in reason
    assert second == f"{told} {told}"
    return int(told)


def test_a_file_that_may_not_grow(path: Path, start: Start) -> None:
    told = check_filled(path, start("filling", path, 400_000))
    assert told > 10
    with ProfileStore(path) as store:  # without the limit, all is as it was acknowledged
        assert [t["id"] for t in store.turns("ada")] == [f"t{n}" for n in range(told)]
        store.record(make_turn("more"))
        assert store.check() == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
def test_a_full_disk(small_disk: Path, start: Start) -> None:
    path = small_disk / "profiles.db"
    told = check_filled(path, start("filling", path, 0))
    assert told > 10
    with ProfileStore(path) as store:
        assert store.get("ada").turns == told and store.check() == []
        with pytest.raises(StoreFullError):
            store.backup(small_disk / "copy.db")
        assert sorted(f.name for f in small_disk.iterdir() if "copy" in f.name) == []
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    with ProfileStore(path) as store:
        fill(store, "bob")
        assert store.check() == [] and store.erase("ada") == told


# -- damage ---------------------------------------------------------------------------------


def overwrite_page_of(path: Path, word: str) -> None:
    """Put garbage over one page that holds ``word``, as a failing disk may."""
    content = bytearray(path.read_bytes())
    at = content.rindex(word.encode()) // 4096 * 4096
    content[at : at + 4096] = b"\xff" * 4096
    path.write_bytes(content)


def test_a_damaged_page_is_told_and_the_rest_is_read(path: Path) -> None:
    with ProfileStore(path) as store:
        fill(store, "ada", 30)
        for n in range(30):
            store.record(
                make_turn(f"bob-{n}", user="bob"), text="Qmarkword-3317 " * 20, keep_text=True
            )
    overwrite_page_of(path, "Qmarkword-3317")
    before = path.read_bytes()
    with ProfileStore(path) as store:
        assert store.get("ada").turns == 30 and len(store.turns("ada")) == 30
        with pytest.raises(StoreCorruptError, match="restore it from a backup"):
            store.turns("bob")
        found = store.check()
        assert found and all("damaged" in line for line in found)
        with pytest.raises(StoreCorruptError):
            store.backup(path.with_name("copy.db"))
        assert not path.with_name("copy.db").exists()
    assert path.read_bytes() == before
    out = CliRunner().invoke(main, ["profile", "check", "--profiles", str(path)])
    assert out.exit_code == 1 and "damaged" in out.output


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ("UPDATE users SET turns = turns + 1", "turns of 'ada' says 4; the turns say 3"),
        ("UPDATE users SET conversations = 9", "conversations of 'ada' says 9"),
        ("UPDATE users SET valence_sum = 0.25", "valence_sum of 'ada' says 0.25"),
        ("UPDATE users SET emotions = '{\"joy\":3}'", "emotions of 'ada' says"),
        ("UPDATE users SET emotions = '{'", "emotions of 'ada' says '{'"),
        ("UPDATE users SET last_emotion = 'joy'", "last_emotion of 'ada' says 'joy'"),
        ("UPDATE users SET last_seen = NULL", "last_seen of 'ada' says None"),
        ("DELETE FROM turns WHERE id = 'ada-1'", "turns of 'ada' says 3; the turns say 2"),
        ("DELETE FROM users", "refers to a row of users that is not there"),
        ("INSERT INTO feedback VALUES (77, NULL, 1, '')", "refers to a row of turns"),
        (
            "INSERT INTO users (id, name, created) VALUES (5, 'eve', '');"
            "UPDATE conversations SET user_id = 5",
            "turn 1 stands in a conversation of somebody else",
        ),
        ("UPDATE upkeep SET erasures = 2", "may still lie in the file"),
    ],
)
def test_check_finds(path: Path, damage: str, says: str) -> None:
    with ProfileStore(path) as store:
        fill(store, "ada", 3)
        store.feedback("ada-2", user="ada", rating=1)
        assert store.check() == []
        with contextlib.closing(sqlite3.connect(path)) as raw:  # without foreign keys
            raw.executescript(damage)
            raw.commit()
        assert any(says in line for line in store.check()), store.check()


def test_check_on_the_command_line(path: Path) -> None:
    with ProfileStore(path) as store:
        fill(store, "ada", 3)
    out = CliRunner().invoke(main, ["profile", "check", "--json", "--profiles", str(path)])
    assert (out.exit_code, json.loads(out.output)) == (0, {"sound": True, "problems": []})


# -- backups --------------------------------------------------------------------------------


def test_a_backup_is_a_store_of_one_moment_without_what_was_deleted(
    path: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"
    with ProfileStore(path) as store:
        fill(store, "Qgone-6651-user")
        fill(store, "ada")
        with writing(store) as db:  # deleted, but neither compacted nor overwritten
            db.execute("PRAGMA secure_delete = OFF").fetchall()
            db.execute("DELETE FROM users WHERE name LIKE 'Qgone%'")
        assert store.backup(str(copy)) == copy
        store.record(make_turn("later"))
        expected = {**store.export("ada"), "exported_at": None}
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert not any(form in copy.read_bytes() for form in forms("Qgone-6651-user"))
    with ProfileStore(copy) as restored:
        assert restored.check() == [] and restored.users() == ["ada"]
        found = {**restored.export("ada"), "exported_at": None}
        assert len(found["turns"]) == 40
        assert found["turns"] == expected["turns"][:40]
        restored.record(make_turn("on"))
    assert not list(tmp_path.glob("*.part"))


def test_a_backup_while_others_write(path: Path, start: Start, tmp_path: Path) -> None:
    worker = start("forever", path, "w")
    assert worker.stdout is not None
    for n in range(6):
        acknowledged = worker.stdout.readline()
        with ProfileStore(path) as store:
            store.backup(tmp_path / f"copy{n}.db")
        with ProfileStore(tmp_path / f"copy{n}.db") as copy:
            ids = [t["id"] for t in copy.turns("ada")]
            assert ids == [f"w-{k}" for k in range(len(ids))] and acknowledged.strip() in ids
            assert copy.check() == []


def test_a_backup_takes_nobodys_place(path: Path, tmp_path: Path) -> None:
    dest = tmp_path / "copy.db"
    dest.write_bytes(b"precious")
    run = CliRunner().invoke
    with ProfileStore(path) as store:
        fill(store, "ada", 3)
        with pytest.raises(StoreError, match="there already"):
            store.backup(dest)
        with pytest.raises(StoreError, match="the store itself"):
            store.backup(path, overwrite=True)
        with pytest.raises(StoreError, match="no backup can be made"):
            store.backup(tmp_path / "nowhere" / "copy.db")
        with ProfileStore(tmp_path / "used.db") as used:
            fill(used, "bob", 1)
            with pytest.raises(StoreError, match="in use"):
                store.backup(tmp_path / "used.db", overwrite=True)
            assert used.users() == ["bob"]
    assert dest.read_bytes() == b"precious"
    refused = run(main, ["profile", "backup", str(dest), "--profiles", str(path)])
    assert refused.exit_code == 1 and "--force" in refused.output
    done = run(main, ["profile", "backup", str(dest), "--force", "--profiles", str(path)])
    assert done.exit_code == 0 and "written to" in done.output
    with ProfileStore(dest) as copy:
        assert copy.get("ada").turns == 3
    assert sorted(f.suffix for f in tmp_path.iterdir() if f.is_file()) == [".db"] * 3


def test_a_store_in_memory_can_be_backed_up(tmp_path: Path) -> None:
    with ProfileStore() as store:
        fill(store, "ada", 3)
        store.backup(tmp_path / "copy.db")
    with ProfileStore(tmp_path / "copy.db") as copy:
        assert copy.get("ada").turns == 3 and copy.check() == []
