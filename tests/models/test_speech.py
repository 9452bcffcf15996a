from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from empathic_sdk.models.speech import (
    MfccLstm,
    PedSpeech,
    PedSpeechConfig,
    SpeechClassifier,
    StatisticsClassifier,
)

TINY = PedSpeechConfig(bands=16, channels=(4, 6, 8), hidden=5)


def ped() -> PedSpeech:
    torch.manual_seed(0)
    network = PedSpeech(TINY)
    nn.init.normal_(network.query)
    for norm in network.norms:  # statistics that are not 0 and 1, as after training
        assert isinstance(norm, nn.BatchNorm2d)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        nn.init.normal_(norm.running_mean)
        nn.init.uniform_(norm.running_var, 0.5, 2.0)
        nn.init.normal_(norm.bias)
    return network.double().eval()


def lstm() -> MfccLstm:
    torch.manual_seed(0)
    return MfccLstm().double().eval()


def inputs(lengths: list[int], width: int) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(1)
    x = torch.randn(len(lengths), max(lengths), width, generator=draw, dtype=torch.float64)
    mask = torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]
    return x, mask


def test_table_6_has_131335_parameters() -> None:
    network, head = MfccLstm(), SpeechClassifier(width=128, classes={"emodb": 7})

    def count(*parts: nn.Module) -> int:
        return sum(p.numel() for part in parts for p in part.parameters() if p.requires_grad)

    assert [count(p) for p in (network.first, network.second, network.dense, head)] == [
        72_704, 49_408, 8_320, 903,
    ]  # fmt: skip
    assert count(network, head) == 131_335
    # PyTorch's second bias vectors exist, and are and stay nothing.
    for cell in (network.first, network.second):
        assert (cell.bias_hh_l0 == 0).all()


@pytest.mark.parametrize("make", [ped, lstm])
def test_shapes_and_names(make: type) -> None:
    network = make()
    width = 16 if isinstance(network, PedSpeech) else 13
    out = network(*inputs([21, 9], width))
    time = -(-21 // network.time_stride) if network.time_stride > 1 else 21
    assert out.vector.shape == (2, network.width)
    assert out.frames.shape == (2, time, network.width)
    assert out.mask.shape == out.weights.shape == (2, time)
    torch.testing.assert_close(out.weights.sum(1), torch.ones(2, dtype=torch.float64))
    assert (out.weights[~out.mask] == 0).all()
    assert (out.frames[~out.mask] == 0).all()


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 23), min_size=1, max_size=4), st.sampled_from([ped, lstm]))
def test_a_batch_says_what_each_clip_says_alone(lengths: list[int], make: type) -> None:
    network = make()
    x, mask = inputs(lengths, 16 if isinstance(network, PedSpeech) else 13)
    together = network(x, mask).vector
    for i, n in enumerate(lengths):
        alone = network(x[i : i + 1, :n], mask[i : i + 1, :n]).vector[0]
        torch.testing.assert_close(together[i], alone, atol=1e-10, rtol=0)


@pytest.mark.parametrize("make", [ped, lstm])
def test_what_stands_in_the_padding_moves_nothing(make: type) -> None:
    network = make()
    x, mask = inputs([20, 7], 16 if isinstance(network, PedSpeech) else 13)
    before = network(x, mask)
    x = torch.where(mask[..., None], x, 1e6)
    after = network(x, mask)
    for one, other in zip(before, after, strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("make", [ped, lstm])
def test_a_row_without_anything_gives_zeros(make: type) -> None:
    network = make()
    x, mask = inputs([8, 8], 16 if isinstance(network, PedSpeech) else 13)
    mask[1] = False
    out = network(x, mask)
    assert (out.vector[1] == 0).all()
    assert (out.weights[1] == 0).all()
    assert out.vector[0].abs().sum() > 0


def test_temporal_attention_is_eq_38() -> None:
    """The vector is the softmax of q·h over real frames, times the frames (eq. 35 and 38)."""
    network = ped()
    out = network(*inputs([22, 13], 16))
    query = network.query.detach().numpy()
    for frames, mask, vector in zip(out.frames, out.mask, out.vector, strict=True):
        h = frames[mask].detach().numpy()
        e = np.exp(h @ query - (h @ query).max())
        np.testing.assert_allclose(vector.detach().numpy(), (e / e.sum()) @ h, atol=1e-10)


def test_the_gru_is_bidirectional_and_the_lstm_is_not() -> None:
    x, mask = inputs([24], 16)
    changed = x.clone()
    changed[:, 20:] += 1.0
    network = ped()
    assert not torch.allclose(network(x, mask).frames[:, 0], network(changed, mask).frames[:, 0])
    network = lstm()
    one, other = network(x[..., :13], mask), network(changed[..., :13], mask)
    torch.testing.assert_close(one.frames[:, :20], other.frames[:, :20])
    assert torch.equal(one.vector[0], one.frames[0, -1])


@pytest.mark.parametrize("make", [PedSpeech, MfccLstm])
def test_every_trainable_parameter_learns(make: type) -> None:
    torch.manual_seed(0)
    network = make(TINY) if make is PedSpeech else make()
    x, mask = inputs([21, 9], 16 if make is PedSpeech else 13)
    network(x.float(), mask).vector.square().sum().backward()
    for name, p in network.named_parameters():
        if p.requires_grad:
            assert p.grad is not None, name
            assert p.grad.abs().sum() > 0, name


def test_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="multiple of"):
        PedSpeech(PedSpeechConfig(bands=30, channels=(4, 4)))
    with pytest.raises(ValueError, match="two channels"):
        PedSpeech(PedSpeechConfig(bands=32, channels=(4,)))
    with pytest.raises(ValueError, match="at least one corpus"):
        SpeechClassifier(width=3, classes={})


def test_statistics_are_standardised_and_pulled_in() -> None:
    model = StatisticsClassifier(width=2, classes=3)
    with torch.no_grad():
        model.linear.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]))
        model.linear.bias.zero_()
        model.get_buffer("mean").copy_(torch.tensor([1.0, 2.0]))
        model.get_buffer("std").copy_(torch.tensor([2.0, 4.0]))
        out = model(torch.tensor([[3.0, -2.0], [1e9, 2.0]]))
    assert out.tolist() == [[1.0, -1.0, 0.0], [5.0, 0.0, 5.0]]
