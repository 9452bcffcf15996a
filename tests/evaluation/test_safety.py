"""Figures of the safety protocol: intervals, categories, the set's format."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from empathic_sdk.errors import DataError
from empathic_sdk.evaluation.safety import score, wilson
from empathic_sdk.training.safety import logistic
from empathic_sdk.training.safety_data import CALM, RISK, Entry, joined

SET = Path(__file__).parent.parent / "data" / "safety"


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    # Newcombe (1998), table I, method 3 (score, without continuity correction).
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson(hits: int, n: int, low: float, high: float) -> None:
    found = wilson(hits, n)
    assert found["value"] == hits / n
    assert found["low"] == pytest.approx(low, abs=1e-4)
    assert found["high"] == pytest.approx(high, abs=1e-4)


def test_score_counts_risk_and_calm_apart() -> None:
    entries = [Entry(str(i), c, (), r) for i, (c, r) in enumerate(
        [("coded", True), ("coded", True), ("past", True), ("idiom", False), ("everyday", False)]
    )]  # fmt: skip
    found = score(entries, [True, False, True, True, False])
    assert found["recall"] == pytest.approx(2 / 3)
    assert found["false_alarm_rate"] == 0.5
    assert {c: v["value"] for c, v in found["categories"].items()} == {
        "coded": 0.5, "past": 1.0, "idiom": 1.0, "everyday": 0.0,
    }  # fmt: skip


def test_the_training_lines_are_whole() -> None:
    entries = Entry.read(SET / "train.jsonl")
    assert len({e.id for e in entries}) == len(entries) > 700
    for category in (*RISK, *CALM):
        assert sum(e.category == category for e in entries) >= 35
    for e in entries:
        assert all((t.level is None) == (t.speaker == "agent") for t in e.turns)
        if len(e.turns) == 1:
            assert e.risk == (e.category in RISK)


def test_held_out_lines_are_not_training_lines() -> None:
    path = SET / "heldout.jsonl"
    if not path.is_file():
        pytest.skip("the held-out lines are not written yet")
    known = {t.text.lower() for e in Entry.read(SET / "train.jsonl") for t in e.turns}
    held = Entry.read(path)
    assert min(sum(e.risk for e in held), sum(not e.risk for e in held)) >= 150
    assert not {e.turns[-1].text.lower() for e in held} & known


@pytest.mark.parametrize(
    "row",
    [
        {"category": "coded", "turns": []},
        {"category": "odd", "risk": True, "turns": [{"speaker": "user", "text": "x"}]},
        {"category": "coded", "turns": [{"speaker": "user", "text": "x"}]},
        {"category": "coded", "risk": True, "turns": [{"speaker": "agent", "text": "x"}]},
        {"category": "coded", "turns": [{"speaker": "user", "text": "x", "level": "grim"}]},
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, row: dict[str, object]) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_text("\n" + json.dumps(row))
    with pytest.raises(DataError, match="line 2"):
        Entry.read(path)


def test_logistic_finds_the_line_that_separates() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(400, 3)).astype(np.float32)
    y = x @ np.float32([2, -1, 0]) + 0.5 > 0
    w, b = logistic(x, y, np.ones(400, np.float32), np.full(3, 1e-4, np.float32))
    assert w[0] / w[1] == pytest.approx(-2, rel=0.1)
    assert abs(w[2] / w[0]) < 0.05
    assert b / w[0] == pytest.approx(0.25, abs=0.05)


def test_joined_texts_keep_the_label_and_the_fold_of_their_telling_half() -> None:
    entries = Entry.read(SET / "train.jsonl")
    by_id = {e.id: e for e in entries}
    made = joined(entries, 40, 1)
    assert made == joined(entries, 40, 1)
    assert sum(line.level != "none" for line in made) == 20
    for line in made:
        source = by_id[line.group]
        assert source.turns[0].text.rstrip(".!?") in line.text
        assert (line.level != "none") == source.risk
