from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from empathic_sdk.errors import DataError
from empathic_sdk.lab.corpora.clips import read_clips
from empathic_sdk.lab.corpora.dialogues import read_dialogues
from empathic_sdk.lab.corpora.esconv import read_esconv
from empathic_sdk.lab.corpora.faces import read_faces
from empathic_sdk.lab.corpora.opening import cached
from empathic_sdk.lab.corpora.text import read
from tests.lab import corpora_imitation as imitation


def test_meld_goemotions_emobank(tmp_path: Path) -> None:
    data = imitation.write(tmp_path, n=14)
    meld = read("meld", data, "train")
    assert meld.ids[:6] == [*(f"dia0_utt{i}" for i in range(5)), "dia1_utt0"]
    assert meld.emotion.tolist() == [*range(7), *range(7)]  # written in the order of Emotion
    go = read("goemotions", data, "train")
    assert go.emotion.tolist() == meld.emotion.tolist()
    assert go.present is not None and (go.present.argmax(1) == go.emotion).all()
    assert (
        go.fine is not None and go.fine.shape == (14, 28) and (go.fine.argmax(1) == range(14)).all()
    )
    bank = read("emobank", data, "dev")
    assert bank.affect is not None
    assert bank.affect[0].tolist() == [0.0, -0.5]  # V 3, A 2 on a scale of 1 to 5
    assert (bank.emotion == -1).all()


def test_several_labels(tmp_path: Path) -> None:
    data = imitation.write(tmp_path, n=14)
    (data / "goemotions" / "ekman" / "test.tsv").write_text("a b\t3,5\tx\nc d\t4\ty\n")
    go = read("goemotions", data, "test")
    assert go.emotion.tolist() == [-1, 0]
    assert go.present is not None
    assert np.flatnonzero(go.present[0]).tolist() == [1, 2]  # joy and sadness


def test_dialogues(tmp_path: Path) -> None:
    data = imitation.write_dialogues(tmp_path)
    train = read("dailydialog", data, "train")
    assert train.ids == ["d0-0", "d0-1"] and train.emotion.tolist() == [0, 1]
    assert read("dailydialog", data, "dev").emotion.tolist() == [6]
    splits = [read("empathetic", data, s) for s in ("train", "dev", "test")]
    assert sum(map(len, splits)) == 3  # nostalgic names none of the seven
    for part in splits:
        assert all(t.startswith("well, talk") for t in part.texts)
    # Talks about one situation stay in one split.
    assert {s.split for s in splits if any(i.startswith("hit:1_") for i in s.ids)}.__len__() == 1


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"train_sent_emo.csv is not there.*EMPATHIC_DATA"):
        read("meld", tmp_path, "train")
    with pytest.raises(DataError, match="no corpus is named 'imdb'"):
        read("imdb", tmp_path, "train")
    with pytest.raises(DataError, match="no split is named 'all'"):
        read("meld", tmp_path, "all")


@pytest.mark.parametrize(
    ("name", "where", "reader"),
    [
        ("meld", "declare-lab/MELD", lambda data: read("meld", data, "train")),
        ("goemotions", "GoEmotions-pytorch", lambda data: read("goemotions", data, "dev")),
        ("dailydialog", "yanran.li", lambda data: read("dailydialog", data, "dev")),
        ("empathetic", "EmpatheticDialogues", lambda data: read("empathetic", data, "dev")),
        ("emobank", "JULIELab/EmoBank", lambda data: read("emobank", data, "dev")),
        ("esconv", "Emotional-Support-Conversation", lambda data: read_esconv(data, "dev")),
        ("iemocap", "sail.usc.edu", lambda data: read_dialogues("iemocap", data, "dev")),
        ("mosi", "contextual-utterance", lambda data: read_dialogues("mosi", data, "dev")),
        ("fer2013", "FaceExp", lambda data: read_faces(data, "dev")),
        ("ravdess", "zenodo.org", lambda data: read_clips("ravdess", data)),
        ("emodb", "emodb.bilderbar.info", lambda data: read_clips("emodb", data)),
    ],
)
def test_every_missing_corpus_says_where_its_owners_have_it(
    name: str, where: str, reader: Callable[[Path], object], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=rf"{name}.* is not there.*EMPATHIC_DATA.*{where}"):
        reader(tmp_path)


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    (tmp_path / "mosi").mkdir()
    (tmp_path / "mosi" / "mosi.npz").write_bytes(b"no archive")
    with pytest.raises(DataError, match=r"mosi\.npz is not the archive"):
        read_dialogues("mosi", tmp_path, "test")


def test_arrays_are_made_once(tmp_path: Path) -> None:
    made: list[int] = []

    def make() -> dict[str, np.ndarray]:
        made.append(1)
        return {"x": np.arange(6.0).reshape(2, 3).T}

    path = tmp_path / "deep" / "x.safetensors"
    first, second = cached(path, make), cached(path, make)
    assert made == [1] and list(path.parent.iterdir()) == [path]
    assert first["x"].tolist() == second["x"].tolist() == make()["x"].tolist()
