"""Simulated people at a keyboard. This is no data: every effect in it was put there by hand.

There is no public corpus of interaction events with emotions. So that the behaviour encoder can
be trained at all, this draws people, what they feel, and the events of one message at a time.

What is assumed, as directions that studies of keystrokes, mouse and phone use report (the sizes
are guesses, kept small):

- Arousal quickens: faster typing, shorter pauses, a prompter first key, more clicks at once.
- Arousal costs accuracy: more corrections. Fear most of all, through doubt.
- Sadness slows: slower typing, longer and more pauses, a later first key, less scrolling.
- Anger presses: more and faster clicks, larger scrolls, few second thoughts.
- Surprise stops people for a moment: a later first key, then quick typing.
- Disgust and fear turn people away: they switch windows more.
- Joy is a little quicker than neutral in everything.

What keeps it modest:

- People differ far more than emotions do: each has a usual speed, accuracy, patience and habits.
- People differ in how much they show, and in what: some of a person's effects are weak, or run
  the other way.
- Every feeling has its strength, from hardly to fully; every message its own luck.
- Programs differ in what they record: of many logs whole kinds of event are missing.

Splits are by person. A model's accuracy on this says how much of the assumptions above can be
read back out of noise, not how well feelings can be read off behaviour.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.types import BehaviourEvent, BehaviourKind

PEOPLE = {"train": 1500, "dev": 120, "test": 300}
MESSAGES = 24
# How often each is felt, in the order of Emotion: half neutral, as in everyday talk.
FREQUENCY = (0.46, 0.15, 0.10, 0.11, 0.08, 0.05, 0.05)
UNKNOWN = "other"

# What a full feeling does to each tendency, in units of its spread between people (log scale).
# Columns: typing speed, corrections, pause length, pause frequency, first delay, clicks,
# scrolling, switching.
TENDENCIES = (
    "speed", "corrections", "pause_length", "pauses", "delay", "clicks", "scrolling", "switching",
)  # fmt: skip
EFFECTS = np.array(
    [
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],  # neutral
        [0.7, 0.1, -0.5, -0.5, -0.6, 0.3, 0.5, -0.1],  # joy
        [-1.1, 0.1, 1.2, 0.9, 1.0, -0.4, -0.7, 0.0],  # sadness
        [1.1, 0.7, -0.9, -0.6, -0.9, 1.4, 0.9, 0.1],  # anger
        [0.6, 0.4, -0.1, 0.1, 0.9, 0.4, 0.0, 0.1],  # surprise
        [0.3, 1.3, 0.3, 1.0, 0.6, 0.1, -0.3, 0.9],  # fear
        [-0.2, 0.1, 0.1, 0.1, 0.0, 0.1, -0.6, 1.2],  # disgust
    ]
)
# Median over people and spread between them (of the logarithm) of each tendency, in the units of
# its events: characters a second, corrections per 100 characters, seconds, pauses per 100
# characters, seconds, clicks a message, scrolls a message, switches a message.
MEDIAN = np.array([3.6, 5.0, 2.0, 2.2, 3.5, 0.8, 0.7, 0.25])
SPREAD = np.array([0.35, 0.55, 0.40, 0.50, 0.55, 0.70, 0.80, 0.80])
# From message to message of one person, in the same units of spread.
LUCK = 0.5

Log = tuple[tuple[str, float, float], ...]


@dataclass(frozen=True)
class BehaviourItems:
    """Simulated messages.

    Attributes:
        split: ``train``, ``dev`` or ``test``.
        ids: One name a message, unique.
        people: Whose it is.
        emotion: int64 ``[n]`` in the order of ``Emotion``.
        logs: What happened in each: kind, time and value, in order.
    """

    split: str
    ids: list[str]
    people: list[str]
    emotion: np.ndarray
    logs: list[Log]

    def __len__(self) -> int:
        return len(self.ids)

    def events(self) -> list[tuple[BehaviourEvent, ...]]:
        """Return the logs as an encoder takes them."""
        return [
            tuple(BehaviourEvent(kind=kind, at=at, value=value) for kind, at, value in log)
            for log in self.logs
        ]

    def digest(self) -> str:
        """SHA-256 over all of it."""
        parts = (self.split, self.ids, self.emotion.tolist(), self.logs)
        return hashlib.sha256(repr(parts).encode()).hexdigest()


@dataclass(frozen=True)
class Person:
    """How somebody usually is.

    Attributes:
        usual: ``[8]`` log of each tendency.
        shows: ``[8]`` how much of each effect this person shows; a few are below 0.
        records: The kinds that this person's program records.
    """

    usual: np.ndarray
    shows: np.ndarray
    records: frozenset[str]


def draw_person(rng: np.random.Generator) -> Person:
    """Draw one person."""
    kinds = [k.value for k in BehaviourKind]
    keep = rng.random(len(kinds)) < (1.0 if rng.random() < 0.6 else 0.6)
    if not keep.any():
        keep[int(rng.integers(len(kinds)))] = True
    return Person(
        usual=np.log(MEDIAN) + SPREAD * rng.standard_normal(len(MEDIAN)),
        shows=rng.lognormal(-0.1, 0.4) * rng.normal(1.0, 0.5, len(MEDIAN)),
        records=frozenset(k for k, kept in zip(kinds, keep, strict=True) if kept),
    )


def draw_message(
    person: Person, emotion: int, rng: np.random.Generator, *, felt: bool = True
) -> Log:
    """Draw the events of one message.

    Args:
        person: Who writes it.
        emotion: What they feel, an index into ``Emotion``.
        rng: Source of chance.
        felt: ``False`` for a control: the same people, and no effect of any emotion.
    """
    strength = rng.uniform(0.3, 1.0) if felt else 0.0
    shift = strength * person.shows * EFFECTS[emotion] + LUCK * rng.standard_normal(len(MEDIAN))
    speed, corrections, pause, pauses, delay, clicks, scrolling, switching = np.exp(
        person.usual + SPREAD * shift
    )
    at = rng.uniform(0.0, 600.0)  # somewhere in a dialogue
    log: list[tuple[str, float, float]] = []

    def happen(kind: str, value: float, seconds: float) -> None:
        nonlocal at
        at += seconds
        log.append((kind, at, value))

    happen(BehaviourKind.DELAY, delay, delay)
    for _ in range(min(6, rng.poisson(scrolling))):
        pixels = rng.lognormal(5.5, 0.6) * scrolling**0.5
        happen(BehaviourKind.SCROLL, pixels if rng.random() < 0.7 else -pixels, rng.exponential(1))
    for _ in range(min(6, rng.poisson(clicks))):
        happen(BehaviourKind.CLICK, 1.0 + rng.poisson(0.3 * clicks), rng.exponential(1.2))
    left = int(np.clip(rng.lognormal(3.7, 0.7), 3, 400))
    while left > 0:
        stretch = min(left, int(rng.integers(6, 40)))
        left -= stretch
        pace = speed * rng.lognormal(0, 0.15)
        happen(BehaviourKind.TYPING, pace, stretch / pace)
        wrong = rng.poisson(corrections * stretch / 100)
        if wrong:
            happen(BehaviourKind.CORRECTION, 100.0 * wrong / stretch, 0.25 * wrong)
        if rng.random() < 1 - np.exp(-pauses * stretch / 100):
            length = pause * rng.lognormal(0, 0.4)
            happen(BehaviourKind.PAUSE, length, length)
    for _ in range(min(4, rng.poisson(switching))):
        away = rng.lognormal(1.8, 0.8)
        happen(BehaviourKind.SWITCH, away, away)
    if rng.random() < 0.1:
        happen(UNKNOWN, rng.exponential(1.0), rng.exponential(1.0))
    return tuple(
        (str(kind), round(float(when), 3), round(float(value), 3))
        for kind, when, value in log
        if kind in person.records or kind == UNKNOWN
    )


def simulate(
    split: str, *, people: int | None = None, messages: int = MESSAGES, felt: bool = True
) -> BehaviourItems:
    """Draw the people of one split and their messages; always the same ones.

    Feelings last: with a chance of a half a message is written in the feeling of the one before.

    Args:
        split: ``train``, ``dev`` or ``test``; nobody is in two of them.
        people: How many; default: that of ``PEOPLE``.
        messages: Of each.
        felt: ``False`` for a control without any effect of emotion.
    """
    if split not in PEOPLE:
        raise ConfigurationError(f"no split is named {split!r}; there are {', '.join(PEOPLE)}")
    ids: list[str] = []
    owners: list[str] = []
    labels: list[int] = []
    logs: list[Log] = []
    for number in range(people or PEOPLE[split]):
        rng = np.random.default_rng([list(PEOPLE).index(split), number])
        person, emotion = draw_person(rng), 0
        for message in range(messages):
            if message == 0 or rng.random() < 0.5:
                emotion = int(np.searchsorted(np.cumsum(FREQUENCY)[:-1], rng.random()))
            log = draw_message(person, emotion, rng, felt=felt)
            if not log:  # nothing that happened was recorded
                continue
            owners.append(f"{split}{number}")
            ids.append(f"{split}{number}-{message}")
            labels.append(emotion)
            logs.append(log)
    return BehaviourItems(split, ids, owners, np.array(labels, np.int64), logs)


def summary(log: Log) -> np.ndarray:
    """Return a log as plain statistics, float32 ``[3 * kinds + 2]``: a baseline's features.

    For each kind: how many events, whether there is any, mean of ``log1p(|value|)``; then
    ``log1p`` of the number of events and of the seconds from first to last.
    """
    out: list[float] = []
    for kind in BehaviourKind:
        values = [math.log1p(abs(value)) for name, _, value in log if name == kind]
        out += [len(values), float(bool(values)), sum(values) / max(1, len(values))]
    out += [math.log1p(len(log)), math.log1p(log[-1][1] - log[0][1]) if log else 0.0]
    return np.array(out, np.float32)
