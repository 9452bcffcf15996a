from __future__ import annotations

import gzip
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from empathic_sdk.errors import DataError
from empathic_sdk.lab.corpora.dialogues import Dialogue, DialogueSet, read_dialogues, timing
from empathic_sdk.lab.corpora.text import read
from empathic_sdk.types.emotion import Emotion
from tests.lab import corpora_imitation as imitation

SPLITS = ("train", "dev", "test")
HEAD = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,StartTime,EndTime\n"


def _meld(folder: Path, *rows: str) -> Path:
    (folder / "meld").mkdir()
    (folder / "meld" / "dev_sent_emo.csv").write_text(HEAD + "".join(f"{r}\n" for r in rows))
    return folder


def _iemocap(folder: Path, **of_the_second: object) -> Path:
    (folder / "iemocap").mkdir()
    said = [
        {"id": f"S_{i}", "speaker": "F", "text": "no", "emotion": "sad", "start": i, "end": i + 1,
         "acoustic": [0.5] * 8}
        for i in range(3)
    ]  # fmt: skip
    said[1] |= of_the_second
    with gzip.open(folder / "iemocap" / "iemocap.jsonl.gz", "wt") as f:
        f.write(json.dumps({"id": "S", "split": "train", "utterances": said}) + "\n")
    return folder


def test_meld_is_grouped_ordered_and_timed(tmp_path: Path) -> None:
    data = _meld(
        tmp_path,
        '1,Two words,Ross,anger,x,3,2,"00:01:00,500","00:01:02,000"',
        '2,Hm?,Joey,surprise,x,3,0,"0:00:58,250","00:01:00,750"',
        '3,Late,Joey,joy,x,4,0,"01:00:00,000","00:59:59,999"',
        '4,Torn,Joey,joy,x,4,1,,"00:59:59,999"',
        '5,Odd,Ross,fear,x,4,10,"soon","00:59:59,999"',
    )
    dev = read_dialogues("meld", data, "dev")
    assert (dev.corpus, dev.split, dev.classes) == ("meld", "dev", tuple(Emotion))
    assert all(type(name) is str for name in dev.classes)
    assert len(dev) == 5 and [d.id for d in dev.dialogues] == ["dia3", "dia4"]
    one, two = dev.dialogues
    assert one.ids == ["dia3_utt0", "dia3_utt2"] and len(one) == 2
    assert one.texts == ["Hm?", "Two words"] and one.speakers == ["Joey", "Ross"]
    assert one.labels.tolist() == [4, 3] and one.labels.dtype == np.int64
    assert one.times.tolist() == [[58.25, 60.75], [60.5, 62.0]]
    assert two.ids[2] == "dia4_utt10"  # 10 comes after 1
    assert two.times.shape == (3, 2) and np.isnan(two.times).all()
    assert one.features == {} and one.present == {}


def test_meld_without_times_agrees_with_the_reader_of_texts(tmp_path: Path) -> None:
    data = imitation.write(tmp_path, n=14)
    got = read_dialogues("meld", data, "train")
    assert [len(d) for d in got.dialogues] == [5, 5, 4]
    assert all(np.isnan(d.times).all() for d in got.dialogues)
    flat = read("meld", data, "train")
    assert [i for d in got.dialogues for i in d.ids] == flat.ids
    assert [t for d in got.dialogues for t in d.texts] == flat.texts
    assert np.concatenate([d.labels for d in got.dialogues]).tolist() == flat.emotion.tolist()


def test_dailydialog(tmp_path: Path) -> None:
    data = imitation.write_dialogues(tmp_path)
    (only,) = read_dialogues("dailydialog", data, "train").dialogues
    assert only.ids == ["d0-0", "d0-1"] and only.speakers == ["user", "system"]
    assert only.labels.tolist() == [0, 1] and np.isnan(only.times).all()
    assert read_dialogues("dailydialog", data, "dev").dialogues[0].id == "d1"


