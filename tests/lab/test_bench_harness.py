from __future__ import annotations

import time

import pytest

from empathic_sdk.lab.benchmarks.harness import Timings, once, quantile, timed


def test_warm_ups_come_first_and_are_not_timed() -> None:
    calls: list[int] = []
    found = timed(calls.append, 3, warm_up=2)
    assert calls == [0, 1, 2, 3, 4] and len(found.wall) == len(found.cpu) == 3


def test_the_clock_and_the_processor_are_two_things() -> None:
    slept = once(time.sleep, 0.05)
    assert slept.wall[0] >= 50 and slept.cpu_p50 < 25
    assert slept.seconds >= 0.05 and slept.per_second <= 20


def test_calls_end_when_their_time_is_over() -> None:
    assert 1 <= len(timed(lambda _: time.sleep(0.01), 1000, seconds=0.03).wall) <= 4
    assert len(timed(lambda _: None, 1000, seconds=0.0).wall) == 1


def test_quantiles_by_hand() -> None:
    found = Timings([1.0, 2.0, 3.0, 10.0], [0.5, 0.5, 0.5, 0.5])
    assert (found.p50, found.cpu_p50) == (2.5, 0.5)
    assert found.p95 == quantile([1.0, 2.0, 3.0, 10.0], 95) == pytest.approx(8.95)
