"""Readers of the public text corpora, in the layout that docs/data.md describes.

Each reader returns :class:`TextItems`: raw texts with numeric targets, nothing tokenised.
Folders below the data directory: ``meld goemotions dailydialog emobank empatheticdialogues``.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from empathic_sdk.lab.corpora.opening import SPLITS, chosen, open_lines, open_objects
from empathic_sdk.types.emotion import Emotion

ORDER = tuple(Emotion)

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

        def some(part: np.ndarray | None) -> np.ndarray | None:
            return None if part is None else part[index]

        return replace(
            self, ids=[self.ids[i] for i in index], texts=[self.texts[i] for i in index],
            emotion=self.emotion[index], present=some(self.present), affect=some(self.affect),
            fine=some(self.fine),
        )  # fmt: skip

    def digest(self) -> str:
        """SHA-256 over ids, texts and targets: names the data a run saw."""
        h = hashlib.sha256(json.dumps([self.corpus, self.split, self.ids, self.texts]).encode())
        for part in (self.emotion, self.present, self.affect):
            h.update(b"-" if part is None else np.ascontiguousarray(part).tobytes())
        return h.hexdigest()


def meld_rows(data: Path, split: str) -> Iterator[dict[str, str]]:
    """Yield the rows of MELD (Poria et al. 2019): utterances of a sitcom."""
    yield from csv.DictReader(open_lines(data / "meld" / f"{split}_sent_emo.csv"))


def dailydialog_talks(data: Path, split: str) -> Iterator[dict[str, Any]]:
    """Yield the talks of DailyDialog (Li et al. 2017), their emotions by our names."""
    renamed = {"no emotion": "neutral", "happiness": "joy"}
    for talk in open_objects(data / "dailydialog" / "dailydialog.jsonl.gz"):
        if talk["split"] == ("validation" if split == "dev" else split):
            turns = [
                {**t, "emotion": renamed.get(t["emotion"], t["emotion"])} for t in talk["turns"]
            ]
            yield {**talk, "turns": turns}


def empathetic_talks(data: Path, split: str) -> Iterator[dict[str, Any]]:
    """Yield the talks of EmpatheticDialogues (Rashkin et al. 2019) that name one of the seven.

    The owners' copy at hand names no split, so talks are split by the situation (the ``hit`` part
    of the id): by the hash of it, 90 : 5 : 5. Only situations of `EMPATHETIC_TO_EMOTION`.
    """
    for talk in open_objects(data / "empatheticdialogues" / "empatheticdialogues.jsonl.gz"):
        name = EMPATHETIC_TO_EMOTION.get(talk["emotion"])
        if name is not None and empathetic_split(talk["id"]) == split:
            turns = [{**t, "text": t["text"].replace("_comma_", ",")} for t in talk["turns"]]
            yield {**talk, "emotion": name, "turns": turns}


def _index(names: list[str]) -> np.ndarray:
    return np.array([ORDER.index(Emotion(name)) for name in names])


def read_meld(data: Path, split: str) -> TextItems:
    """MELD: utterances, seven emotions."""
    rows = list(meld_rows(data, split))
    return TextItems(
        corpus="meld",
        split=split,
        ids=[f"dia{r['Dialogue_ID']}_utt{r['Utterance_ID']}" for r in rows],
        texts=[r["Utterance"] for r in rows],
        emotion=_index([r["Emotion"] for r in rows]),
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
    """DailyDialog: turns of two-party chat; ``no emotion`` is neutral."""
    turns = [
        (f"{talk['id']}-{i}", turn)
        for talk in dailydialog_talks(data, split)
        for i, turn in enumerate(talk["turns"])
    ]
    return TextItems(
        corpus="dailydialog",
        split=split,
        ids=[name for name, _ in turns],
        texts=[turn["text"] for _, turn in turns],
        emotion=_index([turn["emotion"] for _, turn in turns]),
    )


def read_empathetic(data: Path, split: str) -> TextItems:
    """EmpatheticDialogues: what the speaker says first (see :func:`empathetic_talks`)."""
    talks = list(empathetic_talks(data, split))
    return TextItems(
        corpus="empathetic",
        split=split,
        ids=[talk["id"] for talk in talks],
        texts=[
            next(t["text"] for t in talk["turns"] if t["speaker"] == "speaker") for talk in talks
        ],
        emotion=_index([talk["emotion"] for talk in talks]),
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
    reader = READERS[chosen("corpus", corpus, READERS)]
    return reader(data, chosen("split", split, SPLITS))
