"""Voice activity detection with the network of silero-vad.

The wheel of silero-vad carries its network as a TorchScript file. Its weights are loaded into
plain PyTorch here (a test compares the two) and that package is never imported: its import
sets PyTorch to one thread for the whole process, and its own loop calls the network once every
32 ms of sound, which takes several times as long as reading all of them at once.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from empathic_sdk.encoders.audio import RATE, Samples
from empathic_sdk.errors import MissingExtraError, ModelError

CHUNK = 512
"""Samples per decision: 32 ms."""

_CONTEXT = 64
_PEAK = 0.05


class Segment(NamedTuple):
    """A stretch of voice, in samples at 16 kHz; ``end`` is the first sample after it."""

    start: int
    end: int


class _SileroNetwork(nn.Module):
    """The 16 kHz network of silero-vad 6."""

    def __init__(self) -> None:
        super().__init__()
        self.stft = nn.Conv1d(1, 258, 256, stride=128, bias=False)
        self.convolutions = nn.ModuleList(
            [
                nn.Conv1d(129, 128, 3, padding=1),
                nn.Conv1d(128, 64, 3, stride=2, padding=1),
                nn.Conv1d(64, 64, 3, stride=2, padding=1),
                nn.Conv1d(64, 128, 3, padding=1),
            ]
        )
        self.lstm = nn.LSTM(128, 128, batch_first=True)
        self.last = nn.Linear(128, 1)

    def forward(self, chunks: Tensor) -> Tensor:
        """Map consecutive ``[chunks, 64 + 512]`` samples to ``[chunks]`` probabilities."""
        x = F.pad(chunks.unsqueeze(1), (0, 64), mode="reflect")
        x = self.stft(x)
        x = (x[:, :129].square() + x[:, 129:].square()).sqrt()
        for convolution in self.convolutions:
            x = convolution(x).relu()
        hidden, _ = self.lstm(x.squeeze(-1).unsqueeze(0))
        return torch.sigmoid(self.last(hidden.squeeze(0).relu())).squeeze(-1)


def _renamed(theirs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Map the names of silero-vad's 16 kHz network to those above."""
    ours = {
        "stft.weight": theirs["_model.stft.forward_basis_buffer"],
        "last.weight": theirs["_model.decoder.decoder.2.weight"].squeeze(-1),
        "last.bias": theirs["_model.decoder.decoder.2.bias"],
    }
    for kind in ("weight", "bias"):
        for i in range(4):
            old = f"_model.encoder.{i}.reparam_conv.{kind}"
            ours[f"convolutions.{i}.{kind}"] = theirs[old]
        for part in ("ih", "hh"):
            ours[f"lstm.{kind}_{part}_l0"] = theirs[f"_model.decoder.rnn.{kind}_{part}"]
    return ours


class VoiceDetector:
    """Finds the stretches of a recording in which somebody speaks.

    Raises:
        MissingExtraError: silero-vad is not installed.
        ModelError: Its network is missing or has another version.
    """

    def __init__(self) -> None:
        path = _weights()
        try:
            # A file of the installed package, as trusted as its code; users cannot choose it.
            with warnings.catch_warnings():
                # TorchScript is deprecated in PyTorch, but that package offers nothing else.
                warnings.simplefilter("ignore", DeprecationWarning)
                scripted = torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]
            self._network = _SileroNetwork()
            self._network.load_state_dict(_renamed(scripted.state_dict()))
        except (OSError, KeyError, RuntimeError, ValueError) as error:
            raise ModelError(f"{path} is not the network of silero-vad 6: {error}") from error
        self._network.eval()

    def probabilities(self, samples: Samples) -> np.ndarray:
        """Return the probability of voice in every 32 ms of ``[n]`` samples, float32.

        The samples are first scaled to a peak of 0.05: at that level the network missed the
        fewest screams in our tests, and took no noise for a voice.
        """
        count = -(-len(samples) // CHUNK)
        if count == 0:
            return np.zeros(0, np.float32)
        x = torch.from_numpy(np.ascontiguousarray(samples, np.float32))
        x = x * (_PEAK / x.abs().max().clamp(min=1e-5))
        x = F.pad(x, (_CONTEXT, count * CHUNK - len(samples)))
        with torch.inference_mode():
            return np.asarray(self._network(x.unfold(0, _CONTEXT + CHUNK, CHUNK)).numpy())

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
    spec = importlib.util.find_spec("silero_vad")  # finds it without importing it
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtraError("speech", "finding the voice in a recording")
    path = Path(next(iter(spec.submodule_search_locations))) / "data" / "silero_vad.jit"
    if not path.is_file():
        raise ModelError(f"there is no {path}: reinstall silero-vad, 6.0 or newer")
    return path
