from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score

from empathic_sdk.errors import DataError
from empathic_sdk.lab.evaluation.personal import evaluate_users, weighted_f1


def test_weighted_f1_is_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    gold, said = rng.integers(6, size=(5, 40)), rng.integers(7, size=(5, 40))
    expected = [f1_score(g, s, average="weighted", zero_division=0)
                for g, s in zip(gold, said, strict=True)]  # fmt: skip
    assert weighted_f1(gold, said).tolist() == pytest.approx(expected)


def test_gains_are_rescored_from_what_was_stored(tmp_path: Path) -> None:
    folder = tmp_path / "personal"
    folder.mkdir()
    gold = [0, 1, 2, 3] * 5
    wrong = [0, 1, 2, 0] * 5
    for seed, k20 in ((1, gold), (2, wrong)):
        row = {"user": "ada", "gold": gold, "said": {"0": wrong, "1": wrong, "5": wrong, "20": k20}}
        other = {**row, "user": "bob", "said": dict.fromkeys(("0", "1", "5", "20"), gold)}
        with gzip.open(folder / f"meld-seed{seed}.predictions.jsonl.gz", "wt") as f:
            f.write(json.dumps(row) + "\n" + json.dumps(other) + "\n")
        dev = {f"mean_f1_k{k}": 0.5 for k in (0, 20)}
        (folder / f"meld-seed{seed}.json").write_text(
            json.dumps(
                {
                    "recipe": "personal",
                    "name": f"meld-seed{seed}",
                    "run": {"chosen_step": 50},
                    "dev": dev,
                }
            )
        )
    found = evaluate_users(data=tmp_path, split="test", results=tmp_path, cache=tmp_path)
    before = float(f1_score(gold, wrong, average="weighted", zero_division=0))
    assert found["f1_meld_k0"] == pytest.approx((before + 1.0) / 2)
    assert found["gain_meld_k20"] == pytest.approx((1.0 - before) / 4)  # one of two, in one of two
    assert found["gain_meld_k1"] == 0.0
    k20 = found["sets"]["meld"]["k20"]
    assert k20["low"] <= k20["gain"] <= k20["high"]
    assert found["n"] == 40 and found["runs"] == {"n": 2}
    with pytest.raises(DataError, match="train personal"):
        evaluate_users(data=tmp_path, split="test", results=tmp_path / "no", cache=tmp_path)
