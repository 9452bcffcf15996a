"""Voices, faces and behaviour of each split as the shipped encoders read them, for ``pairing``.

Who is in which split is the encoders' own affair: RAVDESS actors 1-16 and FER2013's training images
taught them; actors 17-20 and the public test chose their epochs; actors 21-24 and the private test
were seen by nobody. Simulated people come from the simulator's held-out ones throughout.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import track

from empathic_sdk.encoders.audio import decode
from empathic_sdk.encoders.behaviour import BehaviourEncoder
from empathic_sdk.encoders.face import FaceEncoder
from empathic_sdk.encoders.speech import SpeechEncoder
from empathic_sdk.lab.corpora.clips import read_clips
from empathic_sdk.lab.corpora.dialogues import SEVEN
from empathic_sdk.lab.corpora.faces import read_faces
from empathic_sdk.lab.corpora.opening import cached
from empathic_sdk.lab.corpora.pairing import MediaPool
from empathic_sdk.lab.simulation.behaviour import simulate
from empathic_sdk.runtime.networks import mark
from empathic_sdk.types import Embedding, Modality

FACES = {"train": 9000, "dev": 3589, "test": 3589}
GROUPS = 24
# Of the simulator's 120 people whom the encoder has not trained on: who pairs with which split.
PEOPLE = {"train": range(80), "dev": range(80, 120)}
RATE = 16000


class Encoders(NamedTuple):
    """The encoders beside the text encoder."""

    speech: SpeechEncoder
    face: FaceEncoder
    behaviour: BehaviourEncoder

    def marks(self) -> dict[str, str]:
        """Return the SHA-256 of each one's checkpoint."""
        return {
            m: mark(str(path))
            for m, path in (
                ("speech", self.speech.path),
                ("face", self.face.path),
                ("behaviour", self.behaviour.path),
            )
        }


def pools(split: str, data: Path, encoders: Encoders, cache: Path) -> dict[str, MediaPool]:
    """Return the pool of each modality for a split, from the cache where it is there."""
    return {
        "speech": _cached(cache, f"speech-{split}", encoders.speech,
                          lambda: speech_pool(split, data, encoders.speech)),
        "face": _cached(cache, f"face-{split}", encoders.face,
                        lambda: face_pool(split, data, encoders.face)),
        "behaviour": _cached(cache, f"behaviour-{split}", encoders.behaviour,
                             lambda: behaviour_pool(split, encoders.behaviour)),
    }  # fmt: skip


def speech_pool(split: str, data: Path, encoder: SpeechEncoder) -> MediaPool:
    """Encode RAVDESS clips; those for training also with noise and cut short.

    What is harder to hear is answered less surely, as a stranger's voice is.
    """
    clips = read_clips("ravdess", data)
    actors = {"train": range(1, 17), "dev": range(17, 21), "test": range(21, 25)}[split]
    mine = clips.of(actors)
    names = ["neutral" if c == "calm" else c for c in mine.classes]
    rng = np.random.default_rng(0)
    found = []
    for path, label, actor in _shown(
        zip(mine.paths, mine.labels.tolist(), mine.speakers.tolist(), strict=True), "voices"
    ):
        audio = decode(path)
        versions = [audio] if split != "train" else [audio, *_harder(audio, rng)]
        for made in encoder.encode([(v, RATE) for v in versions]):
            found.append((made, SEVEN.index(names[label]), f"actor {actor}"))
    return _pool(Modality.SPEECH, found)


