"""The joint loss, number by number."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest
import torch
from torch import Tensor

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.lab.training.transfer_loss import JointLoss
from empathic_sdk.models.mdget import PairOutput

# One dialogue of two labelled utterances and one without a label, and one of a single utterance
# with two of padding. What must not count is so large that it would show.
WILD = 1e4
LOGITS = torch.tensor(
    [[[0.0, 0.0], [log(3), 0.0], [WILD, 0.0]], [[0.0, log(7)], [WILD, 0.0], [0.0, WILD]]]
)
LABELS = torch.tensor([[0, 1, -1], [1, -1, -1]])
L_C = (log(2) + log(4) + log(8 / 7)) / 3
# (0, 0) and (0, 1) of the first dialogue, (1, 0), (1, 1), and (0, 0) of the second.
L_S = [log(4 / 3), log(2), log(8 / 7), log(6 / 5), log(10 / 9)]


def pairs() -> PairOutput:
    logits = torch.zeros(2, 3, 3, 2)
    logits[..., 0] = WILD
    gate = torch.full((2, 3, 3), 0.99)
    logits[0, 0, 0] = torch.tensor([log(3), 0.0])  # the same label: 0 is right
    logits[0, 0, 1] = torch.tensor([0.0, 0.0])  # another label: 1 is right
    logits[0, 1, 0] = torch.tensor([0.0, log(7)])
    logits[0, 1, 1] = torch.tensor([log(5), 0.0])
    logits[1, 0, 0] = torch.tensor([log(9), 0.0])
    gate[0, :2, :2] = torch.tensor([[0.9, 0.6], [0.5, 0.2]])
    gate[1, 0, 0] = 0.3
    mask = torch.tensor([[True, True, True], [True, False, False]])
    valid = mask[:, :, None] & mask[:, None]
    return PairOutput(logits, gate, valid)


def test_by_hand() -> None:
    found = JointLoss(balance=0.3, tau=0.0, penalty=0.0)(LOGITS, LABELS, pairs())
    assert found.emotion.item() == pytest.approx(L_C, rel=1e-6)
    assert found.transfer.item() == pytest.approx(sum(L_S) / 5, rel=1e-6)
    assert found.total.item() == pytest.approx(L_C + 0.3 * sum(L_S) / 5, rel=1e-6)
    assert found.passed.item() == 1.0


def test_the_gate_must_lie_above_tau() -> None:
    found = JointLoss(balance=1.0, tau=0.5, penalty=0.0)(LOGITS, LABELS, pairs())
    assert found.passed.item() == pytest.approx(2 / 5)  # 0.9 and 0.6; 0.5 itself does not
    assert found.transfer.item() == pytest.approx((L_S[0] + L_S[1]) / 2, rel=1e-6)
    assert found.total.item() == pytest.approx(L_C + (L_S[0] + L_S[1]) / 2, rel=1e-6)
    none = JointLoss(balance=1.0, tau=0.95, penalty=0.0)(LOGITS, LABELS, pairs())
    assert none.passed.item() == none.transfer.item() == 0.0
    assert none.total.item() == pytest.approx(L_C, rel=1e-6)


def test_only_valid_pairs_count() -> None:
    given = pairs()
    back = given._replace(valid=given.valid & torch.ones(3, 3, dtype=torch.bool).tril())
    found = JointLoss(balance=1.0, tau=0.25, penalty=0.0)(LOGITS, LABELS, back)
    # Of (0,0), (1,0), (1,1) and the second dialogue's (0,0), all but the gate of 0.2 pass.
    assert found.passed.item() == pytest.approx(3 / 4)
    assert found.transfer.item() == pytest.approx((L_S[0] + L_S[2] + L_S[4]) / 3, rel=1e-6)


def test_the_gates_weights_are_penalised_once() -> None:
    gates = [torch.tensor([[1.0, 2.0]]), torch.tensor([-3.0])]
    with_them = JointLoss(penalty=0.01)(LOGITS, LABELS, pairs(), gates)
    without = JointLoss(penalty=0.01)(LOGITS, LABELS, pairs())
    assert (with_them.total - without.total).item() == pytest.approx(0.14, rel=1e-5)
    assert with_them.emotion == without.emotion and with_them.transfer == without.transfer


def test_no_pairs_and_smoothing() -> None:
    found = JointLoss(balance=0.7)(LOGITS, LABELS)
    assert found.total.item() == pytest.approx(L_C, rel=1e-6)
    assert found.transfer.item() == found.passed.item() == 0.0
    soft = JointLoss(smoothing=0.2)(LOGITS[:1, :2], LABELS[:1, :2])
    # 0.9 of the right class and 0.1 of the other: log(2); 0.9 log 4 + 0.1 log(4/3).
    by_hand = (log(2) + 0.9 * log(4) + 0.1 * log(4 / 3)) / 2
    assert soft.emotion.item() == pytest.approx(by_hand, rel=1e-6)


def by_loops(logits: Tensor, labels: Tensor, given: PairOutput, tau: float) -> tuple[float, float]:
    def surprise(row: np.ndarray, right: int) -> float:
        return float(np.log(np.exp(row).sum()) - row[right])

    z, y, pair = logits.numpy(), labels.numpy(), given.logits.numpy()
    single, double = [], []
    for b in range(len(y)):
        for i in range(y.shape[1]):
            if y[b, i] < 0:
                continue
            single.append(surprise(z[b, i], y[b, i]))
            for j in range(y.shape[1]):
                if y[b, j] < 0 or not given.valid[b, i, j] or given.gate[b, i, j] <= tau:
                    continue
                double.append(surprise(pair[b, i, j], int(y[b, i] != y[b, j])))
    return float(np.mean(single)), float(np.mean(double))


def test_against_loops_and_that_what_does_not_count_gets_no_gradient() -> None:
    torch.manual_seed(0)
    logits = torch.randn(3, 6, 4, dtype=torch.float64)
    labels = torch.randint(-1, 4, (3, 6))
    mask = torch.arange(6) < torch.tensor([[6], [4], [1]])
    labels[~mask] = -1
    given = PairOutput(
        torch.randn(3, 6, 6, 2, dtype=torch.float64), torch.rand(3, 6, 6),
        mask[:, :, None] & mask[:, None] & torch.ones(6, 6, dtype=torch.bool).tril(),
    )  # fmt: skip
    first, second = by_loops(logits, labels, given, 0.4)
    logits.requires_grad_()
    given.logits.requires_grad_()
    found = JointLoss(balance=0.6, tau=0.4)(logits, labels, given)
    assert found.total.item() == pytest.approx(first + 0.6 * second, rel=1e-6)
    found.total.backward()
    assert logits.grad is not None and given.logits.grad is not None
    assert torch.equal(logits.grad.abs().sum(-1) > 0, labels >= 0)
    known = labels >= 0
    counts = given.valid & known[:, :, None] & known[:, None] & (given.gate > 0.4)
    assert torch.equal(given.logits.grad.abs().sum(-1) > 0, counts)


def test_a_learned_balance_moves_to_its_optimum() -> None:
    loss = JointLoss(balance=None, penalty=0.0)
    (s,) = loss.parameters()
    assert loss.weights() == {"emotion": 1.0, "transfer": 1.0}
    optimizer = torch.optim.Adam(loss.parameters(), lr=0.1)
    seen = []
    for _ in range(150):
        optimizer.zero_grad()
        loss(LOGITS, LABELS, pairs()).total.backward()
        optimizer.step()
        seen.append(s.detach().clone())
    assert (seen[0] != 0).all() and not torch.equal(seen[0], seen[1])
    # exp(-s) L + s / 2 is least where exp(s) = 2 L.
    best = [log(2 * L_C), log(2 * sum(L_S) / 5)]
    assert s.tolist() == pytest.approx(best, abs=1e-3)
    assert list(loss.weights().values()) == pytest.approx([exp(-b) for b in best], rel=2e-3)
    total = loss(LOGITS, LABELS, pairs()).total.item()
    assert total == pytest.approx(sum(0.5 + b / 2 for b in best), abs=1e-4)


def test_a_loss_that_a_batch_does_not_have_does_not_move_its_weight() -> None:
    loss = JointLoss(balance=None, tau=0.95)
    assert loss.log_variance is not None
    for given in (None, pairs()):  # no pairs, or none above tau
        loss.zero_grad()
        loss(LOGITS, LABELS, given).total.backward()
        assert loss.log_variance.grad is not None
        assert loss.log_variance.grad[0] != 0 and loss.log_variance.grad[1] == 0
    with torch.no_grad():
        loss.log_variance.fill_(3.0)
    assert loss(LOGITS, torch.full_like(LABELS, -1), pairs()).total.item() == 0.0


def test_a_fixed_balance_learns_nothing() -> None:
    loss = JointLoss(balance=0.3)
    assert list(loss.parameters()) == [] and loss.state_dict() == {}
    assert loss.weights() == {"emotion": 1.0, "transfer": 0.3}


@pytest.mark.parametrize("balance", [0.5, None])
def test_nothing_labelled(balance: float | None) -> None:
    logits = LOGITS.clone().requires_grad_()
    found = JointLoss(balance=balance)(logits, torch.full_like(LABELS, -1), pairs())
    assert [x.item() for x in found] == [0.0, 0.0, 0.0, 0.0]
    found.total.backward()
    assert logits.grad is not None and (logits.grad == 0).all()


@pytest.mark.parametrize("balance", [-0.1, 1.1, float("nan")])
def test_bad_balance(balance: float) -> None:
    with pytest.raises(ConfigurationError, match=r"balance \(lambda\) must lie in \[0, 1\]"):
        JointLoss(balance=balance)


@pytest.mark.parametrize("tau", [-0.1, 1.0, float("nan")])
def test_bad_tau(tau: float) -> None:
    with pytest.raises(ConfigurationError, match=r"tau must lie in \[0, 1\)"):
        JointLoss(tau=tau)
