"""Utterances of all text corpora with the turns before them, for the reader."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from empathic_sdk.errors import DataError
from empathic_sdk.lab.corpora.dialogues import Dialogue, read_dialogues
from empathic_sdk.lab.corpora.esconv import read_esconv
from empathic_sdk.lab.corpora.opening import chosen, open_lines, open_objects
from empathic_sdk.lab.corpora.text import (
    EMPATHETIC_TO_EMOTION,
    ORDER,
    TextItems,
    empathetic_split,
    read,
)
from empathic_sdk.types.emotion import Emotion

SITUATIONS = (
    "afraid", "angry", "annoyed", "anticipating", "anxious", "apprehensive", "ashamed",
    "caring", "confident", "content", "devastated", "disappointed", "disgusted",
    "embarrassed", "excited", "faithful", "furious", "grateful", "guilty", "hopeful",
    "impressed", "jealous", "joyful", "lonely", "nostalgic", "prepared", "proud", "sad",
    "sentimental", "surprised", "terrified", "trusting",
)  # fmt: skip
"""The 32 situations of EmpatheticDialogues."""
MOST_BEFORE = 6

Before = tuple[tuple[bool, str], ...]
"""Turns before an utterance, oldest first: whether the same person spoke, and the text."""


@dataclass(frozen=True)
class ReaderItems:
    """Utterances of one corpus and split.

    Attributes:
        corpus: Its name.
        ids: One stable name an utterance.
        texts: Raw texts.
        before: What came before each.
        targets: By head. Of ``emotion``, ``situation``, ``strategy`` and ``change`` int64 ``[n]``,
            -1 = none; of ``felt``, ``present``, ``fine``, ``affect`` and ``rated`` float32
            ``[n, k]``, NaN = none. ``felt`` is a distribution over the seven emotions.
    """

    corpus: str
    ids: list[str]
    texts: list[str]
    before: list[Before]
    targets: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, index: Sequence[int] | np.ndarray) -> ReaderItems:
        """Return the items at ``index``, in that order."""
        return replace(
            self,
            ids=[self.ids[i] for i in index],
            texts=[self.texts[i] for i in index],
            before=[self.before[i] for i in index],
            targets={k: v[np.asarray(index)] for k, v in self.targets.items()},
        )

    def digest(self) -> str:
        """SHA-256 over everything that training sees."""
        words = [self.corpus, self.ids, self.texts, self.before]
        h = hashlib.sha256(json.dumps(words).encode())
        for name in sorted(self.targets):
            h.update(np.ascontiguousarray(self.targets[name]).tobytes())
        return h.hexdigest()


def _before(texts: Sequence[str], speakers: Sequence[object], i: int) -> Before:
    start = max(0, i - MOST_BEFORE)
    return tuple((speakers[k] == speakers[i], texts[k]) for k in range(start, i))


def _from_text(items: TextItems) -> ReaderItems:
    targets: dict[str, np.ndarray] = {}
    if (items.emotion >= 0).any():
        targets["emotion"] = items.emotion
    for name, values in (
        ("present", items.present), ("fine", items.fine), ("rated", items.affect)
    ):  # fmt: skip
        if values is not None:
            targets[name] = values
    return ReaderItems(items.corpus, items.ids, items.texts, [()] * len(items), targets)


def _changes(d: Dialogue) -> list[int]:
    """Whether each speaker's emotion differs from that of the same speaker's utterance before."""
    last: dict[str, int] = {}
    out = []
    for speaker, label in zip(d.speakers, d.labels.tolist(), strict=True):
        out.append(-1 if speaker not in last or label < 0 else int(last[speaker] != label))
        if label >= 0:
            last[speaker] = label
    return out


def _dialogues(corpus: str, data: Path, split: str) -> ReaderItems:
    ids, texts, emotion, change = [], [], [], []
    before: list[Before] = []
    for d in read_dialogues(corpus, data, split).dialogues:
        ids += [f"{d.id}/{name}" for name in d.ids]
        texts += d.texts
        before += [_before(d.texts, d.speakers, i) for i in range(len(d))]
        emotion += d.labels.tolist()
        change += _changes(d)
    targets = {"emotion": np.array(emotion), "change": np.array(change)}
    return ReaderItems(corpus, ids, texts, before, targets)


def _empathetic(data: Path, split: str) -> ReaderItems:
    """Every utterance of the speaker; the situation holds for the first two of them."""
    ids, texts, situation, emotion = [], [], [], []
    before: list[Before] = []
    for talk in open_objects(data / "empatheticdialogues" / "empatheticdialogues.jsonl.gz"):
        if empathetic_split(talk["id"]) != split:
            continue
        said = [t["text"].replace("_comma_", ",") for t in talk["turns"]]
        who = [t["speaker"] for t in talk["turns"]]
        named = EMPATHETIC_TO_EMOTION.get(talk["emotion"])
        for i in [i for i, w in enumerate(who) if w == "speaker"][:2]:
            ids.append(f"{talk['id']}/{i}")
            texts.append(said[i])
            before.append(_before(said, who, i))
            situation.append(SITUATIONS.index(talk["emotion"]))
            first = named is not None and i == who.index("speaker")
            emotion.append(ORDER.index(Emotion(named)) if first and named else -1)
    targets = {"situation": np.array(situation), "emotion": np.array(emotion)}
    return ReaderItems("empathetic", ids, texts, before, targets)


def _esconv(data: Path, split: str) -> ReaderItems:
    """What the seeker says last before a supporter's turn, with the strategy that followed."""
    ids, texts, strategy = [], [], []
    before: list[Before] = []
    for talk in read_esconv(data, split):
        for i in range(len(talk.texts) - 1):
            if talk.seeker[i] and not talk.seeker[i + 1]:
                ids.append(f"{talk.id}/{i}")
                texts.append(talk.texts[i])
                before.append(_before(talk.texts, talk.seeker, i))
                strategy.append(talk.strategies[i + 1])
    return ReaderItems("esconv", ids, texts, before, {"strategy": np.array(strategy)})


