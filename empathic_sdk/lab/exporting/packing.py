"""Compact ONNX files: matrices in int8 with a scale per row, as in checkpoints, the rest float16.

The graph computes the float32 values itself, once, when it is loaded. Parameters keep their names
and their shapes, so that :func:`parameters` gets back what training needs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

from empathic_sdk.errors import ModelError
from empathic_sdk.runtime.networks import CHECKPOINT, DESCRIPTION

_WHOLE, _SCALE, _HALF = ".int8", ".scale", ".float16"


def pack(model: onnx.ModelProto) -> None:
    """Store the float32 initialisers of a model's main graph compactly, in place.

    What was read from a checkpoint is stored without a further loss. Small values that float16
    does not hold exactly stay in float32.
    """
    graph, kept, made = model.graph, [], []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        name = tensor.name
        if values.dtype != np.float32:
            kept.append(tensor)
        elif values.ndim == 2 and values.size >= 4096:
            scale = np.abs(values).max(1, keepdims=True) / 127
            scale = np.maximum(scale, 6e-8).astype(np.float16)  # the smallest of float16 is 6e-8
            whole = np.clip(np.rint(values / scale.astype(np.float32)), -127, 127).astype(np.int8)
            kept += [
                numpy_helper.from_array(whole, name + _WHOLE),
                numpy_helper.from_array(scale, name + _SCALE),
            ]
            wide = [name + _WHOLE + ".wide", name + _SCALE + ".wide"]
            made += [
                helper.make_node("Cast", [name + _WHOLE], [wide[0]], to=TensorProto.FLOAT),
                helper.make_node("Cast", [name + _SCALE], [wide[1]], to=TensorProto.FLOAT),
                helper.make_node("Mul", wide, [name]),
            ]
        elif values.size >= 64 and (values.astype(np.float16).astype(np.float32) == values).all():
            kept.append(numpy_helper.from_array(values.astype(np.float16), name + _HALF))
            made.append(helper.make_node("Cast", [name + _HALF], [name], to=TensorProto.FLOAT))
        else:
            kept.append(tensor)
    nodes = [*made, *graph.node]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)


def write(
    model: onnx.ModelProto, path: Path, about: Mapping[str, Any], checkpoint: str = ""
) -> None:
    """Write a model with its description, in one atomic step.

    Args:
        model: The model.
        path: The file.
        about: JSON-able description.
        checkpoint: SHA-256 of the checkpoint that the weights are of, if the description does not
            say it.
    """
    del model.metadata_props[:]
    told = {DESCRIPTION: json.dumps(dict(about), sort_keys=True), CHECKPOINT: checkpoint}
    for key, value in told.items():
        if value:
            entry = model.metadata_props.add()
            entry.key, entry.value = key, value
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(model.SerializeToString())
    part.replace(path)


def parameters(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the parameters of a packed file by name, as float32, and its description.

    Raises:
        ModelError: The file is missing, damaged, or was not written by this package.
    """
    try:
        model = onnx.load(str(path))
    except OSError as error:
        raise ModelError(f"there are no weights at {path}; give a path") from error
    except Exception as error:  # a parser's errors share no base
        raise ModelError(f"the weights at {path} are damaged: {error}") from error
    about = {p.key: p.value for p in model.metadata_props}.get(DESCRIPTION)
    if about is None:
        raise ModelError(f"{path} is no network of this package: it has no description")
    stored = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    found: dict[str, NDArray[np.float32]] = {}
    for name, values in stored.items():
        if name.endswith(_WHOLE):
            name = name.removesuffix(_WHOLE)
            scale = stored[name + _SCALE].astype(np.float32)
            found[name] = values.astype(np.float32) * scale
        elif name.endswith(_HALF):
            found[name.removesuffix(_HALF)] = values.astype(np.float32)
        elif not name.endswith(_SCALE) and values.dtype == np.float32:
            found[name] = values
    for node in model.graph.node:  # equal parameters are stored once
        if node.op_type == "Identity" and node.input[0] in found:
            found[node.output[0]] = found[node.input[0]]
    return {k: torch.from_numpy(v.copy()) for k, v in found.items()}, json.loads(about)
