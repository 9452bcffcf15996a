from __future__ import annotations

import time

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, f1_score

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.lab.evaluation.dialogue_metrics import (
    best_threshold,
    changed,
    paired_bootstrap,
    shift_f1,
    weighted_f1_from_counts,
)


def test_changed_by_hand() -> None:
    speakers = ["A", "B", "A", "A", "B", "A", "C"]
    labels = np.array([0, 1, 0, -1, 2, 3, 3])
    # B's second differs from B's first although A's lie between; A's last is held against A's
    # third, as the fourth has no label; C speaks once.
    got = changed(labels, speakers)
    assert got.tolist() == [-1, -1, 0, -1, 1, 1, -1] and got.dtype == np.int8
    # A first utterance without a label leaves the next one nothing to differ from.
    assert changed(np.array([-1, 2, 2]), ["A", "A", "A"]).tolist() == [-1, -1, 0]
    assert changed(np.array([], int), []).tolist() == []


def test_shift_f1_by_hand() -> None:
    gold = np.array([1, 0, 1, -1, 0], np.int8)
    p = np.array([0.9, 0.6, 0.2, np.nan, 0.1])
    assert shift_f1(gold, p) == pytest.approx(0.5)  # one hit, one false, one miss
    assert shift_f1(gold, p, 0.15) == pytest.approx(0.8)  # two hits, one false
    assert shift_f1(gold, p, 0.9) == pytest.approx(2 / 3)  # from 0.9 on: one hit, one miss
    assert shift_f1(np.full(3, -1), np.ones(3)) == 0.0
    assert shift_f1(np.array([0, 0]), np.array([0.1, 0.2])) == 0.0


def test_best_threshold_by_hand() -> None:
    gold = np.array([1, 0, 1, -1, 0], np.int8)
    p = np.array([0.9, 0.6, 0.2, np.nan, 0.1])
    assert best_threshold(gold, p) == pytest.approx(0.15)  # 0.8, see above
    # All three are hits from 0 on; above 0.2 one would be missed.
    assert best_threshold(np.array([1, 1, 1]), np.array([0.2, 0.4, 0.9])) == 0.0
    assert best_threshold(np.array([0, -1]), np.array([0.2, 0.4])) == 0.5
    # F1 is 2/3 from 0 (all), from 0.3 (1 of 2 and no false) and from nowhere else.
    tied = np.array([1, 0, 0, 1]), np.array([0.1, 0.2, 0.2, 0.4])
    assert shift_f1(*tied, 0.0) == shift_f1(*tied, 0.3) == pytest.approx(2 / 3)
    assert best_threshold(*tied) == pytest.approx(0.3)  # nearer to 0.5


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_best_threshold_is_the_best_of_a_search(kind: type) -> None:
    rng = np.random.default_rng(0)
    for _ in range(30):
        n = int(rng.integers(1, 40))
        gold = rng.integers(-1, 2, n).astype(np.int8)
        p = np.clip(rng.normal(0.3 + 0.2 * gold, 0.2), 0, 1).round(2).astype(kind)
        best = max(shift_f1(gold, p, t) for t in [0.5, *p.astype(float)])
        assert shift_f1(gold, p, best_threshold(gold, p)) == pytest.approx(best)
    edge = np.array([0.3, np.nextafter(kind(0.3), kind(1))], kind)  # neighbours: no middle
    assert shift_f1(np.array([0, 1]), edge, best_threshold(np.array([0, 1]), edge)) == 1.0


def test_weighted_f1_is_that_of_sklearn() -> None:
    # F1 of class 0: 0.8, of class 1: 2/3, weighted 3 to 1.
    assert weighted_f1_from_counts(np.array([[2, 1], [0, 1]])) == pytest.approx(
        0.75 * 0.8 + 0.25 * 2 / 3
    )
    rng = np.random.default_rng(0)
    gold, said = rng.integers(0, 6, (2, 3, 50))
    said[2] = rng.integers(4, 7, 50)  # one class that is never gold, some that are never said
    counts = np.stack(
        [confusion_matrix(g, s, labels=range(7)) for g, s in zip(gold, said, strict=True)]
    )
    theirs = [
        f1_score(g, s, average="weighted", zero_division=0) for g, s in zip(gold, said, strict=True)
    ]
    assert weighted_f1_from_counts(counts) == pytest.approx(theirs)
    assert weighted_f1_from_counts(counts.reshape(3, 1, 7, 7)).shape == (3, 1)
    assert weighted_f1_from_counts(np.zeros((2, 4, 4))).tolist() == [0.0, 0.0]


