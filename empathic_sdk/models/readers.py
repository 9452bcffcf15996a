"""What the encoders of speech, faces and events compute of a checkpoint, as one module each.

``empathic export onnx`` writes these modules as ONNX files, which need no PyTorch to be read;
:class:`TorchNetwork` computes them in PyTorch, as a run does while it trains.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor, nn

from empathic_sdk.errors import ModelError
from empathic_sdk.models.behaviour import BehaviourBatch, BehaviourConfig, BehaviourNetwork
from empathic_sdk.models.face import FramePool
from empathic_sdk.models.face import build as build_face
from empathic_sdk.models.prosody import WIDTH
from empathic_sdk.models.speech import (
    MfccLstm,
    PedSpeech,
    PedSpeechConfig,
    SpeechClassifier,
    StatisticsClassifier,
)
from empathic_sdk.models.speech_features import Front
from empathic_sdk.runtime import checkpoints

Tensors = Mapping[str, Tensor]


class Reader(nn.Module):
    """A module that is called with arrays by name.

    Attributes:
        inputs: Names of what ``forward`` takes, in order.
        outputs: Names of what it gives.
        moving: Axes whose length varies, by input or output.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    moving: Mapping[str, Mapping[int, str]]

    def examples(self) -> dict[str, Tensor]:
        """Return inputs of the right kinds, for tracing."""
        raise NotImplementedError


