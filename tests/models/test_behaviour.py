"""The network over interaction events (PED eq 26-28 and 42-44)."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.models.behaviour import (
    BehaviourBatch,
    BehaviourConfig,
    BehaviourNetwork,
    IntervalCode,
)


def network(pooling: str = "gated", width: int = 6) -> BehaviourNetwork:
    torch.manual_seed(0)
    made = BehaviourNetwork(BehaviourConfig(width=width, pooling=pooling))
    made.value_mean += torch.linspace(-1, 1, 8)
    made.value_scale *= torch.linspace(0.5, 2, 8)
    return made.double().eval()


def batch(lengths: list[int], wide: int, seed: int = 0) -> BehaviourBatch:
    rng = np.random.default_rng(seed)
    mask = torch.tensor([[j < n for j in range(wide)] for n in lengths])
    return BehaviourBatch(
        torch.from_numpy(rng.integers(0, 8, mask.shape)),
        torch.from_numpy(rng.exponential(3.0, mask.shape)),
        torch.from_numpy(rng.normal(size=mask.shape)),
        mask,
    )


@pytest.mark.parametrize("pooling", ["gated", "max_mean"])
def test_padding_and_neighbours_move_nothing(pooling: str) -> None:
    net = network(pooling)
    some = batch([5, 2, 0, 7], wide=7)
    out = net(some)
    for i, n in enumerate([5, 2, 0, 7]):
        if n:
            alone = net(BehaviourBatch(*(t[i : i + 1, :n] for t in some)))
            assert torch.allclose(out.vector[i], alone.vector[0], atol=1e-12)
            assert torch.allclose(out.states[i, :n], alone.states[0], atol=1e-12)
    spoiled = BehaviourBatch(
        some.kind.masked_fill(~some.mask, 3),
        some.interval.masked_fill(~some.mask, torch.nan),
        some.value.masked_fill(~some.mask, torch.inf),
        some.mask,
    )
    assert torch.equal(net(spoiled).vector, out.vector)


@pytest.mark.parametrize("pooling", ["gated", "max_mean"])
def test_a_fully_masked_row_is_zeros(pooling: str) -> None:
    net = network(pooling)
    out = net(batch([0, 3], wide=3))
    assert (out.vector[0] == 0).all() and (out.states[0] == 0).all()
    assert torch.isfinite(out.logits).all()
    assert (out.states[1] != 0).all()
    loss = net.train()(batch([0, 3], wide=3)).logits.sum()
    loss.backward()
    assert all(p.grad is None or torch.isfinite(p.grad).all() for p in net.parameters())


def test_gated_pooling_is_equation_44() -> None:
    """Written out event by event, with a loop for the softmax over the events."""
    net = network()
    some = batch([4], wide=4)
    out = net(some)
    hidden, _ = net.over(torch.nn.functional.gelu(net.enter(coded(net, some))))
    scores = [net.gate(h) for h in hidden[0]]
    total = sum(torch.exp(s) for s in scores)
    z = sum(
        torch.exp(s) / total * torch.tanh(net.candidate(h))
        for s, h in zip(scores, hidden[0], strict=True)
    )
    number = torch.tensor([np.log1p(4) / 4])
    expected = torch.tanh(net.leave(torch.cat([z, number])))
    assert torch.allclose(out.vector[0], expected, atol=1e-12)
    assert out.gates is not None
    assert torch.allclose(out.gates.sum(1), torch.ones(1, 6).double())


def test_max_mean_pooling_is_equation_28() -> None:
    net = network("max_mean")
    some = batch([3], wide=5)
    out = net(some)
    states = out.states[0, :3]
    pooled = torch.cat([states.amax(0), states.mean(0), torch.tensor([np.log1p(3) / 4])])
    assert torch.allclose(out.vector[0], torch.tanh(net.leave(pooled)), atol=1e-12)
    assert out.gates is None


def coded(net: BehaviourNetwork, some: BehaviourBatch) -> Tensor:
    """Equation 42: kind, interval and value side by side."""
    value = (some.value - net.value_mean[some.kind]) / net.value_scale[some.kind]
    return torch.cat(
        [net.kind.weight[some.kind], net.interval(some.interval), value[..., None]], -1
    )


def test_a_state_does_not_know_what_follows() -> None:
    net = network()
    some = batch([6], wide=6)
    changed = some._replace(value=some.value.clone(), kind=some.kind.clone())
    changed.value[0, 4:] += 5
    changed.kind[0, 4:] = 2
    a, b = net(some).states[0], net(changed).states[0]
    assert torch.equal(a[:4], b[:4]) and not torch.equal(a[4:], b[4:])


def test_interval_code_tells_short_from_long() -> None:
    code = IntervalCode(8)
    out = code(torch.tensor([0.0, 0.1, 1.0, 10.0, 60.0, 600.0, 1e9]))
    assert out.shape == (7, 8) and (out >= 0).all() and (out <= 1).all()
    assert torch.equal(out[0].argmax(), torch.tensor(0)) and out[0, 0] == 1.0
    assert torch.isfinite(out).all()
    distance = torch.cdist(out[:-1], out[:-1]) + torch.eye(6)
    assert distance.min() > 0.02


def test_sizes_are_checked() -> None:
    for wrong in ({"pooling": "sum"}, {"width": 0}, {"interval_width": 1}, {"dropout": 1.0}):
        with pytest.raises(ConfigurationError):
            BehaviourConfig(**wrong)
    config = BehaviourConfig(width=5, pooling="max_mean")
    assert BehaviourConfig.from_dict(config.as_dict()) == config
