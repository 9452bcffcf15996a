"""The fused dialogue model: trained, recorded and measured on media made up here."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from empathic_sdk.errors import ModelError
from empathic_sdk.lab.corpora.dialogues import SEVEN, Dialogue, DialogueSet
from empathic_sdk.lab.corpora.pairing import MediaPool
from empathic_sdk.lab.evaluation import fusion as evaluate_fusion
from empathic_sdk.lab.evaluation.nuisance import pictures, sounds
from empathic_sdk.lab.recipes import fusion as fusion_runs
from empathic_sdk.lab.recipes.dialogue_numbers import fusion
from empathic_sdk.runtime import checkpoints

WIDTH = {"speech": 8, "face": 8, "behaviour": 8}


def texts(split: str, n: int) -> DialogueSet:
    """Text that says little: its vector leans towards the label by a hair."""
    rng = np.random.default_rng(len(split))
    made = []
    for k in range(n):
        labels = rng.integers(7, size=8)
        rows = rng.standard_normal((8, 384)).astype(np.float32)
        rows[np.arange(8), labels] += 0.5
        made.append(
            Dialogue(
                id=f"{split}{k}", ids=[f"{split}{k}-{i}" for i in range(8)],
                texts=["hello"] * 8, speakers=["a", "b"] * 4, labels=labels,
                features={"text": rows}, present={"text": np.ones(8, bool)},
                times=np.full((8, 2), np.nan),
            )
        )  # fmt: skip
    return DialogueSet(corpus="meld", split=split, classes=SEVEN, dialogues=made)


def pool(modality: str, seed: int) -> MediaPool:
    """Media that an encoder reads well."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(7), 30)
    vectors = 0.7 * rng.standard_normal((210, 8)).astype(np.float32)
    vectors[np.arange(210), labels] += 2
    logits = 3 * vectors[:, :7]
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    people = tuple(f"p{i % 5}" for i in range(210))
    return MediaPool(modality, vectors, p.astype(np.float32), labels, people)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> None:
    class Fake:
        def marks(self) -> dict[str, str]:
            return {"speech": "s", "face": "f", "behaviour": "b"}

    def pools(split: str, *_: Any) -> dict[str, MediaPool]:
        return {m: pool(m, seed=len(split) + i) for i, m in enumerate(WIDTH)}

    sizes = {"train": 60, "dev": 12, "test": 12}
    for module in (fusion_runs, evaluate_fusion):
        monkeypatch.setattr(module, "embedded", Fake)
        monkeypatch.setattr(module, "pools", pools)
        monkeypatch.setattr(module, "load", lambda _, s, **__: texts(s, sizes[s]))
    noise = [None, np.full(8, 0.01, np.float32)]
    monkeypatch.setattr(fusion_runs, "junk", lambda _: {"speech": noise, "face": noise})
    monkeypatch.setattr(
        evaluate_fusion, "nuisance",
        lambda _: ({"speech": noise, "face": noise}, {"speech": 0.5, "face": 0.5}),
    )  # fmt: skip
    monkeypatch.setattr(
        evaluate_fusion, "read_dialogues", lambda _, __, split: texts(split, sizes[split])
    )


def test_trained_recorded_and_measured(world: None, tmp_path: Path) -> None:
    recipe = replace(fusion(), width=16, epochs=4, patience=4, beside=(), learning_rate=5e-3)
    where = {"data": tmp_path, "results": tmp_path / "results", "cache": tmp_path}
    record = fusion_runs.train_fusion(recipe, out=tmp_path / "out", **where)
    path = tmp_path / "out" / "dialogue.safetensors"
    _, about = checkpoints.load(path)
    assert about["configuration"]["weights"] == {"behaviour": 0.3}
    assert set(dict(about["configuration"]["inputs"])) == {"text", *WIDTH}
    assert len(about["calibration"]["affect"]) == 7
    assert record.details["encoders"] == {"speech": "s", "face": "f", "behaviour": "b"}
    for split in ("train", "dev"):
        assert set(record.details["reliability"][split]) == set(WIDTH)
    dev = record.details["dev_conditions"]
    assert dev["text+speech+face"]["weighted_f1"] > dev["text"]["weighted_f1"] + 0.2
    report = evaluate_fusion.evaluate_fusion(split="test", checkpoint=path, **where)
    assert json.loads(json.dumps(report)) == report
    assert report["n"] == 96 and report["dataset"] == "fusion" and report["causal"] is True
    assert report["gain"] == pytest.approx(report["weighted_f1"] - report["weighted_f1_text"])
    assert report["weighted_f1_all"] == report["weighted_f1"] > report["weighted_f1_text"]
    lost = report["weighted_f1_text"] - report["weighted_f1_noise"]
    assert report["noise_loss"] == pytest.approx(lost)
    # What was stored says the same as what is measured anew.
    assert report["runs"]["n"] == 1
    for key in ("weighted_f1", "weighted_f1_text", "weighted_f1_speech", "gain"):
        assert report["runs"][key]["mean"] == pytest.approx(report[key], abs=0.02)


def test_weights_of_other_encoders_are_refused(world: None, tmp_path: Path) -> None:
    recipe = replace(fusion(), width=16, epochs=1, beside=())
    where = {"data": tmp_path, "results": tmp_path / "results", "cache": tmp_path}
    fusion_runs.train_fusion(recipe, out=tmp_path, **where)
    path = tmp_path / "dialogue.safetensors"
    tensors, about = checkpoints.load(path)
    checkpoints.save(path, tensors, {**about, "encoders": {"speech": "another"}})
    with pytest.raises(ModelError, match="other encoders"):
        evaluate_fusion.evaluate_fusion(split="test", checkpoint=path, **where)


def test_noises_and_pictures_are_always_the_same_and_all_different() -> None:
    waves, images = sounds(12), pictures(8)
    assert [w.tobytes() for w in waves] == [w.tobytes() for w in sounds(12)]
    assert all(w.dtype == np.float32 and np.abs(w).max() <= 1 for w in waves)
    assert any(not w.any() for w in waves)  # silence is one of them
    assert len({w.tobytes() for w in waves if w.any()}) == sum(bool(w.any()) for w in waves)
    assert all(i.dtype == np.uint8 and i.shape == (240, 320, 3) for i in images)
    assert len({i.tobytes() for i in images}) == 8
