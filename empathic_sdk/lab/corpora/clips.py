"""Corpora of acted emotional speech: clips with their label and their speaker."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from empathic_sdk.encoders.audio import decode
from empathic_sdk.encoders.voice_activity import VoiceDetector, voiced
from empathic_sdk.errors import DataError
from empathic_sdk.lab.corpora.opening import open_folder

RAVDESS_CLASSES = (
    "neutral", "calm", "joy", "sadness", "anger", "fear", "disgust", "surprise",
)  # fmt: skip
EMODB_CLASSES = ("neutral", "joy", "sadness", "anger", "fear", "disgust", "boredom")
CLASSES = {"ravdess": RAVDESS_CLASSES, "emodb": EMODB_CLASSES}

_EMODB_LETTERS = dict(zip("NFTWAEL", EMODB_CLASSES, strict=True))
_SPLITS = {"train": range(1, 17), "dev": range(17, 21), "test": range(21, 25)}


@dataclass(frozen=True)
class Clips:
    """Clips of one corpus.

    Attributes:
        corpus: ``ravdess`` or ``emodb``.
        ids: ``[n]`` names of the files, without ending.
        paths: ``[n]`` files.
        labels: int ``[n]``, places in ``CLASSES[corpus]``.
        speakers: int ``[n]``.
    """

    corpus: str
    ids: tuple[str, ...]
    paths: tuple[Path, ...]
    labels: np.ndarray
    speakers: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the labels."""
        return CLASSES[self.corpus]

    def only(self, chosen: np.ndarray) -> Clips:
        """Return the clips at ``chosen``, a bool mask ``[n]`` or places."""
        index = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
        return Clips(
            self.corpus,
            tuple(self.ids[i] for i in index),
            tuple(self.paths[i] for i in index),
            self.labels[index],
            self.speakers[index],
        )

    def of(self, speakers: Sequence[int]) -> Clips:
        """Return the clips of these speakers."""
        return self.only(np.isin(self.speakers, list(speakers)))

    def digest(self) -> str:
        """Return a SHA-256 over names, labels and the files' bytes."""
        sha = hashlib.sha256()
        for name, path, label in zip(self.ids, self.paths, self.labels, strict=True):
            sha.update(f"{name}\t{label}\n".encode())
            sha.update(hashlib.sha256(path.read_bytes()).digest())
        return sha.hexdigest()


def read_clips(corpus: str, data: Path) -> Clips:
    """Read the names in the folder of ``ravdess`` or ``emodb`` below ``data``.

    Raises:
        DataError: There is no such folder, or nothing in it that is named as its owners name it.
    """
    folder = data / corpus
    parse: Callable[[str], tuple[int, int] | None] = _ravdess if corpus == "ravdess" else _emodb
    found = [
        (path, *parsed)
        for path in open_folder(folder)
        if path.suffix in (".flac", ".wav") and (parsed := parse(path.stem))
    ]
    if not found:
        raise DataError(f"no clip in {folder} is named as the owners of {corpus} name them")
    return Clips(
        corpus,
        tuple(p.stem for p, _, _ in found),
        tuple(p for p, _, _ in found),
        np.array([label for _, label, _ in found]),
        np.array([speaker for _, _, speaker in found]),
    )


def ravdess_split(clips: Clips, split: str) -> Clips:
    """Return the clips of a split: actors 1-16 train, 17-20 dev, 21-24 test."""
    return clips.of(_SPLITS[split])


@dataclass(frozen=True)
class Fold:
    """Speakers of one fold; nobody is in two parts of it."""

    train: tuple[int, ...]
    dev: tuple[int, ...]
    test: tuple[int, ...]


def speaker_folds(speakers: Sequence[int], *, out: int = 2) -> list[Fold]:
    """Leave ``out`` speakers out at a time; the next one in turn is the fold's dev speaker.

    Speakers are taken in sorted order, so the folds do not depend on any seed.
    """
    order = sorted(set(map(int, speakers)))
    folds = []
    for start in range(0, len(order), out):
        test = order[start : start + out]
        dev = [order[(start + out) % len(order)]]
        train = [s for s in order if s not in test and s not in dev]
        folds.append(Fold(tuple(train), tuple(dev), tuple(test)))
    return folds


def load_voices(
    clips: Clips, *, cache: Path | None = None, detector: VoiceDetector | None = None
) -> list[np.ndarray]:
    """Return the voiced samples of each clip, int16 ``[n]`` at 16 kHz.

    A clip in which no voice is found (some screams) is used whole: training may learn from it.
    ``cache`` is a file that keeps them; it is used only for the very same clips.
    """
    key = clips.digest()
    if cache and cache.is_file():
        with np.load(cache) as stored:
            if str(stored["key"]) == key:
                return np.split(stored["samples"], np.cumsum(stored["lengths"])[:-1])
    detector = detector or VoiceDetector()
    out = []
    for path in track(clips.paths, clips.corpus, console=Console(stderr=True)):
        samples = decode(path)
        heard = voiced(samples, detector(samples))
        out.append(np.round((heard if len(heard) else samples) * 32767).astype(np.int16))
    if cache:
        cache.parent.mkdir(parents=True, exist_ok=True)
        lengths = np.array([len(s) for s in out])
        np.savez(cache, key=np.array(key), samples=np.concatenate(out), lengths=lengths)
    return out


def _ravdess(name: str) -> tuple[int, int] | None:
    """``modality-channel-emotion-intensity-statement-repetition-actor`` to label and actor."""
    parts = name.split("-")
    if len(parts) != 7 or not all(p.isdigit() for p in parts) or parts[1] != "01":
        return None
    emotion, actor = int(parts[2]), int(parts[6])
    order = RAVDESS_CLASSES
    return (emotion - 1, actor) if 1 <= emotion <= len(order) and 1 <= actor <= 24 else None


def _emodb(name: str) -> tuple[int, int] | None:
    """``speaker(2) text(3) emotion(1) version(1)`` to label and speaker."""
    if len(name) != 7 or not name[:2].isdigit() or name[5] not in _EMODB_LETTERS:
        return None
    return EMODB_CLASSES.index(_EMODB_LETTERS[name[5]]), int(name[:2])
