"""Encryption at rest: no plain byte, clear errors, and everything else as without it."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from empathic_sdk import EmotionAwareAgent, EmotionRecognizer
from empathic_sdk.cli import main
from empathic_sdk.errors import (
    ConfigurationError,
    MissingExtraError,
    StoreCorruptError,
    StoreKeyError,
    StoreLockedError,
)
from empathic_sdk.profiles import ProfileStore
from empathic_sdk.profiles.file import StoreFile
from tests.profiles.conftest import Start, release
from tests.profiles.disk import searching
from tests.profiles.factory import make_turn

VARIABLE = "EMPATHIC_PROFILES_KEY"
KEY = "it's a long pass''phrase; -- 100%"
USER, SAID = "Qname-4421-ada", "Qsecretword-4422 I failed"


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    pytest.importorskip("sqlcipher3")
    monkeypatch.setenv(VARIABLE, KEY)
    return KEY


def fill(store: ProfileStore, user: str = USER, count: int = 8) -> None:
    for n in range(count):
        store.record(
            make_turn(f"{user}-{n}", user=user), text=SAID, keep_text=True,
            session=b"Qsession-4423 " * 400,
        )  # fmt: skip


def test_no_byte_is_plain(key: str, path: Path) -> None:
    with searching(path) as disk:
        with ProfileStore(path) as store:
            fill(store)
            plain = [USER, SAID, "Qsession-4423", "CREATE TABLE", "SQLite format 3"]
            assert [w for w in plain if disk.finds(w)] == []
            assert store.get(USER).turns == 8
        assert [w for w in plain if disk.finds(w)] == []
    with ProfileStore(path) as store:
        assert store.turns(USER, limit=1)[0]["text"] == SAID


def test_everything_works_on_it(key: str, path: Path, start: Start, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    with searching(path) as disk, ProfileStore(path, keep_days=3) as store:
        fill(store)
        fill(store, "bob")
        assert store.check() == []
        store.feedback("bob-1", user="bob", rating=1)
        assert store.counts(epsilon=0.5)["left"] == 0.5
        reader = start("opened", path)  # another process, with the key in its environment
        assert reader.stdout is not None and "bob" in reader.stdout.readline()
        content = path.read_bytes()
        store.backup(copy)
        assert store.erase(USER) == 8
        assert store.users() == ["bob"] and store.check() == []
        assert path.read_bytes() != content
        assert not disk.finds(USER)
        release(reader)
    assert SAID.encode() not in copy.read_bytes()
    with ProfileStore(copy) as restored:
        assert restored.get(USER).turns == 8 and restored.check() == []
    run = CliRunner().invoke
    out = run(main, ["profile", "export", "bob", "--profiles", str(path)])
    assert len(json.loads(out.output)["turns"]) == 8
    assert run(main, ["profile", "check", "--profiles", str(path)]).output == "sound\n"


def test_processes_share_it(key: str, path: Path, start: Start) -> None:
    workers = [start("some", path, f"w{n}", 10) for n in range(3)]
    for worker in workers:
        assert worker.stdout is not None and worker.stdout.readline() == "ready\n"
    for worker in workers:
        worker.communicate("go\n", timeout=60)
        assert worker.returncode == 0
    with ProfileStore(path) as store:
        assert store.get("ada").turns == 30 and store.check() == []


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Be writing to the file meanwhile."""
    with contextlib.closing(StoreFile(path, 5.0)) as file, file.writing():
        yield


def test_it_waits_and_gives_up_as_without(key: str, path: Path) -> None:
    with ProfileStore(path) as store, ProfileStore(path, timeout_s=0.1) as other:
        with held(path), pytest.raises(StoreLockedError):
            fill(other, count=1)
        fill(other, count=1)
        assert store.get(USER).turns == 1


def test_an_agent_on_it(key: str, path: Path, recognizer: EmotionRecognizer) -> None:
    for _ in range(2):
        with EmotionAwareAgent(recognizer=recognizer, profiles=path, keep_text=True) as agent:
            agent.respond(SAID, user=USER, conversation="c")
    with ProfileStore(path) as store:
        assert store.get(USER).turns == 2
    assert SAID.encode() not in path.read_bytes()


def test_the_wrong_key(key: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ProfileStore(path) as store:
        fill(store)
    before = path.read_bytes()
    monkeypatch.setenv(VARIABLE, KEY + "x")
    with pytest.raises(StoreKeyError, match=f"key in {VARIABLE} does not open") as caught:
        ProfileStore(path)
    assert KEY not in str(caught.value)
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(StoreCorruptError, match=f"encrypted, set {VARIABLE}"):
        ProfileStore(path)
    assert {f.name: f.read_bytes() for f in path.parent.iterdir()} == {path.name: before}


def test_a_store_that_is_not_encrypted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sqlcipher3")
    with ProfileStore(path) as store:
        fill(store)
    before = path.read_bytes()
    monkeypatch.setenv(VARIABLE, KEY)
    with pytest.raises(StoreKeyError, match="is not encrypted"):
        ProfileStore(path)
    assert path.read_bytes() == before


def test_without_the_extra(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, KEY)
    monkeypatch.setitem(sys.modules, "sqlcipher3", None)
    with pytest.raises(MissingExtraError, match=r"empathic-sdk\[encryption\]"):
        ProfileStore(path)
    assert not path.exists()
    ProfileStore().close()  # in memory there is nothing to encrypt


@pytest.mark.parametrize("short", ["", "1234567", "abc\ndefghijk"])
def test_a_key_must_be_one(path: Path, monkeypatch: pytest.MonkeyPatch, short: str) -> None:
    monkeypatch.setenv(VARIABLE, short)
    with pytest.raises(ConfigurationError, match=VARIABLE):
        ProfileStore(path)


def test_pythons_own_sqlite_cannot_read_it(key: str, path: Path) -> None:
    with ProfileStore(path) as store:
        fill(store)
    with contextlib.closing(sqlite3.connect(path)) as raw, pytest.raises(sqlite3.DatabaseError):
        raw.execute("SELECT * FROM users").fetchall()
