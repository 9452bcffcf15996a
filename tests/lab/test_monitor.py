from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from empathic_sdk.lab.evaluation.monitor import false_alarms, poisson_interval, score, told
from empathic_sdk.lab.simulation.trajectories import (
    START,
    States,
    Trajectory,
    people,
    simulate,
    summaries,
)
from empathic_sdk.types import ChangeKind, ChangePoint, DaySummary, Emotion


def states() -> States:
    """A recogniser that is always right and sure."""
    gold = np.repeat(np.arange(7), 3)
    return States(gold, np.eye(7)[gold])


def point(kind: ChangeKind, found: int) -> ChangePoint:
    return ChangePoint(kind=kind, since=START, found=START + timedelta(days=found))


def course(kind: str, onset: int | None, days: list[int]) -> Trajectory:
    made = [
        DaySummary(day=START + timedelta(days=d), turns=1, level=0.0, variability=0.0, distress=0.0)
        for d in days
    ]
    when = None if onset is None else START + timedelta(days=onset)
    return Trajectory(kind, made, when, (0.1, 0.5))


def test_summaries_by_hand() -> None:
    p = np.eye(7)[[e == Emotion.JOY for e in Emotion].index(True)], np.eye(7)[2], np.eye(7)[0]
    first, second = summaries(np.array([0, 0, 4]), np.stack(p))
    assert (first.turns, first.level, first.variability, first.distress) == (2, 0.0, 1.0, 0.5)
    assert (second.day - first.day).days == 4 and second.level == 0.0


@pytest.mark.parametrize("kind", ["decline", "drop"])
def test_a_course_makes_people_worse_after_its_onset(kind: str) -> None:
    drawn = people(20, states(), 3, kinds=(kind,))[kind]
    before, after = np.mean([c.distress for c in drawn], axis=0)
    assert after > before + 0.15
    assert all(c.onset is not None and 60 <= (c.onset - START).days < 120 for c in drawn)


def test_the_same_seed_draws_the_same_people() -> None:
    some = people(3, states(), 5, kinds=("drop", "stable"))
    assert some["drop"] == people(3, states(), 5, kinds=("drop",))["drop"]
    assert some["drop"] != people(3, states(), 6, kinds=("drop",))["drop"]
    assert simulate("stable", states(), np.random.default_rng(0)).onset is None


def test_delay_ends_when_somebody_would_be_told() -> None:
    one = course("drop", 70, [60, 75, 78, 90])
    assert told(one, point(ChangeKind.DECLINE, 75)) == START + timedelta(days=78)
    assert told(one, point(ChangeKind.DECLINE, 90)) == START + timedelta(days=91)
    found = [
        [point(ChangeKind.DECLINE, 65), point(ChangeKind.DECLINE, 75)],  # one false, one after 8
        [point(ChangeKind.INSTABILITY, 75)],  # a wrong hint, and none that is right
        [point(ChangeKind.DECLINE, 69 + 66)],  # too late
        [],
    ]
    figures = score([one] * 4, found, ChangeKind.DECLINE, seed=0)
    assert figures["detected"] == 0.25 and figures["wrong_hint"] == 0.25
    assert figures["delay_days"]["median"] == 8.0
    assert figures["true_distress"] == pytest.approx({"before": 0.1, "after": 0.5})


def test_false_alarms_are_those_before_onset_a_person_month() -> None:
    drawn = {"stable": [course("stable", None, [0])], "drop": [course("drop", 60, [0])]}
    found = {
        "stable": [[point(ChangeKind.DECLINE, 50), point(ChangeKind.IMPROVEMENT, 90)]],
        "drop": [[point(ChangeKind.INSTABILITY, 59), point(ChangeKind.DECLINE, 60)]],
    }
    figures = false_alarms(drawn, found, seed=0)
    assert figures["person_months"] == pytest.approx(240 / (365.25 / 12))
    assert figures["decline"]["count"] == figures["instability"]["count"] == 1
    assert figures["warnings"]["count"] == 2
    assert figures["warnings"]["rate"] == pytest.approx(2 / figures["person_months"])


def test_poisson_interval_against_tables() -> None:
    # Garwood's limits: 0 gives (0, 3.689), 10 gives (4.795, 18.39).
    assert poisson_interval(0, 1.0) == pytest.approx([0.0, 3.689], abs=1e-3)
    assert poisson_interval(10, 2.0) == pytest.approx([4.795 / 2, 18.390 / 2], abs=1e-3)
