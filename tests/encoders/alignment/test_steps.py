"""PED eq 10-13, each step against hand calculation, and its causal form against a prefix."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from empathic_sdk.encoders.alignment.cleaning import (
    WARM_UP,
    CausalAverage,
    CausalHold,
    CausalNormalise,
    CausalOutliers,
    clean_outliers,
    interpolate,
    moving_average,
    normalise,
    z_scores,
)
from empathic_sdk.encoders.alignment.prepare import NOTHING, Preparation, prepare
from empathic_sdk.encoders.alignment.rows import Rows, joined, once, rows_of
from empathic_sdk.errors import ConfigurationError, InputError
from empathic_sdk.types import FeatureSequence, Modality


def rows(
    values: list[float] | list[list[float]],
    times: list[float] | None = None,
    mask: list[int] | None = None,
) -> Rows:
    made = np.array(values, float).reshape(len(values), -1)
    there = np.array([1] * len(values) if mask is None else mask, bool)
    when = np.arange(len(values), dtype=float) if times is None else np.array(times, float)
    return Rows(np.where(there[:, None], made, 0.0), when, there)


def sequence(values: object, times: object, mask: object = None) -> FeatureSequence:
    made = np.array(values, np.float32)
    there = np.ones(len(made), bool) if mask is None else np.array(mask, bool)
    return FeatureSequence(
        modality=Modality.SPEECH, values=made, times=np.array(times, float), mask=there
    )


# -- eq 10 ----------------------------------------------------------------------------------


def test_z_scores_by_hand() -> None:
    # 1, 3, 5: mean 3, population deviation sqrt(8 / 3).
    z = z_scores(rows([1.0, 3.0, 5.0]))[:, 0]
    assert z.tolist() == pytest.approx([-2 / np.sqrt(8 / 3), 0.0, 2 / np.sqrt(8 / 3)])
    assert z_scores(rows([7.0, 7.0])).tolist() == [[0.0], [0.0]]  # nothing varies
    with_gap = z_scores(rows([1.0, 99.0, 5.0], mask=[1, 0, 1]))[:, 0]
    assert with_gap.tolist() == pytest.approx([-1.0, 0.0, 1.0])  # mean 3, deviation 2
    assert z_scores(rows([4.0], mask=[0])).tolist() == [[0.0]]


def test_outliers_are_corrected_or_eliminated() -> None:
    given_rows = rows([0.0] * 24 + [25.0])  # mean 1, deviation sqrt(25 - 1)
    limit = 1 + 3 * np.sqrt(24)
    corrected = clean_outliers(given_rows, limit=3.0)
    assert corrected.values[-1, 0] == pytest.approx(limit)
    assert corrected.mask.all() and (corrected.values[:-1] == 0).all()
    dropped = clean_outliers(given_rows, limit=3.0, drop=True)
    assert dropped.mask.tolist() == [True] * 24 + [False]
    assert dropped.values[-1, 0] == 0.0
    assert clean_outliers(given_rows, limit=5.0).values[-1, 0] == 25.0
    # Ten rows cannot hold anything beyond three deviations.
    assert clean_outliers(rows([0.0] * 9 + [1e6])).values[-1, 0] == 1e6


def test_causal_outliers_know_the_past_only() -> None:
    past = [1.0, -1.0] * (WARM_UP // 2)  # mean 0, deviation 1
    out = CausalOutliers(limit=3.0).push(rows([*past, 10.0, 2.5]))
    assert out.values[:WARM_UP, 0].tolist() == past
    assert out.values[WARM_UP, 0] == pytest.approx(3.0)
    assert out.values[WARM_UP + 1, 0] == 2.5
    early = CausalOutliers(limit=3.0).push(rows([1.0, -1.0, 500.0]))
    assert early.values[2, 0] == 500.0  # nobody knows yet what is usual
    dropped = CausalOutliers(limit=3.0, drop=True).push(rows([*past, 10.0]))
    assert not dropped.mask[-1]


def test_a_small_spread_around_a_large_mean_is_measured() -> None:
    past = [1e6 + 1, 1e6 - 1] * 500
    out = CausalOutliers(limit=3.0).push(rows([*past, 1e6 + 10]))
    assert out.values[-1, 0] == pytest.approx(1e6 + 3, abs=1e-3)


# -- eq 11 ----------------------------------------------------------------------------------


def test_interpolation_by_hand() -> None:
    out = interpolate(rows([1.0, 0.0, 0.0, 7.0], [0.0, 1.0, 2.5, 3.0], [1, 0, 0, 1]))
    assert out.values[:, 0].tolist() == [1.0, 3.0, 6.0, 7.0]
    assert out.mask.all()


def test_interpolation_does_not_reach_beyond_what_is_known() -> None:
    out = interpolate(rows([0.0, 2.0, 0.0, 4.0, 0.0], mask=[0, 1, 0, 1, 0]))
    assert out.mask.tolist() == [False, True, True, True, False]
    assert out.values[:, 0].tolist() == [0.0, 2.0, 3.0, 4.0, 0.0]
    wide = rows([1.0, 0.0, 3.0, 0.0, 5.0], [0.0, 1.0, 2.0, 6.0, 9.0], [1, 0, 1, 0, 1])
    assert interpolate(wide, max_gap_s=2.0).mask.tolist() == [True, True, True, False, True]
    assert not interpolate(rows([1.0, 2.0], mask=[0, 0])).mask.any()


def test_holding_by_hand() -> None:
    given_rows = rows([0.0, 2.0, 0.0, 0.0, 5.0], [0.0, 1.0, 1.5, 4.0, 5.0], [0, 1, 0, 0, 1])
    out = CausalHold(max_gap_s=1.0).push(given_rows)
    assert out.mask.tolist() == [False, True, True, False, True]
    assert out.values[:, 0].tolist() == [0.0, 2.0, 2.0, 0.0, 5.0]
    assert CausalHold().push(given_rows).values[:, 0].tolist() == [0.0, 2.0, 2.0, 2.0, 5.0]


# -- eq 12 ----------------------------------------------------------------------------------


def test_moving_average_by_hand() -> None:
    out = moving_average(rows([1.0, 2.0, 6.0, 4.0]), 1)
    assert out.values[:, 0].tolist() == [1.5, 3.0, 4.0, 5.0]
    gap = moving_average(rows([1.0, 9.0, 6.0, 4.0], mask=[1, 0, 1, 1]), 1)
    assert gap.values[:, 0].tolist() == [1.0, 0.0, 5.0, 5.0]
    assert gap.mask.tolist() == [True, False, True, True]
    assert moving_average(rows([3.0]), 5).values.tolist() == [[3.0]]
    assert moving_average(rows([1.0, 2.0]), 0).values[:, 0].tolist() == [1.0, 2.0]


def test_trailing_average_by_hand() -> None:
    out = CausalAverage(1).push(rows([1.0, 2.0, 6.0, 4.0]))
    assert out.values[:, 0].tolist() == [1.0, 1.5, 3.0, 4.0]


# -- eq 13 ----------------------------------------------------------------------------------


def test_normalisation_by_hand() -> None:
    out = normalise(rows([1.0, 3.0], mask=[1, 1]), epsilon=1.0)
    assert out.values[:, 0].tolist() == [-0.5, 0.5]  # deviation 1
    assert normalise(rows([5.0, 5.0])).values.tolist() == [[0.0], [0.0]]
    running = CausalNormalise(epsilon=1.0).push(rows([1.0, 3.0]))
    assert running.values[:, 0].tolist() == [0.0, 0.5]


# -- causal forms: any cut, and nothing from the future -----------------------------------------

STEPS = {
    "outliers": lambda: CausalOutliers(2.0),
    "dropped": lambda: CausalOutliers(2.0, drop=True),
    "hold": lambda: CausalHold(2.0),
    "average": lambda: CausalAverage(2),
    "normalise": lambda: CausalNormalise(),
}


@st.composite
def streams(draw: st.DrawFn) -> Rows:
    n = draw(st.integers(0, 24))
    values = draw(
        arrays(np.float64, (n, 2), elements=st.floats(-1e4, 1e4, width=32, allow_subnormal=False))
    )
    gaps = draw(arrays(np.float64, n, elements=st.floats(0, 3, width=32)))
    mask = draw(arrays(bool, n))
    return Rows(np.where(mask[:, None], values, 0.0), np.cumsum(gaps), mask)


def cuts(whole: Rows, places: list[int]) -> list[Rows]:
    edges = [0, *sorted(min(p, len(whole)) for p in places), len(whole)]
    return [whole.take(slice(a, b)) for a, b in pairwise(edges)]


@pytest.mark.parametrize("name", STEPS)
@settings(deadline=None, max_examples=40)
@given(whole=streams(), places=st.lists(st.integers(0, 24), max_size=6))
def test_any_cut_gives_the_same_rows(name: str, whole: Rows, places: list[int]) -> None:
    at_once = STEPS[name]().push(whole)
    step = STEPS[name]()
    parts = joined([step.push(part) for part in cuts(whole, places)])
    assert np.array_equal(parts.values, at_once.values)
    assert np.array_equal(parts.mask, at_once.mask)


@pytest.mark.parametrize("name", STEPS)
@settings(deadline=None, max_examples=40)
@given(whole=streams(), at=st.integers(0, 24))
def test_a_row_does_not_know_what_follows(name: str, whole: Rows, at: int) -> None:
    at = min(at, len(whole))
    short = STEPS[name]().push(whole.take(slice(0, at)))
    assert np.array_equal(short.values, STEPS[name]().push(whole).values[:at])


@settings(deadline=None, max_examples=40)
@given(whole=streams())
def test_running_statistics_are_those_of_the_prefix(whole: Rows) -> None:
    out = CausalNormalise(epsilon=1e-3).push(whole)
    for i in np.flatnonzero(whole.mask):
        seen = whole.values[: i + 1][whole.mask[: i + 1]]
        expected = (whole.values[i] - seen.mean(0)) / (seen.std(0) + 1e-3)
        assert np.allclose(out.values[i], expected, atol=1e-4)


# -- sequences ------------------------------------------------------------------------------


def test_prepare_orders_drops_duplicates_and_masks_what_is_not_finite() -> None:
    given_sequence = sequence(
        [[3.0], [1.0], [1.0], [9.0], [np.nan], [np.inf]], [2.0, 1.0, 1.0, 1.0, 0.0, 3.0]
    )
    out = prepare(given_sequence, NOTHING)
    assert out.times.tolist() == [0.0, 1.0, 1.0, 2.0, 3.0]
    assert out.values[:, 0].tolist() == [0.0, 1.0, 9.0, 3.0, 0.0]
    assert out.mask.tolist() == [False, True, True, True, False]
    assert given_sequence.times.tolist() == [2.0, 1.0, 1.0, 1.0, 0.0, 3.0]  # not changed


def test_prepare_one_row_and_none() -> None:
    one = prepare(sequence([[4.0]], [0.5]), Preparation.published())
    assert one.values.tolist() == [[0.0]] and one.mask.all()  # its own mean
    assert prepare(sequence([[4.0]], [0.5])).values.tolist() == [[4.0]]
    none = prepare(sequence(np.zeros((0, 3)), []), Preparation.published(), causal=False)
    assert none.values.shape == (0, 3)


def test_published_steps_look_ahead_and_causal_ones_do_not() -> None:
    early, late = [[0.0], [1.0], [2.0]], [[0.0], [1.0], [200.0]]
    p = Preparation.published(smooth=1)
    for causal, same in ((True, True), (False, False)):
        a, b = (prepare(sequence(v, [0, 1, 2]), p, causal=causal).values[:2] for v in (early, late))
        assert np.array_equal(a, b) is same


def test_duplicates_across_a_cut() -> None:
    whole = rows([1.0, 1.0, 2.0, 0.0, 2.0], [0.0, 1.0, 1.0, 1.0, 1.0], [1, 1, 1, 0, 1])
    assert once(whole).values[:, 0].tolist() == [1.0, 1.0, 2.0]
    first, second = whole.take(slice(0, 3)), whole.take(slice(3, 5))
    assert len(once(second, once(first))) == 0
    assert len(once(rows([1.0, 1.0], [0.0, 0.5]))) == 2  # equal values, other moments


def test_wrong_arguments_say_so() -> None:
    with pytest.raises(InputError, match="row 1 has no finite time"):
        rows_of(sequence([[1.0], [2.0]], [0.0, np.nan]))
    with pytest.raises(ConfigurationError, match="limit must be above 0"):
        clean_outliers(rows([1.0]), limit=0)
    with pytest.raises(ConfigurationError, match="max_gap_s"):
        CausalHold(-1.0)
    with pytest.raises(ConfigurationError, match="k must be 0 or more"):
        moving_average(rows([1.0]), -1)
    with pytest.raises(ConfigurationError, match="smooth"):
        Preparation(smooth=-1)
