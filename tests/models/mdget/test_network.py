"""The whole network: its equations, and what must not matter to it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from empathic_sdk.models.dialogue import DialogueBatch
from empathic_sdk.models.mdget import MDGET
from tests.models.mdget import by_hand
from tests.models.mdget.batches import ABLATIONS, SAID, WIDTHS, batch, close, cut, network

LENGTHS = [5, 1, 3, 9]
DIRECTIONS = pytest.mark.parametrize("causal", [True, False], ids=["causal", "both ways"])


def compare_by_hand(net: MDGET, dialogue: DialogueBatch) -> None:
    out = net(dialogue, pairs=True)
    theirs = by_hand.network(
        by_hand.weights(net),
        net.config,
        {m: f[0].numpy() for m, f in dialogue.features.items()},
        {m: p[0].tolist() for m, p in dialogue.present.items()},
        dialogue.speaker[0].tolist(),
        None if dialogue.timing is None else dialogue.timing[0].numpy(),
    )
    ours = {"logits": out.logits, "fused": out.fused, "fusion_gates": out.fusion_gates}
    assert (out.pairs is not None) == ("pairs" in theirs)
    if out.pairs is not None:
        ours |= {"vectors": out.vectors, "pairs": out.pairs.logits, "pair_gates": out.pairs.gate}
    assert set(ours) == set(theirs)
    for name, value in ours.items():
        np.testing.assert_allclose(
            value[0].detach().numpy(), theirs[name], rtol=0, atol=1e-10, err_msg=name
        )


@DIRECTIONS
@pytest.mark.parametrize("ablation", ABLATIONS.values(), ids=list(ABLATIONS))
def test_every_ablation_by_hand(ablation: dict[str, object], causal: bool) -> None:
    compare_by_hand(network(causal=causal, gue_layers=2, **ablation), batch([6], seed=3))


@DIRECTIONS
@pytest.mark.parametrize("modalities", [1, 2])
def test_fewer_modalities_by_hand(modalities: int, causal: bool) -> None:
    compare_by_hand(network(modalities, causal=causal), batch([6], seed=4))


@DIRECTIONS
def test_without_the_own_past_by_hand(causal: bool) -> None:
    compare_by_hand(network(causal=causal, own_past=False), batch([6], seed=4))


def test_without_speakers_and_timing_by_hand() -> None:
    net = network(speakers=0, timing=0)
    assert not [
        n for n, _ in net.named_parameters() if "speaker" in n or "timing" in n or "own" in n
    ]
    compare_by_hand(net, batch([6], seed=5))
    dialogue = batch([6], seed=5)
    other = dialogue._replace(speaker=dialogue.speaker + 1, timing=None)
    close(net(dialogue, pairs=True), net(other, pairs=True), 0)
    compare_by_hand(network(), batch([6], seed=5)._replace(timing=None))


def test_ablations_take_away_what_they_name() -> None:
    names = {k: [n for n, _ in network(**a).named_parameters()] for k, a in ABLATIONS.items()}
    heads = {k: {n.split(".")[0] for n in found} for k, found in names.items()}
    every = {"project", "norm_in", "speaker", "own_past", "timing", "gue", "acme", "fusion",
             "classifier", "shrink", "transfer"}  # fmt: skip
    assert heads["full"] == every
    assert heads["no gue"] == every - {"gue"}
    bare = [n for n, _ in network(gue=False, own_past=False).named_parameters()]
    assert not [n for n in bare if "gru" in n or "own_past" in n]
    assert heads["no acme"] == every - {"acme"}
    assert heads["no eetm"] == every - {"shrink", "transfer"}

    def gates(row: str) -> set[str]:
        return {n.split(".")[0] for n in names[row] if "gate" in n}

    assert gates("full") == {"gue", "acme", "fusion", "classifier", "transfer"}
    assert gates("no gue gates") == gates("full") - {"gue"}
    assert gates("no acme gates") == gates("full") - {"acme"}
    assert gates("no eetm gate") == gates("full") - {"transfer"}
    assert gates("no gates") == set()
    assert network(gates=()).gate_parameters() == []


def test_gate_parameters_are_the_weights_of_all_gates() -> None:
    net = network(gue_layers=2)
    d = net.config.width
    shapes = sorted(tuple(p.shape) for p in net.gate_parameters())
    assert shapes == sorted(
        [(d, 2 * d), (d, 3 * d)] * 2  # eq 1 and 3, in each of two layers
        + ([(d, 2 * d)] * 4 + [(d, d)]) * 2  # eq 8, 9, 14, 17 and 20
        + [(3, 3 * d), (4 * d, 4 * d), (1, 2 * d)]  # eq 23, 26 and 34
    )


@DIRECTIONS
def test_a_batch_is_its_dialogues(causal: bool) -> None:
    net, whole = network(causal=causal), batch(LENGTHS)
    ours = net(whole, pairs=True)
    for row, n in enumerate(LENGTHS):
        alone = net(cut(whole, 0, n, row), pairs=True)
        at = slice(row, row + 1)
        mine = ours._replace(
            **{name: getattr(ours, name)[at, :n] for name in SAID},
            pairs=type(ours.pairs)(*(t[at, :n, :n] for t in ours.pairs)),
        )
        close(mine, alone, 1e-12)
        assert not ours.pairs.valid[row, n:].any()
        assert not ours.pairs.valid[row, :, n:].any()
        for beyond in (
            ours.logits[row, n:],
            ours.fused[row, n:],
            *(t[row, n:] for t in ours.pairs[:2]),
        ):
            assert torch.equal(beyond, torch.zeros_like(beyond))


def grown(net: MDGET, given: DialogueBatch) -> list[torch.Tensor]:
    """Return the parameters' gradients for a loss over the real utterances and pairs."""
    net.zero_grad()
    out = net(given, pairs=True)
    weight = torch.linspace(-1, 1, 3, dtype=torch.float64)
    ((out.logits * weight).sum() + (out.pairs.logits * weight[:2]).sum()).backward()
    return [p.grad.clone() for p in net.parameters()]


