"""What processes leave that die: nobody who was erased is in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from empathic_sdk.profiles import ProfileStore
from tests.profiles.conftest import Start, release
from tests.profiles.disk import forms
from tests.profiles.factory import make_turn

USER = "Qanary-Zoe-7319"
SAID = "Qsaid-2290 I failed again"


def fill(store: ProfileStore, user: str, count: int = 10) -> None:
    for n in range(count):
        store.record(
            make_turn(f"{user}-{n}", user=user),
            text=SAID,
            keep_text=True,
            session=user.encode() * 90,
        )


def found(folder: Path, text: str) -> list[str]:
    """The files below a folder that hold a text, or have it in their names."""
    return [
        str(file.relative_to(folder))
        for file in sorted(folder.rglob("*"))
        if any(form in str(file).encode() for form in forms(text))
        or (file.is_file() and any(form in file.read_bytes() for form in forms(text)))
    ]


def kill_backup(start: Start, path: Path, dest: Path) -> Path:
    worker = start("backing_up", path, dest)
    assert worker.stdout is not None and worker.stdout.readline() == "copied\n"
    worker.kill()
    worker.communicate()
    (part,) = dest.parent.glob("*.part")
    assert not dest.exists()
    return part


@pytest.mark.parametrize("where", ["beside the store", "in another folder"])
def test_a_killed_backup_goes_when_the_store_is_opened(
    tmp_path: Path, start: Start, where: str
) -> None:
    path = tmp_path / "store" / "profiles.db"
    dest = (path.parent if where == "beside the store" else tmp_path) / "copy.db"
    with ProfileStore(path) as store:
        fill(store, USER)
    part = kill_backup(start, path, dest)
    assert found(tmp_path, SAID) != []
    with ProfileStore(path) as store:
        assert not part.exists()
        assert store.check() == []


@pytest.mark.parametrize("where", ["beside the store", "in another folder"])
def test_nobody_erased_is_left_in_it(tmp_path: Path, start: Start, where: str) -> None:
    path = tmp_path / "store" / "profiles.db"
    dest = (path.parent if where == "beside the store" else tmp_path) / "copy.db"
    with ProfileStore(path) as store:
        fill(store, USER)
        fill(store, "Zbob-4433-other")
        part = kill_backup(start, path, dest)
        assert str(part.relative_to(tmp_path)) in found(tmp_path, USER)
        assert any("unfinished copy" in line for line in store.check())
        assert store.erase(USER) == 10
        assert found(tmp_path, USER) == []
        assert found(tmp_path, "Zbob-4433-other") != [] and store.check() == []


def test_the_next_backup_to_the_same_place_removes_it(tmp_path: Path, start: Start) -> None:
    dest = tmp_path / "copy.db"
    with ProfileStore(tmp_path / "profiles.db") as store:
        fill(store, USER)
    with ProfileStore(tmp_path / "profiles.db") as store:
        part = kill_backup(start, tmp_path / "profiles.db", dest)
        assert store.backup(dest) == dest and not part.exists()
        with ProfileStore(dest) as copy:
            assert copy.get(USER).turns == 10 and copy.check() == []


def test_one_that_is_under_way_is_left_alone(tmp_path: Path, start: Start) -> None:
    path = tmp_path / "profiles.db"
    with ProfileStore(path) as store:
        fill(store, "ada")
        worker = start("backing_up", path, tmp_path / "copy.db")
        assert worker.stdout is not None and worker.stdout.readline() == "copied\n"
        with ProfileStore(path):
            store.erase("nobody")
        assert len(list(tmp_path.glob("*.part"))) == 1


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    theirs = [tmp_path / "film.mkv.part", tmp_path / "download.0123abcd.part"]
    for file in theirs:
        file.write_bytes(b"not ours at all " * 20)
    with ProfileStore(tmp_path / "profiles.db") as store:
        fill(store, USER)
        store.erase(USER)
        store.backup(tmp_path / "copy.db")
    assert all(file.exists() for file in theirs)


def test_an_erasure_of_many_rows_cut_short_is_finished(path: Path, start: Start) -> None:
    with ProfileStore(path) as store:
        fill(store, USER, 300)
        fill(store, "Zbob-4433-other", 3)
        kept = {**store.export("Zbob-4433-other"), "exported_at": None}
    worker = start("leaving", path, USER)
    assert worker.stdout is not None and worker.stdout.readline() == "begun\n"
    reader = start("opened", path)
    assert reader.stdout is not None
    # Forgotten by name at once, and by whoever else has the file open.
    assert reader.stdout.readline() == "['Zbob-4433-other']\n"
    worker.kill()
    worker.communicate()
    release(reader)
    with ProfileStore(path) as store:
        assert store.users() == ["Zbob-4433-other"] and store.check() == []
        assert {**store.export("Zbob-4433-other"), "exported_at": None} == kept
        assert found(path.parent, USER) == [] and found(path.parent, f"{USER}-7") == []
        fill(store, USER, 1)
        assert store.get(USER).turns == 1