def read_frames(files: Iterable[Path], corpus: str = "own") -> ReaderItems:
    """Read lines written for this project: what the speaker feels now, in six columns.

    ``frame, labels, valence, arousal, before, text``, separated by tabs; ``labels`` as
    ``sadness:.7,fear:.3``, ``before`` as ``U: ... | A: ...``.

    Raises:
        DataError: A line cannot be read.
    """
    ids, texts = [], []
    before: list[Before] = []
    felt: list[np.ndarray] = []
    affect: list[tuple[float, float]] = []
    for path in files:
        for number, line in enumerate(open_lines(path), 1):
            if not line.strip():
                continue
            try:
                frame, labels, valence, arousal, earlier, text = line.rstrip("\r\n").split("\t")
                row = np.zeros(7, np.float32)
                for part in labels.split(","):
                    name, _, mass = part.strip().partition(":")
                    row[ORDER.index(Emotion(name))] = float(mass or 1)
                affect.append((float(valence), float(arousal)))
                before.append(_turns(earlier))
            except ValueError as error:
                raise DataError(f"{path}, line {number}: {error}") from error
            felt.append(row / row.sum())
            ids.append(f"{path.stem.split('.')[0]}/{number}/{frame}")
            texts.append(text)
    return ReaderItems(
        corpus, ids, texts, before,
        {"felt": np.stack(felt), "affect": np.array(affect, np.float32)},
    )  # fmt: skip


def _turns(text: str) -> Before:
    found = []
    for part in filter(None, (p.strip() for p in text.split("|"))):
        who, _, said = part.partition(":")
        if who.strip() not in ("U", "A"):
            raise ValueError(f"a turn before begins with 'U:' or 'A:', not {part[:20]!r}")
        found.append((who.strip() == "U", said.strip()))
    return tuple(found[-MOST_BEFORE:])


READERS: Mapping[str, Callable[[Path, str], ReaderItems]] = {
    "meld": lambda data, split: _dialogues("meld", data, split),
    "dailydialog": lambda data, split: _dialogues("dailydialog", data, split),
    "goemotions": lambda data, split: _from_text(read("goemotions", data, split)),
    "emobank": lambda data, split: _from_text(read("emobank", data, split)),
    "empathetic": _empathetic,
    "esconv": _esconv,
}


def read_in_context(corpus: str, data: Path, split: str) -> ReaderItems:
    """Read ``split`` of ``corpus`` from the data directory."""
    return READERS[chosen("corpus", corpus, READERS)](data, split)