@DIRECTIONS
@pytest.mark.parametrize("junk", [math.nan, math.inf, 1e30, -7.0])
def test_what_is_not_there_is_not_looked_at(junk: float, causal: bool) -> None:
    net, clean = network(causal=causal), batch(LENGTHS, seed=1)
    hole = ~clean.mask
    dirty = clean._replace(
        features={
            m: f.masked_fill(~clean.present[m][..., None], junk) for m, f in clean.features.items()
        },
        present={m: p | hole for m, p in clean.present.items()},  # padding is never present
        speaker=clean.speaker.masked_fill(hole, -7 if math.isnan(junk) else 10**9),
        timing=clean.timing.masked_fill(hole[..., None], junk),
    )
    real = clean.mask[..., None]
    ours, theirs = net(dirty, pairs=True), net(clean, pairs=True)
    assert torch.equal(ours.logits, theirs.logits)
    assert torch.equal(ours.vectors * real, theirs.vectors * real)
    assert torch.equal(ours.fusion_gates, theirs.fusion_gates)
    for a, b in zip(ours.pairs, theirs.pairs, strict=True):
        assert torch.equal(a, b)
    for a, b in zip(grown(net, dirty), grown(net, clean), strict=True):
        torch.testing.assert_close(a, b, atol=1e-12, rtol=0)


@DIRECTIONS
@pytest.mark.parametrize("junk", [math.nan, 1e30, -7.0])
def test_dialogues_do_not_hear_each_other(junk: float, causal: bool) -> None:
    net, clean = network(causal=causal), batch(LENGTHS, seed=2)
    features = {m: f.clone() for m, f in clean.features.items()}
    for f in features.values():
        f[2] = junk
    ours, theirs = net(clean._replace(features=features), pairs=True), net(clean, pairs=True)
    others = [0, 1, 3]
    assert not torch.equal(ours.logits[2], theirs.logits[2])
    assert torch.equal(ours.logits[others], theirs.logits[others])
    assert torch.equal(ours.vectors[others], theirs.vectors[others])
    assert torch.equal(ours.pairs.logits[others], theirs.pairs.logits[others])


@DIRECTIONS
@pytest.mark.parametrize("gone", list(WIDTHS))
def test_a_modality_that_is_absent(gone: str, causal: bool) -> None:
    net, whole = network(causal=causal), batch([4, 6], seed=3, absent=0.0)
    present = dict(whole.present) | {gone: torch.zeros_like(whole.mask)}
    lacking = whole._replace(present=present)
    expected = net(lacking, pairs=True)
    assert expected.logits.isfinite().all()
    assert torch.equal(
        expected.fusion_gates == 0,
        (torch.tensor([m == gone for m in WIDTHS]) | ~whole.mask[..., None]),
    )
    assert not torch.allclose(expected.logits, net(whole).logits)
    for row, n in enumerate([4, 6]):
        compare_by_hand(net, cut(lacking, 0, n, row))
    for kept in (present, {m: p for m, p in whole.present.items() if m != gone}):
        missing = whole._replace(
            features={m: f for m, f in whole.features.items() if m != gone}, present=kept
        )
        close(net(missing, pairs=True), expected, 0)
    others = tuple(m for m in WIDTHS if m != gone)
    close(net(whole.only(others), pairs=True), expected, 0)
    # In one utterance of one dialogue only.
    at = whole.present[gone].clone()
    at[1, 2] = False
    once = whole._replace(present=dict(whole.present) | {gone: at})
    compare_by_hand(net, cut(once, 0, 6, 1))
    assert torch.equal(net(once).logits[0], net(whole).logits[0])
    assert not torch.allclose(net(once).logits[1, 2], net(whole).logits[1, 2])