def test_iemocap(tmp_path: Path) -> None:
    data = imitation.write_iemocap(tmp_path)
    sets = [read_dialogues("iemocap", data, s) for s in SPLITS]
    assert [len(s.dialogues) for s in sets] == [6, 3, 3]
    assert sets[0].classes == ("happy", "sad", "neutral", "angry", "excited", "frustrated")
    said = [d for s in sets for d in s.dialogues]
    assert all(4 <= len(d) <= 9 and (np.diff(d.times[:, 0]) > 0).all() for d in said)
    first = said[0]
    assert first.ids[:3] == ["Ses0_F000", "Ses0_M001", "Ses0_F002"]  # the file begins with M001
    assert first.present["speech"].tolist() == [True, True, False] + [True] * (len(first) - 3)
    assert first.features["speech"].shape == (len(first), 8)
    assert first.features["speech"].dtype == np.float32
    assert (first.features["speech"][2] == 0).all()
    assert all(d.present["speech"].all() for d in said[1:])
    for d in said:  # the numbers tell the label
        there = d.present["speech"]
        assert (d.features["speech"].argmax(1) == d.labels)[there].mean() > 0.7
        assert (timing(d)[1::2, 0] < 0).all() and (timing(d)[2::2, 0] > 0).all()


def test_iemocap_unlabelled_and_reversed_times(tmp_path: Path) -> None:
    data = _iemocap(tmp_path, emotion=None, end=0.5)
    (d,) = read_dialogues("iemocap", data, "train").dialogues
    assert d.labels.tolist() == [1, -1, 1]
    assert d.times[[0, 2]].tolist() == [[0, 1], [2, 3]] and np.isnan(d.times[1]).all()


def test_mosi(tmp_path: Path) -> None:
    data = imitation.write_mosi(tmp_path)
    train, dev, test = (read_dialogues("mosi", data, s) for s in SPLITS)
    assert train.classes == ("negative", "positive")
    assert [d.id for d in train.dialogues] == [f"a{i:02d}" for i in range(10)]
    assert [d.id for d in dev.dialogues] == [f"b{i:02d}" for i in range(8)]
    assert [d.id for d in test.dialogues] == ["b08", "b09", "b10", "b11"]
    for d in (*train.dialogues, *dev.dialogues, *test.dialogues):
        assert d.ids == [f"{d.id}_{i}" for i in range(1, len(d) + 1)]
        assert set(d.speakers) == {d.id} and np.isnan(d.times).all()
        assert {k: v.shape[1] for k, v in d.features.items()} == {
            "text": 100, "speech": 73, "face": 100,
        }  # fmt: skip
        for name, vectors in d.features.items():
            assert vectors.dtype == np.float32 and d.present[name].all()
            assert ((vectors[:, :10].mean(1) > 0) == d.labels).all()  # row and label go together


@pytest.mark.parametrize("corpus", ["meld", "dailydialog", "iemocap", "mosi"])
def test_what_is_not_there_is_named(corpus: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"/{corpus}/.* is not there.*EMPATHIC_DATA"):
        read_dialogues(corpus, tmp_path, "test")


def test_names_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no corpus of dialogues is named 'goemotions'"):
        read_dialogues("goemotions", tmp_path, "train")
    with pytest.raises(DataError, match="no split is named 'all'"):
        read_dialogues("meld", tmp_path, "all")
    data = _meld(tmp_path, "1,Hm,Joey,bliss,x,0,0,,")
    with pytest.raises(DataError, match="dia0_utt0 is labelled 'bliss'; there are neutral"):
        read_dialogues("meld", data, "dev")


@pytest.mark.parametrize(
    ("vector", "said"),
    [
        ([0.0] * 7 + [float("nan")], "S_1: its speech vector holds a number that is not finite"),
        ([1e300] * 8, "S_1: its speech vector holds a number that is not finite"),
        ([0.0] * 7, "S_1: its speech vector has not 8 numbers"),
    ],
)
def test_broken_vectors_are_refused(vector: list[float], said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said):
        read_dialogues("iemocap", _iemocap(tmp_path, acoustic=vector), "train")


