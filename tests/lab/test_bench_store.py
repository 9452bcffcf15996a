"""The made-up store is a sound one, and its figures are figures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from empathic_sdk import ProfileStore
from empathic_sdk.cli import main
from empathic_sdk.lab.benchmarks.store import fill


def test_what_is_made_up_is_a_sound_store(tmp_path: Path) -> None:
    path = tmp_path / "p.db"
    fill(path, users=7, turns=500)
    with ProfileStore(path) as store:
        assert store.check() == []
        assert len(store.users()) == 7
        people = [store.get(user) for user in store.users()]
        assert sum(p.turns for p in people) == 500
        assert {p.conversations for p in people} == {4}  # 71 or 72 turns, 20 to a talk
        turns = store.turns("user-3")
        assert len({t["id"] for t in turns}) == len(turns) == people[3].turns
        assert len({t["emotion"]["label"] for t in turns}) == 7
        assert store.erase("user-3") == len(turns)


def test_the_command(tmp_path: Path) -> None:
    arguments = ["bench", "store", "--users", "5", "--turns", "60", "--folder", str(tmp_path)]
    out = CliRunner().invoke(main, [*arguments, "--json"])
    report = json.loads(out.output.splitlines()[-1])
    assert report["sound"] is True
    for name in ("get", "record"):
        assert 0 < report[f"{name}_p50_ms"] <= report[f"{name}_p95_ms"]
    assert list(tmp_path.iterdir()) == []
    wrong = CliRunner().invoke(main, [*arguments, "--turns", "2"])
    assert wrong.exit_code == 2


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_million_turns_cost_no_more_than_the_goal(tmp_path: Path) -> None:
    from empathic_sdk.lab.benchmarks.store import bench_store

    report = bench_store(users=10_000, turns=1_000_000, folder=tmp_path)
    assert report["get_p50_ms"] < 5
    assert report["record_p50_ms"] < 5 + report["fsync_p50_ms"]
