"""A file that is deleted, moved, replaced, cut short or overwritten under a store that is open."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from empathic_sdk.errors import StoreCorruptError
from empathic_sdk.profiles import ProfileStore
from tests.profiles.factory import make_turn


def fill(store: ProfileStore, user: str, count: int = 30) -> None:
    for n in range(count):
        store.record(make_turn(f"{user}-{n}", user=user), session=b"s" * 2000)


def delete(path: Path) -> None:
    path.unlink()


def delete_all(path: Path) -> None:
    for file in path.parent.iterdir():
        file.unlink()


def rename(path: Path) -> None:
    path.rename(path.with_name("elsewhere.db"))


def rename_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))


def replace(path: Path) -> None:
    other = path.with_name("other.db")
    with ProfileStore(other) as store:
        store.record(make_turn("theirs", user="eve"))
    other.replace(path)


def delete_log(path: Path) -> None:
    Path(f"{path}-wal").unlink()


def delete_index(path: Path) -> None:
    Path(f"{path}-shm").unlink()


def replace_log(path: Path) -> None:
    copy = path.with_name("copy")
    shutil.copy(f"{path}-wal", copy)
    copy.replace(f"{path}-wal")


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def overwrite(path: Path) -> None:
    with path.open("r+b") as file:  # as `cp other.db profiles.db` does: the file stays the same one
        file.write(b"something else entirely" * 1000)


HARM = [
    delete, delete_all, rename, rename_folder, replace, delete_log, delete_index, replace_log,
    cut, empty, overwrite,
]  # fmt: skip
WORDS = {
    "cut": "cut short",
    "empty": "cut short",
    "overwrite": "overwritten",
    "replace": "replaced",
    "replace_log": "replaced",
}


@pytest.mark.parametrize("harm", HARM, ids=lambda f: f.__name__)
def test_nothing_is_acknowledged_that_is_not_in_the_file(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    path = tmp_path / "store" / "profiles.db"
    with ProfileStore(path) as store:
        fill(store, "ada")
        with ProfileStore(path):  # the last one to close brings the log into the file
            pass
        store.backup(tmp_path / "copy.db")
        # So that there is something in the file to cut.
        assert store.erase("nobody") == 0 and path.stat().st_size > 8192
        harm(path)
        says = WORDS.get(harm.__name__, "deleted or moved away")
        for call in (
            lambda: store.record(make_turn("lost")),
            lambda: store.get("ada"),
            lambda: store.prefer("ada", tone="gentle"),
            lambda: store.erase("ada"),
            lambda: store.consent("ada", "face", True),
            lambda: store.backup(tmp_path / "copy2.db"),
        ):
            with pytest.raises(StoreCorruptError, match=says) as caught:
                call()
            assert str(path) in str(caught.value)
        (found,) = store.check()
        assert says in found


def test_a_file_that_is_put_back_is_used_again(path: Path) -> None:
    with ProfileStore(path) as store:
        fill(store, "ada", 3)
        away = path.with_name("away.db")
        path.rename(away)
        with pytest.raises(StoreCorruptError, match="moved away"):
            store.record(make_turn("t1"))
        away.rename(path)
        store.record(make_turn("t2"))
        assert store.get("ada").turns == 4 and store.check() == []


def test_a_deletion_during_the_transaction_is_noticed_before_it_is_told(path: Path) -> None:
    def forget(user: str) -> None:
        path.unlink(missing_ok=True)

    with ProfileStore(path) as store:
        fill(store, "ada", 3)
        store.on_erase(forget)
        with pytest.raises(StoreCorruptError, match="deleted"):
            store.erase("ada")


def test_other_stores_and_a_compaction_elsewhere_are_no_damage(path: Path) -> None:
    with ProfileStore(path) as store, ProfileStore(path) as other:
        fill(store, "ada", 60)
        fill(other, "bob", 5)
        assert store.erase("nobody") == 0  # brings the log into the file
        size = path.stat().st_size
        assert other.erase("ada") == 60  # the file is rewritten
        assert path.stat().st_size < size
        fill(store, "ada", 60)
        assert store.get("bob").turns == 5 and store.check() == []