def test_broken_vectors_of_mosi_are_refused(tmp_path: Path) -> None:
    path = imitation.write_mosi(tmp_path) / "mosi" / "mosi.npz"
    held = dict(np.load(path))
    where = np.flatnonzero((held["video_id"] == "b09") & (held["position"] == 2))
    held["video_features"][where, 5] = np.inf
    np.savez(path, **held)
    assert len(read_dialogues("mosi", tmp_path, "dev")) > 0
    with pytest.raises(DataError, match="b09_2: its face vector"):
        read_dialogues("mosi", tmp_path, "test")


def _dialogue() -> Dialogue:
    nan = float("nan")
    return Dialogue(
        id="d",
        ids=["0", "1", "2", "3"],
        texts=["one", "one two three", "", "a b"],
        speakers=["A", "B", "A", "B"],
        labels=np.array([0, 1, -1, 1]),
        features={"speech": np.ones((4, 2), np.float32)},
        present={"speech": np.array([True, True, True, True])},
        times=np.array([[10.0, 12.0], [11.0, 11.0], [nan, nan], [14.0, 17.0]]),
    )


def test_timing_by_hand() -> None:
    got = timing(_dialogue())
    assert got.dtype == np.float32
    log = np.log
    # The second begins 1 s before the first ends and lasts no time; the third's is unknown, so
    # the fourth knows no gap; log1p of 2 s is log 3, of 3 words log 4.
    assert got == pytest.approx(
        np.array(
            [[0, log(3), log(2), 1], [-log(2), 0, log(4), 1], [0, 0, 0, 0], [0, log(4), log(3), 1]]
        )
    )
    later = replace(_dialogue(), times=np.array([[0, 1], [4, 5], [5, 6], [6, 7.0]]))
    assert timing(later)[:, 0].tolist() == pytest.approx([0, log(4), 0, 0])


def test_digest_names_all_that_training_sees() -> None:
    def digest(d: Dialogue, corpus: str = "x") -> str:
        return DialogueSet(corpus=corpus, split="dev", classes=("a", "b"), dialogues=[d]).digest()

    one = _dialogue()
    moved = one.times.copy()
    moved[0, 0] = 10.5
    vectors = {"speech": one.features["speech"] * 2}
    others = [
        replace(one, id="e"),
        replace(one, ids=["0", "1", "2", "4"]),
        replace(one, texts=["one", "one two three", "", "a c"]),
        replace(one, speakers=["A", "B", "A", "A"]),
        replace(one, labels=np.array([0, 1, -1, 0])),
        replace(one, times=moved),
        replace(one, features=vectors),
        replace(one, features={"face": vectors["speech"]}, present={"face": np.ones(4, bool)}),
        replace(one, present={"speech": np.array([True, True, True, False])}),
        replace(one, features={}, present={}),
    ]
    seen = [digest(one), digest(one, "y"), *map(digest, others)]
    assert len(set(seen)) == len(seen)
    assert digest(_dialogue()) == seen[0]


@pytest.mark.data
def test_the_real_sets_have_their_published_sizes() -> None:
    data = Path(os.environ["EMPATHIC_DATA"])
    dialogues, utterances = {}, {}
    for corpus in ("meld", "iemocap", "mosi", "dailydialog"):
        sets = [read_dialogues(corpus, data, s) for s in SPLITS]
        dialogues[corpus] = [len(s.dialogues) for s in sets]
        utterances[corpus] = [len(s) for s in sets]
        for s in sets:
            ids = [i for d in s.dialogues for i in d.ids]
            assert len(set(ids)) == len(ids) == len(s)
            assert all(np.isfinite(timing(d)).all() for d in s.dialogues)
        if corpus in ("meld", "iemocap"):
            known = [np.isfinite(d.times).all() for s in sets for d in s.dialogues]
            assert all(known)
        if corpus == "iemocap":
            assert sum(int((~d.present["speech"]).sum()) for s in sets for d in s.dialogues) == 4
    assert dialogues["meld"] == [1038, 114, 280] and utterances["meld"] == [9989, 1109, 2610]
    assert dialogues["iemocap"] == [108, 12, 31] and sum(utterances["iemocap"]) == 7433
    assert dialogues["mosi"] == [62, 8, 23] and utterances["mosi"][0] == 1447
    assert sum(utterances["mosi"][1:]) == 752
    assert sum(dialogues["dailydialog"]) == 13118
