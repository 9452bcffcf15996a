"""Encoder of speech: how something is said, regardless of the words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.encoders.acoustics import Floats, level
from empathic_sdk.encoders.audio import RATE, Samples, decode
from empathic_sdk.encoders.opening import described, is_file, open_network
from empathic_sdk.encoders.prosody import statistics
from empathic_sdk.encoders.speech_features import Front, pad
from empathic_sdk.encoders.voice_activity import Segment, VoiceDetector, voiced
from empathic_sdk.errors import ModelError
from empathic_sdk.options import MediaLimits
from empathic_sdk.runtime.batching import Batcher
from empathic_sdk.runtime.extras import needs
from empathic_sdk.runtime.networks import shipped
from empathic_sdk.types import Embedding, Emotion, FeatureSequence, Modality
from empathic_sdk.types.utterance import Audio

WINDOW_S = 6.0
"""Seconds of voice per window; the windows of longer speech are averaged."""

_BATCH = 16  # windows in one call
_STATISTICS_S = 30.0  # more voice would hardly change the statistics

# Classes of acted corpora that are not among the seven emotions.
_FOLDED = {"calm": Emotion.NEUTRAL, "boredom": Emotion.NEUTRAL}


class VoiceReading(NamedTuple):
    """Output of a network for one stretch of voice.

    Attributes:
        vector: float32 ``[width]``.
        logits: float32 ``[classes]``, or ``None`` if the network has no head.
        frames: float32 ``[time, width]``.
        times: float64 ``[time]``, middle of each frame in seconds of voiced sound.
    """

    vector: NDArray[np.float32]
    logits: NDArray[np.float32] | None
    frames: NDArray[np.float32]
    times: NDArray[np.float64]


class _Network(Protocol):
    width: int
    about: dict[str, Any]

    def read(self, voices: Sequence[Samples]) -> list[VoiceReading]: ...


class SpeechEncoder:
    """Encodes speech with the embedded network, or with Wav2Vec2, HuBERT or WavLM.

    Args:
        model: ``None`` for the network that ships with this package; an ``.onnx`` of ``empathic
            export onnx``; a checkpoint (``.safetensors``) of ``empathic train speech``, which
            needs PyTorch; or the name or folder of a speech model that ``transformers`` loads (a
            name is looked up on the Hugging Face Hub).
        limits: How much of a recording is read.

    Attributes:
        name: What was loaded.
        width: Length of a vector.
        path: The loaded file, or ``None`` for a Hugging Face model.
        about: Its description: sizes, calibration; empty for a Hugging Face model.
        embedded: Whether it is one of our networks. Only those return probabilities.

    Raises:
        ModelError: The model cannot be loaded.
        MissingExtraError: The extra "speech" is not installed; for a model of ``transformers``, the
            extra "encoders".

    Thread-safe: files are decoded in the caller's thread, and simultaneous calls become one batch.
    The loudness of a recording has no influence.
    """

    def __init__(
        self, model: str | Path | None = None, *, limits: MediaLimits | None = None
    ) -> None:
        self.name = "ped-speech" if model is None else str(model)
        self.path = (
            (shipped("speech") if model is None else Path(model)) if is_file(model) else None
        )
        self.limits = limits or MediaLimits()
        self._detector = VoiceDetector()
        self._network: _Network = _Embedded(self.path) if self.path else _Plugged(str(model))
        self.about: dict[str, Any] = self._network.about
        self.width = self._network.width
        self.embedded = self.path is not None
        self._batcher: Batcher[Samples, tuple[VoiceReading | None, list[Segment]]] = Batcher(
            self._read_now, largest=16
        )

    def encode(self, items: Sequence[Audio]) -> list[Embedding]:
        """Return one embedding per recording; without a voice it is missing.

        Raises:
            InputError: A recording cannot be read.
        """
        sounds = [decode(item, limits=self.limits) for item in items]
        return [
            self._embedding(sound, reading)
            for sound, (reading, _) in zip(sounds, self._batcher(sounds), strict=True)
        ]

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes that the network was trained to tell apart; none for a plugged-in model."""
        return self._network.classes if isinstance(self._network, _Embedded) else ()

    def class_probabilities(self, items: Sequence[Audio]) -> list[NDArray[np.float64] | None]:
        """Return calibrated probabilities of :attr:`classes`; ``None`` without a voice.

        Raises:
            ModelError: A plugged-in model has no classes.
        """
        if not isinstance(self._network, _Embedded):
            raise ModelError(f"{self.name} has no classes; only our own networks do")
        network = self._network
        return [
            None if reading is None or reading.logits is None else network.softened(reading.logits)
            for reading, _ in self._batcher([decode(item, limits=self.limits) for item in items])
        ]

    def features(self, audio: Audio) -> FeatureSequence:
        """Return the network's frames of one recording, with their times.

        There are no frames where nobody speaks.
        """
        reading, stretches = self._batcher([decode(audio, limits=self.limits)])[0]
        if reading is None:
            nothing = np.zeros((0, self.width), np.float32)
            return FeatureSequence(
                modality=Modality.SPEECH, values=nothing, times=np.zeros(0), mask=np.zeros(0, bool)
            )
        return FeatureSequence(
            modality=Modality.SPEECH,
            values=reading.frames,
            times=_recorded_at(reading.times, stretches),
            mask=np.ones(len(reading.frames), bool),
        )

    def _embedding(self, sound: Samples, reading: VoiceReading | None) -> Embedding:
        if reading is None:
            return Embedding(
                modality=Modality.SPEECH,
                vector=np.zeros(self.width, np.float32),
                missing=f"no voice in {len(sound) / RATE:.1f} s of audio",
            )
        probabilities = None
        if reading.logits is not None and isinstance(self._network, _Embedded):
            probabilities = self._network.probabilities(reading.logits)
        return Embedding(
            modality=Modality.SPEECH, vector=reading.vector, probabilities=probabilities
        )

    def _read_now(self, sounds: list[Samples]) -> list[tuple[VoiceReading | None, list[Segment]]]:
        stretches = [self._detector(sound) for sound in sounds]
        spoken = [i for i, s in enumerate(stretches) if s]
        readings = dict(
            zip(
                spoken,
                self._network.read([voiced(sounds[i], stretches[i]) for i in spoken]),
                strict=True,
            )
        )
        return [(readings.get(i), s) for i, s in enumerate(stretches)]


