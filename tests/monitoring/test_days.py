from __future__ import annotations

import sys
import time
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from empathic_sdk.errors import InputError, MissingExtraError
from empathic_sdk.monitoring import days as monitor
from empathic_sdk.monitoring.days import BASELINE, changes, report, standing
from empathic_sdk.types import ChangeKind, ChangePoint, DaySummary, MonitorReport

START = date(2025, 3, 1)


def day(
    number: int, level: float, *, turns: int = 4, variability: float = 0.2, distress: float = 0.25
) -> DaySummary:
    return DaySummary(
        day=START + timedelta(days=number),
        turns=turns,
        level=level,
        variability=variability,
        distress=distress,
    )


def noise(seed: int, n: int, *, mean: float = 0.0, spread: float = 0.15) -> list[float]:
    drawn = np.random.default_rng(seed).normal(mean, spread, n)
    return np.clip(drawn, -1, 1).tolist()


def test_figures_by_hand() -> None:
    levels = [0.3, 0.1, -0.1, -0.3, -0.1, 0.1]
    days = [day(i, x, turns=2, distress=0.5) for i, x in enumerate(levels)]
    days[0] = day(0, 0.3, turns=10, distress=0.1)
    found = report(days)
    assert found.level == pytest.approx(0.0)
    # squared deviations sum to 0.22: over five for the spread, over six for the inertia
    assert found.variability == pytest.approx((0.22 / 5) ** 0.5)
    # neighbours multiply to .03 -.01 .03 .03 -.01, mean .014
    assert found.inertia == pytest.approx(0.014 / (0.22 / 6))
    # 1 of 10 turns, then 1 of 2 on five days
    assert found.distress_share == pytest.approx(6 / 20)
    assert found.change_points == () and found.warning is None


def test_an_alternating_week_has_an_inertia_of_minus_one() -> None:
    found = report([day(i, 0.5 * (-1) ** i) for i in range(8)])
    assert found.inertia == pytest.approx(-1.0)


def test_missing_days_are_no_neighbours() -> None:
    # Seven pairs of neighbours, each (0.4, 0.4) or (-0.4, -0.4); across the gaps it always changes.
    days = [day(3 * k + i, 0.4 * (-1) ** k) for k in range(7) for i in range(2)]
    found = report(days)
    mean = 0.4 / 7  # four pairs up, three down
    variance = 0.16 - mean**2
    products = (4 * (0.4 - mean) ** 2 + 3 * (0.4 + mean) ** 2) / 7
    assert found.inertia == pytest.approx(products / variance)
    assert report([day(2 * i, 0.1 * i) for i in range(8)]).inertia is None


def test_nobody_and_one_day() -> None:
    assert report([]) == MonitorReport()
    found = report([day(0, -0.4, turns=1, variability=0.0, distress=1.0)])
    assert (found.level, found.variability, found.inertia) == (-0.4, None, None)
    assert found.distress_share == 1.0 and found.change_points == ()


def test_order_does_not_matter_and_no_day_comes_twice() -> None:
    days = [day(i, x) for i, x in enumerate([*noise(1, 30, mean=0.3), *noise(2, 20, mean=-0.5)])]
    mixed = [days[i] for i in np.random.default_rng(0).permutation(len(days))]
    assert report(mixed) == report(days)
    with pytest.raises(InputError, match="only once"):
        report([*days, days[3]])


@pytest.mark.parametrize(
    ("after", "kind"), [(-0.5, ChangeKind.DECLINE), (0.9, ChangeKind.IMPROVEMENT)]
)
def test_a_step_is_found_within_a_week_and_dated(after: float, kind: ChangeKind) -> None:
    days = [day(i, x) for i, x in enumerate([*noise(3, 40, mean=0.2), *noise(4, 20, mean=after)])]
    first = changes(days)[0]
    assert first.kind is kind
    onset = START + timedelta(days=40)
    assert onset <= first.found <= onset + timedelta(days=7)
    assert abs((first.since - onset).days) <= 2


def test_days_that_swing_more_are_found() -> None:
    calm = [day(i, x, variability=0.15) for i, x in enumerate(noise(5, 40, spread=0.1))]
    wild = [day(40 + i, x, variability=0.5) for i, x in enumerate(noise(6, 25, spread=0.1))]
    found = changes(calm + wild)
    assert [c.kind for c in found][:1] == [ChangeKind.INSTABILITY]
    assert found[0].found <= START + timedelta(days=40 + 14)


def test_a_flat_series_never_alarms_in_ten_years() -> None:
    assert changes([day(i, 0.1) for i in range(3650)]) == []


def test_a_flat_series_with_noise_keeps_to_the_documented_rate() -> None:
    # 0.06 warnings a person-month (docs/state.md): 7.2 in ten years, above 14 once in a hundred.
    days = [day(i, x) for i, x in enumerate(noise(11, 3650))]
    warned = [c for c in changes(days) if c.kind in (ChangeKind.DECLINE, ChangeKind.INSTABILITY)]
    assert len(warned) <= 14


def test_after_a_long_absence_the_comparison_begins_anew() -> None:
    before = [day(i, x) for i, x in enumerate(noise(7, 40, mean=0.3, spread=0.05))]
    lower = noise(8, 20, mean=-0.5, spread=0.05)

    def kinds(gap: int) -> list[ChangeKind]:
        days = before + [day(39 + gap + i, x) for i, x in enumerate(lower)]
        return [c.kind for c in changes(days)]

    assert kinds(31) == []
    assert kinds(30) == [ChangeKind.DECLINE]


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.integers(1, 80))
def test_what_was_found_does_not_depend_on_later_days(seed: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    levels = np.clip(rng.normal(rng.choice([-0.3, 0.3], 80).cumsum() / 8, 0.2), -1, 1)
    numbers = np.sort(rng.choice(140, 80, replace=False))
    days = [day(int(n), float(x)) for n, x in zip(numbers, levels, strict=True)]
    last = days[cut - 1].day
    assert changes(days[:cut]) == [c for c in changes(days) if c.found <= last]


def test_what_stands() -> None:
    def point(kind: ChangeKind, found: int) -> ChangePoint:
        return ChangePoint(kind=kind, since=START, found=START + timedelta(days=found))

    fall, rise = point(ChangeKind.DECLINE, 10), point(ChangeKind.IMPROVEMENT, 20)
    assert standing([fall], START + timedelta(days=40)) == fall
    assert standing([fall], START + timedelta(days=41)) is None
    assert standing([fall, rise], START + timedelta(days=21)) is None
    assert standing([], START) is None


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "river.drift", None)
    days = [day(i, 0.1) for i in range(BASELINE + 1)]
    assert report(days[:-1]).level == pytest.approx(0.1)
    with pytest.raises(MissingExtraError, match=r"empathic-sdk\[monitor\]"):
        report(days)


def test_half_a_year_is_read_in_milliseconds() -> None:
    days = [day(i, x) for i, x in enumerate(noise(9, monitor.DAYS))]
    report(days)
    took = []
    for _ in range(5):
        start = time.perf_counter()
        report(days)
        took.append(time.perf_counter() - start)
    assert min(took) < 0.05
