"""All gates lie strictly between 0 and 1, whatever comes in."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.models.mdget.batches import batch, config, network

NETS = {
    (causal, m): network(m, causal=causal, gue_layers=1, acme_layers=1)
    for causal in (True, False)
    for m in (1, 3)
}


def open_interval(gate: Tensor) -> bool:
    return bool(((gate > 0) & (gate < 1)).all())


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    causal=st.booleans(),
    modalities=st.sampled_from([1, 3]),
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=3),
    power=st.floats(-6, 6),
    absent=st.floats(0, 1),
    seed=st.integers(0, 2**31),
)
def test_gates(
    causal: bool, modalities: int, lengths: list[int], power: float, absent: float, seed: int
) -> None:
    net = NETS[causal, modalities]
    given = batch(lengths, seed=seed, absent=absent, scale=10**power)
    seen: list[tuple[Tensor, Tensor]] = []
    watch = net.classifier.gate.register_forward_hook(lambda _, x, y: seen.append((x[0], y)))
    filtered: list[Tensor] = []
    watch_2 = net.classifier.hidden.register_forward_pre_hook(lambda _, x: filtered.append(x[0]))
    trace: dict[str, dict[str, Tensor]] = {}
    out = net(given, pairs=True, trace=trace)
    watch.remove()
    watch_2.remove()

    names = list(net.config.inputs)
    cross = [f"{way}.{m}" for way in ("to_hub", "from_hub") for m in names[1:]]
    assert set(trace) == {"gue.0", "acme.0"}
    assert set(trace["gue.0"]) == {"gate_1", "gate_2"}
    assert set(trace["acme.0"]) == {*cross, *(f"select.{m}" for m in names)}
    b, n, d = len(lengths), max(lengths), net.config.width
    for gate in trace["gue.0"].values():
        assert gate.shape == (modalities, b, n, d)
        assert open_interval(gate)
    for gate in trace["acme.0"].values():
        assert gate.shape == (b, n, d)
        assert open_interval(gate)
    there = torch.stack([given.present[m] for m in names], -1)
    assert out.fusion_gates.shape == (b, n, modalities)
    assert open_interval(out.fusion_gates[there])
    assert (out.fusion_gates[~there] == 0).all()
    fused = seen[0][0]
    assert torch.equal(fused, out.fused)
    assert open_interval((filtered[0] / fused)[fused != 0])
    assert open_interval(out.pairs.gate[out.pairs.valid])
    assert (out.pairs.gate[~out.pairs.valid] == 0).all()
    assert (out.pairs.logits[~out.pairs.valid] == 0).all()
    assert out.logits.isfinite().all()


def test_valid_pairs_are_real_and_within_the_window() -> None:
    given = batch([5, 3])
    both = network(causal=False)(given, pairs=True).pairs.valid
    back = network(causal=True, window=2)(given, pairs=True).pairs.valid
    for row, n in enumerate([5, 3]):
        for i in range(5):
            for j in range(5):
                real = i < n and j < n
                assert both[row, i, j] == real
                assert back[row, i, j] == (real and i - j in (0, 1))


def test_gates_taken_away_are_one() -> None:
    net = network(gates=())
    trace: dict[str, dict[str, Tensor]] = {}
    given = batch([4, 2])
    out = net(given, pairs=True, trace=trace)
    assert not any(trace.values())
    assert torch.equal(
        out.fusion_gates, torch.stack([given.present[m] for m in config().inputs], -1).double()
    )
    assert torch.equal(out.pairs.gate, out.pairs.valid.double())
