"""The support planner's network as an ONNX graph."""

from __future__ import annotations

from pathlib import Path

import onnx
import torch

from empathic_sdk.dialogue.planner import STRATEGIES, Planner, length
from empathic_sdk.lab.exporting.graph import Graph
from empathic_sdk.lab.exporting.packing import pack, write
from empathic_sdk.runtime import checkpoints


def export_planner(checkpoint: str | Path, path: str | Path) -> None:
    """Write the checkpoint of ``empathic train strategy`` as ``strategy.onnx``.

    Args:
        checkpoint: ``strategy.safetensors``.
        path: The file, which ``Planner`` reads.

    Raises:
        ModelError: The checkpoint is missing, damaged, or not a planner.
    """
    width = Planner(checkpoint).width
    arrays, about = checkpoints.arrays(checkpoint)
    g = Graph({name: torch.from_numpy(array) for name, array in arrays.items()})
    x = g.add("Mul", g.add("Sub", "features", g.parameter("mean")), g.parameter("scale"))
    if "up.weight" in g:
        x = g.add("Relu", g.linear(x, "up"))
    model = g.model(
        {"features": ("float", ["n", length(width)])},
        {"logits": (g.linear(x, "out"), "float", ["n", len(STRATEGIES)])},
    )
    pack(model)
    onnx.checker.check_model(model)
    write(model, Path(path), {**about, checkpoints.FINGERPRINT: checkpoints.sha256(checkpoint)})
