"""Files that are not as they should be, and those that are."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlite_utils import Database

from empathic_sdk.errors import (
    StoreCorruptError,
    StoreError,
    StoreLockedError,
    StoreReadOnlyError,
    StoreVersionError,
)
from empathic_sdk.profiles import ProfileStore, migrations
from tests.profiles.conftest import Start, release
from tests.profiles.direct import connections
from tests.profiles.factory import make_turn

NOBODY = 65534


def contents(folder: Path) -> dict[str, bytes]:
    return {f.name: f.read_bytes() for f in sorted(folder.iterdir())}


def test_a_blank_file_gets_every_migration(path: Path) -> None:
    ProfileStore(path).close()
    db = Database(path)
    applied = [m.name for m in migrations.MIGRATIONS.applied(db)]
    tables = set(db.table_names())
    header = [db.execute(f"PRAGMA {p}").fetchone()[0] for p in ("application_id", "user_version")]
    mode = db.journal_mode
    db.close()
    assert applied == list(migrations.KNOWN)
    assert [name[:4] for name in applied] == [f"m{n:03d}" for n in range(1, len(applied) + 1)]
    assert header == [0x456D7061, len(applied)]
    assert mode == "wal"
    assert tables == {
        "_sqlite_migrations",
        "consents",
        "conversations",
        "days",
        "feedback",
        "learning",
        "mastery",
        "override_uses",
        "overrides",
        "privacy_spent",
        "referrals",
        "turns",
        "upkeep",
        "users",
    }


def test_an_older_store_is_brought_up_to_date_with_all_that_is_in_it(path: Path) -> None:
    with contextlib.closing(Database(path, execute_plugins=False)) as db:
        with db.atomic():
            migrations.MIGRATIONS.apply(db, stop_before="m005_overrides")
            db.execute(f"PRAGMA application_id = {migrations.APPLICATION_ID}")
            db.execute("PRAGMA user_version = 2")
            db.execute(
                "INSERT INTO users (name, created) VALUES ('ada', '2024-01-01T00:00:00+00:00')"
            )
            db.execute("INSERT INTO consents VALUES (1, 1, 'face', 1, '1', '2024-01-02')")
            db.execute("INSERT INTO mastery VALUES (1, 'fractions.1', 0.5, 3, 1, '2024-01-03')")
        assert "overrides" not in db.table_names()
    with ProfileStore(path) as store:
        person = store.get("ada")
        assert person.consents == {"face"} and person.mastery["fractions.1"].seen == 3
        store.record(make_turn(), since=person.since)
        assert store.get("ada").turns == 1 and store.check() == []
        assert store.privacy_budget()["left"] == 1.0 and store.overrides() == []
    with contextlib.closing(Database(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (migrations.VERSION,)


def test_an_empty_file_is_a_blank_one(path: Path) -> None:
    path.touch()
    with ProfileStore(path) as store:
        store.record(make_turn())
        assert store.users() == ["ada"]


def test_a_migration_that_fails_leaves_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(migrations.MIGRATIONS, "_record_applied", fail)
        with pytest.raises(RuntimeError, match="power cut"):
            ProfileStore(path)
    with contextlib.closing(sqlite3.connect(path)) as raw:
        assert raw.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
        assert raw.execute("PRAGMA application_id").fetchone() == (0,)
    with ProfileStore(path) as store:
        store.record(make_turn())
        assert store.get("ada").turns == 1


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folders" / "profiles.db"
    with ProfileStore(path) as store:
        store.record(make_turn())
        modes = {f.name: stat.S_IMODE(f.stat().st_mode) for f in path.parent.iterdir()}
    assert modes == {
        "profiles.db": 0o600,
        "profiles.db-shm": 0o600,
        "profiles.db-wal": 0o600,
    }


def test_commits_reach_the_disk(path: Path) -> None:
    with connections() as made, ProfileStore(path):
        values = {
            name: made[0].execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("synchronous", "foreign_keys", "secure_delete", "temp_store")
        }
    assert values == {"synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "temp_store": 2}


@pytest.mark.parametrize(
    "change", [f"PRAGMA user_version = {migrations.VERSION + 1}", "future migration"]
)
def test_a_newer_file_is_left_alone(path: Path, change: str) -> None:
    with ProfileStore(path) as store:
        store.record(make_turn())
    with contextlib.closing(Database(path)) as db:
        if change.startswith("PRAGMA"):
            db.execute(change)
        else:
            db["_sqlite_migrations"].insert(
                {
                    "migration_set": migrations.MIGRATIONS.name,
                    "name": "m099_from_the_future",
                    "applied_at": "2099-01-01 00:00:00+00:00",
                }
            )
    before = contents(path.parent)
    with pytest.raises(StoreVersionError, match="newer version"):
        ProfileStore(path)
    assert contents(path.parent) == before


@pytest.mark.parametrize("kind", ["plain", "other id", "with a log"])
def test_a_database_of_another_application_is_left_alone(path: Path, kind: str) -> None:
    raw = sqlite3.connect(path)
    if kind == "other id":
        raw.execute("PRAGMA application_id = 77")
    if kind == "with a log":
        raw.execute("PRAGMA journal_mode = wal")
    raw.execute("CREATE TABLE users (name)")
    raw.execute("INSERT INTO users VALUES ('theirs')")
    raw.commit()
    if kind == "with a log":
        # Copied while open, as after a crash: the table is only in the log.
        copy = path.with_name("copy.db")
        shutil.copy(path, copy)
        shutil.copy(f"{path}-wal", f"{copy}-wal")
        raw.close()
        path.unlink()
        path = copy
        assert set(contents(path.parent)) == {"copy.db", "copy.db-wal"}
    raw.close()
    before = contents(path.parent)
    with pytest.raises(StoreCorruptError, match="another application"):
        ProfileStore(path)
    assert contents(path.parent) == before


@pytest.mark.parametrize(
    "content",
    [b"short", b"a text that is no database\n" * 400, bytes(4096), b"SQLite format 3\0"],
    ids=["short", "text", "zeros", "magic alone"],
)
def test_a_file_that_is_no_database_is_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(StoreCorruptError):
        ProfileStore(path)
    assert contents(path.parent) == {path.name: content}


@pytest.mark.parametrize("damage", ["truncated", "schema", "pages"])
def test_a_damaged_store_is_left_alone(path: Path, damage: str) -> None:
    with ProfileStore(path) as store:
        for number in range(50):
            store.record(make_turn(str(number)))
    content = path.read_bytes()
    broken = {
        "truncated": content[: len(content) // 2],
        "schema": content[:100] + b"\xff" * 3996 + content[4096:],
        "pages": content[:4096] + b"\xff" * (len(content) - 4096),
    }[damage]
    path.write_bytes(broken)
    with pytest.raises(StoreCorruptError):
        ProfileStore(path)
    assert contents(path.parent) == {path.name: broken}


def test_a_store_that_lost_a_table_is_damaged(path: Path) -> None:
    ProfileStore(path).close()
    with contextlib.closing(sqlite3.connect(path)) as raw:
        raw.execute("DROP TABLE turns")
    with ProfileStore(path) as store, pytest.raises(StoreCorruptError, match="no such table"):
        store.turns("ada")


def test_a_value_that_cannot_be_read_is_damage(path: Path) -> None:
    with ProfileStore(path) as store:
        store.record(make_turn())
    with contextlib.closing(sqlite3.connect(path)) as raw:
        raw.execute("UPDATE users SET emotions = '{'")
        raw.commit()
    with ProfileStore(path) as store, pytest.raises(StoreCorruptError, match="cannot be read"):
        store.get("ada")


def test_a_path_that_cannot_be_a_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is a folder"):
        ProfileStore(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="no profile store can be made"):
        ProfileStore(tmp_path / "file" / "profiles.db")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StoreError, match="not a regular file"):
        ProfileStore(tmp_path / "pipe")


def test_a_writer_elsewhere_locks_out_writes_but_not_reads(path: Path, start: Start) -> None:
    with ProfileStore(path) as store:
        store.record(make_turn("a"))
    other = start("writing", path)
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    with ProfileStore(path, timeout_s=0.1) as store:
        assert store.get("ada").turns == 1
        with pytest.raises(StoreLockedError, match=r"more than 0\.1 s"):
            store.record(make_turn("b"))
        with pytest.raises(StoreLockedError) as caught:
            store.erase("ada")
        assert "rows of this user are gone" not in str(caught.value)
        assert len(store.turns("ada")) == 1
        release(other)
        store.record(make_turn("b"))
        assert store.get("ada").turns == 2


@contextlib.contextmanager
def unprivileged() -> Iterator[None]:
    """Let file permissions hold for root too, by being nobody for a while."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that anybody may enter, unlike pytest's."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="no file owners here")
