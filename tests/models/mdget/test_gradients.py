"""Every parameter learns."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from empathic_sdk.models.mdget import MDGET
from tests.models.mdget.batches import ABLATIONS, batch, config, network

DIRECTIONS = pytest.mark.parametrize("causal", [True, False], ids=["causal", "both ways"])


def gradients(modalities: int, **changes: Any) -> dict[str, Tensor | None]:
    net = network(modalities, **changes)
    net.train()
    out = net(batch([6, 4], seed=1), pairs=True)
    drawn = torch.Generator().manual_seed(2)

    def told(x: Tensor) -> Tensor:
        return (x * torch.randn(x.shape, generator=drawn, dtype=x.dtype)).sum()

    loss = told(out.logits)
    if out.pairs is not None:
        loss = loss + told(out.pairs.logits)
    loss.backward()
    return {n: p.grad for n, p in net.named_parameters()}


def check(found: dict[str, Tensor | None]) -> None:
    assert found
    for name, g in found.items():
        assert g is not None, name
        assert g.isfinite().all(), name
        if name.endswith(".key.bias"):
            # It adds the same to all scores of a row, which softmax does not see.
            assert g.abs().max() < 1e-12, name
        else:
            assert g.abs().max() > 1e-6, name


@DIRECTIONS
@pytest.mark.parametrize("modalities", [1, 2, 3])
@pytest.mark.parametrize(
    "more", [{}, {"own_past": False}, {"speakers": 0, "timing": 0}], ids=["all", "shared", "bare"]
)
def test_inputs(modalities: int, causal: bool, more: dict[str, Any]) -> None:
    check(gradients(modalities, causal=causal, **more))


@DIRECTIONS
@pytest.mark.parametrize("ablation", ABLATIONS.values(), ids=list(ABLATIONS))
def test_ablations(ablation: dict[str, Any], causal: bool) -> None:
    check(gradients(3, causal=causal, **ablation))


@DIRECTIONS
def test_dropout(causal: bool) -> None:
    torch.manual_seed(0)
    check(gradients(3, causal=causal, gue_dropout=0.1, acme_dropout=0.3, dropout=0.3))


def test_as_it_is_initialised() -> None:
    """No parameter starts where it could not leave from."""
    torch.manual_seed(1)
    net = MDGET(config()).double()
    out = net(batch([6, 4], seed=1), pairs=True)
    (out.logits[..., 0].sum() + out.pairs.logits[..., 1].sum()).backward()
    check({n: p.grad for n, p in net.named_parameters()})
