"""Emotion transfer in tiles is emotion transfer as it is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from empathic_sdk.models.mdget import PairOutput
from empathic_sdk.models.mdget import transfer as module
from empathic_sdk.models.mdget.transfer import EmotionTransfer
from tests.models.mdget.batches import batch, filled, network

WIDTH, WINDOW = 4, 5
TILES = [1, 50, 1000, 1 << 20]  # numbers a tile; a row of 33 pairs in two dialogues has 264


def made(*, gated: bool = True, dropout: float = 0.0) -> EmotionTransfer:
    found = filled(EmotionTransfer(width=WIDTH, dropout=dropout, gated=gated))
    assert isinstance(found, EmotionTransfer)
    return found


def pairs(n: int, window: int | None, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    drawn = torch.Generator().manual_seed(seed)
    h = torch.randn((2, 2, n, WIDTH), generator=drawn, dtype=torch.float64)
    mask = torch.arange(n) < torch.tensor([[n], [(n + 1) // 2]])
    valid = mask[:, :, None] & mask[:, None]
    if window is not None:
        back = torch.arange(n)[:, None] - torch.arange(n)
        valid = valid & (back >= 0) & (back < window)
    return h[0], h[1], valid


def taught(
    part: EmotionTransfer, run: Callable[[Tensor, Tensor], PairOutput], h: Tensor, other: Tensor
) -> tuple[list[Tensor], list[Tensor]]:
    """Return what comes out, and the gradients of inputs and parameters (of a mean over pairs)."""
    part.zero_grad()
    h, other = h.clone().requires_grad_(), other.clone().requires_grad_()
    out = run(h, other)
    drawn = torch.Generator().manual_seed(7)
    weight = torch.randn(out.logits.shape, generator=drawn, dtype=torch.float64).to(h.dtype)
    ((weight * out.logits).sum() + (weight[..., 0] * out.gate).sum()).div(
        out.gate.numel()
    ).backward()
    grads = [g for g in (h.grad, other.grad, *(p.grad for p in part.parameters())) if g is not None]
    assert len(grads) == 2 + len(list(part.parameters()))
    return [out.logits.detach(), out.gate.detach()], grads


@pytest.mark.parametrize("gated", [True, False])
@pytest.mark.parametrize("window", [None, WINDOW])
@pytest.mark.parametrize("n", [1, 2, 7, 33])
def test_tiles(n: int, window: int | None, gated: bool) -> None:
    for dtype, within in ((torch.float64, 1e-10), (torch.float32, 1e-5)):
        part = made(gated=gated).to(dtype)
        h, other, valid = pairs(n, window)
        h, other = h.to(dtype), other.to(dtype)
        naive = taught(part, lambda a, b: part.naive(a, b, valid), h, other)  # noqa: B023
        for tile in TILES:
            part.tile = tile
            ours = taught(part, lambda a, b: part(a, b, valid, window), h, other)  # noqa: B023
            torch.testing.assert_close(ours, naive, atol=within, rtol=within)
            assert (ours[0][0][~valid] == 0).all()
            assert (ours[0][1][~valid] == 0).all()


@pytest.mark.parametrize(("tile", "window", "calls"), [
    (1, None, 33), (264, None, 33), (3 * 264, None, 11), (1 << 20, None, 1), (1, WINDOW, 33),
    (1 << 20, WINDOW, 1),
])  # fmt: skip
def test_a_tile_holds_what_it_may(
    tile: int, window: int | None, calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    part, held = made(), []
    part.tile = tile
    real = part._tile

    def watched(a: Tensor, c: Tensor, *rest: Tensor) -> tuple[Tensor, Tensor]:
        held.append(a.shape[0] * a.shape[1] * c.shape[1] * WIDTH)
        return real(a, c, *rest)

    monkeypatch.setattr(part, "_tile", watched)
    h, other, valid = pairs(33, window)
    with torch.no_grad():
        part(h, other, valid, window)
    assert len(held) == calls
    row = 2 * WIDTH * (33 if window is None else WINDOW)
    assert max(held) <= max(tile, row)


@pytest.mark.parametrize("window", [None, WINDOW])
@pytest.mark.parametrize("tile", TILES)
def test_dropout_is_the_same_on_the_way_back(
    tile: int, window: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = made(dropout=0.5)
    part.tile = tile
    part.train()
    h, other, valid = pairs(7, window)

    def once(seed: int) -> Any:
        torch.manual_seed(seed)
        return taught(part, lambda a, b: part(a, b, valid, window), h, other)

    first = once(1)
    torch.testing.assert_close(once(1), first, atol=0, rtol=0)
    assert not torch.equal(once(2)[0][0], first[0][0])
    # What the tiles held, kept instead of computed again: the same to the last bit.
    monkeypatch.setattr(module, "checkpoint", lambda f, *given, use_reentrant: f(*given))
    torch.testing.assert_close(once(1), first, atol=0, rtol=0)


@pytest.mark.parametrize("p", [0.25, 0.5])
def test_dropout_drops_what_it_says(p: float) -> None:
    """Each logit is a sum over units, some of them out and the others larger for it."""
    part = made(gated=False, dropout=p)
    part.train()
    torch.manual_seed(3)
    h, other, valid = pairs(33, None)
    out = part(h, other, valid).logits.detach()[0]
    left, right = part.hidden.weight.detach().chunk(2, 1)
    units = torch.relu((h[0] @ left.T)[:, None] + (other[0] @ right.T)[None])
    sizes = torch.tensor([0.0, 1 / (1 - p)], dtype=torch.float64)
    choices = torch.cartesian_prod(*[sizes] * WIDTH)
    options = torch.einsum("ijk,ck,ok->ijco", units, choices, part.out.weight.detach())
    away = (options - out[:, :, None]).abs().amax(-1)
    assert away.amin(-1).max() < 1e-12
    every = (units > 0).all(-1)
    kept = choices[away[every].argmin(-1)].mean() * (1 - p)
    assert every.sum() > 20
    assert abs(kept - (1 - p)) < 0.15


def test_dropout_of_almost_everything() -> None:
    part = made(dropout=0.9999)
    part.train()
    h, other, valid = pairs(7, None)
    assert part(h, other, valid).logits.isfinite().all()


def test_single_pairs_are_pairs() -> None:
    part = made()
    h, other, valid = pairs(7, None)
    every = part(h, other, torch.ones_like(valid)).logits
    torch.testing.assert_close(
        part.between(h[:, :, None], other[:, None]), every, atol=1e-12, rtol=0
    )
    torch.testing.assert_close(
        part.between(h[1, 2], other[1, 5]), every[1, 2, 5], atol=1e-12, rtol=0
    )


@pytest.mark.parametrize("causal", [True, False])
def test_pairs_of_the_network_in_small_tiles(causal: bool) -> None:
    net, given = network(causal=causal), batch([9, 4])
    large = net(given, pairs=True).pairs
    net.transfer.tile = 1
    small = net(given, pairs=True).pairs
    torch.testing.assert_close(small[:], large[:], atol=1e-12, rtol=0)
    vectors = net(given).vectors
    naive = net.transfer.naive(vectors, vectors, large.valid)
    torch.testing.assert_close(large[:], naive[:], atol=1e-12, rtol=0)
