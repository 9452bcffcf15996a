from __future__ import annotations

import pytest
import torch

from empathic_sdk.models.strategy import StrategyNetwork


def test_by_hand():
    network = StrategyNetwork(inputs=2, hidden=2, classes=2).eval()
    network.load_state_dict(
        {
            "mean": torch.tensor([1.0, 0.0]),
            "scale": torch.tensor([2.0, 1.0]),
            "up.weight": torch.tensor([[1.0, 0.0], [0.0, -1.0]]),
            "up.bias": torch.tensor([0.0, 1.0]),
            "out.weight": torch.tensor([[1.0, 2.0], [0.0, 1.0]]),
            "out.bias": torch.tensor([0.5, 0.0]),
        }
    )
    # (x - mean) * scale = [4, 3]; relu([4, -3 + 1]) = [4, 0]; out = [4.5, 0]
    assert network(torch.tensor([[3.0, 3.0]])).logits.tolist() == [[4.5, 0.0]]


def test_without_hidden_units_it_is_linear():
    network = StrategyNetwork(inputs=3, hidden=0, classes=8).eval()
    a, b = torch.randn(2, 4, 3)
    halfway = network((a + b) / 2).logits
    assert torch.allclose(halfway, (network(a).logits + network(b).logits) / 2, atol=1e-6)


@pytest.mark.parametrize("wrong", [{"inputs": 0}, {"hidden": -1}, {"classes": 1}])
def test_sizes_are_checked(wrong):
    with pytest.raises(ValueError, match="no network has"):
        StrategyNetwork(**({"inputs": 2, "hidden": 2, "classes": 2} | wrong))


def test_what_ships_stays_small():
    network = StrategyNetwork(inputs=844, hidden=128, classes=8)
    assert sum(p.numel() for p in network.parameters()) <= 300_000
