from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from empathic_sdk.cli import main
from empathic_sdk.encoders.audio import RATE
from empathic_sdk.encoders.speech import SpeechEncoder
from empathic_sdk.errors import ConfigurationError, DataError
from empathic_sdk.lab.corpora.clips import (
    CLASSES,
    EMODB_CLASSES,
    RAVDESS_CLASSES,
    ravdess_split,
    read_clips,
    speaker_folds,
)
from empathic_sdk.lab.evaluation.speech import evaluate_emodb, evaluate_ravdess
from empathic_sdk.lab.evaluation.speech_figures import SHARED, measure, shared_clips
from empathic_sdk.lab.evaluation.speech_fusion import action_units, fit_fusion
from empathic_sdk.lab.recipes.speech import train_emodb, train_ravdess
from empathic_sdk.lab.recipes.speech_numbers import SpeechRecipe
from empathic_sdk.lab.training.sound_augmentation import add_noise, at_speed, blank, stretch, tilt
from empathic_sdk.lab.training.speech_fit import Voices, predict, train_speech
from empathic_sdk.lab.training.speech_statistics import fit_statistics
from tests.encoders.sounds import vowels
from tests.encoders.test_audio import wav

LETTERS = "NFTWAEL"


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Imitations of both corpora: what is felt is how high the voice is."""
    root = tmp_path_factory.mktemp("data")
    (root / "ravdess").mkdir()
    (root / "emodb").mkdir()
    units, names = [], []
    rng = np.random.default_rng(0)
    faces = rng.normal(size=(8, 35))  # one a class
    for actor in (1, 2, 17, 21):
        for k in range(8):
            name = f"03-01-{k + 1:02d}-01-01-01-{actor:02d}"
            sound = vowels(0.7, hz=90 + 22 * k + actor / 4, seed=actor)
            (root / "ravdess" / f"{name}.wav").write_bytes(wav(sound, RATE))
            names.append(f"{name}.flac")
            units.append(faces[k] + 0.3 * rng.normal(size=35))
    for speaker in (3, 8, 9, 10):
        for k, letter in enumerate(LETTERS):
            sound = vowels(0.7, hz=90 + 22 * k + speaker, seed=speaker)
            (root / "emodb" / f"{speaker:02d}a01{letter}a.wav").write_bytes(wav(sound, RATE))
    (root / "ravdess" / "notes.txt").write_text("not a clip")
    (root / "ravdess" / "song.wav").write_bytes(b"")
    np.savez(
        root / "ravdess_action_units.npz",
        clip=np.array(names), action_units=np.array(units, np.float32),
    )  # fmt: skip
    return root


SMALL = SpeechRecipe(epochs=2, batch_size=8, bands=16, channels=(4, 6), hidden=6, bfloat16=False)


def test_names_become_labels_and_speakers(data: Path) -> None:
    ravdess, emodb = read_clips("ravdess", data), read_clips("emodb", data)
    assert len(ravdess) == 32
    assert len(emodb) == 28
    first = ravdess.only(np.array([0]))
    assert (first.ids[0], first.classes[first.labels[0]]) == ("03-01-01-01-01-01-01", "neutral")
    by_letter = {i[5]: EMODB_CLASSES[k] for i, k in zip(emodb.ids, emodb.labels, strict=True)}
    assert by_letter == {
        "W": "anger", "L": "boredom", "E": "disgust", "A": "fear", "F": "joy", "T": "sadness",
        "N": "neutral",
    }  # fmt: skip
    assert set(emodb.speakers) == {3, 8, 9, 10}
    assert len(ravdess.digest()) == 64
    assert ravdess.digest() != ravdess.only(np.arange(31)).digest()


def test_a_folder_that_is_no_corpus_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"ravdess is not there.*zenodo"):
        read_clips("ravdess", tmp_path)
    (tmp_path / "emodb").mkdir()
    with pytest.raises(DataError, match="no clip in"):
        read_clips("emodb", tmp_path)


def test_nobody_is_in_two_parts(data: Path) -> None:
    clips = read_clips("ravdess", data)
    parts = {s: set(ravdess_split(clips, s).speakers.tolist()) for s in ("train", "dev", "test")}
    assert parts == {"train": {1, 2}, "dev": {17}, "test": {21}}
    folds = speaker_folds([3, 8, 9, 10, 11, 12, 13, 14, 15, 16, 3, 8])
    assert len(folds) == 5
    assert [f.test for f in folds] == [(3, 8), (9, 10), (11, 12), (13, 14), (15, 16)]
    for fold in folds:
        assert len(fold.train) == 7
        assert len({*fold.train, *fold.dev, *fold.test}) == 10


def test_a_speed_changes_length_and_pitch() -> None:
    tone = (10_000 * np.sin(2 * np.pi * 400 * np.arange(16_000) / RATE)).astype(np.int16)
    fast = at_speed(tone, 1.12)
    assert len(fast) == pytest.approx(16_000 / 1.12, abs=2)
    assert np.abs(np.fft.rfft(fast)).argmax() * RATE / len(fast) == pytest.approx(448, abs=2)
    assert at_speed(tone, 1.0) is tone


def test_noise_has_the_ratio_that_was_asked_for() -> None:
    x = torch.from_numpy(vowels(1.0))
    noisy = add_noise(x, draw(), snr_db=(10.0, 10.0))
    ratio = 10 * torch.log10(x.square().mean() / (noisy - x).square().mean())
    assert float(ratio) == pytest.approx(10.0, abs=0.1)
    assert torch.equal(noisy, add_noise(x, draw(), snr_db=(10.0, 10.0)))  # the draw decides


def test_stretch_tilt_and_blank() -> None:
    x = torch.arange(20.0)[:, None] + torch.arange(8.0)
    assert stretch(x, 1.5, 1.0).shape == (30, 8)
    assert stretch(x, 1.0, 0.8).shape == stretch(x, 1.0, 1.2).shape == (20, 8)
    torch.testing.assert_close(stretch(x, 1.0, 1.0), x)
    moved = tilt(x, draw(1), most=1.0) - x
    torch.testing.assert_close(moved, moved[:1].expand(20, 8), atol=1e-5, rtol=0)
    assert 0 < abs(float(moved[0, 0])) <= 1.0
    assert float(moved[0, 0]) == pytest.approx(-float(moved[0, -1]), abs=1e-5)
    hidden = blank(x, draw(), times=6, bands=3)
    assert hidden.shape == x.shape
    assert ((hidden == x) | (hidden == x.mean())).all()
    assert (hidden != x).any()


def test_training_learns_and_a_seed_says_all() -> None:
    clips = _clips(16)
    recipe = replace(SMALL, epochs=14, evaluate_every=7, mixup=0.0, noise=0.0, learning_rate=1e-2)
    gold = clips.clips.labels

    def score(logits: np.ndarray) -> float:
        return float((logits.argmax(1) == gold).mean())

    one, ran = train_speech(recipe, {"ravdess": clips}, clips, score)
    other, _ = train_speech(recipe, {"ravdess": clips}, clips, score)
    for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    assert score(predict(one, clips)) >= 0.75
    assert [h["epoch"] for h in ran["history"]] == [7.0, 14.0]
    begun, _ = train_speech(
        replace(recipe, epochs=1), {"emodb": _clips(4, "emodb")}, _clips(4, "emodb"),
        lambda _: 0.0, begin=one.state_dict(),
    )  # fmt: skip
    assert torch.equal(begun.front.get_buffer("mean"), one.front.get_buffer("mean"))


def _clips(n: int, corpus: str = "ravdess") -> Voices:
    from empathic_sdk.lab.corpora.clips import Clips

    labels = np.arange(n) % 2
    samples = [
        (20_000 * vowels(0.5, hz=110.0 + 130 * k, seed=i)).astype(np.int16)
        for i, k in enumerate(labels)
    ]
    names = tuple(f"clip{i}" for i in range(n))
    return Voices(
        Clips(corpus, names, tuple(Path(m) for m in names), labels, np.ones(n, int)), samples
    )


def test_recipes_check_their_numbers() -> None:
    with pytest.raises(ConfigurationError, match="ped or lstm"):
        SpeechRecipe(model="gmm")
    with pytest.raises(ConfigurationError, match="epochs"):
        SpeechRecipe(epochs=0)
    assert SpeechRecipe.of("ped", started=True).epochs == 12
    assert json.loads(json.dumps(SMALL.as_dict()))["channels"] == [4, 6]


def test_the_second_opinion_is_a_logistic_regression() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 20)
    rows = (rng.normal(size=(60, 289)) + 3 * np.eye(3, 289)[labels]).astype(np.float32)
    model = fit_statistics({1.0: rows}, labels, classes=3, strength=0.1)
    with torch.inference_mode():
        logits = model(torch.from_numpy(rows))
    assert float((logits.argmax(1).numpy() == labels).mean()) > 0.9
    from sklearn.linear_model import LogisticRegression

    z = (rows - rows.mean(0)) / (rows.std(0) + 1e-6)
    theirs = LogisticRegression(C=0.1, max_iter=2000).fit(np.clip(z, -5, 5), labels)
    np.testing.assert_allclose(
        torch.softmax(logits, 1).numpy(), theirs.predict_proba(np.clip(z, -5, 5)), atol=1e-4
    )
    with pytest.raises(ValueError, match="only the classes"):
        fit_statistics({1.0: rows}, labels, classes=4, strength=0.1)


def test_measures_by_hand() -> None:
    p = np.array([[0.8, 0.2], [0.6, 0.4], [0.1, 0.9], [0.3, 0.7]])
    found = measure(np.array([0, 1, 1, 1]), p, ("a", "b"))
    assert found["accuracy"] == 0.75
    assert found["uar"] == pytest.approx((1 + 2 / 3) / 2)
    assert found["confusion"] == {"a": [1, 0], "b": [1, 2]}
    assert found["f1"]["b"] == pytest.approx(0.8)


def test_a_face_helps_a_voice_that_guesses(data: Path) -> None:
    clips = read_clips("ravdess", data)
    parts = {s: ravdess_split(clips, s) for s in ("train", "dev", "test")}
    even = np.full((8, 8), 1 / 8)
    fused, numbers = fit_fusion(
        action_units(data, parts["train"]), parts["train"].labels,
        action_units(data, parts["dev"]), even, parts["dev"].labels,
    )  # fmt: skip
    p = fused(action_units(data, parts["test"]), even)
    np.testing.assert_allclose(p.sum(1), 1)
    assert (p.argmax(1) == parts["test"].labels).mean() >= 0.75
    assert numbers["dev_accuracy"] >= 0.75
    with pytest.raises(DataError, match="lacks 28 clips"):
        action_units(data, read_clips("emodb", data))


@pytest.fixture(scope="module")
def run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One whole run of each protocol, tiny."""
    root = tmp_path_factory.mktemp("run")
    train_ravdess(SMALL, data=data, out=root / "r", results=root / "results", cache=root / "cache")
    train_emodb(
        replace(SMALL, epochs=1), data=data, out=root / "e", results=root / "results",
        cache=root / "cache", start=root / "r",
    )  # fmt: skip
    return root


