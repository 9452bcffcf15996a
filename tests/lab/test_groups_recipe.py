from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.lab.corpora.dialogues import Dialogue, DialogueSet
from empathic_sdk.lab.corpora.speaker_groups import (
    UNKNOWN,
    balanced_weights,
    dialogue_weights,
    genders,
)
from empathic_sdk.lab.training.transfer_loss import JointLoss


def dialogue(speakers: list[str], labels: list[int]) -> Dialogue:
    n = len(speakers)
    return Dialogue(
        id="d", ids=[str(i) for i in range(n)], texts=["x"] * n, speakers=speakers,
        labels=np.array(labels), features={}, present={}, times=np.full((n, 2), np.nan),
    )  # fmt: skip


def test_genders() -> None:
    d = dialogue(["Rachel", "Ross", "Mark"], [0, 0, 0])
    assert genders("meld", d) == ["female", "male", UNKNOWN]
    assert genders("iemocap", dialogue(["F", "M"], [0, 0])) == ["female", "male"]
    with pytest.raises(ConfigurationError, match="does not say who speaks"):
        genders("mosi", d)


def test_weights_by_hand() -> None:
    # a shows label 0 three times and 1 once, b the other way round: half of 4 over each cell.
    weights = balanced_weights(list("aaaabbbb"), [0, 0, 0, 1, 0, 1, 1, 1])
    two_thirds, two = 2 / 3, 2.0
    assert weights == pytest.approx([two_thirds] * 3 + [two, two] + [two_thirds] * 3)


def test_under_the_weights_groups_are_alike() -> None:
    rng = np.random.default_rng(0)
    groups = rng.choice(["a", "b", ""], 600, p=[0.5, 0.3, 0.2])
    labels = np.where(rng.random(600) < np.where(groups == "a", 0.3, 0.6), 1, 0)
    weights = balanced_weights(groups.tolist(), labels.tolist())
    assert weights.mean() == pytest.approx(1.0)
    sums = [weights[(groups == g) & (labels == y)].sum() for g in ("a", "b", "") for y in (0, 1)]
    assert sums[0] == pytest.approx(sums[2]) == pytest.approx(sums[4])
    assert sums[1] == pytest.approx(sums[3]) == pytest.approx(sums[5])


def test_groups_that_are_alike_already_change_nothing() -> None:
    assert balanced_weights(list("abab"), [0, 0, 1, 1]) == pytest.approx([1.0] * 4)


def test_unlabelled_and_rare() -> None:
    weights = balanced_weights(["a", *["b"] * 100, "a"], [0, *[0] * 100, -1])
    assert weights[-1] == 0.0
    # 50.5 wanted of the one item of a, cut off at 4; b's cell 0.505; scaled to mean 1
    mean = (4 + 100 * 0.505) / 101
    assert weights[0] == pytest.approx(4 / mean) and weights[1] == pytest.approx(0.505 / mean)
    assert balanced_weights(["a"], [-1]).tolist() == [0.0]


def test_split_back_into_dialogues() -> None:
    data = DialogueSet(
        "meld", "train", tuple("abcdefg"),
        [dialogue(["Rachel", "Ross"], [0, 1]), dialogue(["Ross", "Rachel", "Ross"], [0, 1, 0])],
    )  # fmt: skip
    parts = dialogue_weights(data)
    assert [len(p) for p in parts] == [2, 3]
    whole = balanced_weights(["female", "male", "male", "female", "male"], [0, 1, 0, 1, 0])
    assert np.concatenate(parts) == pytest.approx(whole, rel=1e-6)
    assert replace(data.dialogues[0]).speakers == ["Rachel", "Ross"]


def test_the_loss_counts_by_weight() -> None:
    logits = torch.randn(1, 3, 7, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([[2, 5, -1]])
    each = F.cross_entropy(logits[0, :2], labels[0, :2], reduction="none")
    loss = JointLoss(balance=0.0, penalty=0.0)
    found = loss(logits, labels, weights=torch.tensor([[1.0, 3.0, 0.0]]))
    assert found.total.item() == pytest.approx(float((each[0] + 3 * each[1]) / 4), rel=1e-5)
    alike = loss(logits, labels, weights=torch.ones(1, 3))
    assert alike.total.item() == pytest.approx(loss(logits, labels).total.item(), rel=1e-6)