@DIRECTIONS
def test_an_utterance_with_nothing_in_it(causal: bool) -> None:
    net, whole = network(causal=causal), batch([4, 6], seed=3, absent=0.0)
    present = {m: p.clone() for m, p in whole.present.items()}
    for p in present.values():
        p[1, 2] = False
    out = net(whole._replace(present=present), pairs=True)
    assert (out.logits[1, 2] == 0).all()
    assert (out.fusion_gates[1, 2] == 0).all()
    assert all(t.isfinite().all() for t in (out.logits, out.vectors, *out.pairs[:2]))
    rest = whole.mask.clone()
    rest[1, 2] = False
    assert (out.fused[rest] != 0).any(-1).all()


@DIRECTIONS
def test_dialogues_with_nothing_in_them(causal: bool) -> None:
    net = network(causal=causal)
    out = net(batch([3, 3], absent=1.1), pairs=True)
    assert torch.equal(out.logits, torch.zeros(2, 3, 3, dtype=torch.float64))
    alone = batch([1], seed=8, absent=0.0)
    compare_by_hand(net, alone)
    whole = batch([2, 3])
    empty = whole._replace(mask=whole.mask & torch.tensor([[True], [False]]))
    out = net(empty, pairs=True)
    assert torch.equal(out.logits[1], torch.zeros(3, 3, dtype=torch.float64))
    torch.testing.assert_close(out.logits[0], net(whole).logits[0], atol=1e-12, rtol=0)
    for g in grown(net, empty):
        assert g.isfinite().all()


def test_modalities_it_does_not_know_are_not_looked_at() -> None:
    net, whole = network(2), batch([4])
    two = ("text", "visual")
    fewer = whole._replace(
        features={m: whole.features[m] for m in two}, present={m: whole.present[m] for m in two}
    )
    close(net(whole, pairs=True), net(fewer, pairs=True), 0)


def test_without_gates_the_residual_is_a_plain_sum() -> None:
    """One utterance, one modality, everything but the GRU and the sums switched off."""
    net = network(1, gates=(), acme=False, eetm=False, speakers=0, timing=0, gue_layers=1)
    with torch.no_grad():
        for p in net.gue[0].feedforward.parameters():
            p.zero_()
    one = batch([1], absent=0.0)
    w = by_hand.weights(net)
    x = by_hand.layer_norm(
        w, "norm_in.text", by_hand.linear(w, "project.text", one.features["text"][0].numpy())
    )
    layer = by_hand.below(w, "gue.0")
    first = by_hand.layer_norm(layer, "norm_1", x + by_hand.gru(by_hand.below(layer, "gru"), x))
    h = by_hand.layer_norm(layer, "norm_2", x + first)
    hidden = np.maximum(np.concatenate([h, h], -1) @ w["classifier.hidden.weight"].T, 0)
    np.testing.assert_allclose(
        net(one).logits[0].detach().numpy(), hidden @ w["classifier.out.weight"].T, atol=1e-10
    )


@DIRECTIONS
def test_same_seed_same_loss(causal: bool) -> None:
    net, whole = (
        network(causal=causal, gue_dropout=0.1, acme_dropout=0.3, dropout=0.3),
        batch(LENGTHS),
    )
    net.train()

    def loss(seed: int) -> float:
        torch.manual_seed(seed)
        out = net(whole, pairs=True)
        return (out.logits.square().sum() + out.pairs.logits.square().sum()).item()

    assert loss(1) == loss(1) != loss(2)
    torch.manual_seed(3)
    first = MDGET(net.config).state_dict()
    torch.manual_seed(3)
    again = MDGET(net.config).state_dict()
    assert all(torch.equal(first[k], again[k]) for k in first)


def test_training_compares_two_passes() -> None:
    """Eq 33: H' is drawn with other dropout; without dropout, H' is H."""
    whole = batch([5])
    for p, twins in ((0.0, True), (0.5, False)):
        net = network(causal=False, acme_dropout=p)
        net.train()
        torch.manual_seed(0)
        h = {}
        net.transfer.register_forward_pre_hook(
            lambda _, given, h=h: h.update(a=given[0], b=given[1])
        )
        net(whole, pairs=True)
        assert torch.equal(h["a"], h["b"]) == twins