def _harder(audio: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
    level = float(np.sqrt((audio**2).mean())) + 1e-8
    for snr in (15.0, 5.0):
        noise = rng.standard_normal(len(audio)) * level * 10 ** (-snr / 20)
        yield np.clip(audio + noise, -1, 1).astype(np.float32)
    half = len(audio) // 2
    start = int(rng.integers(half))
    yield audio[start : start + half]


def face_pool(split: str, data: Path, encoder: FaceEncoder) -> MediaPool:
    """Encode FER2013's faces, which are cut out already."""
    faces = read_faces(data, split)
    rng = np.random.default_rng(0)
    chosen = rng.permutation(len(faces))[: FACES[split]]
    found = []
    for start in _shown(range(0, len(chosen), 256), "faces"):
        rows = chosen[start : start + 256]
        made = encoder.encode_crops(list(faces.images[rows]))
        for i, one in zip(rows.tolist(), made, strict=True):
            found.append((one, int(faces.labels[i]), f"group {i % GROUPS}"))
    return _pool(Modality.FACE, found)


def behaviour_pool(split: str, encoder: BehaviourEncoder) -> MediaPool:
    """Encode the messages of simulated people whom the encoder has not trained on."""
    items = simulate("test" if split == "test" else "dev")
    names = sorted(set(items.people))
    mine = set(names) if split == "test" else {names[i] for i in PEOPLE[split]}
    rows = [i for i, p in enumerate(items.people) if p in mine]
    events = items.events()
    made = encoder.encode([events[i] for i in rows])
    return _pool(
        Modality.BEHAVIOUR,
        [(m, int(items.emotion[i]), items.people[i]) for m, i in zip(made, rows, strict=True)],
    )


def _pool(modality: Modality, found: Sequence[tuple[Embedding, int, str]]) -> MediaPool:
    read = [(e, label, who) for e, label, who in found if e.present]
    return MediaPool(
        modality=modality.value,
        vectors=np.stack([e.vector for e, _, _ in read]),
        probabilities=np.stack([np.asarray(e.probabilities, np.float32) for e, _, _ in read]),
        labels=np.array([label for _, label, _ in read]),
        people=tuple(who for _, _, who in read),
    )


def _cached(cache: Path, name: str, encoder: Any, make: Callable[[], MediaPool]) -> MediaPool:
    of_weights = mark(encoder.path)[:16]

    def arrays() -> dict[str, np.ndarray]:
        pool = make()
        people = sorted(set(pool.people))
        return {
            "vectors": pool.vectors,
            "probabilities": pool.probabilities,
            "labels": pool.labels,
            "person": np.array([people.index(p) for p in pool.people]),
            "names": np.frombuffer("\n".join(people).encode(), np.uint8).copy(),
        }

    held = cached(cache / f"media-{name}-{of_weights}.safetensors", arrays)
    people = held["names"].tobytes().decode().split("\n")
    return MediaPool(
        modality=name.split("-")[0],
        vectors=held["vectors"],
        probabilities=held["probabilities"],
        labels=held["labels"],
        people=tuple(people[i] for i in held["person"]),
    )


def junk(encoders: Encoders, size: int = 200) -> dict[str, list[np.ndarray | None]]:
    """Return what the networks make of signals that mean nothing, ``[width]`` each.

    White and pink noise and steady tones, of which the voice detector stops most (``None``); and
    grey noise, gradients and gratings, handed past the face detector, which would stop them.
    """
    rng = np.random.default_rng(1)
    sounds, pictures = [], []
    for i in range(size):
        n = int(rng.uniform(0.8, 3.0) * RATE)
        time = np.arange(n) / RATE
        white = rng.standard_normal(n)
        pink = np.fft.irfft(np.fft.rfft(white) / np.sqrt(np.arange(n // 2 + 1) + 1), n)
        tone = np.sin(2 * np.pi * rng.uniform(80, 2000) * time)
        wave = (white, pink, tone)[i % 3]
        sounds.append((wave / np.abs(wave).max() * rng.uniform(0.05, 0.6)).astype(np.float32))
        x, y = np.meshgrid(np.linspace(0, 1, 48), np.linspace(0, 1, 48))
        angle, pitch = rng.uniform(0, np.pi, 1)[0], rng.uniform(2, 20)
        along = x * np.cos(angle) + y * np.sin(angle)
        picture = (rng.random((48, 48)), along, 0.5 + 0.5 * np.sin(pitch * np.pi * along))[i % 3]
        pictures.append((255 * np.clip(picture, 0, 1)).astype(np.uint8))
    return {
        "speech": [
            e.vector if e.present else None
            for e in encoders.speech.encode([(wave, RATE) for wave in sounds])
        ],
        "face": [e.vector for e in encoders.face.encode_crops(pictures)],
    }


def _shown(items: Any, what: str) -> Iterator[Any]:
    """Show progress on a terminal."""
    console = Console(stderr=True)
    return iter(track(items, what, console=console, disable=not console.is_terminal))
