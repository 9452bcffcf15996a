from __future__ import annotations

import pytest
import torch

from empathic_sdk.models.minilm import MiniLM, MiniLMConfig, from_bert_state

TINY = MiniLMConfig(vocab_size=50, width=12, layers=2, heads=3, feedforward=20, positions=16)


@pytest.fixture
def network() -> MiniLM:
    torch.manual_seed(0)
    return MiniLM(TINY).double().eval()


def test_equals_the_reference_implementation() -> None:
    from transformers import BertConfig, BertModel

    torch.manual_seed(1)
    reference = BertModel(
        BertConfig(
            vocab_size=50, hidden_size=12, num_hidden_layers=2, num_attention_heads=3,
            intermediate_size=20, max_position_embeddings=16,
        ),
        add_pooling_layer=False,
    ).double().eval()  # fmt: skip
    for p in reference.parameters():  # the initial values are too small to tell much
        torch.nn.init.normal_(p, std=0.5)
    ours = MiniLM(TINY).double().eval()
    ours.load_state_dict(
        {k: v.double() for k, v in from_bert_state(reference.state_dict()).items()}
    )
    ids = torch.randint(0, 50, (3, 9))
    mask = torch.ones(3, 9, dtype=torch.bool)
    mask[1, 6:] = False
    mask[2, 2:] = False
    want = reference(ids, attention_mask=mask.long()).last_hidden_state
    got = ours(ids, mask)
    # from_bert_state goes through float32, hence not closer than that.
    torch.testing.assert_close(got.tokens[mask], want[mask], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(got.pooled[1], want[1, :6].mean(0), atol=1e-5, rtol=1e-5)


def test_padding_and_neighbours_move_nothing(network: MiniLM) -> None:
    alone = torch.tensor([[2, 7, 9, 3]])
    want = network(alone, torch.ones(1, 4, dtype=torch.bool)).pooled[0]
    for filling, neighbour in ((0, 5), (49, 11)):
        ids = torch.full((3, 8), filling)
        ids[0, :4] = alone[0]
        ids[1:] = neighbour
        mask = torch.zeros(3, 8, dtype=torch.bool)
        mask[0, :4] = True
        mask[1] = True
        got = network(ids, mask)
        torch.testing.assert_close(got.pooled[0], want, atol=1e-12, rtol=0)
        assert (got.tokens[0, 4:] == 0).all()


def test_a_fully_masked_row_gives_zeros(network: MiniLM) -> None:
    ids = torch.randint(0, 50, (2, 5))
    mask = torch.tensor([[True] * 5, [False] * 5])
    out = network(ids, mask)
    assert (out.pooled[1] == 0).all()
    assert torch.isfinite(out.tokens).all()


def test_gradients_reach_every_parameter(network: MiniLM) -> None:
    network.train()
    ids = torch.arange(15)[None]  # every position but one
    network(ids, torch.ones_like(ids, dtype=torch.bool)).pooled.square().sum().backward()
    for name, p in network.named_parameters():
        assert p.grad is not None and p.grad.abs().sum() > 0, name


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(ValueError, match="width 12 is not a multiple of heads 5"):
        MiniLM(TINY._replace(heads=5))
