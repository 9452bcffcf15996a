"""How everything here is timed: warmed up, call after call, on the clock and of the processor."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Timings:
    """Milliseconds of calls, in their order.

    Attributes:
        wall: On the clock.
        cpu: Of the processor, all threads of this process: what else runs does not count.
    """

    wall: Sequence[float]
    cpu: Sequence[float]

    @property
    def p50(self) -> float:
        """The median on the clock."""
        return quantile(self.wall, 50)

    @property
    def p95(self) -> float:
        """The 95th percentile on the clock."""
        return quantile(self.wall, 95)

    @property
    def cpu_p50(self) -> float:
        """The median of the processor's time."""
        return quantile(self.cpu, 50)

    @property
    def seconds(self) -> float:
        """All calls together, on the clock."""
        return sum(self.wall) / 1e3

    @property
    def per_second(self) -> float:
        """How many calls are made in a second, one after the other."""
        return len(self.wall) / self.seconds


def quantile(milliseconds: Sequence[float], percent: float) -> float:
    """Return a percentile, to a microsecond."""
    return round(float(np.percentile(milliseconds, percent)), 3)


def timed(
    call: Callable[[int], object], runs: int, *, warm_up: int = 0, seconds: float = math.inf
) -> Timings:
    """Time ``call``.

    Args:
        call: Gets the number of the call, warm-ups included, so that each can be another one.
        runs: Calls that are timed, at most.
        warm_up: Calls before these that are not.
        seconds: After so much time on the clock no further call is made; the first one always is.
    """
    for number in range(warm_up):
        call(number)
    wall: list[float] = []
    cpu: list[float] = []
    while not wall or (len(wall) < runs and sum(wall) < 1e3 * seconds):
        began, own = time.perf_counter(), time.process_time()
        call(warm_up + len(wall))
        wall.append(1e3 * (time.perf_counter() - began))
        cpu.append(1e3 * (time.process_time() - own))
    return Timings(wall, cpu)


def once(call: Callable[..., object], *given: object, **named: object) -> Timings:
    """Time one call with these arguments."""
    return timed(lambda _: call(*given, **named), 1)
