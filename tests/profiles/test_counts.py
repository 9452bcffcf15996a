"""Counts that may leave: the distribution of their noise, their budget, what they hide."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from empathic_sdk.cli import main
from empathic_sdk.errors import InputError, PrivacyBudgetError, StoreError
from empathic_sdk.profiles import ProfileStore
from empathic_sdk.profiles.counts import noise, true_counts, whole, within
from empathic_sdk.types import Emotion, SafetyLevel
from tests.profiles.direct import tables
from tests.profiles.factory import make_turn

EPSILONS = [Fraction(1, 10), Fraction(1, 2), Fraction(1), Fraction(7, 3)]


def probability(epsilon: Fraction, k: int) -> float:
    """Of the discrete Laplace distribution, by its definition, summed up."""
    a = math.exp(-epsilon)
    return a ** abs(k) * (1 - a) / (1 + a)


@pytest.mark.parametrize("epsilon", EPSILONS, ids=str)
def test_the_noise_is_discrete_laplace(epsilon: Fraction) -> None:
    rng = random.Random(20240117)
    drawn = Counter(noise(epsilon, rng) for _ in range(20_000))
    n = drawn.total()
    mean = sum(k * c for k, c in drawn.items()) / n
    variance = sum(k * k * c for k, c in drawn.items()) / n
    a = math.exp(-epsilon)
    expected = 2 * a / (1 - a) ** 2
    assert abs(mean) < 4 * math.sqrt(expected / n)
    assert variance == pytest.approx(expected, rel=0.08)
    # Pearson's chi-square over bins that hold at least five: 4 sigma above its mean at most.
    chi, bins, rest = 0.0, 0, (1.0, n)
    for k in range(-200, 201):
        p = probability(epsilon, k)
        if n * p >= 5:
            chi += (drawn[k] - n * p) ** 2 / (n * p)
            bins += 1
            rest = (rest[0] - p, rest[1] - drawn[k])
    if n * rest[0] >= 5:
        chi += (rest[1] - n * rest[0]) ** 2 / (n * rest[0])
    assert chi < bins + 4 * math.sqrt(2 * bins)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.fractions(Fraction(1, 20), Fraction(5), max_denominator=1000))
def test_neighbours_can_hardly_be_told_apart(epsilon: Fraction) -> None:
    """The definition itself: one person more or less changes no probability beyond e^epsilon."""
    for answer in range(-30, 31):
        with_them, without = probability(epsilon, answer - 8), probability(epsilon, answer - 7)
        assert math.exp(-epsilon) * 0.999999 <= with_them / without <= math.exp(epsilon) * 1.000001


@pytest.mark.parametrize("epsilon", EPSILONS, ids=str)
def test_within_is_what_it_says(epsilon: Fraction) -> None:
    n = within(epsilon)
    inside = sum(probability(epsilon, k) for k in range(-n, n + 1))
    assert inside >= 0.95
    assert n == 0 or inside - 2 * probability(epsilon, n) < 0.95
    assert within(Fraction(1, 10)) == 30  # 2 e^-3.1 / (1 + e^-0.1) = 0.047, e^-3 gives 0.052


def people(store: ProfileStore) -> None:
    for n in range(12):
        user = f"Qname-{n:04}"
        for k in range(3):
            label = Emotion.JOY if n < 7 else (Emotion.FEAR, Emotion.ANGER, Emotion.ANGER)[k]
            turn = make_turn(f"{n}-{k}", user=user, label=label)
            if n == 11 and k == 1:
                safety = turn.safety.model_copy(update={"level": SafetyLevel.HIGH})
                turn = turn.model_copy(update={"safety": safety})
            store.record(turn)
    store.prefer("never spoke", tone="gentle")


def test_each_person_is_in_exactly_one_bin(store: ProfileStore) -> None:
    people(store)
    with tables(store) as db:
        assert true_counts(db, "emotions") == {Emotion.JOY: 7, Emotion.ANGER: 5}
        assert true_counts(db, "safety") == {SafetyLevel.NONE: 11, SafetyLevel.HIGH: 1}
    before = {}
    for what in ("emotions", "safety"):
        with tables(store) as db:
            before[what] = true_counts(db, what)
    store.erase("Qname-0011")
    for what, counted in before.items():
        with tables(store) as db:
            change = counted - true_counts(db, what)
        assert change.total() == 1  # the sensitivity that the noise is made for


def test_answers_are_noisy_and_near(store: ProfileStore) -> None:
    people(store)
    store.privacy_budget(10)
    answers = [store.counts(epsilon=0.5) for _ in range(20)]
    assert len({json.dumps(a["counts"]) for a in answers}) > 5
    assert all(set(a["counts"]) == set(Emotion) for a in answers)
    assert all(c >= 0 for a in answers for c in a["counts"].values())
    mean = sum(a["counts"]["joy"] for a in answers) / len(answers)
    assert abs(mean - 7) < 3  # five standard errors
    assert "Qname" not in json.dumps(answers)


def test_the_budget_is_spent_once_and_by_all(path: Path) -> None:
    with ProfileStore(path) as store:
        people(store)
        assert store.privacy_budget() == {"total": 1.0, "spent": 0.0, "left": 1.0}
        for n in range(10):  # ten tenths are one, as whole numbers have it
            assert store.counts(epsilon=0.1)["left"] == pytest.approx(0.9 - n / 10)
        with pytest.raises(PrivacyBudgetError, match="0 of 1 is left"):
            store.counts("safety", epsilon=0.001)
    with ProfileStore(path) as store:  # also after a restart, and for another process
        with pytest.raises(StoreError):
            store.counts(epsilon=0.1)
        assert store.privacy_budget()["spent"] == 1.0
        store.erase("Qname-0001")
        assert store.privacy_budget()["left"] == 0.0  # what was told was told
        assert store.privacy_budget(1.5)["left"] == 0.5
        assert store.counts("safety", epsilon=0.3)["left"] == pytest.approx(0.2)
        assert store.privacy_budget(0.5)["left"] == 0.0


@pytest.mark.parametrize("epsilon", [0, -1, 0.0001, 11, float("nan"), float("inf"), True, "1"])
def test_epsilon_must_make_sense(store: ProfileStore, epsilon: float) -> None:
    with pytest.raises(InputError, match="epsilon"):
        store.counts(epsilon=epsilon)
    with pytest.raises(InputError, match="no count"):
        store.counts("names", epsilon=0.1)
    assert store.privacy_budget()["spent"] == 0.0
    assert whole(0.1) == Fraction(1, 10)


def test_the_command(path: Path) -> None:
    with ProfileStore(path) as store:
        people(store)
    run = CliRunner().invoke
    arguments = ["profile", "counts", "--profiles", str(path), "--epsilon"]
    out = run(main, [*arguments, "0.6", "--json"])
    assert json.loads(out.output)["left"] == pytest.approx(0.4)
    refused = run(main, [*arguments, "0.6"])
    assert refused.exit_code == 1 and "0.4 of 1 is left" in refused.output
    again = run(main, [*arguments, "0.6", "--budget", "2"])
    assert again.exit_code == 0 and "19 times out of 20" in again.output
