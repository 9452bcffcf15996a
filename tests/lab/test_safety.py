"""Figures of the safety protocol: intervals, categories, the set's format."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from empathic_sdk.errors import DataError
from empathic_sdk.lab.corpora.risk_lines import CALM, RISK, Entry, Moment, moments, shipped_lines
from empathic_sdk.lab.evaluation.safety import score, wilson
from empathic_sdk.lab.recipes.risk import is_dev
from empathic_sdk.safety.risk_model import Before
from empathic_sdk.types import SafetyLevel


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


def entry(number: int, category: str) -> Entry:
    level = SafetyLevel.HIGH if category in RISK else SafetyLevel.NONE
    return Entry(f"x-{number}", category, level, Moment("words"))


def test_score_counts_risk_and_calm_apart() -> None:
    kinds = ("coded", "coded", "past", "idiom", "everyday")
    entries = [entry(n, c) for n, c in enumerate(kinds)]
    found = score(entries, [True, False, True, True, False])
    assert found["recall"] == pytest.approx(2 / 3)
    assert found["false_alarm_rate"] == 0.5
    assert {c: v["value"] for c, v in found["categories"].items()} == {
        "coded": 0.5, "past": 1.0, "idiom": 1.0, "everyday": 0.0,
    }  # fmt: skip


@pytest.mark.parametrize(("name", "least"), [("train", 250), ("heldout", 150)])
def test_the_labelled_lines_are_whole(name: str, least: int) -> None:
    entries = Entry.read(shipped_lines(name))
    assert len({e.id for e in entries}) == len(entries)
    counts = Counter(e.category for e in entries)
    assert set(counts) == {*RISK, *CALM}
    assert min(counts.values()) >= least
    for e in entries:
        if name == "heldout" or not e.dialogue:
            assert e.risk == (e.category in RISK), e.id
    assert sum(e.dialogue for e in entries) > len(entries) / 8


def test_held_out_lines_are_not_training_lines() -> None:
    def whole(e: Entry) -> tuple[str, ...]:
        return tuple(t.lower() for t in (*(b.text for b in e.moment.before), e.moment.text))

    known = {whole(e) for e in Entry.read(shipped_lines("train"))}
    held = Entry.read(shipped_lines("heldout"))
    # "Wish me luck" and the like are written twice without anybody copying.
    alike = [e.id for e in held if whole(e) in known and len(e.moment.text) > 40]
    assert not alike


def test_dev_takes_whole_neighbourhoods() -> None:
    entries = Entry.read(shipped_lines("train"))
    places = {e.id: is_dev(e) for e in entries}
    assert 0.1 < sum(places.values()) / len(places) < 0.2
    for e in entries:
        writer, number = e.id.split("-")
        first = f"{writer}-{int(number) // 12 * 12}"
        assert places[e.id] == places.get(first, places[e.id])


@pytest.mark.parametrize(
    "row",
    [
        {"category": "coded", "level": "high", "turns": []},
        {"category": "odd", "level": "high", "turns": [{"speaker": "user", "text": "x"}]},
        {"category": "coded", "turns": [{"speaker": "user", "text": "x"}]},
        {"category": "coded", "level": "high", "turns": [{"speaker": "agent", "text": "x"}]},
        {"category": "coded", "level": "grim", "turns": [{"speaker": "user", "text": "x"}]},
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, row: dict[str, object]) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_text("\n" + json.dumps(row))
    with pytest.raises(DataError, match="line 2"):
        Entry.read(path)


def test_every_speaker_of_a_talk_is_judged_as_the_helped_one() -> None:
    talk = [(True, "a"), (False, "b"), (True, " "), (True, "c")]
    assert list(moments(talk)) == [
        Moment("a"),
        Moment("b", (Before(False, "a"),)),
        Moment("c", (Before(True, "a"), Before(False, "b"))),
    ]
