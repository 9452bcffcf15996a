"""Readers of the public text corpora, in the layout that docs/data.md describes.

Each reader returns :class:`TextItems`: raw texts with numeric targets, nothing tokenised.
Folders below the data directory: ``meld goemotions dailydialog emobank empatheticdialogues``.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from empathic_sdk.errors import DataError
from empathic_sdk.types.emotion import Emotion

ORDER = tuple(Emotion)
SPLITS = ("train", "dev", "test")

# The 32 situations of EmpatheticDialogues that name one of the seven; the rest (nostalgic,
# sentimental, anticipating, prepared, jealous, ...) are left out rather than forced.
EMPATHETIC_TO_EMOTION = {
    "afraid": "fear", "terrified": "fear", "anxious": "fear", "apprehensive": "fear",
    "sad": "sadness", "lonely": "sadness", "devastated": "sadness", "disappointed": "sadness",
    "guilty": "sadness", "ashamed": "sadness",
    "angry": "anger", "furious": "anger", "annoyed": "anger",
    "disgusted": "disgust", "surprised": "surprise",
    "joyful": "joy", "excited": "joy", "grateful": "joy", "proud": "joy", "content": "joy",
    "hopeful": "joy",
}  # fmt: skip


@dataclass(frozen=True)
class TextItems:
    """Texts of one corpus and split.

    Attributes:
        corpus: Its name.
        split: ``train``, ``dev`` or ``test``.
        ids: One stable name an item.
        texts: Raw texts.
        emotion: int64 ``[n]`` index into ``Emotion``, -1 where the corpus gives none.
        present: float32 ``[n, 7]`` multi-label 0/1, or ``None``.
        affect: float32 ``[n, 2]`` valence and arousal in [-1, 1], or ``None``.
        fine: float32 ``[n, 28]`` the corpus's own finer labels (a training aid), or ``None``.
    """

    corpus: str
    split: str
    ids: list[str]
    texts: list[str]
    emotion: np.ndarray
    present: np.ndarray | None = None
    affect: np.ndarray | None = None
    fine: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, index: np.ndarray) -> TextItems:
        """Return the items at ``index``, in that order."""
        return TextItems(
            corpus=self.corpus,
            split=self.split,
            ids=[self.ids[i] for i in index],
            texts=[self.texts[i] for i in index],
            emotion=self.emotion[index],
            present=None if self.present is None else self.present[index],
            affect=None if self.affect is None else self.affect[index],
            fine=None if self.fine is None else self.fine[index],
        )

    def digest(self) -> str:
        """SHA-256 over ids, texts and targets: names the data a run saw."""
        h = hashlib.sha256(json.dumps([self.corpus, self.split, self.ids, self.texts]).encode())
        for part in (self.emotion, self.present, self.affect):
            h.update(b"-" if part is None else np.ascontiguousarray(part).tobytes())
        return h.hexdigest()


def open_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a UTF-8 file, unzipped if its name says so; ``DataError`` without it."""
    if not path.is_file():
        raise DataError(
            f"{path} is not there. Give the folder with the corpora by --data DIR or the "
            "environment variable EMPATHIC_DATA; docs/data.md says where to get each corpus."
        )
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8", newline="") as f:
            yield from f
    else:
        with path.open(encoding="utf-8", newline="") as f:
            yield from f


def read_meld(data: Path, split: str) -> TextItems:
    """MELD (Poria et al. 2019): utterances of a sitcom, seven emotions."""
    rows = list(csv.DictReader(open_lines(data / "meld" / f"{split}_sent_emo.csv")))
    return TextItems(
        corpus="meld",
        split=split,
        ids=[f"dia{r['Dialogue_ID']}_utt{r['Utterance_ID']}" for r in rows],
        texts=[r["Utterance"] for r in rows],
        emotion=np.array([ORDER.index(Emotion(r["Emotion"])) for r in rows]),
    )


