"""One recorded run: what dev decides, what is stored, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from empathic_sdk.errors import ConfigurationError, DataError
from empathic_sdk.lab.corpora import text_vectors
from empathic_sdk.lab.corpora.dialogues import Dialogue, DialogueSet, read_dialogues
from empathic_sdk.lab.corpora.text_vectors import load
from empathic_sdk.lab.evaluation.dialogue_figures import (
    Scored,
    calibrate,
    dev_score,
    measure,
    read_predictions,
    scored,
    write_predictions,
)
from empathic_sdk.lab.recipes import dialogue as dialogue_runs
from empathic_sdk.lab.recipes.dialogue import configuration_name, run_name, train_dialogue
from empathic_sdk.lab.recipes.dialogue_numbers import DialogueRecipe
from empathic_sdk.lab.records import RunRecord
from empathic_sdk.lab.training.dialogue_batches import Prediction, Statistics, example, predict
from empathic_sdk.lab.training.dialogue_fit import load_checkpoint
from empathic_sdk.recognition.calibration import Calibration, probabilities
from tests.lab import corpora_imitation as imitation

TINY = DialogueRecipe(
    modalities=("text", "speech", "face"), width=16, speakers=0, batch_size=4, epochs=3,
    learning_rate=3e-3, average=0.8,
)  # fmt: skip
NAME = "mosi-given-mdget-causal-text+speech+face-seed1"


@pytest.fixture(scope="module")
def mosi(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return imitation.write_mosi(tmp_path_factory.mktemp("mosi"))


def train(data: Path, results: Path, recipe: DialogueRecipe = TINY) -> RunRecord:
    return train_dialogue(
        recipe, data_set="mosi", features="given", data=data, results=results,
        cache=results / "cache",
    )  # fmt: skip


@pytest.fixture(scope="module")
def run(mosi: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunRecord]:
    """Train once for all that look at a finished run."""
    results = tmp_path_factory.mktemp("results")
    return results, train(mosi, results)


def plain(value: Any) -> Any:
    return json.loads(json.dumps(value))


def test_the_record(mosi: Path, run: tuple[Path, RunRecord]) -> None:
    results, record = run
    assert record.name == NAME
    assert record.configuration_name == NAME.removesuffix("-seed1")
    assert (record.recipe, record.data_set, record.features) == (
        "dialogue", "mosi", "given",
    )  # fmt: skip
    assert record.configuration == TINY.as_dict()
    for split in ("train", "dev", "test"):
        items = read_dialogues("mosi", mosi, split)
        assert record.data[split] == {
            "dialogues": len(items.dialogues), "n": len(items), "sha256": items.digest(),
        }  # fmt: skip
    assert len(record.run["history"]) == record.run["epochs"] == 3
    assert record.run["chosen_epoch"] in (1, 2, 3)
    assert set(record.run["history"][0]) == {
        "epoch", "loss", "emotion_loss", "transfer_loss", "passed", "accuracy", "objective",
    }  # fmt: skip
    best = max(h["accuracy"] for h in record.run["history"])
    assert record.dev["accuracy"] == pytest.approx(best)
    assert "shift_f1" not in record.dev  # one speaker: a sentence's sentiment is no state
    assert record.environment["threads"] >= 1
    assert Calibration(**record.calibration).temperature != 1.0
    assert "test" not in record.as_json()  # and no figure of it anywhere
    assert json.loads((results / "dialogue" / f"{NAME}.json").read_text()) == plain(
        record.as_json()
    )


def test_what_is_stored_is_what_was_said(mosi: Path, run: tuple[Path, RunRecord]) -> None:
    results, record = run
    test = read_dialogues("mosi", mosi, "test")
    path = results / "dialogue" / f"{NAME}.predictions.jsonl.gz"
    stored = read_predictions(path, test)
    assert [p.shape for p in stored.probabilities] == [(len(d), 2) for d in test.dialogues]
    for p, s in zip(stored.probabilities, stored.shift, strict=True):
        np.testing.assert_allclose(p.sum(1), 1, atol=2e-4)
        assert np.isnan(s[0]) and ((s[1:] >= 0) & (s[1:] <= 1)).all()  # one speaker each
    found = measure(test, stored, Calibration(**record.calibration))
    assert found["accuracy"] > 0.8  # chance is 1/2
    again = path.read_bytes()
    write_predictions(path, test, stored)
    assert path.read_bytes() == again


def test_the_predictions_of_other_dialogues_are_refused(
    mosi: Path, run: tuple[Path, RunRecord]
) -> None:
    path = run[0] / "dialogue" / f"{NAME}.predictions.jsonl.gz"
    test = read_dialogues("mosi", mosi, "test")
    shorter = replace(test, dialogues=test.dialogues[:-1])
    turned = replace(test, dialogues=test.dialogues[::-1])
    for other in (read_dialogues("mosi", mosi, "dev"), shorter, turned):
        with pytest.raises(DataError, match="does not hold the test dialogues of mosi"):
            read_predictions(path, other)


def test_a_finished_run_is_not_trained_again(
    mosi: Path, run: tuple[Path, RunRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    results, record = run
    monkeypatch.setattr(dialogue_runs, "fit", lambda *_: pytest.fail("trained again"))
    assert plain(train(mosi, results).as_json()) == plain(record.as_json())
    for changes in ({"learning_rate": 1e-3}, {"epochs": 4}, {"balance": None}):
        with pytest.raises(ConfigurationError, match=r"records a run with other numbers; give an"):
            train(mosi, results, replace(TINY, **changes))


def test_one_name_other_features(mosi: Path, run: tuple[Path, RunRecord]) -> None:
    results, _ = run
    recipe = replace(TINY)
    with pytest.raises(ConfigurationError, match=r"on the features 'given', not 'runs/given\.x'"):
        train_dialogue(
            recipe, data_set="mosi", features="runs/given.x", data=mosi, results=results,
            cache=results,
        )  # fmt: skip


def test_half_a_record_is_no_record(mosi: Path, tmp_path: Path) -> None:
    first = train(mosi, tmp_path, replace(TINY, model="linear", epochs=1))
    stem = tmp_path / "dialogue" / first.name
    stem.with_name(f"{stem.name}.predictions.jsonl.gz").unlink()
    again = train(mosi, tmp_path, replace(TINY, model="linear", epochs=1))
    assert stem.with_name(f"{stem.name}.predictions.jsonl.gz").is_file()
    assert {**again.run, "seconds": 0} == {**first.run, "seconds": 0}


def test_dev_alone_decides(mosi: Path, run: tuple[Path, RunRecord], tmp_path: Path) -> None:
    """Other test videos, turned round in every label and vector: nothing on dev changes."""
    with np.load(mosi / "mosi" / "mosi.npz") as f:
        held = {n: f[n] for n in f.files}
    rows = held["video_id"] >= "b08"  # dev is the first eight of the test videos
    assert (held["split"][rows] == "test").all()
    held["label"][rows] = 1 - held["label"][rows]
    for name in ("text_features", "audio_features", "video_features"):
        held[name][rows] *= -3
    (tmp_path / "mosi").mkdir()
    np.savez(tmp_path / "mosi" / "mosi.npz", **held)
    results, one = run
    other = train(tmp_path, tmp_path / "results")
    assert other.data["test"]["sha256"] != one.data["test"]["sha256"]
    for key in ("dev", "calibration", "configuration"):
        assert getattr(other, key) == getattr(one, key)
    assert {**other.run, "seconds": 0} == {**one.run, "seconds": 0}
    assert other.data["dev"] == one.data["dev"]
    stored = [
        (r / "dialogue" / f"{NAME}.predictions.jsonl.gz").read_bytes()
        for r in (results, tmp_path / "results")
    ]
    assert stored[0] != stored[1]


# -- without training -----------------------------------------------------------------------------


def talks(corpus: str = "iemocap") -> DialogueSet:
    """Two dialogues of two speakers, one utterance without a label."""

    def talk(name: str, labels: list[int]) -> Dialogue:
        n = len(labels)
        return Dialogue(
            id=name, ids=[f"{name}{i}" for i in range(n)], texts=["a"] * n,
            speakers=["F" if i % 2 else "M" for i in range(n)], labels=np.array(labels),
            features={}, present={}, times=np.full((n, 2), np.nan),
        )  # fmt: skip

    return DialogueSet(
        corpus=corpus, split="dev", classes=("x", "y"),
        dialogues=[talk("a", [0, 1, 1, 1]), talk("b", [0, -1, 0])],
    )  # fmt: skip


def said(rows: Sequence[Sequence[float]], shift: Sequence[float]) -> Prediction:
    return Prediction(np.array(rows, np.float32), np.array(shift, np.float32))


NAN = float("nan")
SAID = [
    said([[2, 0], [0, 1], [3, 0], [0, 2]], [NAN, NAN, 0.9, 0.3]),
    said([[1, 0], [0, 9], [0, 1]], [NAN, NAN, 0.2]),
]


def test_measured_by_hand() -> None:
    figures = measure(talks(), scored(SAID, Calibration()), Calibration())
    # Labelled: 0 1 1 1 0 0; said: 0 1 0 1 0 1.
    assert figures["accuracy"] == pytest.approx(4 / 6)
    assert figures["f1"] == pytest.approx({"x": 2 / 3, "y": 2 / 3})
    # In truth M's changes 0 -> 1, F's stays 1 -> 1, M's stays 0 -> 0.
    assert figures["shift_f1"] == pytest.approx(1.0)
    # By the labels said: M 0 -> 0, F 1 -> 1, M 0 -> 1: one false, one missed.
    assert figures["shift_f1_labels"] == 0.0
    late = Calibration(shift_threshold=0.95)
    assert measure(talks(), scored(SAID, Calibration()), late)["shift_f1"] == 0.0
    bare = [p._replace(shift=np.full_like(p.shift, NAN)) for p in SAID]
    assert "shift_f1" not in measure(talks(), scored(bare, Calibration()), Calibration())
    assert not {"shift_f1", "shift_f1_labels"} & set(
        measure(talks("mosi"), scored(SAID, Calibration()), Calibration())
    )


def test_the_headline_chooses() -> None:
    assert dev_score(talks("mosi"))(SAID) == pytest.approx({"accuracy": 4 / 6, "objective": 4 / 6})
    assert dev_score(talks())(SAID) == pytest.approx({"weighted_f1": 2 / 3, "objective": 2 / 3})


def test_calibrated_predictions_by_hand() -> None:
    fixed = Calibration(temperature=2.0, shift_scale=0.5, shift_bias=1.0)
    got = scored(SAID, fixed)
    np.testing.assert_allclose(got.probabilities[0], probabilities(SAID[0].logits, 2.0))
    odds = 0.5 * np.log(0.9 / 0.1) + 1.0
    assert np.isnan(got.shift[0][:2]).all()
    assert got.shift[0][2] == pytest.approx(1 / (1 + np.exp(-odds)), rel=1e-5)


def test_calibration_finds_what_was_planted() -> None:
    """Logits three times too large; a module whose odds are half of what they should be, moved."""
    rng = np.random.default_rng(0)
    dialogues, found = [], []
    for k in range(300):
        n = 10
        logits = rng.normal(0, 1.5, (n, 2))
        p = probabilities(logits)
        labels = (rng.random(n) < p[:, 1]).astype(int)
        shift = np.full(n, NAN)
        odds = rng.normal(0, 2, n - 1)
        # What is said of a change is planted after the labels: it must fit the true changes.
        truth = labels[1:] != labels[:-1]
        odds = np.where(truth, np.abs(odds), odds)
        shift[1:] = 1 / (1 + np.exp(-odds))
        one = talks().dialogues[0]
        dialogues.append(
            replace(one, id=str(k), ids=[f"{k}-{i}" for i in range(n)], texts=["a"] * n,
                    speakers=["M"] * n, labels=labels, times=np.full((n, 2), NAN))
        )  # fmt: skip
        found.append(Prediction((3 * logits).astype(np.float32), shift.astype(np.float32)))
    dev = replace(talks(), dialogues=dialogues)
    got = calibrate(dev, found)
    assert got.temperature == pytest.approx(3.0, abs=0.3)
    said_of = np.concatenate([s.shift[1:] for s in found])
    truth = np.concatenate([d.labels[1:] != d.labels[:-1] for d in dialogues])
    called = np.array([got.shift(float(x)) for x in said_of])
    # Calibrated: as often true as it says, overall and in the upper half.
    assert called.mean() == pytest.approx(truth.mean(), abs=0.01)
    upper = called > np.median(called)
    assert called[upper].mean() == pytest.approx(truth[upper].mean(), abs=0.05)
    plain_ = calibrate(dev, [p._replace(shift=np.full_like(p.shift, NAN)) for p in found])
    assert (plain_.shift_scale, plain_.shift_bias) == (1.0, 0.0)


def test_predictions_go_there_and_back(tmp_path: Path) -> None:
    given = Scored(
        [np.array([[0.12345, 0.87655], [1.0, 0.0], [0.5, 0.5], [0, 1]]), np.full((3, 2), 0.5)],
        [np.array([NAN, NAN, 0.33333, 1.0]), np.full(3, NAN)],
    )
    path = tmp_path / "deep" / "x.jsonl.gz"
    write_predictions(path, talks(), given)
    back = read_predictions(path, talks())
    for one, other in zip(
        [*given.probabilities, *given.shift], [*back.probabilities, *back.shift], strict=True
    ):
        np.testing.assert_allclose(one, other, atol=5.1e-5)
    assert list(path.parent.iterdir()) == [path]  # nothing half-written is left


def test_names() -> None:
    recipe = DialogueRecipe(modalities=("text", "speech"))
    assert configuration_name("iemocap", "minilm", recipe) == (
        "iemocap-minilm-mdget-causal-text+speech"
    )
    other = replace(recipe, model="mdget", causal=False, timing=True, ablation="no-gue", seed=3)
    assert run_name("iemocap", "minilm", other) == (
        "iemocap-minilm-mdget-both-text+speech-timing-no-gue-seed3"
    )


# -- text features ---------------------------------------------------------------------------------


class Counting:
    """A text encoder that counts letters, and how often it was asked."""

    asked = 0

    def __init__(self, model: Path | None) -> None:
        self.model = model

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        type(self).asked += 1
        return np.array([[t.count("a"), len(t)] for t in texts], np.float32)


@pytest.fixture
def checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "text.safetensors"
    path.write_bytes(b"weights")
    monkeypatch.setattr(text_vectors, "TextEncoder", Counting)
    monkeypatch.setattr(Counting, "asked", 0)
    return path


def test_text_features_are_made_once(tmp_path: Path, checkpoint: Path) -> None:
    data, cache = imitation.write_iemocap(tmp_path), tmp_path / "cache"
    where: dict[str, Any] = {"data": data, "features": str(checkpoint), "cache": cache}
    first = load("iemocap", "dev", **where)
    assert all(list(d.features) == ["text", "speech"] for d in first.dialogues)
    texts = [t for d in first.dialogues for t in d.texts]
    rows = np.concatenate([d.features["text"] for d in first.dialogues])
    assert rows.tolist() == [[t.count("a"), len(t)] for t in texts]
    assert load("iemocap", "dev", **where).digest() == first.digest()
    assert Counting.asked == 1
    assert [p.suffix for p in cache.iterdir()] == [".safetensors"]
    load("iemocap", "train", **where)
    assert Counting.asked == 2
    checkpoint.write_bytes(b"other weights")  # under the same name
    load("iemocap", "dev", **where)
    assert Counting.asked == 3


def test_vectors_of_two_encoders_stand_side_by_side(tmp_path: Path, checkpoint: Path) -> None:
    other = tmp_path / "other.safetensors"
    other.write_bytes(b"more weights")
    where: dict[str, Any] = {"data": imitation.write_iemocap(tmp_path), "cache": tmp_path / "cache"}
    one = load("iemocap", "dev", features=str(checkpoint), **where)
    both = load("iemocap", "dev", features=f"{checkpoint}+{other}", **where)
    assert Counting.asked == 2  # one of them was there
    for a, b in zip(one.dialogues, both.dialogues, strict=True):
        np.testing.assert_array_equal(b.features["text"], np.tile(a.features["text"], 2))
    assert run_name("iemocap", "minilm+a/b.x", DialogueRecipe()).startswith("iemocap-minilm+b-")


def test_a_run_with_two_speakers_records_shifts(tmp_path: Path, checkpoint: Path) -> None:
    data = imitation.write_iemocap(tmp_path)
    recipe = replace(TINY, modalities=("text", "speech"), speakers=2, epochs=1, timing=True)
    record = train_dialogue(
        recipe, data_set="iemocap", features=str(checkpoint), data=data, results=tmp_path,
        cache=tmp_path / "cache",
    )  # fmt: skip
    assert record.name == "iemocap-text-mdget-causal-text+speech-timing-seed1"
    assert {"weighted_f1", "shift_f1", "shift_f1_labels", "ece"} <= set(record.dev)
    assert set(record.dev["f1"]) == {"happy", "sad", "neutral", "angry", "excited", "frustrated"}


def test_a_checkpoint_says_what_was_recorded(tmp_path: Path, checkpoint: Path) -> None:
    data = imitation.write_dialogues(imitation.write(tmp_path, n=70))
    recipe = replace(TINY, modalities=("text",), epochs=2, beside=("goemotions", "dailydialog"),
                     beside_size=20)  # fmt: skip

    def once(**changes: Any) -> RunRecord:
        return train_dialogue(
            replace(recipe, **changes), data_set="meld", features=str(checkpoint), data=data,
            results=tmp_path / "results", cache=tmp_path / "cache", out=tmp_path / "run",
        )  # fmt: skip

    record = once()
    assert record.name == "meld-text-mdget-causal-text-beside-seed1"
    assert record.details["beside"]["dailydialog"]["dialogues"] == 1
    assert record.details["beside"]["goemotions"]["n"] == 20
    path = tmp_path / "run" / "dialogue.safetensors"
    assert record.checkpoint["bytes"] == path.stat().st_size
    assert record.checkpoint["text_sha256"] == sha256(checkpoint.read_bytes()).hexdigest()
    network, about = load_checkpoint(path)
    assert about["calibration"] == plain(record.calibration)
    assert about["text_sha256"] == record.checkpoint["text_sha256"]
    # It reads raw vectors, and its test predictions are those that were stored.
    test = load("meld", "test", data=data, features=str(checkpoint), cache=tmp_path / "cache")
    said = predict(network, [example(d, Statistics()) for d in test.dialogues])
    stored = read_predictions(
        tmp_path / "results" / "dialogue" / f"{record.name}.predictions.jsonl.gz", test
    )
    now = scored(said, Calibration(**record.calibration))
    for a, b in zip(now.probabilities, stored.probabilities, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)
    # The record is returned as long as its checkpoint is there; else both are made again.
    before = path.stat().st_mtime_ns
    assert plain(once().as_json()) == plain(record.as_json()) and path.stat().st_mtime_ns == before
    path.unlink()
    assert once().dev == record.dev and path.is_file()


@pytest.mark.parametrize(
    ("features", "changes"),
    [("given", {}), ("minilm+shipped", {}), ("minilm", {"model": "gru"})],
)
def test_what_cannot_be_a_checkpoint_is_said_before_training(
    features: str, changes: dict[str, Any], mosi: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match="only mdget on the vectors of one text encoder"):
        train_dialogue(
            replace(TINY, **changes), data_set="mosi", features=features, data=mosi,
            results=tmp_path, cache=tmp_path, out=tmp_path,
        )  # fmt: skip


def test_corpora_beside_must_have_the_same_classes(tmp_path: Path, checkpoint: Path) -> None:
    data = imitation.write_dialogues(imitation.write_iemocap(tmp_path))
    recipe = replace(TINY, modalities=("text",), beside=("dailydialog",))
    with pytest.raises(ConfigurationError, match="dailydialog has other classes than iemocap"):
        train_dialogue(
            recipe, data_set="iemocap", features=str(checkpoint), data=data, results=tmp_path,
            cache=tmp_path / "cache",
        )  # fmt: skip


@pytest.mark.parametrize(
    ("data_set", "features", "says"),
    [
        ("iemocap", "given", "iemocap brings no text features; name an encoder"),
        ("mosi", "shipped", "mosi brings its own features; give --features given"),
        ("iemocap", "bert", "no text features are named 'bert': give one of minilm, shipped"),
    ],
)
def test_features_that_are_not_there(
    data_set: str, features: str, says: str, mosi: Path, tmp_path: Path
) -> None:
    data = mosi if data_set == "mosi" else imitation.write_iemocap(tmp_path)
    with pytest.raises(ConfigurationError, match=says):
        load(data_set, "dev", data=data, features=features, cache=tmp_path)


def test_the_shipped_encoder_does_not_need_the_other_one(
    tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_vectors, "find_minilm", lambda _: pytest.fail("not asked for"))
    monkeypatch.setattr(dialogue_runs, "mark", lambda _: "mark")
    data = imitation.write_iemocap(tmp_path)
    got = load("iemocap", "dev", data=data, features="shipped", cache=tmp_path / "cache")
    assert got.dialogues[0].features["text"].shape[1] == 2
