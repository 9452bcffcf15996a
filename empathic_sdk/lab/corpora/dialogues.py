"""Readers of whole dialogues: who said what, when, and what the corpus gives beside the words.

Each reader returns a :class:`DialogueSet`; nothing is tokenised or scaled. Folders below the data
directory: ``meld dailydialog iemocap mosi``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from empathic_sdk.errors import DataError
from empathic_sdk.lab.corpora.opening import SPLITS, chosen, open_arrays, open_objects
from empathic_sdk.lab.corpora.text import ORDER, dailydialog_talks, meld_rows, read
from empathic_sdk.types.emotion import Emotion, Modality

SEVEN = tuple(e.value for e in Emotion)
# The order in which published work on the six-way task lists them.
IEMOCAP_CLASSES = ("happy", "sad", "neutral", "angry", "excited", "frustrated")
MOSI_CLASSES = ("negative", "positive")
ACOUSTIC = 8
MOSI_DEV_VIDEOS = 8


@dataclass(frozen=True)
class Dialogue:
    """One dialogue of ``n`` utterances, in the order in which they began.

    Attributes:
        id: Its name.
        ids: One stable name an utterance, unique inside a split.
        texts: Raw texts.
        speakers: Who said it; names hold inside this dialogue only.
        labels: int64 ``[n]`` index into the set's ``classes``, -1 = unlabelled.
        features: Given vectors by the name of their modality, float32 ``[n, width]``; rows that
            are absent are zeros.
        present: bool ``[n]`` for each key of ``features``, ``True`` = real.
        times: float64 ``[n, 2]`` start and end in seconds, NaN where the corpus has none.
    """

    id: str
    ids: list[str]
    texts: list[str]
    speakers: list[str]
    labels: np.ndarray
    features: Mapping[str, np.ndarray]
    present: Mapping[str, np.ndarray]
    times: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class DialogueSet:
    """Dialogues of one corpus and split.

    Attributes:
        corpus: Its name.
        split: ``train``, ``dev`` or ``test``.
        classes: What the labels point into.
        dialogues: All of them.
    """

    corpus: str
    split: str
    classes: tuple[str, ...]
    dialogues: list[Dialogue]

    def __len__(self) -> int:
        """How many utterances there are."""
        return sum(map(len, self.dialogues))

    def digest(self) -> str:
        """SHA-256 over everything that training sees: names the data a run saw."""
        h = hashlib.sha256(json.dumps([self.corpus, self.split, self.classes]).encode())
        for d in self.dialogues:
            arrays = {"labels": d.labels, "times": d.times}
            for name in sorted(d.features):
                arrays |= {f"{name} vectors": d.features[name], f"{name} there": d.present[name]}
            shapes = [[name, a.dtype.str, a.shape] for name, a in arrays.items()]
            h.update(json.dumps([d.id, d.ids, d.texts, d.speakers, shapes]).encode())
            for a in arrays.values():
                h.update(np.ascontiguousarray(a).tobytes())
        return h.hexdigest()


def _label(name: str | None, classes: tuple[str, ...], where: str) -> int:
    if name is None:
        return -1
    if name not in classes:
        raise DataError(f"{where} is labelled {name!r}; there are {', '.join(classes)}")
    return classes.index(name)


def _vectors(
    rows: Sequence[Sequence[float] | np.ndarray | None], ids: list[str], modality: str, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return float32 ``[n, width]`` with zeros for ``None``, and bool ``[n]`` where it was real."""
    out = np.zeros((len(rows), width), np.float32)
    there = np.array([row is not None for row in rows], bool)
    for i, row in enumerate(rows):
        if row is None:
            continue
        if np.shape(row) != (width,):
            raise DataError(f"{ids[i]}: its {modality} vector has not {width} numbers")
        with np.errstate(over="ignore"):  # too large for float32 is refused like any infinity
            out[i] = np.asarray(row, float)
        if not np.isfinite(out[i]).all():
            raise DataError(f"{ids[i]}: its {modality} vector holds a number that is not finite")
    return out, there


def _unknown_times(n: int) -> np.ndarray:
    return np.full((n, 2), np.nan)


def _seconds(stamp: str | None) -> float:
    """Read ``00:16:16,059``; NaN where that is not what it is."""
    try:
        hours, minutes, seconds = (stamp or "").replace(",", ".").split(":")
        return 3600 * int(hours) + 60 * int(minutes) + float(seconds)
    except ValueError:
        return float("nan")


