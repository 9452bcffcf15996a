"""Piece by piece, a causal network says what it says of the whole."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from empathic_sdk.models.dialogue import DialogueBatch
from empathic_sdk.models.mdget import MDGET, DialogueOutput
from tests.models.mdget.batches import ABLATIONS, SAID, batch, cut, network

N, WINDOW = 9, 4


def changed(given: DialogueBatch, at: int) -> DialogueBatch:
    """Say something else in utterance ``at`` of each dialogue, by someone else, at another time."""
    features = {m: f.clone() for m, f in given.features.items()}
    present = {m: p.clone() for m, p in given.present.items()}
    for m in features:
        features[m][:, at] += 3.0
        present[m][:, at] = True
    speaker, timing = given.speaker.clone(), given.timing.clone()
    speaker[:, at], timing[:, at] = 3 - speaker[:, at], 1.5
    return given._replace(features=features, present=present, speaker=speaker, timing=timing)


def said(out: DialogueOutput) -> torch.Tensor:
    """Put everything that is said about utterances into one tensor."""
    return torch.cat([getattr(out, name) for name in SAID], -1)


@torch.no_grad()
def test_every_split() -> None:
    """Splits that begin alike share their beginning and its state: 511 calls for 256 splits."""
    net, given = network(2, window=WINDOW, gue_layers=1), batch([N, N], seed=1)
    whole = said(net(given))

    def walk(start: int, state: dict[str, torch.Tensor] | None) -> int:
        if start == N:
            return 1
        splits = 0
        for end in range(start + 1, N + 1):
            out = net(cut(given, start, end), state)
            assert (said(out) - whole[:, start:end]).abs().max() < 1e-10
            splits += walk(end, out.state)
        return splits

    assert walk(0, None) == 2 ** (N - 1)


def in_pieces(net: MDGET, given: DialogueBatch, sizes: list[int]) -> torch.Tensor:
    state, start, parts = None, 0, []
    for size in sizes:
        out = net(cut(given, start, start + size), state)
        state, start = out.state, start + size
        parts.append(said(out))
    assert start == given.mask.shape[1]
    return torch.cat(parts, 1)


@torch.no_grad()
@pytest.mark.parametrize("sizes", [[1] * N, [1, 7, 1]], ids=str)
@pytest.mark.parametrize("window", [2, WINDOW, N, 32])
def test_windows(window: int, sizes: list[int]) -> None:
    net, given = network(window=window, gue_layers=2), batch([N, N], seed=2)
    whole = said(net(given))
    torch.testing.assert_close(in_pieces(net, given, sizes), whole, atol=1e-10, rtol=0)
    net.float()
    whole = said(net(given))
    assert whole.dtype == torch.float32
    torch.testing.assert_close(in_pieces(net, given, sizes), whole, atol=1e-5, rtol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("ablation", ABLATIONS.values(), ids=list(ABLATIONS))
def test_ablations(ablation: dict[str, object]) -> None:
    net, given = network(window=WINDOW, **ablation), batch([N, N], seed=3)
    whole = said(net(given))
    for sizes in ([1] * N, [2, 3, 4]):
        torch.testing.assert_close(in_pieces(net, given, sizes), whole, atol=1e-10, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize(
    "less", [{"speakers": 0, "timing": 0}, {"own_past": False}, {"speakers": 1}], ids=str
)
@pytest.mark.parametrize("modalities", [1, 2])
def test_fewer_inputs(modalities: int, less: dict[str, Any]) -> None:
    net = network(modalities, window=WINDOW, **less)
    given = batch([N, N], seed=3)
    whole = said(net(given))
    torch.testing.assert_close(in_pieces(net, given, [1, 4, 4]), whole, atol=1e-10, rtol=0)


@torch.no_grad()
def test_the_last_piece_may_be_shorter_for_some() -> None:
    net, given = network(window=WINDOW), batch([N, 7], seed=4)
    whole = said(net(given)) * given.mask[..., None]
    parts = in_pieces(net, given, [3, 3, 3]) * given.mask[..., None]
    torch.testing.assert_close(parts, whole, atol=1e-10, rtol=0)


@torch.no_grad()
def test_the_state_stops_growing() -> None:
    net, given = network(window=WINDOW), batch([N, N], seed=5)
    state, sizes = None, []
    for i in range(N):
        state = net(cut(given, i, i + 1), state).state
        sizes.append({n: t.numel() * t.element_size() for n, t in state.items()})
        assert state["past.present"].shape[2] == min(i + 1, WINDOW - 1)
    assert sizes[0] != sizes[1] != sizes[2]
    assert all(size == sizes[WINDOW - 2] for size in sizes[WINDOW - 1 :])
    at_once = net(given).state
    assert set(at_once) == set(state)
    for name, held in state.items():
        torch.testing.assert_close(held, at_once[name], atol=1e-10, rtol=0)


@torch.no_grad()
def test_a_state_is_not_written_to() -> None:
    net, given = network(window=WINDOW), batch([N, N], seed=6)
    state = net(cut(given, 0, 5)).state
    before = {n: t.clone() for n, t in state.items()}
    net(cut(given, 5, N), state)
    assert set(before) == set(state)
    assert all(torch.equal(t, state[n]) for n, t in before.items())


@torch.no_grad()
def test_the_future_does_not_matter() -> None:
    net, given = network(window=WINDOW), batch([N, N], seed=7)
    plain = net(given, pairs=True)
    for at in range(N):
        other = net(changed(given, at), pairs=True)
        assert torch.equal(said(other)[:, :at], said(plain)[:, :at])
        assert torch.equal(other.pairs.logits[:, :at], plain.pairs.logits[:, :at])
        assert not torch.equal(other.fused[:, at], plain.fused[:, at])
        if at + 1 < N:
            assert not torch.equal(other.fused[:, at + 1], plain.fused[:, at + 1])
    both = network(causal=False)
    assert not torch.equal(both(given).fused[:, 0], both(changed(given, N - 1)).fused[:, 0])


@torch.no_grad()
@pytest.mark.parametrize("layers", [1, 2])
def test_attention_reaches_back_as_far_as_its_windows(layers: int) -> None:
    given = batch([N, N], seed=8, absent=0.0)
    reach = layers * 2  # window 2: one back each, in the self- and the cross-attention of a layer
    for gue in (False, True):
        net = network(window=2, acme_layers=layers, gue=gue, own_past=False)
        plain = net(given).fused[:, -1]
        assert not torch.equal(plain, net(changed(given, N - 1 - reach)).fused[:, -1])
        beyond = net(changed(given, N - 2 - reach)).fused[:, -1]
        assert torch.equal(plain, beyond) == (not gue)  # further back, by recurrence alone


@torch.no_grad()
def test_speakers_reach_back_to_their_own_past() -> None:
    given = batch([N], seed=8, absent=0.0)
    given = given._replace(speaker=torch.tensor([[0, 1, 0, 1, 0, 1, 0, 1, 0]]))
    net = network(window=2, acme_layers=1, gue=False)
    plain = net(given).fused[0]
    features = {m: f.clone() for m, f in given.features.items()}
    for f in features.values():
        f[:, 0] += 3.0
    other = net(given._replace(features=features)).fused[0]
    # Of the others it hears the last alone, of itself all.
    net = network(window=2, acme_layers=1, gue=False, own_past=False)
    without = net(given._replace(features=features)).fused[0], net(given).fused[0]
    assert not torch.equal(other[8], plain[8])
    assert torch.equal(without[0][8], without[1][8])
    alone = network(acme=False, gue=False)
    a, b = alone(given).fused[0], alone(given._replace(features=features)).fused[0]
    assert [not torch.equal(x, y) for x, y in zip(a, b, strict=True)] == [True, False] * 4 + [True]


def test_both_ways_there_is_nothing_to_continue_from() -> None:
    net, given = network(causal=False), batch([3])
    assert net(given).state == {}
    state = network()(given).state
    with pytest.raises(ValueError, match="only a causal network"):
        net(given, state)