def test_a_run_is_recorded_and_scored(run: Path, data: Path) -> None:
    record = json.loads((run / "results/speech/ravdess-ped-seed1.json").read_text())
    assert record["data"]["test"]["n"] == 8
    assert "test" not in record["dev"]  # no test figure is in a record
    found = evaluate_ravdess(
        data=data, split="test", results=run / "results", checkpoint=run / "r/speech.safetensors"
    )
    assert (found["dataset"], found["n"], found["causal"]) == ("ravdess", 8, True)
    assert list(found["confusion"]) == list(RAVDESS_CLASSES)
    # What was stored right after training is what the checkpoint says now.
    assert found["runs"] == {
        "n": 1,
        **{k: {"mean": pytest.approx(v, abs=1e-4), "std": 0.0}
           for k, v in found.items() if isinstance(v, float)},
    }  # fmt: skip
    both = evaluate_ravdess(
        data=data, split="test", results=run / "results",
        checkpoint=run / "r/speech.safetensors", with_action_units=True,
    )  # fmt: skip
    assert both["accuracy"] == pytest.approx(both["runs"]["accuracy"]["mean"])
    assert both["accuracy"] >= 0.75


def test_every_speaker_of_emodb_is_tested_once(
    run: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "empathic_sdk.lab.evaluation.speech.SpeechEncoder",
        lambda: SpeechEncoder(run / "r/speech.safetensors"),
    )
    found = evaluate_emodb(data=data, results=run / "results")
    assert found["n"] == 28
    assert sum(map(sum, found["confusion"].values())) == 28
    assert found["cross_corpus"]["n"] == 24
    assert list(found["cross_corpus"]["confusion"]) == list(SHARED)
    assert "boredom" not in SHARED
    assert "surprise" not in SHARED
    assert len(shared_clips(read_clips("emodb", data))) == 24
    record = json.loads((run / "results/speech/emodb-ped-seed1.json").read_text())
    for fold in record["folds"]:
        assert not {*fold["train"], *fold["dev"]} & {*fold["test"]}


