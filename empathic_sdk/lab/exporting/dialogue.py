"""The dialogue model's step as one ONNX graph (what it computes: ``models/mdget/step.py``).

Written node by node: traced, it had ten times as many nodes, most of them about shapes. All
modalities are computed together where they can be, and what is exactly zero while no modality but
the first is present is left out by a branch: nothing of the others reaches the result then (eq 12
counts only where another is present, keys of absent ones are masked), only their recurrences go
on. Rows of their caches hold zeros there, and are never read.

Shapes in comments: ``w`` ways, ``n`` utterances of the piece, ``p`` before it, ``M`` modalities,
``S = M - 1``, ``G`` attentions computed together, ``d`` width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from empathic_sdk.errors import ModelError
from empathic_sdk.lab.exporting.graph import Graph, parameters_of
from empathic_sdk.lab.exporting.packing import pack, write
from empathic_sdk.lab.exporting.unimodal import Unimodal
from empathic_sdk.lab.training.dialogue_fit import load_checkpoint
from empathic_sdk.models.mdget import MDGET, MDGETConfig
from empathic_sdk.models.mdget.step import STATE, about_step, shapes
from empathic_sdk.runtime.checkpoints import FINGERPRINT, sha256

_MASKED = -1e9  # added to a score: its softmax is exactly zero beside any that is not masked


def export_dialogue(network: MDGET, path: str | Path, about: Mapping[str, Any]) -> None:
    """Write a causal network as ``dialogue.onnx``, which ``EmotionRecognizer`` reads.

    Args:
        network: The network; without timing.
        path: The file.
        about: Description of its checkpoint: name, configuration, calibration, encoders.

    Raises:
        ValueError: The network reads the future, or the timing of utterances.
    """
    if not network.config.causal or network.config.timing:
        raise ValueError("only a causal network without timing can be computed step by step")
    model = _Writer(network).model()
    pack(model)
    onnx.checker.check_model(model)
    write(model, Path(path), {**about, "step": about_step(network.config)})


def export_checkpoint(checkpoint: str | Path, path: str | Path) -> None:
    """Write the checkpoint of a training as ``dialogue.onnx``.

    Args:
        checkpoint: ``dialogue.safetensors`` of ``empathic train fusion``, ``joint`` or ``mdget``.
        path: The file.

    Raises:
        ModelError: The checkpoint holds something else, or a network that a session cannot use.
    """
    network, about = load_checkpoint(Path(checkpoint))
    try:
        export_dialogue(network, path, {**about, FINGERPRINT: sha256(checkpoint)})
    except ValueError as error:
        raise ModelError(f"{checkpoint} cannot be exported: {error}") from error


class _Writer:
    """Writes the graph of one network."""

    def __init__(self, network: MDGET) -> None:
        self.c: MDGETConfig = network.config
        self.g = Graph(parameters_of(network))
        self.hub, *self.spokes = self.c.modalities
        self.m, self.d = len(self.c.inputs), self.c.width
        g, m = self.g, self.m
        self.ways, self.n = g.size("present", 0), g.size("present", 2)
        by_modality = g.add("Transpose", "present", perm=[1, 0, 2])  # (M, w, n)
        self.here = g.number(g.add("Reshape", by_modality, g.constant([m, -1, 1])))  # (M, w*n, 1)

    def model(self) -> onnx.ModelProto:
        g, m, d, c = self.g, self.m, self.d, self.c
        x, own, gue = Unimodal(g, c, self.ways, self.n).write()
        every, speakers = self._masks()
        if not self.spokes:
            logits, vectors, rows = self._hub_alone(g, x)
        else:
            spokes = g.cut("present", 1, 1)
            some = g.add("ReduceMax", g.number(spokes), keepdims=0)
            branches = {}
            for name, write_it in (("then_branch", self._all), ("else_branch", self._hub_alone)):
                branch = Graph(g.parameters, g)
                sizes = [["w", "n", c.classes], ["n", d], [shapes(c)["cache"][0], 2, "n", d]]
                found = zip(write_it(branch, x), sizes, strict=True)
                branches[name] = branch.body(name, {}, list(found))
            logits, vectors, rows = g.several(
                3, "If", g.add("Greater", some, g.constant(0.0)), **branches
            )
        past = -(c.window - 1)
        new = {
            "own": own, "gue": gue, "past.present": g.cut(every, 1, past),
            "past.speaker": g.cut(speakers, 0, past),
            "cache": g.cut(g.add("Concat", "cache", rows, axis=2), 2, past),
        }  # fmt: skip
        kinds = {"past.present": "bool", "past.speaker": "int"}
        state, after = (
            {
                name: (kinds.get(name, "float"), [length if s < 0 else s for s in shape])
                for name, shape in shapes(c).items()
            }
            for length in ("p", "p_after")
        )
        return g.model(
            {
                **{f"features.{k}": ("float", ["n", w]) for k, w in c.inputs.items()},
                "present": ("bool", ["ways", m, "n"]), "speaker": ("int", ["n"]),
                "weights": ("float", [m]), **state, "others": ("float", ["q", d]),
            },
            {
                "logits": (logits, "float", ["ways", "n", c.classes]),
                "vectors": (vectors, "float", ["n", d]),
                "pairs": (self._pairs(vectors), "float", ["n", "compared", 2]),
                **{f"new.{k}": (new[k], *after[k]) for k in STATE},
            },
        )  # fmt: skip

    def _masks(self) -> tuple[str, str]:
        """Prepare what attention needs; return presence ``[M, p+n]`` and speakers ``[p+n]``."""
        g, m = self.g, self.m
        every = g.add("Concat", "past.present", g.first("present", 0), axis=1)
        speakers = g.add("Concat", "past.speaker", "speaker", axis=0)
        self.length = g.size(speakers, 0)
        past = g.add("Expand", g.unsqueeze("past.present", 1), g.sizes(1, self.ways, 1))
        keys = g.add(
            "Concat", past, g.add("Transpose", "present", perm=[1, 0, 2]), axis=2
        )  # (M, w, p+n)
        at = g.add("Range", g.constant(0), g.add("Squeeze", self.length), g.constant(1))  # (p+n)
        now = g.add("Slice", at, g.add("Neg", self.n), g.constant([np.iinfo(np.int64).max]))
        behind = g.add("Sub", g.unsqueeze(now, 1), at)  # (n, p+n)
        inside = g.add(
            "And", g.add("GreaterOrEqual", behind, g.constant(0)),
            g.add("Less", behind, g.constant(self.c.window)),
        )  # fmt: skip
        # (M, w, 1, n, p+n)
        allowed = g.number(g.add("And", g.unsqueeze(keys, 2, 3), inside))
        self.bias = g.add("Mul", g.add("Sub", allowed, g.constant(1.0)), g.constant(-_MASKED))
        some = g.add("ReduceMax", allowed, g.constant([4]), keepdims=0)  # (M, w, 1, n)
        self.some_key = g.add("Reshape", some, g.constant([m, -1, 1]))  # (M, w*n, 1)
        if self.c.speakers:
            self.same = g.number(g.add("Equal", g.unsqueeze("speaker", 1), speakers))
        return every, speakers

    def _attention(
        self, g: Graph, x: str, source: str, names: Sequence[str], rows: range, keys: range
    ) -> tuple[str, str]:
        """Return several attentions ``[G, w*n, d]``, and the first way's keys and values.

        Args:
            g: Where to write.
            x: Queries ``[G or 1, w*n, d]``.
            source: ``[G or 1, w*n, d]`` of the same utterances.
            names: The attentions' names.
            rows: Their rows of the caches.
            keys: The modalities of their sources.
        """
        c, d, n = self.c, self.d, len(names)
        heads, deep = c.heads, d // c.heads
        kv = self._keys_and_values(g, source, names)  # (G, 2, w, n, d)
        past = g.unsqueeze(g.cut("cache", 0, rows.start, rows.stop), 2)
        past = g.add("Expand", past, g.sizes(1, 1, self.ways, 1, 1))
        both = g.add("Concat", past, kv, axis=3)
        both = g.add("Reshape", both, g.sizes(n, 2, self.ways, self.length, heads, deep))
        key = g.add("Transpose", g.first(both, 1), perm=[0, 1, 3, 4, 2])  # (G, w, h, k, p+n)
        value = g.add(
            "Transpose", g.add("Gather", both, g.constant(1), axis=1), perm=[0, 1, 3, 2, 4]
        )
        query = self._grouped(g, x, [f"{a}.query" for a in names])
        query = g.add("Mul", query, g.constant(1.0 / sqrt(deep)))
        query = g.add("Reshape", query, g.sizes(n, self.ways, self.n, heads, deep))
        query = g.add("Transpose", query, perm=[0, 1, 3, 2, 4])
        score = g.add("MatMul", query, key)  # (G, w, h, n, p+n)
        score = g.add("Add", score, g.cut(self.bias, 0, keys.start, keys.stop))
        if c.speakers:
            own = g.stacked([f"{a}.same_speaker" for a in names], [n, 1, heads, 1, 1])
            score = g.add("Add", score, g.add("Mul", own, self.same))
        mixed = g.add("MatMul", g.add("Softmax", score, axis=-1), value)
        mixed = g.add("Transpose", mixed, perm=[0, 1, 3, 2, 4])
        mixed = g.add("Reshape", mixed, g.constant([n, -1, d]))
        out = self._grouped(g, mixed, [f"{a}.out" for a in names])
        return g.add("Mul", out, g.cut(self.some_key, 0, keys.start, keys.stop)), g.first(kv, 2)

    def _keys_and_values(self, g: Graph, source: str, names: Sequence[str]) -> str:
        d, n = self.d, len(names)
        layers = [f"{a}.{part}" for a in names for part in ("key", "value")]
        weight = g.stacked([f"{x}.weight" for x in layers], [n, 2, d, d], turned=True)
        bias = g.stacked([f"{x}.bias" for x in layers], [n, 2, 1, d])
        kv = g.add("Add", g.add("MatMul", g.unsqueeze(source, 1), weight), bias)
        return g.add("Reshape", kv, g.sizes(n, 2, self.ways, self.n, d))

    def _grouped(self, g: Graph, x: str, layers: Sequence[str]) -> str:
        """Return linear layers of ``x`` ``[G or 1, ..., inputs]``, one for each group."""
        wide, deep = g.parameters[f"{layers[0]}.weight"].shape
        n = len(layers)
        weight = g.stacked([f"{a}.weight" for a in layers], [n, wide, deep], turned=True)
        return g.add(
            "Add",
            g.add("MatMul", x, weight),
            g.stacked([f"{a}.bias" for a in layers], [n, 1, wide]),
        )

    def _rows(self, k: int) -> tuple[range, range, range]:
        """Return which rows of the caches are layer ``k``'s: itself, to the hub, from it."""
        m, s = self.m, len(self.spokes)
        start = k * (m + 2 * s)
        return (
            range(start, start + m), range(start + m, start + m + s),
            range(start + m + s, start + m + 2 * s),
        )  # fmt: skip

    def _layers(self) -> int:
        return self.c.acme_layers if self.c.acme else 0

    def _all(self, g: Graph, x: str) -> list[str]:
        """Return logits ``[w, n, classes]``, the first way's vectors, new rows of the caches."""
        rows: list[str] = []
        for k in range(self._layers()):
            x = self._acme(g, x, k, rows)
        logits, vectors = self._fusion(g, x)
        return [*self._out(g, logits, vectors), self._new_rows(g, rows)]

    def _new_rows(self, g: Graph, rows: Sequence[str]) -> str:
        if not rows:
            return g.add("Expand", g.constant(0.0), g.sizes(0, 2, self.n, self.d))
        return g.add("Concat", *rows, axis=0)

    def _out(self, g: Graph, logits: str, vectors: str) -> list[str]:
        logits = g.add("Reshape", logits, g.sizes(self.ways, self.n, self.c.classes))
        vectors = g.add("Reshape", vectors, g.sizes(self.ways, self.n, self.d))
        return [logits, g.first(vectors, 0)]

    def _acme(self, g: Graph, x: str, k: int, rows: list[str]) -> str:
        """Return one cross-modal layer of ``x`` ``[M, w*n, d]`` (eq 6-22)."""
        name, m, d, s = f"acme.{k}", self.m, self.d, len(self.spokes)
        itself, to_hub, from_hub = self._rows(k)
        own = [f"{name}.itself.{a}" for a in self.c.modalities]
        attended, kept = self._attention(g, x, x, own, itself, range(m))
        rows.append(kept)
        every = self.c.modalities
        first = g.norm(g.add("Add", x, attended), [f"{name}.norm_self.{a}" for a in every])
        hub, others = g.cut(first, 0, 0, 1), g.cut(first, 0, 1)
        got, kept = self._attention(
            g, hub, others, [f"{name}.to_hub.{a}" for a in self.spokes], to_hub, range(1, m)
        )
        rows.append(kept)
        given, kept = self._attention(
            g, others, hub, [f"{name}.from_hub.{a}" for a in self.spokes], from_hub, range(1)
        )
        rows.append(kept)
        if f"{name}.gate_to_hub.{self.spokes[0]}.weight" in g:
            got = g.add("Mul", got, self._pair_gate(g, hub, others, f"{name}.gate_to_hub"))
            given = g.add("Mul", given, self._pair_gate(g, others, hub, f"{name}.gate_from_hub"))
        side = g.add("Transpose", got, perm=[1, 0, 2])
        side = g.add("Reshape", side, g.constant([1, -1, s * d]))
        some = g.add("ReduceMax", g.cut(self.here, 0, 1), g.constant([0]), keepdims=1)
        extra = g.add("Mul", g.add("Gelu", g.linear(side, f"{name}.merge")), some)  # eq 12
        crossed = g.add("Add", g.add("Add", x, first), g.add("Concat", extra, given, axis=0))
        crossed = g.norm(crossed, [f"{name}.norm_cross.{a}" for a in every])
        chosen = self._chosen(g, crossed, name)
        layers = [f"{name}.feedforward.{a}.net" for a in every]
        inner = g.add("Gelu", self._grouped(g, chosen, [f"{a}.0" for a in layers]))
        forward = self._grouped(g, inner, [f"{a}.3" for a in layers])
        y = g.add("Add", g.add("Add", x, crossed), forward)
        y = g.norm(y, [f"{name}.norm_out.{a}" for a in every])
        return g.add("Mul", y, self.here)

    def _chosen(self, g: Graph, x: str, name: str) -> str:
        if f"{name}.gate_select.weight" not in g:
            return x
        return g.add("Mul", g.gate(x, f"{name}.gate_select"), x)

    def _pair_gate(self, g: Graph, left: str, right: str, name: str) -> str:
        """Return the gates of pairs ``[left; right]``, each ``[S or 1, w*n, d]``."""
        d, s = self.d, len(self.spokes)
        layers = [f"{name}.{a}" for a in self.spokes]
        weight = g.stacked([f"{a}.weight" for a in layers], [s, d, 2 * d], turned=True)
        halves = [g.root.cut(weight, 1, 0, d), g.root.cut(weight, 1, d)]
        both = g.add("Add", g.add("MatMul", left, halves[0]), g.add("MatMul", right, halves[1]))
        bias = g.stacked([f"{a}.bias" for a in layers], [s, 1, d])
        return g.add("Sigmoid", g.add("Add", both, bias))

    def _relative(self, g: Graph) -> str:
        """Return the weight of each modality relative to the largest, ``[w*n, M]``."""
        own = g.constant(np.array([self.c.weights.get(k, 1.0) for k in self.c.inputs], np.float32))
        here = g.add("Transpose", g.add("Squeeze", self.here, g.constant([2])), perm=[1, 0])
        w = g.add("Mul", g.add("Mul", "weights", own), here)
        most = g.add("ReduceMax", w, g.constant([1]), keepdims=1)
        return g.add("Div", w, g.add("Max", most, g.constant(1e-6)))

    def _fusion(self, g: Graph, h: str) -> tuple[str, str]:
        """Return logits and vectors ``[w*n, ...]`` from ``h`` ``[M, w*n, d]`` (eq 23-32)."""
        m, d = self.m, self.d
        h = g.add("Transpose", h, perm=[1, 0, 2])  # (w*n, M, d)
        flat = g.add("Reshape", h, g.constant([-1, m * d]))
        gates = g.add("Transpose", g.add("Squeeze", self.here, g.constant([2])), perm=[1, 0])
        if "fusion.gate.weight" in g:
            gates = g.add("Mul", g.gate(flat, "fusion.gate"), gates)
        w = self._relative(g)
        weighted = g.add("Mul", gates, w)
        axis = g.constant([1])
        total = g.add("Max", g.add("ReduceSum", weighted, axis), g.constant(1e-6))
        gates = g.add("Mul", weighted, g.add("Div", g.add("ReduceSum", gates, axis), total))
        mixed = g.add("ReduceSum", g.add("Mul", h, g.unsqueeze(gates, 2)), axis, keepdims=0)
        own = g.add("Reshape", g.add("Mul", h, g.unsqueeze(w, 2)), g.constant([-1, m * d]))
        fused = g.add("Concat", own, mixed, axis=1)  # (w*n, (M+1)*d)
        vectors = g.linear(fused, "shrink") if "shrink.weight" in g else g.cut(fused, 1, 0, d)
        z = fused
        if "classifier.gate.weight" in g:
            z = g.add("Mul", g.gate(fused, "classifier.gate"), fused)
        inner = g.add("Relu", g.linear(z, "classifier.hidden"))
        return g.linear(inner, "classifier.out"), vectors

    def _hub_alone(self, g: Graph, x: str) -> list[str]:
        """Return what :meth:`_all` does, where only the first modality is present."""
        s, d, hub = len(self.spokes), self.d, self.hub
        x, here = g.cut(x, 0, 0, 1), g.cut(self.here, 0, 0, 1)  # (1, w*n, d or 1)
        rows: list[str] = []
        silent = ""
        if s and self._layers():
            silent = g.add("Expand", g.constant(0.0), g.sizes(2 * s, 2, self.n, d))
        for k in range(self._layers()):
            name, at = f"acme.{k}", self._rows(k)[0].start
            attended, kept = self._attention(
                g, x, x, [f"{name}.itself.{hub}"], range(at, at + 1), range(1)
            )
            first = g.norm(g.add("Add", x, attended), [f"{name}.norm_self.{hub}"])
            rows.append(kept)
            if s:
                back = [f"{name}.from_hub.{a}" for a in self.spokes]
                rows += [silent, g.first(self._keys_and_values(g, first, back), 2)]
            crossed = g.norm(g.add("Add", x, first), [f"{name}.norm_cross.{hub}"])
            forward = self._feedforward_of(g, self._chosen(g, crossed, name), name)
            y = g.add("Add", g.add("Add", x, crossed), forward)
            x = g.add("Mul", g.norm(y, [f"{name}.norm_out.{hub}"]), here)
        logits, vectors = self._fusion_of_one(g, x, here)
        return [*self._out(g, logits, vectors), self._new_rows(g, rows)]

    def _feedforward_of(self, g: Graph, x: str, name: str) -> str:
        layer = f"{name}.feedforward.{self.hub}.net"
        return g.linear(g.add("Gelu", g.linear(x, f"{layer}.0")), f"{layer}.3")

    def _fusion_of_one(self, g: Graph, h: str, here: str) -> tuple[str, str]:
        """Return logits and vectors from the only modality's ``h`` ``[1, w*n, d]``.

        Of the vector of eq 25 only the first and the last ``d`` numbers are not zero.
        """
        d, root = self.d, g.root

        def ends(x: str, axis: int) -> str:
            return root.add("Concat", root.cut(x, axis, 0, d), root.cut(x, axis, -d), axis=axis)

        def turned(name: str) -> str:
            return root.stacked([name], list(g.parameters[name].shape), turned=True)

        gates = here
        if "fusion.gate.weight" in g:
            weight = root.cut(root.cut(turned("fusion.gate.weight"), 0, 0, d), 1, 0, 1)
            bias = root.cut(root.parameter("fusion.gate.bias"), 0, 0, 1)
            gates = g.add("Sigmoid", g.add("Add", g.add("MatMul", h, weight), bias))
            gates = g.add("Mul", gates, here)
        w = g.unsqueeze(g.cut(self._relative(g), 1, 0, 1), 0)  # (1, w*n, 1)
        weighted, least = g.add("Mul", gates, w), g.constant(1e-6)
        share = g.add("Div", gates, g.add("Max", weighted, least))
        gates = g.add("Mul", weighted, share)
        fused = g.add("Concat", g.add("Mul", h, w), g.add("Mul", h, gates), axis=2)
        if "shrink.weight" in g:
            vectors = g.add("MatMul", fused, ends(turned("shrink.weight"), 0))
            vectors = g.add("Add", vectors, g.parameter("shrink.bias"))
        else:
            vectors = g.cut(fused, 2, 0, d)
        z = fused
        if "classifier.gate.weight" in g:
            weight = ends(ends(turned("classifier.gate.weight"), 0), 1)
            z = g.add("MatMul", fused, weight)
            z = g.add("Add", z, ends(root.parameter("classifier.gate.bias"), 0))
            z = g.add("Mul", g.add("Sigmoid", z), fused)
        inner = g.add("MatMul", z, ends(turned("classifier.hidden.weight"), 0))
        return g.linear(g.add("Relu", inner), "classifier.out"), vectors

    def _pairs(self, vectors: str) -> str:
        """Return the comparison ``[n, q + n, 2]`` of each utterance with the others (eq 34-37)."""
        g, d = self.g, self.d
        compared = g.add("Concat", "others", vectors, axis=0)
        if "transfer.hidden.weight" not in g:
            return g.add("Expand", g.constant(0.0), g.sizes(self.n, g.size(compared, 0), 2))

        def halves(name: str) -> tuple[str, str]:
            weight = g.stacked([name], list(g.parameters[name].shape), turned=True)
            left = g.add("MatMul", vectors, g.cut(weight, 0, 0, d))
            right = g.add("MatMul", compared, g.cut(weight, 0, d))
            return g.unsqueeze(left, 1), right

        inner = g.add("Relu", g.add("Add", *halves("transfer.hidden.weight")))
        out = g.linear(inner, "transfer.out")
        if "transfer.gate.weight" in g:
            gate = g.add("Add", *halves("transfer.gate.weight"))
            gate = g.add("Add", gate, g.parameter("transfer.gate.bias"))
            out = g.add("Mul", g.add("Sigmoid", gate), out)
        return out
