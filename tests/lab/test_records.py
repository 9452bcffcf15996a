"""Run records: everything in ``results/`` is read, and written as it was."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from empathic_sdk.errors import DataError
from empathic_sdk.lab.records import (
    RunRecord,
    find_records,
    item_rows,
    predictions_of,
    read_items,
    read_rows,
    recorded,
    write_rows,
)
from tests.conftest import ROOT

RESULTS = ROOT / "results"
RECORDS = [
    path
    for path in sorted(RESULTS.rglob("*.json"))
    if "recipe" in json.loads(path.read_text(encoding="utf-8"))
]


def test_there_are_records_of_every_recipe() -> None:
    assert {RunRecord.read(path).recipe for path in RECORDS} == {
        "behaviour", "dialogue", "face", "personal", "safety", "speech", "strategy", "text",
    }  # fmt: skip


@pytest.mark.parametrize("folder", sorted({p.parent for p in RECORDS}), ids=lambda p: p.name)
def test_what_is_recorded_is_read_and_written_as_it_was(folder: Path, tmp_path: Path) -> None:
    results = folder if folder == RESULTS else folder.parent
    for path, record in find_records(folder):
        raw = json.loads(path.read_text(encoding="utf-8"))
        assert record.as_json() == raw
        assert record.path(results) == path
        assert record.write(tmp_path).read_bytes() == path.read_bytes()
        assert record.seed >= 1 and predictions_of(path).is_file()


def test_other_files_beside_them_are_no_records() -> None:
    names = [path.name for path, _ in find_records(RESULTS / "dialogue")]
    assert "tuning-iemocap-minilm.json" not in names and len(names) == 180
    with pytest.raises(DataError, match="is no run record"):
        RunRecord.read(RESULTS / "dialogue" / "tuning-iemocap-minilm.json")
    with pytest.raises(DataError, match="there is no run record"):
        RunRecord.read(RESULTS / "none.json")


def test_a_dialogue_model_beside_its_encoder_has_a_record_of_its_own(tmp_path: Path) -> None:
    text = RunRecord(recipe="joint", name="joint-seed1")
    assert text.path(tmp_path) == tmp_path / "joint-seed1.json"
    dialogue = text.changed(data_set="meld")
    assert dialogue.path(tmp_path) == tmp_path / "dialogue" / "meld-joint-seed1.json"


def test_a_test_needs_the_record_of_this_checkpoint(tmp_path: Path) -> None:
    weights = tmp_path / "x.safetensors"
    weights.write_bytes(b"weights")
    with pytest.raises(DataError, match="the choice on dev comes before any test"):
        recorded(tmp_path / "x.json", weights)
    record = RunRecord(recipe="face", name="x", checkpoint={"sha256": "another"})
    with pytest.raises(DataError, match="is not the checkpoint"):
        recorded(record.write(tmp_path), weights)


def test_rows_go_there_and_back(tmp_path: Path) -> None:
    values = np.array([[0.123456, 1.0], [0.5, 0.25]])
    path = tmp_path / "deep" / "x.predictions.jsonl.gz"
    write_rows(path, item_rows(["a", "b"], values, 4, c="meld"))
    assert read_rows(path)[0] == {"c": "meld", "id": "a", "p": [0.1235, 1.0]}
    np.testing.assert_allclose(read_items(path, ["a", "b"], "them", c="meld"), values, atol=1e-4)
    before = path.read_bytes()
    write_rows(path, read_rows(path))
    assert path.read_bytes() == before and list(path.parent.iterdir()) == [path]
    for ids, corpus in ((["b", "a"], "meld"), (["a"], "meld"), (["a", "b"], "mosi")):
        with pytest.raises(DataError, match="does not hold them"):
            read_items(path, ids, "them", c=corpus)
    with pytest.raises(DataError, match="train the run again"):
        read_rows(tmp_path / "none.jsonl.gz")
