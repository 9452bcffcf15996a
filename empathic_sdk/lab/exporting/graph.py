"""Building an ONNX graph node by node, for networks whose traced form would be slow to load."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

Shape = list[Any]
OPSET = 20
# Since ONNX 1.15; ONNX Runtime has read it since 1.17.
_IR_VERSION = 9
_KINDS = {
    "float": TensorProto.FLOAT, "int": TensorProto.INT64, "bool": TensorProto.BOOL,
}  # fmt: skip


class Graph:
    """A graph under construction; values are known by their names.

    Args:
        parameters: Parameters by name, of which those that are used become initialisers.
        outer: The graph that this one is a branch or a body of.
    """

    def __init__(self, parameters: Mapping[str, Tensor], outer: Graph | None = None) -> None:
        self.parameters = parameters
        self.root: Graph = self if outer is None else outer.root
        self.nodes: list[onnx.NodeProto] = []
        self._numbers: Iterator[int] = count() if outer is None else self.root._numbers
        self._initializers: dict[str, onnx.TensorProto] = {}
        self._fixed: dict[object, str] = {}

    def __contains__(self, name: str) -> bool:
        """Whether there is a parameter of this name."""
        return name in self.parameters

    def add(self, op: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output; return that output's name."""
        return self.several(1, op, *inputs, **attributes)[0]

    def several(self, n: int, op: str, *inputs: str, **attributes: Any) -> list[str]:
        """Add a node with ``n`` outputs; return their names."""
        out = [f"{op}.{next(self._numbers)}" for _ in range(n)]
        self.nodes.append(helper.make_node(op, list(inputs), out, **attributes))
        return out

    def parameter(self, name: str) -> str:
        """Return the name under which a parameter is an initialiser."""
        root = self.root
        if name not in root._initializers:
            values = self.parameters[name].detach().float().numpy()
            root._initializers[name] = numpy_helper.from_array(np.ascontiguousarray(values), name)
        return name

    def constant(self, value: NDArray[Any] | Sequence[int] | float) -> str:
        """Return the name of a constant: int64 for integers, float32 for floats."""
        array = np.asarray(value)
        array = array.astype(np.float32 if array.dtype.kind == "f" else np.int64)
        root, key = self.root, (str(array.dtype), array.shape, array.tobytes())
        if key not in root._fixed:
            name = root._fixed[key] = f"constant.{next(self._numbers)}"
            root._initializers[name] = numpy_helper.from_array(array, name)
        return root._fixed[key]

    def stacked(self, names: Sequence[str], shape: Sequence[int], *, turned: bool = False) -> str:
        """Return parameters one below the other in a new shape, the last two axes swapped.

        Computed once, when the file is loaded.
        """
        root, key = self.root, (tuple(names), tuple(shape), turned)
        if key not in root._fixed:
            found = [self.parameter(n) for n in names]
            value = found[0] if len(found) == 1 else root.add("Concat", *found, axis=0)
            if list(self.parameters[names[0]].shape) != list(shape):
                value = root.add("Reshape", value, root.constant(list(shape)))
            if turned:
                axes = list(range(len(shape)))
                value = root.add("Transpose", value, perm=[*axes[:-2], axes[-1], axes[-2]])
            root._fixed[key] = value
        return root._fixed[key]

    def linear(self, x: str, name: str) -> str:
        """Return ``x @ weight.T + bias`` of a linear layer, for ``x`` ``[..., inputs]``."""
        shape = list(self.parameters[f"{name}.weight"].shape)
        out = self.add("MatMul", x, self.stacked([f"{name}.weight"], shape, turned=True))
        return (
            self.add("Add", out, self.parameter(f"{name}.bias")) if f"{name}.bias" in self else out
        )

    def norm(self, x: str, names: Sequence[str]) -> str:
        """Return layer norms of ``x`` ``[groups, ..., d]``, one for each group.

        With one group, ``x`` has any shape ``[..., d]``.
        """
        weights, biases = [f"{n}.weight" for n in names], [f"{n}.bias" for n in names]
        if len(names) == 1:
            return self.add(
                "LayerNormalization", x, self.parameter(weights[0]), self.parameter(biases[0]),
                axis=-1, epsilon=1e-5,
            )  # fmt: skip
        d = len(self.parameters[weights[0]])
        shape = [len(names), 1, d]
        plain = self.add(
            "LayerNormalization", x, self.constant(np.ones(d, np.float32)), axis=-1, epsilon=1e-5
        )
        scaled = self.add("Mul", plain, self.stacked(weights, shape))
        return self.add("Add", scaled, self.stacked(biases, shape))

    def gate(self, x: str, name: str) -> str:
        """Return the sigmoid of a linear layer."""
        return self.add("Sigmoid", self.linear(x, name))

    def size(self, x: str, axis: int) -> str:
        """Return the length of an axis, int64 ``[1]``."""
        return self.add("Gather", self.add("Shape", x), self.constant([axis]))

    def sizes(self, *lengths: int | str) -> str:
        """Return a shape of constants and of computed lengths (:meth:`size`)."""
        parts = [self.constant([x]) if isinstance(x, int) else x for x in lengths]
        return self.add("Concat", *parts, axis=0)

    def cut(self, x: str, axis: int, start: int, end: int | None = None) -> str:
        """Return ``x[start:end]`` along an axis."""
        end = np.iinfo(np.int64).max if end is None else end
        return self.add(
            "Slice", x, self.constant([start]), self.constant([end]), self.constant([axis])
        )

    def first(self, x: str, axis: int) -> str:
        """Return ``x[0]`` along an axis."""
        return self.add("Gather", x, self.constant(0), axis=axis)

    def unsqueeze(self, x: str, *axes: int) -> str:
        """Return ``x`` with further axes of length 1."""
        return self.add("Unsqueeze", x, self.constant(list(axes)))

    def number(self, x: str) -> str:
        """Return a bool as float32."""
        return self.add("Cast", x, to=TensorProto.FLOAT)

    def body(
        self,
        name: str,
        inputs: Mapping[str, tuple[str, Shape]],
        outputs: Sequence[tuple[str, Shape]],
    ) -> onnx.GraphProto:
        """Return what was built as a branch or a body with float32 outputs.

        Args:
            name: Its name.
            inputs: Kind (``float``, ``int``, ``bool``) and shape of each input, by name.
            outputs: Each output and its shape. A name in a shape is a free length.
        """
        return helper.make_graph(
            self.nodes, name,
            [helper.make_tensor_value_info(n, _KINDS[k], s) for n, (k, s) in inputs.items()],
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in outputs],
        )  # fmt: skip

    def model(
        self,
        inputs: Mapping[str, tuple[str, Shape]],
        outputs: Mapping[str, tuple[str, str, Shape]],
    ) -> onnx.ModelProto:
        """Return a model.

        Args:
            inputs: Kind and shape of each input, by name, as for :meth:`body`.
            outputs: The value that each output gives, its kind and its shape, by name.
        """
        for name, (value, _, _) in outputs.items():
            self.nodes.append(helper.make_node("Identity", [value], [name]))
        graph = helper.make_graph(
            self.nodes, "network",
            [helper.make_tensor_value_info(n, _KINDS[k], s) for n, (k, s) in inputs.items()],
            [helper.make_tensor_value_info(n, _KINDS[k], s) for n, (_, k, s) in outputs.items()],
            list(self._initializers.values()),
        )  # fmt: skip
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=_IR_VERSION
        )


def parameters_of(module: torch.nn.Module) -> dict[str, Tensor]:
    """Return a module's parameters and buffers by name."""
    return dict(module.state_dict())