def _span(start: float, end: float) -> tuple[float, float]:
    """Return both, or NaN twice where one is unknown or the end lies before the start."""
    return (start, end) if start <= end else (float("nan"), float("nan"))


def _read_meld(data: Path, split: str) -> list[Dialogue]:
    """MELD (Poria et al. 2019): scenes of a sitcom, several speakers, seven emotions."""
    scenes: dict[str, list[dict[str, str]]] = {}
    for row in meld_rows(data, split):
        scenes.setdefault(row["Dialogue_ID"], []).append(row)
    dialogues = []
    for number, rows in scenes.items():
        rows.sort(key=lambda r: int(r["Utterance_ID"]))
        ids = [f"dia{number}_utt{r['Utterance_ID']}" for r in rows]
        times = [_span(_seconds(r.get("StartTime")), _seconds(r.get("EndTime"))) for r in rows]
        dialogues.append(
            Dialogue(
                id=f"dia{number}",
                ids=ids,
                texts=[r["Utterance"] for r in rows],
                speakers=[r["Speaker"] for r in rows],
                labels=np.array(
                    [_label(r["Emotion"], SEVEN, i) for r, i in zip(rows, ids, strict=True)]
                ),
                features={},
                present={},
                times=np.array(times, float),
            )
        )
    return dialogues


def _read_dailydialog(data: Path, split: str) -> list[Dialogue]:
    """DailyDialog (Li et al. 2017): two-party chat; ``no emotion`` is neutral."""
    return [_typed(talk) for talk in dailydialog_talks(data, split)]


def _typed(talk: Mapping[str, Any]) -> Dialogue:
    """Return a dialogue of words alone: ``{"id", "turns": [{"speaker", "text", "emotion"}]}``."""
    turns, name = talk["turns"], str(talk["id"])
    ids = [f"{name}-{i}" for i in range(len(turns))]
    return Dialogue(
        id=name,
        ids=ids,
        texts=[t["text"] for t in turns],
        speakers=[t["speaker"] for t in turns],
        labels=np.array([_label(t["emotion"], SEVEN, i) for t, i in zip(turns, ids, strict=True)]),
        features={},
        present={},
        times=_unknown_times(len(turns)),
    )


def _read_iemocap(data: Path, split: str) -> list[Dialogue]:
    """IEMOCAP (Busso et al. 2008): acted two-party talk; the utterances of the six-way task.

    The file does not keep the order of time (people talk over each other), so utterances are
    sorted by their start. What lies between them and has none of the six labels is not there.
    """
    dialogues = []
    for talk in open_objects(data / "iemocap" / "iemocap.jsonl.gz"):
        if talk["split"] != split:
            continue
        said = sorted(talk["utterances"], key=lambda u: float(u["start"]))
        ids = [u["id"] for u in said]
        speech, there = _vectors([u.get("acoustic") for u in said], ids, Modality.SPEECH, ACOUSTIC)
        dialogues.append(
            Dialogue(
                id=talk["id"],
                ids=ids,
                texts=[u["text"] for u in said],
                speakers=[u["speaker"] for u in said],
                labels=np.array([_label(u.get("emotion"), IEMOCAP_CLASSES, u["id"]) for u in said]),
                features={Modality.SPEECH.value: speech},
                present={Modality.SPEECH.value: there},
                times=np.array([_span(u["start"], u["end"]) for u in said], float),
            )
        )
    return dialogues


def _read_mosi(data: Path, split: str) -> list[Dialogue]:
    """CMU-MOSI (Zadeh et al. 2016) with the vectors of Poria et al. 2017: one video, one speaker.

    The text and video vectors were learned on the labels of the train videos, so a dev set carved
    from those would flatter: dev is the first 8 test videos in the order of their names, test the
    rest.
    """
    held = open_arrays(data / "mosi" / "mosi.npz")
    columns = {
        Modality.TEXT.value: held["text_features"],
        Modality.SPEECH.value: held["audio_features"],
        Modality.FACE.value: held["video_features"],
    }
    theirs = held["split"] == ("train" if split == "train" else "test")
    videos = sorted(set(held["video_id"][theirs].tolist()))
    if split != "train":
        videos = videos[:MOSI_DEV_VIDEOS] if split == "dev" else videos[MOSI_DEV_VIDEOS:]
    dialogues = []
    for video in videos:
        rows = np.flatnonzero(theirs & (held["video_id"] == video))
        rows = rows[np.argsort(held["position"][rows], kind="stable")]
        ids = [f"{video}_{position}" for position in held["position"][rows]]
        given = {k: _vectors(list(v[rows]), ids, k, v.shape[1]) for k, v in columns.items()}
        dialogues.append(
            Dialogue(
                id=video,
                ids=ids,
                texts=held["transcript"][rows].tolist(),
                speakers=[video] * len(rows),
                labels=held["label"][rows].astype(np.int64),
                features={k: vectors for k, (vectors, _) in given.items()},
                present={k: there for k, (_, there) in given.items()},
                times=_unknown_times(len(rows)),
            )
        )
    return dialogues


