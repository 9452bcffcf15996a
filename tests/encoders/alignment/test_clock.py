"""PED eq 14-16 and 29-31: windows, masks, the stream, and samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from empathic_sdk.encoders.alignment import Aligner, Preparation, align
from empathic_sdk.encoders.alignment.prepare import NOTHING
from empathic_sdk.encoders.alignment.samples import changes, joint, samples, sliding
from empathic_sdk.encoders.alignment.windows import (
    LAST,
    MAX_MEAN,
    STATISTICS,
    attention,
    interval_code,
    intervals,
    windows,
)
from empathic_sdk.errors import ConfigurationError, InputError
from empathic_sdk.types import AlignedWindows, FeatureSequence, Modality

TEXT, SPEECH, FACE, BEHAVIOUR = Modality


def made(modality: Modality, values: object, times: object, mask: object = None) -> FeatureSequence:
    v = np.array(values, np.float32)
    v = v[:, None] if v.ndim == 1 else v
    there = np.ones(len(v), bool) if mask is None else np.array(mask, bool)
    return FeatureSequence(modality=modality, values=v, times=np.array(times, float), mask=there)


def assert_same(one: AlignedWindows, other: AlignedWindows) -> None:
    assert np.array_equal(one.times, other.times)
    assert one.modalities == other.modalities
    for m in one.modalities:
        assert np.array_equal(one.values[m], other.values[m]), m
        assert np.array_equal(one.masks[m], other.masks[m]), m


def chained(parts: list[AlignedWindows]) -> AlignedWindows:
    return AlignedWindows(
        times=np.concatenate([p.times for p in parts]),
        window_s=parts[0].window_s,
        values={m: np.concatenate([p.values[m] for p in parts]) for m in parts[0].values},
        masks={m: np.concatenate([p.masks[m] for p in parts]) for m in parts[0].values},
    )


# -- by hand --------------------------------------------------------------------------------


def test_different_rates_meet_on_one_clock() -> None:
    out = align(
        [
            made(SPEECH, [1, 3, 5, 7, 9], [0.0, 0.5, 1.0, 1.5, 2.0]),
            made(FACE, [10], [1.2]),
            made(TEXT, np.zeros((0, 2)), []),
        ],
        window_s=1.0,
    )
    assert out.times.tolist() == [0.0, 1.0, 2.0]  # a row at 2.0 opens a third window
    assert out.values[SPEECH][:, 0].tolist() == [2.0, 6.0, 9.0]
    assert out.values[FACE][:, 0].tolist() == [0.0, 10.0, 0.0]
    assert out.masks[FACE].tolist() == [False, True, False]
    assert out.values[TEXT].shape == (3, 2) and not out.masks[TEXT].any()
    assert out.modalities == (TEXT, SPEECH, FACE)


def test_until_and_overlap() -> None:
    sequence = made(SPEECH, [1, 2, 3], [0.0, 1.0, 2.0])
    out = align([sequence], window_s=2.0, hop_s=1.0, until=2.0)
    assert out.times.tolist() == [0.0, 1.0]
    assert out.values[SPEECH][:, 0].tolist() == [1.5, 2.0]  # the row at 2.0 is not looked at
    longer = align([sequence], window_s=1.0, until=4.5)
    assert longer.masks[SPEECH].tolist() == [True, True, True, False, False]
    assert align([], window_s=1.0).times.tolist() == []
    assert align([], window_s=1.0, until=2.0).times.tolist() == [0.0, 1.0]
    assert align([], window_s=1.0, until=-3.0).times.tolist() == []


def test_gaps_nan_duplicates_and_disorder() -> None:
    sequence = made(SPEECH, [4, 2, 2, np.nan, 0], [3.0, 0.0, 0.0, 1.0, 5.0], [1, 1, 1, 1, 0])
    out = align([sequence], window_s=1.0, preparation=NOTHING)
    assert out.values[SPEECH][:, 0].tolist() == [2.0, 0.0, 0.0, 4.0, 0.0, 0.0]
    assert out.masks[SPEECH].tolist() == [True, False, False, True, False, False]
    filled = align([sequence], window_s=1.0, preparation=Preparation(max_gap_s=None))
    assert filled.values[SPEECH][:, 0].tolist() == [2.0, 2.0, 0.0, 4.0, 0.0, 4.0]
    ahead = align([sequence], window_s=1.0, preparation=Preparation(max_gap_s=None), causal=False)
    assert ahead.values[SPEECH][:, 0].tolist() == pytest.approx([2, 8 / 3, 0, 4, 0, 0])


def test_negative_times_need_an_earlier_origin() -> None:
    sequence = made(SPEECH, [1, 2], [-0.5, 0.5])
    with pytest.raises(InputError, match=r"speech: a row at -0.5 s lies before the clock begins"):
        align([sequence], window_s=1.0)
    out = align([sequence], window_s=1.0, origin=-1.0)
    assert out.times.tolist() == [-1.0, 0.0]


def test_a_float_grid_loses_no_row() -> None:
    times = np.arange(300) * 0.1
    out = align([made(SPEECH, np.ones(300), times)], window_s=0.1, preparation=NOTHING)
    counts = align(
        [made(SPEECH, np.ones(300), times)], window_s=0.1, preparation=NOTHING,
        aggregates={SPEECH: STATISTICS},
    )  # fmt: skip
    # Rates times the window's length are numbers of rows: together all of them, none twice.
    assert (counts.values[SPEECH][:, 0] * 0.1).sum() == pytest.approx(300)
    assert len(out) == 300


def test_aggregates_by_hand() -> None:
    values, times = np.array([[1.0, 4.0], [3.0, 0.0]]), np.array([0.0, 0.5])
    assert MAX_MEAN.apply(values, times, 1.0).tolist() == [3.0, 4.0, 2.0, 2.0]
    assert LAST.apply(values, times, 1.0).tolist() == [3.0, 0.0]
    assert STATISTICS.apply(values, times, 2.0).tolist() == [1.0, 0.5, 0.0, 2.0, 2.0]
    assert STATISTICS.apply(values[:1], times[:1], 2.0).tolist() == [0.5, 2.0, 0.0, 1.0, 4.0]
    # softmax of (0, ln 3) is (1/4, 3/4)
    weighted = attention(np.array([np.log(3) / 2, 0.0])).apply(values, times, 1.0)
    assert weighted.tolist() == pytest.approx([0.25 * 1 + 0.75 * 3, 0.25 * 4])
    huge = attention(np.array([1e3, 0.0])).apply(values, times, 1.0)
    assert huge.tolist() == pytest.approx([3.0, 0.0])
    with pytest.raises(ConfigurationError, match="the query has 1 numbers, a row 2"):
        align([made(SPEECH, values, times)], window_s=1, aggregates={SPEECH: attention([1.0])})
    assert intervals(np.array([2.0, 2.5, 4.0])).tolist() == [0.0, 0.5, 1.5]
    assert intervals(np.zeros(0)).tolist() == []
    assert interval_code(np.array([0.0, np.e - 1])).tolist() == pytest.approx([0.0, 1.0])


def test_windows_begin_and_end() -> None:
    assert [e.tolist() for e in windows(2.0, 1.0, 1.0)] == [[0.0, 1.0], [1.0, 2.0]]
    assert windows(np.nextafter(2.0, 3), 1.0, 1.0)[0].tolist() == [0.0, 1.0, 2.0]
    assert [e.tolist() for e in windows(5.0, 1.5, 1.0, first=3)] == [[3.0, 4.0], [4.5, 5.5]]
    assert windows(5.0, 1.0, 1.0, first=9)[0].tolist() == []
    starts, ends = windows(100.0, 0.3, 0.1)
    assert np.array_equal(ends[:-3], starts[3:])


# -- the stream -----------------------------------------------------------------------------

PLANS = [
    None,
    Preparation(outlier_limit=1.5, max_gap_s=None, smooth=1, normalise=True),
    Preparation(outlier_limit=1.0, drop_outliers=True, max_gap_s=0.7, smooth=2),
]


@st.composite
def many(draw: st.DrawFn) -> list[FeatureSequence]:
    out = []
    for modality in draw(st.sets(st.sampled_from(list(Modality)), min_size=1, max_size=3)):
        n = draw(st.integers(0, 14))
        steps = draw(st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.6, 2.0]), min_size=n, max_size=n))
        value = st.sampled_from([0.0, 1.0, -2.0, 0.3, 40.0, float("nan")])
        values = draw(st.lists(st.tuples(value, value), min_size=n, max_size=n))
        mask = draw(st.lists(st.booleans(), min_size=n, max_size=n))
        out.append(made(modality, np.array(values, float).reshape(n, 2), np.cumsum(steps), mask))
    return sorted(out, key=lambda s: list(Modality).index(s.modality))


def part(sequence: FeatureSequence, begin: int, end: int) -> FeatureSequence:
    return made(
        sequence.modality, sequence.values[begin:end].reshape(-1, 2), sequence.times[begin:end],
        sequence.mask[begin:end],
    )  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(
    sequences=many(), data=st.data(), plan=st.sampled_from(PLANS),
    window=st.sampled_from([(1.0, 1.0), (1.0, 0.4), (0.3, 0.3)]),
)  # fmt: skip
def test_any_cut_and_any_order_of_modalities_gives_the_batch(
    sequences: list[FeatureSequence],
    data: st.DataObject,
    plan: Preparation | None,
    window: tuple[float, float],
) -> None:
    window_s, hop_s = window
    clock = Aligner(
        {s.modality: 2 for s in sequences}, window_s=window_s, hop_s=hop_s, preparation=plan
    )
    at = {s.modality: 0 for s in sequences}
    left = [s for s in sequences if len(s.times)]
    out = []
    while left:
        s = data.draw(st.sampled_from(left))
        begin = at[s.modality]
        end = begin + data.draw(st.integers(1, len(s.times) - begin))
        out.append(clock.push(part(s, begin, end)))
        at[s.modality] = end
        left = [s for s in sequences if at[s.modality] < len(s.times)]
    out.append(clock.finish())
    batch = align(sequences, window_s=window_s, hop_s=hop_s, preparation=plan)
    assert_same(chained(out), batch)


@settings(deadline=None, max_examples=60)
@given(sequences=many(), at=st.sampled_from([0.5, 1.0, 2.0, 3.0]), plan=st.sampled_from(PLANS))
def test_no_window_knows_what_comes_after_its_end(
    sequences: list[FeatureSequence], at: float, plan: Preparation | None
) -> None:
    whole = align(sequences, window_s=0.5, preparation=plan, until=4.0)
    short = align(sequences, window_s=0.5, preparation=plan, until=at)
    k = len(short)
    for m in whole.modalities:
        assert np.array_equal(whole.values[m][:k], short.values[m])


def test_a_silent_modality_holds_the_clock_until_time_is_told() -> None:
    clock = Aligner({SPEECH: 1, FACE: 1}, window_s=1.0)
    assert len(clock.push(made(SPEECH, [1, 2, 3], [0.1, 1.1, 2.1]))) == 0
    ready = clock.advance(2.0)
    assert ready.times.tolist() == [0.0, 1.0]
    assert ready.values[SPEECH][:, 0].tolist() == [1.0, 2.0]
    assert ready.masks[FACE].tolist() == [False, False]
    with pytest.raises(InputError, match=r"face: a row at 1.5 s comes late, the clock is at 2 s"):
        clock.push(made(FACE, [1], [1.5]))
    assert len(clock.push(made(FACE, [7], [2.5]))) == 0
    rest = clock.finish(until=4.0)
    assert rest.times.tolist() == [2.0, 3.0]
    assert rest.values[FACE][:, 0].tolist() == [7.0, 0.0]
    with pytest.raises(InputError, match="has finished"):
        clock.push(made(FACE, [1], [9.0]))


def test_what_is_refused_changes_nothing() -> None:
    clock = Aligner({SPEECH: 1}, window_s=1.0)
    clock.push(made(SPEECH, [1], [0.5]))
    for wrong, says in (
        (made(SPEECH, [5], [0.4]), "comes late"),
        (made(FACE, [5], [1.0]), "there is no face"),
        (made(SPEECH, [[5, 5]], [1.0]), "are 1 wide, not 2"),
        (made(SPEECH, [5], [np.inf]), "no finite time"),
        (made(SPEECH, [5], [1e9]), "milliseconds"),
    ):
        with pytest.raises(InputError, match=says):
            clock.push(wrong)
    with pytest.raises(InputError, match="cannot end at"):
        clock.finish(until=0.2)
    assert clock.finish().values[SPEECH].tolist() == [[1.0]]


def test_memory_stays_flat_over_a_long_stream() -> None:
    clock = Aligner({SPEECH: 1}, window_s=1.0, preparation=Preparation(smooth=2))
    for k in range(300):
        clock.push(made(SPEECH, np.ones(10), k + np.arange(10) / 10))
    assert len(clock._streams[SPEECH].waiting) <= 20


@pytest.mark.parametrize(
    "wrong",
    [
        {"window_s": 0},
        {"window_s": np.nan},
        {"window_s": 1, "hop_s": 2},
        {"window_s": 1, "hop_s": 0},
    ],
)
def test_wrong_windows_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError, match="window_s must be above 0"):
        align([], **wrong)
    with pytest.raises(ConfigurationError):
        Aligner({SPEECH: 1}, **wrong)


def test_one_modality_has_one_width() -> None:
    both = [made(SPEECH, [1], [0.0]), made(SPEECH, [[1, 2]], [1.0])]
    with pytest.raises(InputError, match=r"speech have different widths: \[1, 2\]"):
        align(both, window_s=1.0)


def test_aligned_windows_check_themselves() -> None:
    with pytest.raises(InputError, match="zeros where it is missing"):
        AlignedWindows(
            times=np.zeros(1), window_s=1.0, values={SPEECH: np.ones((1, 1), np.float32)},
            masks={SPEECH: np.zeros(1, bool)},
        )  # fmt: skip


# -- samples ----------------------------------------------------------------------------------


def test_joint_samples_and_changes_by_hand() -> None:
    windows = align([made(FACE, [10], [1.0]), made(TEXT, [1, 2, 3], [0.0, 1.0, 2.0])], window_s=1.0)
    assert joint(windows).tolist() == [[1, 0, 1, 0], [2, 10, 1, 1], [3, 0, 1, 0]]
    labels = np.array([[1.0, 0.0], [0.25, 0.75], [0.25, 0.75]])
    moved, known = changes(labels)
    assert moved.tolist() == [[0.0, 0.0], [-0.75, 0.75], [0.0, 0.0]]
    assert known.tolist() == [False, True, True]
    out = samples(windows, labels, length=2, user=np.array([5.0]))
    assert out.inputs.shape == (2, 2, 4) and out.user.tolist() == [[5.0], [5.0]]
    assert out.inputs[1, 0].tolist() == [2, 10, 1, 1]
    assert out.labels[1].tolist() == labels[1:].tolist()
    assert out.changed.tolist() == [[False, True], [True, True]]
    assert len(sliding(np.zeros((1, 3)), 2)) == 0
    with pytest.raises(InputError, match="labels must be"):
        samples(windows, labels[:2], length=2)
    assert joint(align([], window_s=1.0, until=2.0)).shape == (2, 0)
