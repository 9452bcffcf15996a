"""Several processes, and processes that die."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import time
from collections import Counter
from pathlib import Path

import pytest

from empathic_sdk.profiles import ProfileStore
from tests.profiles.conftest import Start

SLOW = (pytest.mark.slow, pytest.mark.timeout(1200))


def integrity(path: Path) -> str:
    with contextlib.closing(sqlite3.connect(path)) as raw:
        return str(raw.execute("PRAGMA integrity_check").fetchone()[0])


@pytest.mark.parametrize("kills", [5, pytest.param(50, marks=SLOW)])
def test_what_was_acknowledged_survives_a_kill(path: Path, start: Start, kills: int) -> None:
    chance = random.Random(20240117)
    told = 0
    for round_ in range(kills):
        worker = start("forever", path, f"r{round_}")
        assert worker.stdout is not None
        first = worker.stdout.readline()
        time.sleep(chance.uniform(0.0, 0.15))
        worker.kill()
        rest = worker.stdout.read()  # communicate() would miss what readline() has read ahead
        worker.wait()
        # A line that the kill cut short was not acknowledged.
        acknowledged = [line[:-1] for line in (first + rest).splitlines(True) if line[-1] == "\n"]
        assert acknowledged[0] == f"r{round_}-0"
        with ProfileStore(path) as store:
            rows = store.turns("ada")
            mine = [r["id"] for r in rows if r["id"].startswith(f"r{round_}-")]
            assert mine[: len(acknowledged)] == acknowledged
            assert mine[len(acknowledged) :] in ([], [f"r{round_}-{len(acknowledged)}"])
            context = store.get("ada")
            assert context.turns == len(rows)
            assert context.conversations == len({r["conversation"] for r in rows})
            assert context.emotions == Counter(r["emotion"]["label"] for r in rows)
            assert context.mean_valence == pytest.approx(0.25)
            assert context.last_emotion == rows[-1]["emotion"]["label"]
            # The session that is kept belongs to the last turn of its conversation.
            last = {r["conversation"]: r["id"] for r in rows}
            assert {c: store.session("ada", c) for c in last} == {
                c: id.encode() for c, id in last.items()
            }
        assert integrity(path) == "ok"
        told += len(acknowledged)
    assert told >= 2 * kills
    with ProfileStore(path) as store:
        assert store.check() == []


@pytest.mark.parametrize(("processes", "turns"), [(4, 50), pytest.param(8, 1000, marks=SLOW)])
def test_processes_create_and_write_one_file_at_once(
    path: Path, start: Start, processes: int, turns: int
) -> None:
    workers = [start("some", path, f"w{n}", turns) for n in range(processes)]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        worker.communicate(timeout=900)
        assert worker.returncode == 0  # nobody was told that the database is locked
    with ProfileStore(path) as store:
        rows = store.turns("ada")
        context = store.get("ada")
        assert store.check() == []
    assert sorted(r["id"] for r in rows) == sorted(
        f"w{w}-{n}" for w in range(processes) for n in range(turns)
    )
    assert (context.turns, context.conversations) == (processes * turns, processes)
    assert context.mean_valence == pytest.approx(0.5)
    assert integrity(path) == "ok"
