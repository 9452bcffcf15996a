"""Learning from feedback: the steps by hand, and what holds of any course."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from empathic_sdk.profiles import calibration, qlearning
from empathic_sdk.profiles.calibration import Leaning, personal, step
from empathic_sdk.profiles.learning import Learned, Seen, advance, learn
from empathic_sdk.profiles.qlearning import ACTIONS, Learner
from empathic_sdk.recognition.calibration import personal as of_the_state
from empathic_sdk.types import Modality

EVEN = (1 / 7,) * 7
SURE = (0.7, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05)


def test_a_bias_step_by_hand() -> None:
    after = step(Leaning(), EVEN, 3)
    # One correction from zero: 0.2 * (onehot - p).
    assert after.bias[3] == pytest.approx(0.2 * 6 / 7)
    assert after.bias[0] == pytest.approx(-0.2 / 7)
    assert after.proof == 0.0 and after.sense == pytest.approx(0.0)  # predicted as a die would
    again = step(after, EVEN, 3, weight=0.5)
    z = math.exp(0.2 * 6 / 7) + 6 * math.exp(-0.2 / 7)
    p3 = math.exp(0.2 * 6 / 7) / z
    assert again.bias[3] == pytest.approx(0.995 * 0.2 * 6 / 7 + 0.1 * (1 - p3))
    assert again.proof == pytest.approx(0.5 * math.log(7 * p3))
    assert again.sense == pytest.approx(0.5 * math.log(7 * p3))


def test_a_q_update_by_hand() -> None:
    assert qlearning.updated(2.0, 1.0, 3.0) == pytest.approx(2.0 + 0.05 * (1.0 + 0.9 * 3.0 - 2.0))
    assert qlearning.updated(0.0, 1.0, 0.0, weight=0.5) == pytest.approx(0.025)
    there = Learner(table={"b": (0.0, 4.0, *(0.0,) * 7)}, state="a", action=2)
    only = qlearning.reward_taken(there, -1.0, "b")
    assert only.table["a"][2] == pytest.approx(0.05 * (-1.0 + 0.9 * 4.0))
    assert only.table["a"][0] == 0.0 and only.table["b"] == there.table["b"]
    every = qlearning.reward_all(there, tuple(range(9)), "c")
    assert every.table["a"] == pytest.approx([0.05 * r for r in range(9)])


def test_advantages_and_rewards_by_hand() -> None:
    p = (0.6, 0.3, 0.1, 0.0, 0.0, 0.0, 0.0)
    found = qlearning.advantages(apart={"text": 1, "speech": 0}, general=p, felt=1)
    # Text was right where 0.3 were given it, the voice wrong where 0.6 were: 0.7 and -0.6.
    assert found == pytest.approx({"text": 0.65, "speech": -0.65})
    given_ = dict(zip(ACTIONS, qlearning.rewards(found, right=False), strict=True))
    assert given_["", 0] == -0.5
    assert given_["speech", -1] == pytest.approx(0.15)
    assert given_["speech", 1] == pytest.approx(-1.15)
    assert given_["face", 1] == -0.5


def test_the_state_by_hand() -> None:
    name = qlearning.state_of(
        shown=3, uncertain=True, apart={"text": 0, "speech": 3, "face": 3}, before=[0, 2], told=-1
    )
    assert name == "u?t=-"  # unpleasant, unsure, text dissents, as before, last said wrong
    assert qlearning.state_of(shown=0, uncertain=False, apart={}, before=[], told=0) == "n!a=0"
    assert qlearning.epsilon(0) == 0.2 and qlearning.epsilon(10) == 0.1
    assert qlearning.epsilon(10_000) == 0.02


def test_a_weight_leaves_one_only_on_evidence_and_may_always_come_back() -> None:
    row = tuple(1.0 if a == ("speech", -1) else 0.0 for a in ACTIONS)
    eager = Learner(table={"s": row}, steps=10_000)
    assert qlearning.decide(eager, "s", ("text", "speech"), "x").weights["speech"] == 1.0
    proven = Learner(table={"s": row}, steps=10_000, sums={"speech": -3.1}, squares={"speech": 1.0})
    moved = qlearning.decide(proven, "s", ("text", "speech"), "x")
    assert moved.weights == {"text": 1.0, "speech": 0.9, "face": 1.0, "behaviour": 1.0}
    back = tuple(1.0 if a == ("speech", 1) else 0.0 for a in ACTIONS)
    returning = Learner(table={"s": back}, steps=10_000, weights=moved.weights)
    assert qlearning.decide(returning, "s", ("text", "speech"), "x").weights["speech"] == 1.0


def test_the_table_is_bounded() -> None:
    learner = Learner()
    for i in range(400):
        learner = qlearning.reward_taken(
            Learner(table=learner.table, state=f"s{i}", action=0), 1.0, "end"
        )
    assert len(learner.table) == qlearning.MOST_STATES
    assert "s399" in learner.table and "s0" not in learner.table


distributions = st.lists(st.floats(0.001, 1.0), min_size=7, max_size=7).map(
    lambda x: tuple((np.array(x) / sum(x)).tolist())
)
turns = st.builds(
    Seen,
    conversation=st.sampled_from(["a", "b"]),
    general=distributions,
    shown=st.integers(0, 6),
    uncertain=st.booleans(),
    apart=st.sampled_from([{}, {"text": 0, "speech": 3}, {"text": 2, "speech": 2, "face": 5}]),
    felt=st.none() | st.integers(0, 6),
    rating=st.none() | st.sampled_from([-1, 0, 1]),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(turns, max_size=30))
def test_whatever_happens_the_values_stay_in_their_bounds(course: list[Seen]) -> None:
    found = learn(course, "ada")
    assert found == learn(course, "ada")
    assert len(found.bias()) in (0, 7)
    assert all(abs(b) <= calibration.LIMIT for b in found.leaning.bias)
    assert all(0.1 <= w <= 2.0 for w in found.learner.weights.values())
    weights = found.weights()
    assert not weights or sum(weights.values()) == pytest.approx(len(Modality))
    assert abs(found.threshold()) <= calibration.CAUTION_LIMIT
    p = personal(SURE, found.leaning.bias)
    assert p.sum() == pytest.approx(1.0, abs=1e-12) and (p >= 0).all()
    assert (p == of_the_state(np.array(SURE), found.leaning.bias)).all()


def test_without_feedback_nothing_is_learned() -> None:
    silent = Seen(conversation="a", general=SURE, shown=0, uncertain=False,
                  apart={"text": 0, "speech": 3})  # fmt: skip
    found = learn([silent] * 50, "ada")
    assert (found.bias(), found.weights(), found.threshold()) == ((), {}, 0.0)
    assert found.leaning == Leaning() and found.learner == Learner()


def test_the_first_correction_counts_a_little_and_consistent_ones_in_full() -> None:
    wrong = Seen(conversation="a", general=SURE, shown=0, uncertain=False, felt=3)
    once = advance(Learned(), wrong, "ada")
    assert once.bias()[3] == pytest.approx(0.25 * 0.2 * 0.95)
    found = learn([wrong] * 40, "ada")
    assert int(personal(SURE, found.bias()).argmax()) == 3


def test_somebody_who_answers_at_random_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    course = []
    for _ in range(300):
        p = rng.dirichlet(np.full(7, 0.3))
        shown = int(p.argmax())
        said = {m: int(rng.choice(7, p=p)) for m in ("text", "speech", "face")}
        course.append(
            Seen(conversation="a", general=tuple(p.tolist()),
                 shown=shown, uncertain=False, apart=said,
                 felt=int(rng.integers(7)))
        )  # fmt: skip
    found = learn(course, "ada")
    assert (found.bias(), found.weights(), found.threshold()) == ((), {}, 0.0)


def test_a_voice_that_misleads_is_believed_less() -> None:
    rng = np.random.default_rng(1)
    course = []
    for _ in range(150):
        felt, voice = int(rng.integers(7)), int(rng.integers(7))
        p = np.full(7, 0.05)
        p[voice] += 0.4
        p[felt] += 0.25
        course.append(
            Seen(conversation="a", general=tuple((p / p.sum()).tolist()),
                 shown=voice, uncertain=False,
                 apart={"text": felt, "speech": voice, "face": felt}, felt=felt)
        )  # fmt: skip
    weights = learn(course, "ada").weights()
    assert weights[Modality.SPEECH] < 0.5 < weights[Modality.TEXT]


def test_the_threshold_follows_how_often_an_unwarned_label_is_right() -> None:
    now = Leaning()
    now = calibration.caution(now, uncertain=False, right=False)
    assert now.caution == pytest.approx(0.014)
    now = calibration.caution(now, uncertain=False, right=True)
    assert now.caution == pytest.approx(0.008)
    now = calibration.caution(now, uncertain=True, right=False)
    assert now.caution == pytest.approx(0.00792)