class SpeechReader(Reader):
    """Standardisation, speech network, head and the second opinion of the statistics.

    Args:
        tensors: Of a checkpoint of ``empathic train speech``.
        about: Its description.
    """

    outputs = ("vector", "frames", "logits")

    def __init__(self, tensors: Tensors, about: Mapping[str, Any]) -> None:
        super().__init__()
        self.front, self.network = build_speech(about)
        self.front.load_state_dict(checkpoints.part(tensors, "front"))
        self.network.load_state_dict(checkpoints.part(tensors, "network"))
        head = about["head"]
        classes = {head: len(about["classes"][head])}
        self._name, self._share = head, float(about["share"])
        self.head = SpeechClassifier(width=self.network.width, classes=classes)
        heads = checkpoints.part(tensors, "heads")
        self.head.load_state_dict(
            {k: v for k, v in heads.items() if k.startswith(f"heads.{head}.")}
        )
        self.inputs = ("features", "mask")
        self.statistics: StatisticsClassifier | None = None
        if self._share < 1:
            self.inputs = (*self.inputs, "statistics")
            self.statistics = StatisticsClassifier(width=WIDTH, classes=classes[head])
            self.statistics.load_state_dict(checkpoints.part(tensors, "statistics"))
        moves = {0: "windows"}
        self.moving = {
            "features": {**moves, 1: "time"}, "mask": {**moves, 1: "time"}, "statistics": moves,
            "vector": moves, "frames": {**moves, 1: "strides"}, "logits": moves,
        }  # fmt: skip

    def forward(
        self, features: Tensor, mask: Tensor, statistics: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Read windows of voice.

        Args:
            features: ``[windows, time, width]``: log-mel spectra as :meth:`Front.raw` gives them,
                or cepstra standardised over their utterance.
            mask: bool ``[windows, time]``, ``True`` = real.
            statistics: ``[windows, 289]`` of the utterance, where the network has a use for them.

        Returns:
            Vectors ``[windows, width]``, frames ``[windows, time', width]``, logits ``[windows,
            classes]``. The logits of an utterance are the mean of those of its windows, each
            weighted by its length, as its vector is: both are linear.
        """
        if self.front.kind == "log-mel":
            features = self.front.normalised(features)
        out = self.network(features, mask)
        logits = self._share * self.head(out.vector, self._name)
        if self.statistics is not None and statistics is not None:
            logits = logits + (1 - self._share) * self.statistics(statistics)
        return out.vector, out.frames, logits

    def examples(self) -> dict[str, Tensor]:
        """Return two windows, one shorter than the other."""
        generator = torch.Generator().manual_seed(0)
        mask = torch.arange(50) < torch.tensor([[50], [37]])
        found = {"features": torch.randn(2, 50, self.front.width, generator=generator)}
        found |= {"mask": mask, "statistics": torch.randn(2, WIDTH, generator=generator)}
        return {name: found[name] for name in self.inputs}


class FaceReader(Reader):
    """Face network over crops and their mirror images, and attention over frames.

    Args:
        tensors: Of a checkpoint of ``empathic train face``.
        about: Its description.
    """

    inputs = ("faces", "frames")
    outputs = ("vectors", "logits", "weights")
    moving: Mapping[str, Mapping[int, str]] = {
        "faces": {0: "faces"}, "frames": {0: "frames"}, "vectors": {0: "faces"},
        "logits": {0: "faces"}, "weights": {0: "frames"},
    }  # fmt: skip

    def __init__(self, tensors: Tensors, about: Mapping[str, Any]) -> None:
        super().__init__()
        with torch.device("meta"):  # draws no random numbers
            self.net = build_face(about["face"])
            self.pool = FramePool(self.net.width)
        self.net.load_state_dict(checkpoints.part(tensors, "net"), assign=True)
        self.pool.load_state_dict(checkpoints.part(tensors, "pool"), assign=True)

    def forward(self, faces: Tensor, frames: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Read faces, and weigh the frames of one utterance; each part may have no rows.

        Args:
            faces: Crops ``[faces, 1, 48, 48]`` in [-1, 1].
            frames: Vectors of earlier calls, ``[frames, width]``.

        Returns:
            Vectors ``[faces, width]``, logits ``[faces, 7]``, and the shares of the frames
            ``[frames]``, which sum to 1.
        """
        vectors = (self.net(faces).vectors + self.net(faces.flip(3)).vectors) / 2
        return vectors, self.net.head(vectors), self._shares(frames)

    def _shares(self, frames: Tensor) -> Tensor:
        """Return ``FramePool.weights`` of frames that are all real, ``[frames]``.

        Written out: PyTorch's own layer cannot be traced for any number of frames.
        """
        layer: Any = self.pool.layer
        attention = layer.self_attn
        x = self.pool.into(self.pool.norm(frames))  # [frames, inner]
        parts = F.linear(layer.norm1(x), attention.in_proj_weight, attention.in_proj_bias)
        heads = parts.reshape(frames.shape[0], 3 * attention.num_heads, attention.head_dim)
        query, key, value = heads.transpose(0, 1).chunk(3)  # [heads, frames, head_dim] each
        scores = query @ key.transpose(1, 2) / math.sqrt(attention.head_dim)
        mixed = (torch.softmax(scores, -1) @ value).transpose(0, 1)
        x = x + attention.out_proj(mixed.reshape(frames.shape[0], attention.embed_dim))
        x = x + layer.linear2(F.relu(layer.linear1(layer.norm2(x))))
        return torch.softmax(self.pool.query(x).squeeze(-1), 0)

    def examples(self) -> dict[str, Tensor]:
        """Return two faces and three frames."""
        generator = torch.Generator().manual_seed(0)
        faces = torch.rand(2, 1, 48, 48, generator=generator) * 2 - 1
        return {"faces": faces, "frames": torch.randn(3, self.net.width, generator=generator)}


class BehaviourReader(Reader):
    """The network over interaction events.

    Args:
        tensors: Of a checkpoint of ``empathic train behaviour``.
        about: Its description.
    """

    inputs = BehaviourBatch._fields
    outputs = ("states", "vector", "logits")
    moving: Mapping[str, Mapping[int, str]] = {
        **{name: {0: "logs", 1: "events"} for name in (*BehaviourBatch._fields, "states")},
        "vector": {0: "logs"}, "logits": {0: "logs"},
    }  # fmt: skip

    def __init__(self, tensors: Tensors, about: Mapping[str, Any]) -> None:
        super().__init__()
        self.network = BehaviourNetwork(BehaviourConfig.from_dict(about["behaviour"]))
        self.network.load_state_dict(checkpoints.part(tensors, "behaviour"))

    def forward(
        self, kind: Tensor, interval: Tensor, value: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Read padded logs ``[logs, events]``, as :class:`BehaviourBatch` describes them.

        Returns:
            States ``[logs, events, width]``, vectors ``[logs, width]``, logits ``[logs, 7]``.
        """
        out = self.network(BehaviourBatch(kind, interval, value, mask))
        return out.states, out.vector, out.logits

    def examples(self) -> dict[str, Tensor]:
        """Return two logs, one shorter than the other."""
        generator = torch.Generator().manual_seed(0)
        return {
            "kind": torch.randint(self.network.config.kinds, (2, 9), generator=generator),
            "interval": torch.rand(2, 9, generator=generator) * 5,
            "value": torch.randn(2, 9, generator=generator),
            "mask": torch.arange(9) < torch.tensor([[9], [4]]),
        }


READERS: Mapping[str, Callable[[Tensors, Mapping[str, Any]], Reader]] = {
    "speech": SpeechReader,
    "face": FaceReader,
    "behaviour": BehaviourReader,
}
"""By kind of checkpoint."""


def read(kind: str, path: str | Path) -> tuple[Reader, dict[str, Any]]:
    """Read a checkpoint as the module of its kind, in evaluation mode, and its description.

    Raises:
        ModelError: The file is missing, damaged, or holds something else.
    """
    tensors, about = checkpoints.load(path)
    try:
        reader = READERS[kind](tensors, about)
    except (AttributeError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(f"{path} holds no {kind} network that fits: {error}") from error
    return reader.eval(), about


class TorchNetwork:
    """A checkpoint computed by PyTorch, called as :class:`~empathic_sdk.runtime.networks.Network`.

    Args:
        kind: ``speech``, ``face`` or ``behaviour``.
        path: A checkpoint (``.safetensors``).

    Attributes:
        path: The file.
        about: Its description.
        inputs: Names of what it takes.
        outputs: Names of what it gives.

    Raises:
        ModelError: The file is missing, damaged, or holds something else.
    """

    def __init__(self, kind: str, path: str | Path) -> None:
        self.path = Path(path)
        self._reader, self.about = read(kind, self.path)
        self.inputs, self.outputs = self._reader.inputs, self._reader.outputs

    def __call__(self, **given: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Compute the outputs, by name, from the inputs, by name."""
        tensors = [torch.from_numpy(np.ascontiguousarray(given[name])) for name in self.inputs]
        with torch.inference_mode():
            found = self._reader(*tensors)
        return {n: f.numpy() for n, f in zip(self.outputs, found, strict=True)}


def build_speech(about: Mapping[str, Any]) -> tuple[Front, PedSpeech | MfccLstm]:
    """Build the untrained feature extractor and network that a checkpoint describes."""
    front = Front(**about["front"])
    if about["kind"] == "lstm":
        return front, MfccLstm()
    sizes = dict(about["network"])
    return front, PedSpeech(PedSpeechConfig(**{**sizes, "channels": tuple(sizes["channels"])}))
