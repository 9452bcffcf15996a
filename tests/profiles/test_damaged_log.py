"""Damage in the log of a store whose process died: told, and never silently cut off."""

from __future__ import annotations

import logging
import os
import random
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from empathic_sdk.cli import main
from empathic_sdk.errors import StoreCorruptError
from empathic_sdk.profiles import ProfileStore
from tests.profiles.factory import make_turn

TURNS = 60


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store and its log, as a process leaves them that is killed."""
    path = tmp_path_factory.mktemp("live") / "profiles.db"
    folder = tmp_path_factory.mktemp("crashed")
    with ProfileStore(path) as store:
        for n in range(TURNS):
            store.record(make_turn(f"t{n}"), session=b"s" * 500)
        for ending in ("", "-wal"):
            shutil.copy(f"{path}{ending}", folder / f"profiles.db{ending}")
    return folder


@pytest.fixture
def copy(crashed: Path, tmp_path: Path) -> Path:
    shutil.copytree(crashed, tmp_path / "store")
    return tmp_path / "store" / "profiles.db"


def flip(log: Path, bit: int) -> None:
    content = bytearray(log.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    log.write_bytes(content)


def test_an_undamaged_log_is_replayed(copy: Path) -> None:
    with ProfileStore(copy) as store:
        assert store.get("ada").turns == TURNS and store.check() == []


def test_what_an_earlier_log_left_behind_is_no_damage(path: Path) -> None:
    """A log is written anew from its beginning; what it held before lies behind its end."""
    with ProfileStore(path) as store:
        for n in range(250):  # more than one log
            store.record(make_turn(f"t{n}"), session=b"s" * 3000)
            if n % 25 == 0:
                assert store.check() == []
                with ProfileStore(path) as other:
                    assert other.get("ada").turns == n + 1
        copy = path.with_name("copy.db")
        for ending in ("", "-wal"):
            shutil.copy(f"{path}{ending}", f"{copy}{ending}")
    with ProfileStore(copy) as store:
        assert store.get("ada").turns == 250 and store.check() == []


@pytest.mark.parametrize("seed", range(40))
def test_one_flipped_bit_anywhere_is_told(copy: Path, seed: int) -> None:
    log = Path(f"{copy}-wal")
    flip(log, random.Random(seed).randrange(log.stat().st_size * 8))
    before = {f.name: f.read_bytes() for f in copy.parent.iterdir()}
    with pytest.raises(StoreCorruptError, match="recorded changes lie behind the damage"):
        ProfileStore(copy)
    assert {f.name: f.read_bytes() for f in copy.parent.iterdir()} == before


@pytest.mark.parametrize("byte", [0, 3, 5, 9, 15, 16, 20, 24, 28, 31])
def test_so_is_one_in_the_header(copy: Path, byte: int) -> None:
    flip(Path(f"{copy}-wal"), byte * 8 + 1)
    with pytest.raises(StoreCorruptError, match="log"):
        ProfileStore(copy)


def test_so_is_one_in_the_last_turn(copy: Path) -> None:
    log = Path(f"{copy}-wal")
    flip(log, (log.stat().st_size - 100) * 8)
    with pytest.raises(StoreCorruptError, match="1 recorded changes"):
        ProfileStore(copy)


def test_a_page_of_garbage_is_told(copy: Path) -> None:
    with Path(f"{copy}-wal").open("r+b") as log:
        log.seek(10_000)
        log.write(b"\xff" * 4096)
    out = CliRunner().invoke(main, ["profile", "check", "--profiles", str(copy)])
    assert out.exit_code == 1 and "is damaged" in out.output


def test_a_write_that_was_cut_short_is_no_damage(copy: Path) -> None:
    """Its turn was never acknowledged: the process died in the middle of it."""
    log = Path(f"{copy}-wal")
    os.truncate(log, log.stat().st_size - 1000)
    with ProfileStore(copy) as store:
        assert store.get("ada").turns == TURNS - 1 and store.check() == []


def test_one_that_reached_the_disk_in_pieces_is_told_and_not_fatal(
    copy: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The power failed in the middle: more than a bit of the last turn is wrong, and it is all."""
    log = Path(f"{copy}-wal")
    with log.open("r+b") as file:
        file.seek(log.stat().st_size - 3000)
        file.write(bytes(2000))
    with caplog.at_level(logging.WARNING), ProfileStore(copy) as store:
        assert store.get("ada").turns == TURNS - 1
        assert "last change" in caplog.text
        (found,) = store.check()
        assert "1 recorded changes in the log cannot be read" in found
    with ProfileStore(copy) as store:
        assert store.check() == []


def test_without_its_log_a_store_goes_on_as_it_says(copy: Path) -> None:
    log = Path(f"{copy}-wal")
    flip(log, 8 * 5000)
    with pytest.raises(StoreCorruptError, match="move the log"):
        ProfileStore(copy)
    log.rename(copy.with_name("damaged-log"))
    with ProfileStore(copy) as store:
        assert store.get("ada").turns < TURNS and store.check() == []
        store.record(make_turn("on"))


def test_damage_under_a_live_store_is_found_by_a_check(path: Path) -> None:
    with ProfileStore(path) as store:
        for n in range(20):
            store.record(make_turn(f"t{n}"))
        with Path(f"{path}-wal").open("r+b") as log:
            log.seek(9000)
            log.write(b"\xff\xff\xff")
        assert any("in the log cannot be read" in line for line in store.check())


def test_a_log_that_began_anew_is_sound_all_along(path: Path) -> None:
    """What the log of before left behind the new one's end is no damage."""
    with ProfileStore(path) as store:
        for n in range(600):  # the log begins anew a few times
            store.record(make_turn(f"t{n}", user=f"u{n % 5}"), session=b"s" * 6000)
            if n % 40 == 39:
                assert store.check() == []