@pytest.mark.parametrize("writable_folder", [True, False])
def test_a_read_only_file_can_be_read(open_folder: Path, writable_folder: bool) -> None:
    path = open_folder / "profiles.db"
    with ProfileStore(path) as store:
        store.record(make_turn(), session=b"s")
    before = path.read_bytes()
    path.chmod(0o444)
    open_folder.chmod(0o777 if writable_folder else 0o555)
    with unprivileged(), ProfileStore(path) as store:
        assert store.get("ada").turns == 1
        assert store.export("ada")["turns"][0]["id"] == "t1"
        for write in (
            lambda: store.record(make_turn("t2")),
            lambda: store.prefer("ada", tone="x"),
            lambda: store.erase("ada"),
            lambda: store.feedback("t1", user="ada", rating=1),
        ):
            with pytest.raises(StoreReadOnlyError, match="cannot be written"):
                write()
        assert store.get("ada").turns == 1
    assert path.read_bytes() == before


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="no file owners here")
def test_a_read_only_folder_takes_no_new_store(open_folder: Path) -> None:
    open_folder.chmod(0o555)
    with unprivileged(), pytest.raises(StoreReadOnlyError, match="cannot be written"):
        ProfileStore(open_folder / "profiles.db")
    (open_folder / "empty.db").touch()
    (open_folder / "empty.db").chmod(0o444)
    with unprivileged(), pytest.raises(StoreReadOnlyError):
        ProfileStore(open_folder / "empty.db")
    assert [f.name for f in open_folder.iterdir()] == ["empty.db"]
