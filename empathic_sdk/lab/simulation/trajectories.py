"""Simulated trajectories: people whose days change as is known, read with real errors.

A person has a baseline mood, inertia from day to day, a spread between and within days, a better
weekend, days without a word and holidays. Each turn draws a true emotion from the mood of the
moment, and what is read of it is a state that the shipped recogniser really gave for an utterance
of MELD labelled so. The people are made up; only the errors are real.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.types import Emotion
from empathic_sdk.types.emotion import UNPLEASANT
from empathic_sdk.types.monitor import DaySummary

KINDS = ("stable", "decline", "drop", "instability", "recovery")
"""``decline`` and ``recovery`` take four weeks, ``drop`` and ``instability`` begin at once."""
LENGTH = 180
RAMP_DAYS = 28
START = date(2024, 1, 1)

BAD = tuple(i for i, e in enumerate(Emotion) if e in UNPLEASANT)
# Log-odds of each emotion at mood 0, and how they move with it, in the order of Emotion.
_AT_ZERO = np.array([0.9, 0.0, -0.9, -0.9, -1.2, -1.8, -2.2])
_BY_MOOD = np.array([0.0, 2.0, -2.0, -1.6, 0.2, -1.8, -1.6])

Floats = NDArray[np.float64]


class States(NamedTuple):
    """What the recogniser made of labelled utterances.

    Attributes:
        gold: int64 ``[n]``, places in ``Emotion``.
        probabilities: float64 ``[n, 7]``.
    """

    gold: NDArray[np.int64]
    probabilities: Floats


class Trajectory(NamedTuple):
    """One simulated person.

    Attributes:
        kind: One of :data:`KINDS`.
        days: What was read on each day with a turn.
        onset: The day on which the change begins; ``None`` for ``stable``.
        distress: Share of turns with a truly unpleasant emotion, before and from the end of the
            change on.
    """

    kind: str
    days: list[DaySummary]
    onset: date | None
    distress: tuple[float, float]


def simulate(kind: str, states: States, rng: np.random.Generator) -> Trajectory:
    """Draw one person of a kind."""
    t = np.arange(LENGTH)
    onset = int(rng.integers(60, 120))
    ramp = np.clip((t - onset) / RAMP_DAYS, 0, 1)
    size = rng.uniform(0.6, 1.0)
    base = float(np.clip(rng.normal(0.25, 0.2), -0.2, 0.7))
    move: Floats = np.zeros(LENGTH)
    wider: Floats = np.ones(LENGTH)
    if kind == "decline":
        move = np.asarray(-size * ramp, np.float64)
    elif kind == "drop":
        move = np.asarray(-size * (t >= onset), np.float64)
    elif kind == "instability":
        wider = np.asarray(np.where(t >= onset, 3.0, 1.0), np.float64)
    elif kind == "recovery":
        base, move = base - size, np.asarray(size * ramp, np.float64)
    mood = base + move + _daily(rng, wider) + _weekend(rng, t)
    there = rng.random(LENGTH) < rng.uniform(0.5, 0.95)
    if rng.random() < 0.5:  # a holiday
        start = int(rng.integers(20, LENGTH - 20))
        there[start : start + int(rng.integers(5, 12))] = False
    turns = np.where(there, 1 + rng.poisson(rng.uniform(2, 8), LENGTH), 0)
    day = np.repeat(t, turns)
    moment = mood[day] + rng.normal(0, rng.uniform(0.2, 0.4), len(day)) * wider[day]
    felt = _emotions(rng, moment)
    read = states.probabilities[_readings(rng, felt, states.gold)]
    bad = np.isin(felt, BAD)
    over = onset + (RAMP_DAYS if kind in ("decline", "recovery") else 0)
    return Trajectory(
        kind,
        summaries(day, read),
        None if kind == "stable" else START + timedelta(days=onset),
        (float(bad[day < onset].mean()), float(bad[day >= over].mean())),
    )


def summaries(day: NDArray[np.int64], probabilities: Floats) -> list[DaySummary]:
    """Return one summary a day of turns on these days.

    Args:
        day: ``[n]``, counted from :data:`START`.
        probabilities: ``[n, 7]``.
    """
    bad = list(BAD)
    mood = probabilities[:, 1] - probabilities[:, bad].sum(1)
    distressed = np.isin(probabilities.argmax(1), bad)
    days = ((int(d), day == d) for d in np.unique(day))
    return [
        DaySummary(
            day=START + timedelta(days=d), turns=int(here.sum()), level=float(mood[here].mean()),
            variability=float(mood[here].std()), distress=float(distressed[here].mean()),
        )
        for d, here in days
    ]  # fmt: skip


def people(
    number: int, states: States, seed: int, kinds: Sequence[str] = KINDS
) -> Mapping[str, list[Trajectory]]:
    """Draw ``number`` people of each kind; the same for the same seed, whatever else is drawn."""
    return {
        kind: [
            simulate(kind, states, np.random.default_rng([seed, KINDS.index(kind), i]))
            for i in range(number)
        ]
        for kind in kinds
    }


def _daily(rng: np.random.Generator, wider: Floats) -> Floats:
    """Return a first-order autoregression: what is left of yesterday, and something new."""
    inertia, spread = rng.uniform(0.2, 0.6), rng.uniform(0.15, 0.3)
    new = rng.normal(0, spread * np.sqrt(1 - inertia**2), LENGTH) * wider
    out = np.zeros(LENGTH)
    out[0] = rng.normal(0, spread)
    for i in range(1, LENGTH):
        out[i] = inertia * out[i - 1] + new[i]
    return out


def _weekend(rng: np.random.Generator, t: NDArray[np.int64]) -> Floats:
    better = rng.uniform(0, 0.15)
    return np.asarray(better * np.where((t + int(rng.integers(7))) % 7 >= 5, 1.0, -0.4))


def _emotions(rng: np.random.Generator, mood: Floats) -> NDArray[np.int64]:
    odds = np.exp(_AT_ZERO + np.outer(mood, _BY_MOOD))
    share = (odds / odds.sum(1, keepdims=True)).cumsum(1)
    drawn = (share < rng.random((len(mood), 1))).sum(1)
    return np.asarray(np.minimum(drawn, len(_AT_ZERO) - 1), np.int64)


def _readings(
    rng: np.random.Generator, felt: NDArray[np.int64], gold: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Draw, for each true emotion, an utterance that is labelled so."""
    out = np.empty(len(felt), np.int64)
    for k in range(len(_AT_ZERO)):
        here = felt == k
        out[here] = rng.choice(np.flatnonzero(gold == k), int(here.sum()))
    return out
