"""Exports the text encoder and the risk model: everything but the word vectors."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from empathic_sdk.encoders.trunk import WORDS
from empathic_sdk.lab.exporting.onnx import export
from empathic_sdk.models.minilm import MiniLM, load_minilm
from empathic_sdk.models.risk import RiskNetwork, load_risk
from empathic_sdk.runtime import checkpoints


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


_MOVING = {"words": {0: "batch", 1: "time"}, "mask": {0: "batch", 1: "time"}}


def export_text(checkpoint: Path, out: Path, int8: bool = False) -> None:
    """Export a text checkpoint: its network as ``out``, word vectors and heads beside it.

    Raises:
        ModelError: The checkpoint is missing, damaged or of another kind.
        MissingExtraError: The packages for exporting are not installed.
    """
    network = load_minilm(checkpoint)
    about = checkpoints.about(checkpoint)
    export(
        _Text(network), out, inputs=_examples(network.config.width), outputs=["pooled"],
        moving={**_MOVING, "pooled": {0: "batch"}}, about=about, int8=int8, exact=not int8,
        checkpoint=checkpoints.fingerprint(checkpoint),
    )  # fmt: skip
    beside = out.with_suffix(".safetensors")
    if beside.resolve() != checkpoint.resolve():
        checkpoints.copy(checkpoint, beside, (WORDS, "heads."))


def export_risk(checkpoint: Path, out: Path, int8: bool = False) -> None:
    """Export a risk checkpoint; it reads the word vectors of the text encoder that ships.

    Raises:
        ModelError: The checkpoint is missing, damaged or of another kind.
        MissingExtraError: The packages for exporting are not installed.
    """
    network = load_risk(checkpoint)
    width = network.body.config.width
    first = network.head[1]
    assert isinstance(first, nn.Linear)
    marks = first.in_features - 3 * width
    inputs = {
        **_examples(width), "roles": torch.zeros(2, 7, dtype=torch.long),
        "marks": torch.zeros(2, marks),
    }  # fmt: skip
    about = checkpoints.about(checkpoint)
    export(
        _Risk(network), out, inputs=inputs, outputs=["logits", "features"],
        moving={
            **_MOVING, "roles": {0: "batch", 1: "time"}, "marks": {0: "batch"},
            "logits": {0: "batch"}, "features": {0: "batch"},
        },
        about=about, int8=int8, exact=not int8,
        checkpoint=checkpoints.fingerprint(checkpoint),
    )  # fmt: skip