class _Embedded:
    """One of our networks."""

    def __init__(self, path: Path) -> None:
        self._network = open_network("speech", path)
        self.about = self._network.about
        described("speech", self._network, path, ("vector", "frames", "logits"), self._describe)

    def _describe(self, about: Mapping[str, Any]) -> None:
        self._front = Front(**about["front"])
        self._stride = 1 if about["kind"] == "lstm" else 4
        self.classes = tuple(about["classes"][about["head"]])
        self._emotion = [_emotion(name) for name in self.classes]
        self._temperature = float(about["calibration"]["temperature"])
        self.width = int(about["width"])

    def probabilities(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return seven calibrated probabilities of the head's ``[classes]`` logits."""
        seven = np.zeros(len(Emotion))
        np.add.at(seven, self._emotion, self.softened(logits))
        return seven.astype(np.float32)

    def softened(self, logits: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the head's own classes as calibrated probabilities."""
        scaled = logits.astype(np.float64) / self._temperature
        e = np.exp(scaled - scaled.max())
        return np.asarray(e / e.sum())

    def read(self, voices: Sequence[Samples]) -> list[VoiceReading]:
        windows = [_windows(self._front(v), self._front.hop) for v in voices]
        rows: Sequence[Floats] = ()
        if "statistics" in self._network.inputs:
            rows = [statistics(level(v[: round(_STATISTICS_S * RATE)])) for v in voices]
        owner = [i for i, own in enumerate(windows) for _ in own]
        flat = [w for own in windows for w in own]
        vectors: list[Floats] = []
        frames: list[Floats] = []
        logits: list[Floats] = []
        for start in range(0, len(flat), _BATCH):
            part = flat[start : start + _BATCH]
            x, mask = pad(part)
            given = {"features": x, "mask": mask}
            if rows:
                given["statistics"] = np.stack([rows[i] for i in owner[start : start + _BATCH]])
            out = self._network(**given)
            vectors += list(out["vector"])
            logits += list(out["logits"])
            frames += [f[m[:: self._stride]] for f, m in zip(out["frames"], mask, strict=True)]
        readings, at = [], 0
        for own in windows:
            mine = slice(at, at + len(own))
            at = mine.stop
            lengths = np.array([len(w) for w in own], np.float32)
            share = lengths / lengths.sum()
            # The head is linear: the mean of the windows' logits is the head's of the mean vector.
            readings.append(
                VoiceReading(
                    share @ np.stack(vectors[mine]), share @ np.stack(logits[mine]),
                    np.concatenate(frames[mine]), self._seconds(own, frames[mine]),
                )
            )  # fmt: skip
        return readings

    def _seconds(self, windows: Sequence[Floats], frames: Sequence[Floats]) -> NDArray[np.float64]:
        """Return the middle of each frame that came out, in seconds of voiced sound."""
        starts = np.cumsum([0, *(len(w) for w in windows[:-1])])
        stride = self._stride
        places = [
            s + stride * np.arange(len(f)) + (stride - 1) / 2
            for s, f in zip(starts, frames, strict=True)
        ]
        return self._front.seconds(0) + np.concatenate(places) * self._front.hop / RATE


class _Plugged:
    """A Wav2Vec2, HuBERT or WavLM: its last hidden states, averaged over the real frames."""

    def __init__(self, name: str) -> None:
        self.about: dict[str, Any] = {}
        with needs("encoders", "a speech model of transformers"):
            from transformers import AutoFeatureExtractor, AutoModel  # seconds to import
        try:
            # safetensors only: the other format is a pickle, and that runs code.
            self._model: Any = AutoModel.from_pretrained(name, use_safetensors=True).eval()
            extractor: Any = AutoFeatureExtractor  # transformers leaves this one untyped
            self._extractor: Any = extractor.from_pretrained(name)
            rate = int(self._extractor.sampling_rate)
            self.width = int(self._model.config.hidden_size)
            self._lengths = self._model._get_feat_extract_output_lengths
        except Exception as error:  # network, disk and config errors of many kinds
            raise ModelError(f"the speech model {name!r} cannot be loaded: {error}") from error
        if rate != RATE:
            raise ModelError(f"the speech model {name!r} wants {rate} Hz, and this reads {RATE}")

    def read(self, voices: Sequence[Samples]) -> list[VoiceReading]:
        return [self._read_one(voice) for voice in voices]

    def _read_one(self, voice: Samples) -> VoiceReading:
        import torch

        size = round(WINDOW_S * RATE)
        count = max(1, math.ceil(len(voice) / size))
        # One batch of windows of one length but the last; models whose extractor gives no mask
        # (they normalise over the whole input) must not see padding, and get them singly.
        windows = np.array_split(voice, count)
        masked = bool(getattr(self._extractor, "return_attention_mask", False))
        groups = [windows] if masked else [[w] for w in windows]
        rows: list[torch.Tensor] = []
        with torch.inference_mode():
            for group in groups:
                inputs = self._extractor(
                    [np.asarray(w) for w in group],
                    sampling_rate=RATE,
                    return_tensors="pt",
                    padding=True,
                )
                hidden = self._model(**inputs).last_hidden_state
                lengths = self._lengths(torch.tensor([len(w) for w in group])).tolist()
                rows += [h[: max(1, n)] for h, n in zip(hidden, lengths, strict=True)]
        frames = torch.cat(rows).float().numpy()
        times = (np.arange(len(frames), dtype=np.float64) + 0.5) * len(voice) / RATE / len(frames)
        return VoiceReading(frames.mean(0), None, frames, np.asarray(times, np.float64))


def _emotion(name: str) -> int:
    return list(Emotion).index(_FOLDED.get(name) or Emotion(name))


def _windows(features: Floats, hop: int) -> list[Floats]:
    """Cut ``[time, width]`` into equal windows of at most :data:`WINDOW_S`."""
    most = int(WINDOW_S * RATE / hop)
    return np.array_split(features, max(1, math.ceil(len(features) / most)))


def _recorded_at(times: NDArray[np.float64], stretches: Sequence[Segment]) -> NDArray[np.float64]:
    """Map seconds of voiced sound to seconds of the recording."""
    lengths = np.array([(s.end - s.start) / RATE for s in stretches])
    begins = np.array([s.start / RATE for s in stretches])
    before = np.concatenate([[0.0], np.cumsum(lengths)[:-1]])
    which = np.clip(np.searchsorted(before, times, side="right") - 1, 0, len(stretches) - 1)
    return np.asarray(begins[which] + times - before[which])
