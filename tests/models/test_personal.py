from __future__ import annotations

import pytest
import torch

from empathic_sdk.models.personal import PersonalHead


def made(seed: int = 0, *, trained: bool = True) -> PersonalHead:
    torch.manual_seed(seed)
    head = PersonalHead(profile=5, state=3, fused=4, classes=2, width=2).eval()
    if trained:
        with torch.no_grad():
            for p in head.parameters():
                p.normal_()
    return head


def test_untrained_or_without_a_history_nothing_is_added() -> None:
    profile, state, fused = torch.randn(6, 5), torch.randn(6, 3), torch.randn(6, 4)
    known = torch.tensor([True, False] * 3)
    assert made(trained=False)(profile, known, state, fused).abs().max() == 0
    added = made()(profile, known, state, fused)
    assert added[~known].abs().max() == 0
    assert (added[known].abs().sum(1) > 1e-3).all()


def test_the_equations_by_hand() -> None:
    head = made(3)
    profile, state, fused = torch.randn(1, 5), torch.randn(1, 3), torch.randn(1, 4)
    e = torch.tanh(head.embed.weight @ profile[0] + head.embed.bias)
    scale = 2 / (1 + torch.exp(-(head.scale.weight @ e + head.scale.bias)))
    moved = scale * state[0] + head.shift.weight @ e + head.shift.bias
    both = torch.cat([fused[0], e])
    gate = 2 / (1 + torch.exp(-(head.gate.weight @ both + head.gate.bias)))
    gated = gate * fused[0]
    now = head.out.weight @ torch.cat([moved, gated])
    before = head.out.weight @ torch.cat([state[0], fused[0]])
    found = head(profile, torch.tensor([True]), state, fused)[0]
    assert found.tolist() == pytest.approx((now - before).tolist(), abs=1e-5)


def test_one_person_does_not_change_another() -> None:
    head = made(1)
    profile, state, fused = torch.randn(4, 5), torch.randn(4, 3), torch.randn(4, 4)
    known = torch.ones(4, dtype=torch.bool)
    whole = head(profile, known, state, fused)
    alone = head(profile[2:3], known[:1], state[2:3], fused[2:3])
    assert torch.allclose(whole[2], alone[0], atol=1e-6)
