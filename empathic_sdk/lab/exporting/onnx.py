"""From a PyTorch module to an ONNX file with its description, in float32 or int8."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.onnx import TrainingMode

from empathic_sdk.errors import MissingExtraError
from empathic_sdk.lab.exporting.exact import pack_exactly


def export(
    module: nn.Module,
    path: str | Path,
    *,
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str],
    moving: Mapping[str, Mapping[int, str]],
    about: Mapping[str, Any],
    int8: bool = False,
    keep: Sequence[str] = (),
    exact: bool = False,
    checkpoint: str = "",
) -> None:
    """Write ``module`` as one ONNX file.

    Args:
        module: In evaluation mode; called with ``inputs`` as positional arguments, in order; gives
            a tensor or a tuple of them.
        path: The file.
        inputs: Examples by name.
        outputs: Names of what it gives.
        moving: Axes whose length varies, with their names, by input or output.
        about: JSON-able description.
        int8: Quantise the weights of matrix products, a scale a channel (activations are quantised
            as they come).
        keep: Names of nodes that stay in float32.
        exact: Store the weights as small as a checkpoint does, without changing a number; not
            with ``int8``.
        checkpoint: SHA-256 of the checkpoint that the weights are of.

    Raises:
        MissingExtraError: The packages for exporting are not installed.
    """
    try:
        import onnx
        from onnxruntime.quantization import QuantType, quantize_dynamic

        from empathic_sdk.lab.exporting.packing import write
    except ImportError as error:
        raise MissingExtraError("train", "exporting a network") from error
    path = Path(path)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # The tracer doubts sizes that do not vary; tests hold what it writes to the module.
        warnings.simplefilter("ignore")
        raw, small = Path(folder) / "raw.onnx", Path(folder) / "small.onnx"
        torch.onnx.export(
            module, tuple(inputs.values()), str(raw), dynamo=False, opset_version=17,
            input_names=list(inputs), output_names=list(outputs),
            dynamic_axes={k: dict(v) for k, v in moving.items()}, do_constant_folding=True,
            # Otherwise batch norms are folded into weights, which are then no longer small.
            training=TrainingMode.PRESERVE if exact else TrainingMode.EVAL,
        )  # fmt: skip
        if int8:
            quantize_dynamic(
                str(raw), str(small), per_channel=True, weight_type=QuantType.QInt8,
                op_types_to_quantize=["MatMul", "Gather"], nodes_to_exclude=list(keep),
            )  # fmt: skip
        model = onnx.load(str(small if int8 else raw))
    if exact and not int8:
        pack_exactly(model)
    write(model, path, about, checkpoint)
