"""Stores the weights of an ONNX model in the smallest form that gives back the very same numbers.

Checkpoints hold matrices as int8 with a float16 scale per row and everything else as float16; an
exporter writes both as float32, at four and two times the size. Here they go back to what they
were, in front of a cast (and a product with the scale) that ONNX Runtime computes once, on loading.
A weight that neither form gives back exactly stays as it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_LEAST = 256
"""Numbers below which a weight is not worth two more nodes."""


def pack_exactly(model: Any) -> None:
    """Pack the float32 weights of an ONNX model, in place."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    graph = model.graph
    nodes, kept = [], []
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < _LEAST:
            kept.append(tensor)
            continue
        values, name = numpy_helper.to_array(tensor), tensor.name
        rows = _rows(values)
        if rows is not None:
            small, scale = rows
            kept += [
                numpy_helper.from_array(small, f"{name}.int8"),
                numpy_helper.from_array(scale, f"{name}.scale"),
            ]
            nodes += [
                _cast(f"{name}.int8", f"{name}.whole"),
                _cast(f"{name}.scale", f"{name}.float"),
                helper.make_node("Mul", [f"{name}.whole", f"{name}.float"], [name]),
            ]
        elif np.array_equal(values.astype(np.float16).astype(np.float32), values):
            kept.append(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
            nodes.append(_cast(f"{name}.half", name))
        else:
            kept.append(tensor)
    del graph.initializer[:]
    graph.initializer.extend(kept)
    for k, node in enumerate(nodes):
        graph.node.insert(k, node)
    onnx.checker.check_model(model)


def _rows(values: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float16]] | None:
    """Return int8 numbers and a float16 scale per row or column, if they give back ``values``."""
    if values.ndim < 2:
        return None
    for axis in (-1, -2):
        largest = np.abs(values).max(axis, keepdims=True)
        scale = (largest / 127).astype(np.float16)
        if not (scale > 0).all() or not np.isfinite(scale).all():
            continue
        small = np.round(values / scale.astype(np.float32))
        if np.array_equal(small * scale.astype(np.float32), values):
            return small.astype(np.int8), scale
    return None


def _cast(given: str, found: str) -> Any:
    from onnx import TensorProto, helper

    return helper.make_node("Cast", [given], [found], to=TensorProto.FLOAT)
