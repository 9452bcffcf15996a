"""What the dialogue model does to each modality by itself, as part of its ONNX graph (eq 1-5).

Shapes in comments: ``w`` ways, ``n`` utterances of the piece, ``M`` modalities, ``d`` width.
"""

from __future__ import annotations

import numpy as np

from empathic_sdk.lab.exporting.graph import Graph
from empathic_sdk.models.mdget import MDGETConfig


class Unimodal:
    """Writes the projection, each speaker's own past and the unimodal encoder into a graph.

    Args:
        g: The graph; its inputs have the names of ``models/mdget/step.py``.
        config: Of the network.
        ways: Number of ways, int64 ``[1]``.
        n: Number of utterances, int64 ``[1]``.
    """

    def __init__(self, g: Graph, config: MDGETConfig, ways: str, n: str) -> None:
        self.g, self.c, self.ways, self.n = g, config, ways, n
        self.m, self.d = len(config.inputs), config.width

    def _spread(self, x: str, *shape: int) -> str:
        """Return ``[M, ...]`` as ``[M * w, ...]``, the same for each way."""
        g = self.g
        wide = g.add("Expand", g.unsqueeze(x, 1), g.sizes(self.m, self.ways, *shape))
        return g.add("Reshape", wide, g.constant([-1, *shape]))

    def write(self) -> tuple[str, str, str]:
        """Return the encoded modalities ``[M, w*n, d]``, and the new recurrent states."""
        g, c, m, d = self.g, self.c, self.m, self.d
        rows = [
            g.norm(g.linear(f"features.{k}", f"project.{k}"), [f"norm_in.{k}"]) for k in c.inputs
        ]
        x = g.add("Concat", *rows, axis=1) if m > 1 else rows[0]
        x = g.add("Reshape", x, g.constant([0, m, 1, d]))  # (n, M, 1, d)
        if c.speakers:
            slot = g.add("Clip", "speaker", g.constant(0), g.constant(c.speakers - 1))
            extra = g.add("Gather", g.parameter("speaker.weight"), slot)
            x = g.add("Add", x, g.unsqueeze(extra, 1, 2))
        by_time = g.number(g.add("Transpose", "present", perm=[2, 1, 0]))  # (n, M, w)
        x = g.add("Mul", x, g.unsqueeze(by_time, 3))
        x = g.add("Reshape", x, g.constant([0, -1, d]))  # (n, M*w, d)
        here = g.add("Reshape", by_time, g.constant([0, -1, 1]))
        own = "own"
        if c.speakers and c.own_past:
            said, own = self._own_past(x, slot)
            x = g.add("Mul", g.add("Add", x, said), here)
        last = []
        for k in range(c.gue_layers if c.gue else 0):
            x, hidden = self._gue(x, k)
            x = g.add("Mul", x, here)
            hidden = g.add("Reshape", hidden, g.sizes(1, m, self.ways, d))
            last.append(g.first(hidden, 2))
        gue = g.add("Concat", *last, axis=0) if last else "gue"
        x = g.add("Reshape", x, g.sizes(self.n, m, self.ways, d))
        x = g.add("Transpose", x, perm=[1, 2, 0, 3])
        return g.add("Reshape", x, g.constant([m, -1, d])), own, gue

    def _own_past(self, x: str, slot: str) -> tuple[str, str]:
        """Return the recurrence over each speaker's own utterances, and its new state."""
        g, m, d, slots = self.g, self.m, self.d, self.c.speakers
        given = g.add(
            "MatMul", x, g.stacked(["own_past.gru.weight_ih_l0"], [3 * d, d], turned=True)
        )
        given = g.add("Add", given, g.parameter("own_past.gru.bias_ih_l0"))
        weight = g.stacked(["own_past.gru.weight_hh_l0"], [3 * d, d], turned=True)
        bias = g.parameter("own_past.gru.bias_hh_l0")
        every = g.constant(np.arange(slots)[None])
        spoke = g.unsqueeze(g.add("Equal", g.unsqueeze(slot, 1), every), 2)  # (n, slots, 1)
        b = Graph(g.parameters, g)
        old, now, at, is_here = (f"own_past.{k}" for k in ("old", "now", "slot", "here"))
        before = b.add("Gather", old, at, axis=1)  # (M*w, d)
        r_h, z_h, n_h = b.several(
            3, "Split", b.add("Add", b.add("MatMul", before, weight), bias), axis=1, num_outputs=3
        )
        r, z, new = b.several(3, "Split", now, axis=1, num_outputs=3)
        reset, update = (b.add("Sigmoid", b.add("Add", u, v)) for u, v in ((r, r_h), (z, z_h)))
        new = b.add("Tanh", b.add("Add", new, b.add("Mul", reset, n_h)))
        state = b.add("Add", new, b.add("Mul", update, b.add("Sub", before, new)))
        after = b.add("Where", is_here, b.unsqueeze(state, 1), old)
        body = b.body(
            "own_past",
            {
                old: ("float", ["r", slots, d]), now: ("float", ["r", 3 * d]), at: ("int", []),
                is_here: ("bool", [slots, 1]),
            },
            [(after, ["r", slots, d]), (state, ["r", d])],
        )  # fmt: skip
        hidden, said = g.several(
            2, "Scan", self._spread("own", slots, d), given, slot, spoke, body=body,
            num_scan_inputs=3,
        )  # fmt: skip
        hidden = g.add("Reshape", hidden, g.sizes(m, self.ways, slots, d))
        return said, g.first(hidden, 1)

    def _gue(self, x: str, k: int) -> tuple[str, str]:
        """Return one layer's output ``[n, M*w, d]`` and its new state ``[1, M*w, d]`` (eq 1-5)."""
        g, d, name = self.g, self.d, f"gue.{k}"
        before = g.unsqueeze(self._spread(g.first(g.cut("gue", 0, k, k + 1), 0), d), 0)
        out, hidden = g.several(
            2, "GRU", x, *(self._gru(f"{name}.gru", part) for part in ("ih", "hh")),
            self._gru_bias(f"{name}.gru"), "", before, hidden_size=d, linear_before_reset=1,
        )  # fmt: skip
        said = g.add("Squeeze", out, g.constant([1]))
        if f"{name}.gate_1.weight" not in g:
            first = g.norm(g.add("Add", x, said), [f"{name}.norm_1"])
            both = g.add("Add", g.add("Add", x, first), self._feedforward(g, first, name))
            return g.norm(both, [f"{name}.norm_2"]), hidden
        g1 = g.gate(g.add("Concat", x, said, axis=-1), f"{name}.gate_1")
        first = g.norm(self._between(g1, x, said), [f"{name}.norm_1"])
        forward = self._feedforward(g, first, name)
        g2 = g.gate(g.add("Concat", x, first, forward, axis=-1), f"{name}.gate_2")
        both = self._between(g2, x, g.add("Add", first, forward))
        return g.norm(both, [f"{name}.norm_2"]), hidden

    def _between(self, gate: str, x: str, other: str) -> str:
        """Return ``gate * x + (1 - gate) * other``."""
        g = self.g
        return g.add("Add", other, g.add("Mul", gate, g.add("Sub", x, other)))

    def _gru(self, name: str, part: str) -> str:
        """Return a recurrence's weights in the order of ONNX: update, reset, new."""
        g = self.g
        return g.unsqueeze(self._ordered(f"{name}.weight_{part}_l0"), 0)

    def _gru_bias(self, name: str) -> str:
        g = self.g
        both = [self._ordered(f"{name}.bias_{part}_l0") for part in ("ih", "hh")]
        return g.unsqueeze(g.add("Concat", *both, axis=0), 0)

    def _ordered(self, name: str) -> str:
        g = self.g
        reset, update, new = g.several(3, "Split", g.parameter(name), axis=0, num_outputs=3)
        return g.add("Concat", update, reset, new, axis=0)

    def _feedforward(self, g: Graph, x: str, name: str) -> str:
        inner = g.add("Gelu", g.linear(x, f"{name}.feedforward.net.0"))
        return g.linear(inner, f"{name}.feedforward.net.3")
