"""Voice activity detection with the network of Silero VAD 6.

The wheel of faster-whisper, which transcribes, carries it as an ONNX file that reads many pieces of
sound in one call. That file alone is used: importing the package takes a second, and the package
silero-vad would bring PyTorch along.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from empathic_sdk.encoders.audio import RATE, Samples
from empathic_sdk.errors import MissingExtraError, ModelError
from empathic_sdk.runtime.networks import Network

CHUNK = 512
"""Samples per decision: 32 ms."""

_CONTEXT = 64
_PEAK = 0.05
_BLOCK = 1024  # chunks read in one call, half a minute: longer recordings stay small in memory
_STATE = (1, 1, 128)
_FILE = "silero_vad_v6.onnx"


class Segment(NamedTuple):
    """A stretch of voice, in samples at 16 kHz; ``end`` is the first sample after it."""

    start: int
    end: int


class VoiceDetector:
    """Finds the stretches of a recording in which somebody speaks.

    Raises:
        MissingExtraError: faster-whisper, whose wheel carries the network, is not installed.
        ModelError: Its network is missing or has another version.

    Thread-safe.
    """

    def __init__(self) -> None:
        path = _weights()
        # A file of the installed package, as trusted as its code; users cannot choose it.
        self._network = Network(path, foreign=True)
        if self._network.inputs != ("input", "h", "c"):
            raise ModelError(f"{path} is not the network of Silero VAD 6")

    def probabilities(self, samples: Samples) -> np.ndarray:
        """Return the probability of voice in every 32 ms of ``[n]`` samples, float32.

        The samples are first scaled to a peak of 0.05: at that level the network missed the
        fewest screams in our tests, and took no noise for a voice.
        """
        count = -(-len(samples) // CHUNK)
        if count == 0:
            return np.zeros(0, np.float32)
        peak = max(float(np.abs(samples).max()), 1e-5)
        x = np.zeros(_CONTEXT + count * CHUNK, np.float32)
        np.multiply(samples, np.float32(_PEAK / peak), out=x[_CONTEXT : _CONTEXT + len(samples)])
        chunks = np.lib.stride_tricks.sliding_window_view(x, _CONTEXT + CHUNK)[::CHUNK]
        found = []
        h = c = np.zeros(_STATE, np.float32)
        for start in range(0, count, _BLOCK):
            block = np.ascontiguousarray(chunks[start : start + _BLOCK])
            out = self._network(input=block, h=h, c=c)
            found.append(out["speech_probs"])
            h, c = out["hn"], out["cn"]
        return np.concatenate(found)

    def __call__(self, samples: Samples) -> list[Segment]:
        """Return the stretches of voice in ``[n]`` samples, in order, without overlap."""
        return segments(self.probabilities(samples), len(samples))


def segments(
    probabilities: np.ndarray,
    length: int,
    *,
    on: float = 0.4,
    off: float = 0.25,
    shortest_s: float = 0.25,
    gap_s: float = 0.3,
    pad_s: float = 0.1,
) -> list[Segment]:
    """Turn one probability per chunk into stretches of voice.

    Args:
        probabilities: ``[chunks]``.
        length: Samples of the recording.
        on: Probability from which voice begins.
        off: Probability below which it ends.
        shortest_s: A shorter stretch is a click or a cough, and is dropped.
        gap_s: A shorter pause belongs to the speech around it.
        pad_s: Added on both sides, to include soft beginnings and endings.
    """
    runs: list[Segment] = []
    start: int | None = None
    for i, p in enumerate(probabilities):
        if start is None and p >= on:
            start = i
        elif start is not None and p < off:
            runs.append(Segment(start * CHUNK, i * CHUNK))
            start = None
    if start is not None:
        runs.append(Segment(start * CHUNK, length))
    joined: list[Segment] = []
    for run in runs:
        if joined and run.start - joined[-1].end < gap_s * RATE:
            joined[-1] = Segment(joined[-1].start, run.end)
        else:
            joined.append(run)
    pad = round(pad_s * RATE)
    return [
        Segment(max(0, s.start - pad), min(length, s.end + pad))
        for s in joined
        if s.end - s.start >= shortest_s * RATE
    ]


def voiced(samples: Samples, stretches: Sequence[Segment]) -> Samples:
    """Return the concatenated samples inside ``stretches``, ``[m]``."""
    parts = [samples[s.start : s.end] for s in stretches]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def _weights() -> Path:
    spec = importlib.util.find_spec("faster_whisper")  # finds it without importing it
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtraError("speech", "finding the voice in a recording")
    path = Path(next(iter(spec.submodule_search_locations))) / "assets" / _FILE
    if not path.is_file():
        raise ModelError(f"there is no {path}: install faster-whisper 1.2 or newer")
    return path