def read_goemotions(data: Path, split: str) -> TextItems:
    """GoEmotions (Demszky et al. 2020), Ekman grouping, multi-label; 28 fine labels beside it."""
    folder = data / "goemotions" / "ekman"
    fine = np.zeros((0, 28), np.float32)
    if split == "train":
        rows = [
            r.split("\t")[1] for r in open_lines(data / "goemotions" / "original" / "train.tsv")
        ]
        fine = np.zeros((len(rows), 28), np.float32)
        for i, codes in enumerate(rows):
            fine[i, [int(code) for code in codes.split(",")]] = 1.0
    names = [line.strip() for line in open_lines(folder / "labels.txt") if line.strip()]
    column = [ORDER.index(Emotion(name)) for name in names]
    ids, texts, labels = [], [], []
    for line in open_lines(folder / f"{split}.tsv"):
        text, codes, name = line.rstrip("\r\n").split("\t")
        ids.append(name)
        texts.append(text)
        labels.append([column[int(code)] for code in codes.split(",")])
    present = np.zeros((len(ids), 7), np.float32)
    for row, some in enumerate(labels):
        present[row, some] = 1.0
    single = np.array([some[0] if len(some) == 1 else -1 for some in labels])
    return TextItems(
        corpus="goemotions",
        split=split,
        ids=ids,
        texts=texts,
        emotion=single,
        present=present,
        fine=fine if len(fine) else None,
    )


def read_dailydialog(data: Path, split: str) -> TextItems:
    """DailyDialog (Li et al. 2017): two-party chat; ``no emotion`` is neutral."""
    renamed = {"no emotion": "neutral", "happiness": "joy"}
    theirs = {"train": "train", "dev": "validation", "test": "test"}[split]
    ids, texts, labels = [], [], []
    for line in open_lines(data / "dailydialog" / "dailydialog.jsonl.gz"):
        dialogue = json.loads(line)
        if dialogue["split"] != theirs:
            continue
        for i, turn in enumerate(dialogue["turns"]):
            ids.append(f"{dialogue['id']}-{i}")
            texts.append(turn["text"])
            name = turn["emotion"]
            labels.append(ORDER.index(Emotion(renamed.get(name, name))))
    return TextItems(
        corpus="dailydialog", split=split, ids=ids, texts=texts, emotion=np.array(labels)
    )


def read_empathetic(data: Path, split: str) -> TextItems:
    """EmpatheticDialogues (Rashkin et al. 2019): what the speaker says first.

    The owners' copy at hand names no split, so talks are split by the situation (the ``hit`` part
    of the id): by the hash of it, 90 : 5 : 5. Only situations of `EMPATHETIC_TO_EMOTION`.
    """
    ids, texts, labels = [], [], []
    for line in open_lines(data / "empatheticdialogues" / "empatheticdialogues.jsonl.gz"):
        talk = json.loads(line)
        name = EMPATHETIC_TO_EMOTION.get(talk["emotion"])
        if name is None or empathetic_split(talk["id"]) != split:
            continue
        said = [t["text"] for t in talk["turns"] if t["speaker"] == "speaker"]
        ids.append(talk["id"])
        texts.append(said[0].replace("_comma_", ","))
        labels.append(ORDER.index(Emotion(name)))
    return TextItems(
        corpus="empathetic", split=split, ids=ids, texts=texts, emotion=np.array(labels)
    )


def empathetic_split(talk: str) -> str:
    """Return the split of a talk of EmpatheticDialogues by its id; a situation is in one only."""
    hit = talk.split("_")[0]
    bucket = int(hashlib.sha256(hit.encode()).hexdigest(), 16) % 20
    return {18: "dev", 19: "test"}.get(bucket, "train")


def read_emobank(data: Path, split: str) -> TextItems:
    """EmoBank (Buechel and Hahn 2017): valence and arousal of sentences, 1-5 mapped to [-1, 1]."""
    rows = [
        r
        for r in csv.DictReader(open_lines(data / "emobank" / "emobank.csv"))
        if r["split"] == split
    ]
    affect = np.array([[float(r["V"]), float(r["A"])] for r in rows], np.float32)
    return TextItems(
        corpus="emobank",
        split=split,
        ids=[r["id"] for r in rows],
        texts=[r["text"] for r in rows],
        emotion=np.full(len(rows), -1),
        affect=(affect - 3.0) / 2.0,
    )


READERS = {
    "meld": read_meld,
    "goemotions": read_goemotions,
    "dailydialog": read_dailydialog,
    "empathetic": read_empathetic,
    "emobank": read_emobank,
}


def read(corpus: str, data: Path, split: str) -> TextItems:
    """Read ``split`` (train, dev or test) of ``corpus`` from the data directory."""
    if corpus not in READERS:
        raise DataError(f"no corpus is named {corpus!r}; there are {', '.join(READERS)}")
    if split not in SPLITS:
        raise DataError(f"no split is named {split!r}; there are {', '.join(SPLITS)}")
    return READERS[corpus](data, split)
