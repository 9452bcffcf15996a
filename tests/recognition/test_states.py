from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from empathic_sdk import Emotion, Modality, Trend
from empathic_sdk.errors import InputError
from empathic_sdk.recognition.calibration import Calibration, probabilities
from empathic_sdk.recognition.tracker import StateTracker, trend

LOGITS = arrays(np.float64, 7, elements=st.floats(-50, 50))
AFFECT = np.array([0.3, -0.4])


def one_hot(index: int) -> np.ndarray:
    return np.eye(7)[index]


def test_probabilities_by_hand() -> None:
    p = probabilities(np.array([math.log(8.0), 0.0, 0.0]), temperature=3.0)
    np.testing.assert_allclose(p, [0.5, 0.25, 0.25])  # 8 ** (1/3) = 2


@given(LOGITS, st.floats(0.1, 10))
def test_probabilities_sum_to_one(logits: np.ndarray, temperature: float) -> None:
    p = probabilities(logits, temperature)
    assert p.sum() == pytest.approx(1.0)
    assert (p >= 0).all()
    assert p[logits.argmax()] == p.max()


def test_first_state_of_a_speaker_has_no_past() -> None:
    state = StateTracker(Calibration(threshold=0.5)).add("ada", np.zeros(7), AFFECT, [])
    assert state.shift is None and state.change is None
    assert state.trend is Trend.STEADY
    assert state.confidence == pytest.approx(1 / 7)
    assert state.uncertain
    assert (state.valence, state.arousal) == (pytest.approx(0.3), pytest.approx(-0.4))
    # (1 - 1/7) * (0.5 + |(0.3, -0.4)|), and that length is 0.5
    assert state.intensity == pytest.approx(6 / 7)
    assert state.contributions == {Modality.TEXT: 1.0}


def test_shift_and_change_by_hand() -> None:
    tracker = StateTracker(Calibration())
    # softmax of log p is p
    tracker.add("ada", np.log([0.5, 0.5, *[1e-12] * 5]), AFFECT, [])
    tracker.add("bob", np.log([1e-12, 1e-12, 1.0, *[1e-12] * 4]), AFFECT, [])
    state = tracker.add("ada", np.log([0.2, 0.8, *[1e-12] * 5]), AFFECT, [])
    # independent: 1 - (0.5*0.2 + 0.5*0.8) = 0.5; as alike as can be: 1 - (0.2 + 0.5) = 0.3
    assert state.shift == pytest.approx((0.5 + 0.3) / 2)
    assert state.change is not None
    assert state.change[Emotion.JOY] == pytest.approx(0.3)
    assert state.change[Emotion.NEUTRAL] == pytest.approx(-0.3)
    assert sum(state.change.values()) == pytest.approx(0.0, abs=1e-9)


def test_trend_by_hand() -> None:
    sad, neutral, joy = one_hot(2), one_hot(0), one_hot(1)
    assert trend([sad, joy]) is Trend.STEADY  # two are too few
    assert trend([sad, neutral, joy]) is Trend.IMPROVING
    assert trend([joy, neutral, sad]) is Trend.WORSENING
    assert trend([neutral] * 5) is Trend.STEADY
    # moods 1 -1 -1 1: slope 0, standard deviation 1
    assert trend([joy, sad, sad, joy]) is Trend.VOLATILE


@given(st.lists(st.tuples(st.sampled_from("abc"), LOGITS), min_size=1, max_size=12), st.data())
def test_dump_and_load_continue_as_if_nothing_had_happened(
    said: list[tuple[str, np.ndarray]], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(said)))
    whole, first, second = (StateTracker(Calibration()) for _ in range(3))
    want = [whole.add(s, x, AFFECT, []) for s, x in said]
    got = [first.add(s, x, AFFECT, []) for s, x in said[:cut]]
    second.load(first.dump())
    got += [second.add(s, x, AFFECT, []) for s, x in said[cut:]]
    assert got == want


def test_memory_is_bounded() -> None:
    tracker = StateTracker(Calibration())
    for i in range(500):
        tracker.add(f"speaker {i}", np.zeros(7), AFFECT, [])
        tracker.add("same", np.zeros(7), AFFECT, [])
    dumped = tracker.dump()
    assert len(dumped) == 64
    assert max(map(len, dumped.values())) == 6
    assert not any("speaker" in name for name in dumped)


def test_a_wrong_dump_is_refused() -> None:
    tracker = StateTracker(Calibration())
    nan = float("nan")
    wrongs: list[object] = [
        [1],
        {"a": 5},
        {"a": [[0.5, 0.5]]},
        {"a": [["x", 0, 0, 0, 0, 0, 0]]},
        {"a": [[1], [1, 2]]},
        {"a": [[nan] * 7]},
        {"a": [[2, -1, 0, 0, 0, 0, 0]]},
    ]
    for wrong in wrongs:
        with pytest.raises(InputError, match="not the state of a dialogue session"):
            tracker.load(wrong)  # type: ignore[arg-type]
    assert tracker.dump() == {}
