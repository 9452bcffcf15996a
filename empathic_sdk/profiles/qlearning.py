"""Learns the weights of a person's modalities by Q-learning (Watkins 1989).

After eq 3 of the adaptive CNN-LSTM paper (its section 5.5), with its alpha and gamma. A state
describes the last turn, an action is one small step of one modality's weight, the reward is the
person's feedback on the next estimate. A correction tells for *every* modality whether it alone was
right, so the reward of every action is known and all are updated; after a rating only the taken
action is.

The effect of one step on correctness is too small to be seen in a few hundred turns, and feedback
is mostly about mistakes. So the reward of moving a modality is its *advantage*: how much more often
it is right than its probability in the fused estimate. For an average person it is zero, and a
weight leaves 1 only if the sum of advantages is three standard deviations from zero.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b

from empathic_sdk.types import Emotion, Modality

ALPHA = 0.05
GAMMA = 0.9
STEP = 0.1
LOWEST, HIGHEST = 0.1, 2.0
MOST_STATES = 256
# Standing still is left only for more than this.
MARGIN = 0.01
SURPRISED = 3.0

Action = tuple[str, int]
STAY: Action = ("", 0)
ACTIONS: tuple[Action, ...] = (STAY, *((m.value, d) for m in Modality for d in (1, -1)))

Weights = Mapping[str, float]
Values = tuple[float, ...]
EVEN: Weights = {m.value: 1.0 for m in Modality}

_MOODS = {Emotion.NEUTRAL: "n", Emotion.JOY: "p", Emotion.SURPRISE: "p"}
MOODS = tuple(_MOODS.get(e, "u") for e in Emotion)


@dataclass(frozen=True)
class Learner:
    """Q-table and state of one person.

    Attributes:
        table: Q by state: one value per action, in the order of ``ACTIONS``. Absent = zeros.
        weights: Weight of each modality; 1 until there is evidence.
        steps: Decisions so far.
        state: Where the last decision was taken; ``None`` before the first.
        action: The last decision, an index into ``ACTIONS``.
        sums: Of each modality's advantages.
        squares: Of their squares.
    """

    table: Mapping[str, Values] = field(default_factory=dict)
    weights: Weights = field(default_factory=lambda: dict(EVEN))
    steps: int = 0
    state: str | None = None
    action: int = 0
    sums: Mapping[str, float] = field(default_factory=dict)
    squares: Mapping[str, float] = field(default_factory=dict)

    def surprise(self, modality: str) -> float:
        """Return the sum of a modality's advantages over its standard deviation."""
        squares = self.squares.get(modality, 0.0)
        return self.sums.get(modality, 0.0) / math.sqrt(squares) if squares > 0 else 0.0


def state_of(
    *,
    shown: int,
    uncertain: bool,
    apart: Mapping[str, int],
    before: Sequence[int],
    told: int,
) -> str:
    """Return the discretised state as a short name, one of 3 * 2 * 6 * 2 * 3 = 216.

    Args:
        shown: The fused label: neutral, pleasant (joy, surprise) or unpleasant.
        uncertain: Its confidence: below the threshold or not.
        apart: What each modality alone would say: all the same, which single one dissents, or
            neither.
        before: The labels of the turns before: whether the mood was the same on the last.
        told: What the last feedback said: 1 right, -1 wrong, 0 nothing yet.
    """
    mood = MOODS[shown]
    same = not before or MOODS[before[-1]] == mood
    return "".join(
        (mood, "?" if uncertain else "!", _dissent(apart), "=" if same else "/", "-0+"[told + 1])
    )


def _dissent(apart: Mapping[str, int]) -> str:
    if len(set(apart.values())) <= 1:
        return "a"
    for m, said in apart.items():
        others = {v for k, v in apart.items() if k != m}
        if len(apart) > 2 and len(others) == 1 and said not in others:
            return m[0]
    return "x"


def advantages(
    *, apart: Mapping[str, int], general: Sequence[float], felt: int
) -> dict[str, float]:
    """Return how much oftener each modality was right than it was given credit for.

    What the fused answer says of a modality's own label is how probable it is that it is right; the
    mean over the modalities is taken off.
    """
    hits = {m: float(said == felt) - general[said] for m, said in apart.items()}
    mean = sum(hits.values()) / len(hits)
    return {m: h - mean for m, h in hits.items()}


