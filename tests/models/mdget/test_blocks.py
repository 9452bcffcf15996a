"""Every block against its equations, with weights that matter everywhere."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from empathic_sdk.models.mdget.acme import GatedACME
from empathic_sdk.models.mdget.attention import Reach, UtteranceAttention
from empathic_sdk.models.mdget.fusion import GatedClassifier, ModalFusion
from empathic_sdk.models.mdget.gue import GatedUnimodalEncoder
from empathic_sdk.models.mdget.speakers import OwnPast
from empathic_sdk.models.mdget.transfer import EmotionTransfer
from tests.models.mdget import by_hand
from tests.models.mdget.batches import filled

WHO = [0, 1, 0, 2, 1]
NEAR = {
    "everything": [list(range(5))] * 5,
    "window of 3": [[0], [0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 4]],
}


def normal(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def reach(near: list[list[int]], who: list[int]) -> Reach:
    n = len(who)
    allowed = torch.tensor([[[j in js for j in range(n)] for js in near]])
    return Reach(allowed, torch.tensor([[[a == b for b in who] for a in who]]))


def same(ours: Tensor, theirs: np.ndarray) -> None:
    np.testing.assert_allclose(ours.detach().numpy(), theirs, rtol=0, atol=1e-10)


@pytest.mark.parametrize("gated", [True, False])
@pytest.mark.parametrize("causal", [True, False])
def test_unimodal_encoder(causal: bool, gated: bool) -> None:
    layer = filled(GatedUnimodalEncoder(width=4, inner=6, dropout=0.5, causal=causal, gated=gated))
    x = normal(5, 4)
    ours, hidden = layer(torch.tensor(x)[None], torch.tensor([5]), None)
    w = by_hand.weights(layer)
    same(ours[0], by_hand.gue(w, x, causal=causal, gated=gated))
    if causal:
        same(hidden[0, 0], by_hand.gru(by_hand.below(w, "gru"), x)[-1])
    else:
        assert hidden is None
        assert layer.gru.hidden_size == 2  # d/2 a direction: GRU(X) is as wide as X


@pytest.mark.parametrize("slots", [1, 2, 5])
@pytest.mark.parametrize("causal", [True, False])
def test_own_past(causal: bool, slots: int) -> None:
    module = filled(OwnPast(width=4, slots=slots, causal=causal))
    x, mask = normal(2, 5, 4), torch.ones(2, 5, dtype=torch.bool)
    mask[1, 3:] = False
    rows = [WHO, [3, 0, 3, 1, 1]]
    ours, hidden = module(torch.tensor(x), torch.tensor(rows), mask, None)
    w = by_hand.weights(module)
    for row, n in enumerate([5, 3]):
        who = rows[row][:n]
        same(ours[row, :n], by_hand.own_past(w, x[row, :n], who, slots=slots, causal=causal))
        for slot in range(slots if causal else 0):
            at = [i for i, s in enumerate(who) if min(s, slots - 1) == slot]
            last = by_hand.gru(by_hand.below(w, "gru"), x[row, at])[-1] if at else np.zeros(4)
            same(hidden[row, slot], last)
    assert (hidden is None) == (not causal)


@pytest.mark.parametrize("speakers", [True, False])
@pytest.mark.parametrize("near", NEAR.values(), ids=list(NEAR))
def test_attention(near: list[list[int]], speakers: bool) -> None:
    module = filled(UtteranceAttention(width=6, heads=3, speakers=speakers))
    x, source = normal(5, 6), normal(5, 6, seed=2)
    present = [True, False, True, True, False]
    ours, kept = module(
        torch.tensor(x)[None], torch.tensor(source)[None], reach(near, WHO),
        torch.tensor([present]), None,
    )  # fmt: skip
    w = by_hand.weights(module)
    looks = [[j for j in js if present[j]] for js in near]
    same(ours[0], by_hand.attention(w, x, source, heads=3, looks=looks, who=WHO))
    same(kept[0, 0], by_hand.linear(w, "key", source))
    same(kept[1, 0], by_hand.linear(w, "value", source))


def test_attention_that_may_look_nowhere_says_nothing() -> None:
    module = filled(UtteranceAttention(width=6, heads=3, speakers=True))
    x, source = normal(5, 6), normal(5, 6, seed=2)
    present = torch.tensor([[False, False, True, True, True]])
    q = torch.tensor(x)[None].requires_grad_()
    ours, _ = module(q, torch.tensor(source)[None], reach(NEAR["window of 3"], WHO), present, None)
    assert torch.equal(ours[0, :2], torch.zeros(2, 6, dtype=torch.float64))
    assert (ours[0, 2:] != 0).all()
    ours.sum().backward()
    assert q.grad is not None
    assert q.grad.isfinite().all()
    assert (q.grad[0, :2] == 0).all()


def test_attention_by_pencil() -> None:
    module = UtteranceAttention(width=1, heads=1, speakers=True).double()
    with torch.no_grad():
        for linear in (module.query, module.key, module.value, module.out):
            linear.weight.fill_(1.0)
            linear.bias.zero_()
        module.query.weight.zero_()  # all scores are zero, but for the speaker's bias
        module.same_speaker.fill_(math.log(3))
    source = torch.tensor([[[8.0], [4.0]]], dtype=torch.float64)
    who = torch.tensor([[[True, False], [False, True]]])
    everything = torch.ones(1, 2, 2, dtype=torch.bool)
    out, _ = module(source, source, Reach(everything, who), everything[:, 0], None)
    # Shares 3/4 for oneself, 1/4 for the other.
    np.testing.assert_allclose(out.detach().flatten(), [0.75 * 8 + 0.25 * 4, 0.25 * 8 + 0.75 * 4])


@pytest.mark.parametrize("gated", [True, False])
@pytest.mark.parametrize("names", [("t",), ("t", "v"), ("t", "v", "a")])
@pytest.mark.parametrize("near", NEAR.values(), ids=list(NEAR))
def test_cross_modal_encoder(near: list[list[int]], names: tuple[str, ...], gated: bool) -> None:
    layer = filled(
        GatedACME(
            modalities=names, width=4, heads=2, inner=6, dropout=0.5, gated=gated, speakers=True
        )
    )
    present = {
        "t": [True, True, False, True, True],
        "v": [False, True, False, True, False],
        "a": [True, False, False, True, True],
    }
    x = {
        m: normal(5, 4, seed=k) * np.array(present[m])[:, None] for k, m in enumerate(names)
    }  # as documented: zeros where absent
    there = {m: torch.tensor([present[m]]) for m in names}
    ours, _ = layer({m: torch.tensor(v)[None] for m, v in x.items()}, reach(near, WHO), there, {})
    theirs = by_hand.acme(
        by_hand.weights(layer), x, heads=2, gated=gated, present=present, near=near, who=WHO
    )
    assert list(ours) == list(names)
    for m in names:
        same(ours[m][0], theirs[m])
        assert (ours[m][0][~there[m][0]] == 0).all()


def test_dropout_stands_where_the_equations_say() -> None:
    """With everything dropped, eq 6, 10, 11, 15, 18 and 21 vanish, and the residuals remain."""
    names = ("t", "v", "a")
    layer = filled(
        GatedACME(
            modalities=names, width=4, heads=2, inner=6, dropout=0.5, gated=True, speakers=False
        )
    )
    layer.train()
    for part in layer.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = 1.0
    x = {m: normal(5, 4, seed=k) for k, m in enumerate(names)}
    there = {m: torch.ones(1, 5, dtype=torch.bool) for m in names}
    ours, _ = layer(
        {m: torch.tensor(v)[None] for m, v in x.items()}, reach([[*range(5)]] * 5, WHO), there, {}
    )
    w = by_hand.weights(layer)
    for m in names:
        sr = by_hand.layer_norm(w, f"norm_self.{m}", x[m])
        extra = by_hand.gelu(w["merge.bias"]) if m == "t" else 0.0
        cr = by_hand.layer_norm(w, f"norm_cross.{m}", x[m] + sr + extra)
        same(ours[m][0], by_hand.layer_norm(w, f"norm_out.{m}", x[m] + cr))


@pytest.mark.parametrize("gated", [True, False])
def test_fusion(gated: bool) -> None:
    module = filled(ModalFusion(modalities=3, width=4, gated=gated))
    real = np.array([[1, 1, 1], [1, 0, 1], [0, 0, 0]])
    h = [normal(3, 4, seed=k) * real[:, k : k + 1] for k in range(3)]
    ours, gates = module(
        torch.tensor(np.stack(h, 1))[None], torch.tensor(real, dtype=torch.bool)[None]
    )
    fused, g = by_hand.fusion(by_hand.weights(module), h, real, gated=gated)
    same(ours[0], fused)
    same(gates[0], g)


def test_fusion_by_pencil() -> None:
    module = ModalFusion(modalities=2, width=1, gated=True).double()
    with torch.no_grad():
        module.gate.weight.zero_()
        module.gate.bias.copy_(torch.tensor([math.log(3), 0.0]))  # gates 3/4 and 1/2
    h = torch.tensor([[[[4.0], [6.0]], [[4.0], [0.0]]]], dtype=torch.float64)
    ours, gates = module(h, torch.tensor([[[True, True], [True, False]]]))
    np.testing.assert_allclose(ours[0].detach(), [[4, 6, 0.75 * 4 + 0.5 * 6], [4, 0, 0.75 * 4]])
    np.testing.assert_allclose(gates[0].detach(), [[0.75, 0.5], [0.75, 0]])


@pytest.mark.parametrize("gated", [True, False])
def test_classifier(gated: bool) -> None:
    module = filled(GatedClassifier(inputs=6, width=5, classes=3, dropout=0.5, gated=gated))
    h = normal(7, 6)
    same(module(torch.tensor(h)), by_hand.classifier(by_hand.weights(module), h, gated=gated))
    nothing = module(torch.zeros(2, 6, dtype=torch.float64))
    assert torch.equal(nothing, torch.zeros(2, 3, dtype=torch.float64))


def test_classifier_by_pencil() -> None:
    module = GatedClassifier(inputs=2, width=2, classes=2, dropout=0.0, gated=True).double()
    with torch.no_grad():
        module.gate.weight.zero_()
        module.gate.bias.copy_(torch.tensor([math.log(3), 0.0]))
        module.hidden.weight.copy_(torch.tensor([[1.0, 1.0], [1.0, -1.0]]))
        module.out.weight.copy_(torch.tensor([[1.0, 10.0], [-1.0, 100.0]]))
    # Gated [3, 4]; hidden [7, -1], of which ReLU leaves [7, 0].
    ours = module(torch.tensor([4.0, 8.0], dtype=torch.float64))
    np.testing.assert_allclose(ours.detach(), [7, -7])


@pytest.mark.parametrize("gated", [True, False])
def test_emotion_transfer(gated: bool) -> None:
    module = filled(EmotionTransfer(width=4, dropout=0.5, gated=gated, tile=1))
    h, other = normal(5, 4), normal(5, 4, seed=2)
    logits, gates = by_hand.transfer(by_hand.weights(module), h, other, gated=gated)
    valid = torch.tensor(normal(1, 5, 5, seed=3) > -0.5)
    a, b = torch.tensor(h)[None], torch.tensor(other)[None]
    seen = valid[0].numpy()
    assert 0 < seen.sum() < 25
    for out in (module.naive(a, b, valid), module(a, b, valid)):
        same(out.logits[0], logits * seen[..., None])
        same(out.gate[0], gates * seen)
        assert out.valid is valid
    same(module.between(a[0, :, None], b[0, None]), logits)
    same(module.between(a[0, 3], b[0, 1]), logits[3, 1])


def test_emotion_transfer_by_pencil() -> None:
    module = EmotionTransfer(width=1, dropout=0.0, gated=True).double()
    with torch.no_grad():
        module.gate.weight.copy_(torch.tensor([[math.log(3) / 2, 0.0]]))
        module.gate.bias.zero_()
        module.hidden.weight.copy_(torch.tensor([[1.0, -3.0]]))
        module.out.weight.copy_(torch.tensor([[1.0], [-2.0]]))
    h = torch.tensor([[[2.0], [0.0]]], dtype=torch.float64)
    out = module(h, h, torch.ones(1, 2, 2, dtype=torch.bool))
    # Gates: 3/4 from the first, 1/2 from the second. Hidden: 2-6, 2-0, 0-6, 0-0, times the gate.
    np.testing.assert_allclose(out.gate[0].detach(), [[0.75, 0.75], [0.5, 0.5]])
    np.testing.assert_allclose(
        out.logits[0].detach(), [[[0, 0], [1.5, -3]], [[0, 0], [0, 0]]], atol=1e-15
    )
