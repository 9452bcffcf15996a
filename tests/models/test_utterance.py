from __future__ import annotations

import pytest
import torch

from empathic_sdk.models.utterance import UtteranceClassifier


def test_by_hand() -> None:
    heads = UtteranceClassifier(width=2, corpora=["a", "b"], dropout=0.0)
    with torch.no_grad():
        heads.shared[3] = torch.tensor([1.0, 2.0])
        heads.offset[1, 3] = torch.tensor([0.5, 0.0])
        heads.bias[1, 0] = -1.0
        heads.affect.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, -1.0]]))
        heads.present.bias[6] = 0.25
    x = torch.tensor([[2.0, 3.0]])
    first, second = heads(x), heads(x, "b")
    assert first.emotion.tolist() == [[0, 0, 0, 8, 0, 0, 0]]  # 1*2 + 2*3
    assert second.emotion.tolist() == [[-1, 0, 0, 9, 0, 0, 0]]  # (1+0.5)*2 + 2*3, bias
    assert first.affect.tolist() == [[2, -3]]
    assert first.present.tolist() == [[0, 0, 0, 0, 0, 0, 0.25]]
    torch.testing.assert_close(heads(x, "a").emotion, first.emotion)


def test_seeds_share_their_start() -> None:
    torch.manual_seed(1)
    one = UtteranceClassifier(width=4, corpora=["a"]).state_dict()
    torch.manual_seed(2)
    other = UtteranceClassifier(width=4, corpora=["a"]).state_dict()
    assert all(torch.equal(one[k], other[k]) for k in one)


def test_arguments_are_checked() -> None:
    with pytest.raises(ValueError, match="at least one corpus"):
        UtteranceClassifier(width=4, corpora=[])
    with pytest.raises(ValueError):
        UtteranceClassifier(width=2, corpora=["a"])(torch.zeros(1, 2), "zzz")