def witnessed(learner: Learner, found: Mapping[str, float], weight: float) -> Learner:
    """Add one turn to the evidence on each modality."""
    sums, squares = dict(learner.sums), dict(learner.squares)
    for m, d in found.items():
        sums[m] = sums.get(m, 0.0) + weight * d
        squares[m] = squares.get(m, 0.0) + (weight * d) ** 2
    return replace(learner, sums=sums, squares=squares)


def rewards(found: Mapping[str, float], *, right: bool) -> tuple[float, ...]:
    """Return the reward of every action after a correction or a confirmation.

    ``(1 or -1) / 2`` for the fused answer, plus (for a step of modality m up; minus, for one down)
    the advantage of m.
    """
    outcome = 0.5 if right else -0.5
    return tuple(outcome + d * found.get(m, 0.0) for m, d in ACTIONS)


def updated(q: float, reward: float, best_next: float, weight: float = 1.0) -> float:
    """Return eq 3: ``q + ALPHA * (reward + GAMMA * best_next - q)``; less surely, a part of it."""
    return q + weight * ALPHA * (reward + GAMMA * best_next - q)


def reward_all(learner: Learner, given: Sequence[float], now: str, weight: float = 1.0) -> Learner:
    """Update every action of the last state: their rewards are all known."""
    return _update(learner, dict(enumerate(given)), now, weight)


def reward_taken(learner: Learner, given: float, now: str) -> Learner:
    """Update the action taken alone."""
    return _update(learner, {learner.action: given}, now)


def _update(learner: Learner, given: Mapping[int, float], now: str, weight: float = 1.0) -> Learner:
    if learner.state is None:
        return learner
    table = dict(learner.table)
    best = max(table.get(now, (0.0,)))
    row = list(table.pop(learner.state, (0.0,) * len(ACTIONS)))
    for a, r in given.items():
        row[a] = updated(row[a], r, best, weight)
    table[learner.state] = tuple(row)  # last: the table is in the order of use
    while len(table) > MOST_STATES:
        del table[next(iter(table))]
    return replace(learner, table=table)


def epsilon(steps: int) -> float:
    """Return the chance of a random action: 0.2 at first, 0.1 after 10 decisions, at least 0.02."""
    return max(0.02, 0.2 / (1.0 + steps / 10.0))


def decide(learner: Learner, now: str, present: Sequence[str], seed: str) -> Learner:
    """Take one epsilon-greedy step of the weights; the same for the same seed and history.

    A weight may always move back towards 1, and away from it only on evidence.

    Args:
        learner: Of the person.
        now: The state they are in.
        present: Modalities of the turn: only those of more than one can be moved.
        seed: Sets one person's draws apart from another's.
    """
    row = learner.table.get(now, (0.0,) * len(ACTIONS))
    may = [0]
    may += [
        a
        for a, (m, d) in enumerate(ACTIONS)
        if m in present and LOWEST <= round(learner.weights[m] + d * STEP, 6) <= HIGHEST
        and ((learner.weights[m] - 1.0) * d < -1e-9 or d * learner.surprise(m) >= SURPRISED)
    ]  # fmt: skip
    chance, which = _draws(f"{seed}|{learner.steps}")
    if chance < epsilon(learner.steps):
        action = may[int(which * len(may))]
    else:
        action = max(may, key=lambda a: (row[a], -a))
        if row[action] - row[0] <= MARGIN:
            action = 0
    return replace(
        learner, state=now, action=action, steps=learner.steps + 1,
        weights=moved(learner.weights, ACTIONS[action]),
    )  # fmt: skip


def moved(weights: Weights, action: Action) -> dict[str, float]:
    """Return the weights after one step, clipped."""
    name, direction = action
    out = dict(weights)
    if direction:
        out[name] = round(min(HIGHEST, max(LOWEST, out[name] + direction * STEP)), 6)
    return out


def normalised(weights: Weights) -> dict[str, float]:
    """Return weights whose mean is 1; only their ratio counts where they act."""
    mean = sum(weights.values()) / len(weights)
    return {m: w / mean for m, w in weights.items()}


def _draws(seed: str) -> tuple[float, float]:
    """Return two numbers in [0, 1) that are the same in every process."""
    h = blake2b(seed.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    return (
        int.from_bytes(h[:8]) / 2.0**64,
        int.from_bytes(h[8:]) / 2.0**64,
    )