def _read_own(data: Path, split: str) -> list[Dialogue]:
    """Read dialogues of your own: ``own/dialogues.jsonl`` below the data directory.

    Each line ``{"id", "split", "turns": [{"speaker", "text", "emotion"}]}``; an emotion is one of
    the seven.
    """
    talks = open_objects(data / "own" / "dialogues.jsonl")
    return [_typed(talk) for talk in talks if talk["split"] == split]


READERS = {
    "own": (_read_own, SEVEN),
    "meld": (_read_meld, SEVEN),
    "dailydialog": (_read_dailydialog, SEVEN),
    "iemocap": (_read_iemocap, IEMOCAP_CLASSES),
    "mosi": (_read_mosi, MOSI_CLASSES),
}


def read_dialogues(corpus: str, data: Path, split: str) -> DialogueSet:
    """Read the dialogues of ``split`` (train, dev or test) from the data directory."""
    reader, classes = READERS[chosen("corpus of dialogues", corpus, READERS)]
    chosen("split", split, SPLITS)
    return DialogueSet(corpus=corpus, split=split, classes=classes, dialogues=reader(data, split))


def further_dialogues(corpus: str, data: Path, size: int) -> DialogueSet:
    """Return about ``size`` labelled training utterances of a corpus to be seen beside another's.

    Of DailyDialog whole talks with at least one emotion that is not neutral; of ``goemotions`` and
    ``empathetic`` single texts with one emotion, each a dialogue of one utterance. Always the same
    ones.
    """
    rng = np.random.default_rng(0)
    if corpus in READERS:
        whole = read_dialogues(corpus, data, "train")
        felt = [d for d in whole.dialogues if (d.labels > 0).any()]
    else:
        items = read(corpus, data, "train")
        whole = DialogueSet(corpus=corpus, split="train", classes=ORDER, dialogues=[])
        felt = [
            Dialogue(
                id=items.ids[i], ids=[items.ids[i]], texts=[items.texts[i]], speakers=["user"],
                labels=items.emotion[i : i + 1], features={}, present={},
                times=np.full((1, 2), np.nan),
            )
            for i in np.flatnonzero(items.emotion >= 0)
        ]  # fmt: skip
    order = rng.permutation(len(felt))
    reached = np.cumsum([len(felt[i]) for i in order])
    kept = [felt[i] for i in order[: int(np.searchsorted(reached, size)) + 1]]
    return DialogueSet(corpus=corpus, split="beside", classes=whole.classes, dialogues=kept)


def timing(dialogue: Dialogue) -> np.ndarray:
    """Return how each utterance sits in time, float32 ``[n, 4]``.

    The columns are the gap since the previous utterance's end, signed: ``sign(g) * log1p(|g|)``
    with g in seconds; ``log1p`` of the duration in seconds; ``log1p`` of the number of words; and
    1 where start and end are known, else 0. The gap is 0 on the first utterance and where either
    side is unknown; the duration is 0 where unknown.

    The gap keeps its sign because overlap is no short pause. In IEMOCAP's train split more than
    half of all gaps are negative, and whoever answers the other overlaps them in 88 % of angry
    utterances but 54 % of sad ones. Cut off at 0, an interruption would look like a prompt answer.
    """
    start, end = dialogue.times[:, 0], dialogue.times[:, 1]
    out = np.zeros((len(dialogue), 4), np.float32)
    gap = np.nan_to_num(start[1:] - end[:-1])
    out[1:, 0] = np.sign(gap) * np.log1p(np.abs(gap))
    out[:, 1] = np.log1p(np.nan_to_num(end - start))
    out[:, 2] = np.log1p([len(text.split()) for text in dialogue.texts])
    out[:, 3] = np.isfinite(dialogue.times).all(1)
    return out