def test_what_is_finished_is_not_trained_again(
    run: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(*_: object, **__: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr("empathic_sdk.lab.recipes.speech.train_speech", train)
    again = {"data": data, "out": run / "r", "results": run / "again", "cache": run / "cache"}
    train_ravdess(SMALL, **again)
    one, other = (run / d / "speech/ravdess-ped-seed1.json" for d in ("results", "again"))
    assert json.loads(one.read_text())["dev"] == json.loads(other.read_text())["dev"]
    with pytest.raises(ConfigurationError, match="other numbers"):
        train_ravdess(replace(SMALL, epochs=3), **again)


def test_the_commands(run: Path, data: Path) -> None:
    done = CliRunner().invoke(
        main,
        ["evaluate", "ravdess", "--data", str(data), "--results", str(run / "results"),
         "--checkpoint", str(run / "r/speech.safetensors"), "--with", "action-units", "--json"],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert json.loads(done.output.splitlines()[-1])["with"] == "action-units"
    shown = CliRunner().invoke(
        main,
        ["evaluate", "ravdess", "--data", str(data), "--results", str(run / "results"),
         "--checkpoint", str(run / "r/speech.safetensors")],
    )  # fmt: skip
    assert "accuracy" in shown.output
    for wrong in (
        ["evaluate", "meld", "--with", "action-units"],
        ["evaluate", "meld", "--model", "ped"],
        ["evaluate", "ravdess", "--table"],
        ["evaluate", "emodb", "--split", "dev"],
        ["evaluate", "ravdess", "--model", "mdget"],
        ["train", "speech", "--data-set", "ravdess", "--start", str(run / "r")],
    ):
        refused = CliRunner().invoke(main, [*wrong, "--data", str(data)])
        assert refused.exit_code == 2, wrong
    none = CliRunner().invoke(
        main, ["evaluate", "emodb", "--data", str(data), "--results", str(run / "nowhere")]
    )
    assert none.exit_code == 1
    assert "EMPATHIC_RESULTS" in none.output and "train speech --data-set emodb" in none.output


def test_train_speech_by_command(data: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(
        main,
        ["train", "speech", "--data", str(data), "--data-set", "ravdess", "--model", "lstm",
         "--epochs", "1", "--out", str(tmp_path / "run"), "--results", str(tmp_path / "results"),
         "--cache", str(tmp_path / "cache"), "--json"],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    record = json.loads(done.output.splitlines()[-1])
    assert record["name"] == "ravdess-lstm-seed1"
    assert record["second"] == {"share": 1.0}
    assert SpeechEncoder(tmp_path / "run/speech.safetensors").width == 128
    found = evaluate_ravdess(data=data, split="test", results=tmp_path / "results", model="lstm")
    assert found["model"] == "ravdess-lstm-seed1"


@pytest.mark.data
def test_the_corpora_are_what_the_docs_say() -> None:
    import os

    root = Path(os.environ["EMPATHIC_DATA"])
    ravdess, emodb = read_clips("ravdess", root), read_clips("emodb", root)
    assert [len(ravdess_split(ravdess, s)) for s in ("train", "dev", "test")] == [960, 240, 240]
    assert len(emodb) == 535
    assert set(CLASSES) == {"ravdess", "emodb"}
