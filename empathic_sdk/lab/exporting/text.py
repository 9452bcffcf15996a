"""Exports the text encoder and the risk model: everything but the word vectors."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from empathic_sdk.lab.exporting.onnx import export
from empathic_sdk.models.minilm import MiniLM, load_minilm
from empathic_sdk.models.risk import RiskNetwork, load_risk
from empathic_sdk.runtime import checkpoints
from empathic_sdk.runtime.networks import SUFFIX
from empathic_sdk.runtime.resources import weights_dir


class _Text(nn.Module):
    def __init__(self, network: MiniLM) -> None:
        super().__init__()
        self.network = network

    def forward(self, words: Tensor, mask: Tensor) -> Tensor:
        """Return the vector of each text."""
        return self.network.from_words(words, mask).pooled


class _Risk(nn.Module):
    def __init__(self, network: RiskNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, words: Tensor, mask: Tensor, roles: Tensor, marks: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return logits and features."""
        features = self.network.features_of(words, mask, roles)
        return self.network.head(torch.cat([features, marks], -1)), features


def _examples(width: int) -> dict[str, Tensor]:
    mask = torch.ones(2, 7, dtype=torch.bool)
    mask[1, 4:] = False
    return {"words": torch.randn(2, 7, width), "mask": mask}


# In eight bits the second product of the feed-forward part alone costs as much as all others
# together: some of its inputs are far larger than the rest.
_FINE = tuple(f"/layers.{k}/down/MatMul" for k in range(32))
_MOVING = {"words": {0: "batch", 1: "time"}, "mask": {0: "batch", 1: "time"}}


def export_text(checkpoint: Path, out: Path | None = None, *, int8: bool = True) -> Path:
    """Write the network of a text checkpoint as ONNX, beside it by default."""
    network = load_minilm(checkpoint)
    out = out or checkpoint.with_suffix(SUFFIX)
    about = {"kind": "text", "checkpoint_sha256": checkpoints.sha256(checkpoint)}
    export(
        _Text(network), out, inputs=_examples(network.config.width), outputs=["pooled"],
        moving={**_MOVING, "pooled": {0: "batch"}}, about=about, int8=int8, keep=_FINE,
    )  # fmt: skip
    return out


def export_risk(
    checkpoint: Path, out: Path | None = None, *, text: Path | None = None, int8: bool = True
) -> Path:
    """Write the network of a risk checkpoint as ONNX, beside it by default.

    Args:
        checkpoint: The checkpoint.
        out: The file.
        text: The text checkpoint whose word vectors it shares; default: the one that ships.
        int8: Quantise it.
    """
    text = text or weights_dir() / "text.safetensors"
    network = load_risk(checkpoint, checkpoints.load(text)[0]["encoder.word.weight"])
    out = out or checkpoint.with_suffix(SUFFIX)
    marks = network.head[1].in_features - 3 * network.body.config.width
    inputs = {
        **_examples(network.body.config.width),
        "roles": torch.zeros(2, 7, dtype=torch.long), "marks": torch.zeros(2, marks),
    }  # fmt: skip
    about = {"kind": "risk", "checkpoint_sha256": checkpoints.sha256(checkpoint)}
    export(
        _Risk(network), out, inputs=inputs, outputs=["logits", "features"],
        moving={
            **_MOVING, "roles": {0: "batch", 1: "time"}, "marks": {0: "batch"},
            "logits": {0: "batch"}, "features": {0: "batch"},
        },
        about=about, int8=int8,
    )  # fmt: skip
    return out
