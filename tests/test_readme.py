"""The README's figures are those that its commands print, and those of the stored records."""

from __future__ import annotations

import json
import statistics
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from empathic_sdk.cli import main
from tests.conftest import ROOT

# Where a row's figure stands in what its command prints.
KEYS = {
    "MELD, 7 emotions, in dialogue, causal: weighted F1": "weighted_f1",
    "MELD, each utterance alone: weighted F1": "weighted_f1",
    "MELD, changed since the speaker's last utterance: F1": "shift_f1",
    "MELD, expected calibration error": "ece",
    "GoEmotions, Ekman, multi-label: macro F1": "macro_f1",
    "EmoBank, valence: Pearson r": "pearson_valence",
    "EmoBank, arousal: Pearson r": "pearson_arousal",
    "FER2013, private test: accuracy": "accuracy",
    "RAVDESS, 8 classes, unseen actors, voice alone: accuracy": "accuracy",
    "EMO-DB, 7 classes, unseen speakers: accuracy": "accuracy",
}
# Rows whose figures stand in records: which files, which seed ships, and where in them.
RECORDS = {
    "MELD, each utterance alone: weighted F1": ("text-seed{}.json", 3, "meld"),
    "GoEmotions, Ekman, multi-label: macro F1": ("text-seed{}.json", 3, "goemotions"),
    "EmoBank, valence: Pearson r": ("text-seed{}.json", 3, "emobank"),
    "EmoBank, arousal: Pearson r": ("text-seed{}.json", 3, "emobank"),
}


def rows() -> list[dict[str, str]]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text.split("<!-- figures -->")[1].split("<!-- /figures -->")[0]
    names = ("what", "ships", "seeds", "command")
    found = []
    for line in table.splitlines():
        if "`empathic" in line:
            cells = [cell.strip(" `") for cell in line.strip("|").split("|")]
            found.append(dict(zip(names, cells, strict=True)))
    return found


def test_every_row_is_held_to_something() -> None:
    assert [row["what"] for row in rows()] == list(KEYS)


@pytest.mark.parametrize("what", sorted(RECORDS))
def test_rows_that_stand_in_records(what: str) -> None:
    row = next(row for row in rows() if row["what"] == what)
    name, ships, part = RECORDS[what]
    values = {
        seed: json.loads((ROOT / "results" / name.format(seed)).read_text())["test"][part][
            KEYS[what]
        ]
        for seed in (1, 2, 3)
    }
    assert row["ships"] == f"{values[ships]:.3f}"
    mean, spread = statistics.mean(values.values()), statistics.stdev(values.values())
    assert row["seeds"] == f"{mean:.3f} ± {spread:.3f}"


@lru_cache
def printed(command: str) -> dict[str, Any]:
    results = str(ROOT / "results")
    ran = CliRunner().invoke(main, [*command.split()[1:], "--json", "--results", results])
    assert ran.exit_code == 0, ran.output
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


@pytest.mark.data
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("row", rows(), ids=lambda row: row["what"])
def test_rows_are_what_their_commands_print(row: dict[str, str], tmp_path: Path) -> None:
    found = printed(row["command"])
    key = KEYS[row["what"]]
    if row["ships"]:
        assert row["ships"] == f"{found[key]:.3f}"
    if row["seeds"]:
        runs = found["runs"]
        assert runs["n"] == 3
        assert row["seeds"] == f"{runs[key]['mean']:.3f} ± {runs[key]['std']:.3f}"