def _talks(rng: np.random.Generator, n: int) -> list[np.ndarray]:
    return [rng.integers(0, 7, rng.integers(4, 15)) for _ in range(n)]


def _noisy(rng: np.random.Generator, gold: list[np.ndarray], right: float) -> list[np.ndarray]:
    return [np.where(rng.random(len(g)) < right, g, rng.integers(0, 7, len(g))) for g in gold]


def test_bootstrap_by_hand() -> None:
    gold = [np.array([0, 1]), np.array([1, -1])]
    one = [np.array([0, 1]), np.array([1, 0])]
    other = [np.array([1, 1]), np.array([1, 1])]
    got = paired_bootstrap(gold, one, other, metric="accuracy", samples=4000)
    assert got["difference"] == pytest.approx(1 / 3)  # 3 of 3 against 2 of 3; -1 is not counted
    # Both drawn are the second with probability 1/4 (no difference), the first with 1/4 (1/2).
    assert (got["low"], got["high"]) == (0.0, 0.5)
    assert got["p"] == pytest.approx(0.5, abs=0.05)
    turned = paired_bootstrap(gold, other, one, metric="accuracy", samples=4000)
    assert turned == pytest.approx({"difference": -1 / 3, "low": -0.5, "high": 0.0, "p": got["p"]})


def test_bootstrap_of_equals_and_of_unequals() -> None:
    rng = np.random.default_rng(0)
    gold = _talks(rng, 60)
    said = _noisy(rng, gold, 0.6)
    assert paired_bootstrap(gold, said, said) == {"difference": 0, "low": 0, "high": 0, "p": 1}
    worse = _noisy(rng, gold, 0.2)
    got = paired_bootstrap(gold, said, worse, seed=1)
    assert got["low"] > 0 and got["p"] == 0.0 and got["low"] < got["difference"] < got["high"]
    flat, a, b = map(np.concatenate, (gold, said, worse))
    assert got["difference"] == pytest.approx(
        f1_score(flat, a, average="weighted") - f1_score(flat, b, average="weighted")
    )
    assert got == paired_bootstrap(gold, said, worse, seed=1)
    assert got != paired_bootstrap(gold, said, worse, seed=2)


def test_bootstrap_draws_whole_dialogues() -> None:
    # Ten utterances that hang together are worth as much as one: the interval stays as wide.
    rng = np.random.default_rng(0)
    right = rng.random(40) < 0.6
    gold, said = [np.array([1])] * 40, [np.array([int(r)]) for r in right]
    base = [np.array([0])] * 40
    short = paired_bootstrap(gold, said, base, metric="accuracy")
    long = paired_bootstrap(
        *([np.repeat(a, 10) for a in side] for side in (gold, said, base)), metric="accuracy"
    )
    assert long == pytest.approx(short)
    assert short["high"] - short["low"] > 0.2


def test_bootstrap_is_fast() -> None:
    rng = np.random.default_rng(0)
    gold = _talks(rng, 280)
    one, other = _noisy(rng, gold, 0.6), _noisy(rng, gold, 0.5)
    began = time.perf_counter()
    paired_bootstrap(gold, one, other)
    assert time.perf_counter() - began < 3.0


def test_bootstrap_refuses_what_does_not_fit() -> None:
    a = [np.array([0, 1])]
    for gold, one, other in (([], [], []), (a, a, a * 2), (a, [np.array([0])], a)):
        with pytest.raises(ConfigurationError, match="the same dialogues"):
            paired_bootstrap(gold, one, other)
    with pytest.raises(ConfigurationError, match="no metric is named 'mcc'"):
        paired_bootstrap(a, a, a, metric="mcc")  # type: ignore[arg-type]
