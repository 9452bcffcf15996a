"""Personal calibration: a bias learned from one person's corrections.

``b`` is added to the log-probabilities of the general model and fitted online: one step of
gradient ascent on the log-likelihood per observation, with shrinkage. It acts in full only
while it has proved itself. Every observation is first predicted, then learned from, and the
differences of the log-likelihoods are summed, between bounds: a sequential test (Dawid 1984;
Page 1954) that crosses its bar by chance about once in e ** 6 observations.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.types import Emotion

RATE = 0.2
SHRINK = 0.01
LIMIT = 3.0
PROOF = 3.0
# The sums are bounded, so that a change is noticed within some tens of turns.
LEAST_PROOF, MOST_PROOF = -3.0, 12.0
# The first corrections count for something at once: so many of them, by so much of the bias.
TRIAL, ON_TRIAL = 10, 0.25
CAUTION_RATE = 0.02
CAUTION_LIMIT = 0.2
# The general threshold lets 70 % of the labels at and above it be right; so does a personal one.
RIGHT = 0.7

_N = len(Emotion)
_FLOOR = 1e-6


@dataclass(frozen=True)
class Leaning:
    """The personal calibration of one person.

    Attributes:
        bias: ``[7]``, added to log-probabilities where it acts.
        proof: Log-evidence for the bias against no bias.
        sense: Log-evidence that their corrections depend on what they showed, against uniformly
            random labels.
        corrections: Number of corrections.
        caution: Added to the threshold of ``uncertain``.
    """

    bias: tuple[float, ...] = (0.0,) * _N
    proof: float = 0.0
    sense: float = 0.0
    corrections: int = 0
    caution: float = 0.0

    @property
    def sensible(self) -> bool:
        """Whether their corrections are used for learning."""
        return self.sense >= PROOF

    @property
    def share(self) -> float:
        """Share of the bias that is applied: all, a trial share, or none."""
        if self.sensible and self.proof >= PROOF:
            return 1.0
        return ON_TRIAL if 0 < self.corrections <= TRIAL else 0.0


def personal(p: Sequence[float], bias: Sequence[float]) -> NDArray[np.float64]:
    """Return softmax(log p + b), ``[7]``."""
    z = np.log(np.maximum(np.asarray(p, np.float64), _FLOOR)) + np.asarray(bias, np.float64)
    e = np.exp(z - z.max())
    return np.asarray(e / e.sum())


def step(
    leaning: Leaning, p: Sequence[float], felt: int, weight: float = 1.0, trust: float = 1.0
) -> Leaning:
    """Learn from one utterance.

    ``b <- clip((1 - weight * SHRINK) * b + weight * RATE * (onehot(felt) - softmax(log p + b)))``

    Args:
        leaning: What was fitted before.
        p: ``[7]``, what the general model made of it.
        felt: Index of what they felt.
        weight: 1 for what they said, less for what they let stand.
        trust: How much of that counts as evidence of sense: silence agrees with anything.
    """
    general = np.maximum(np.asarray(p, np.float64), _FLOOR)
    mine = personal(p, leaning.bias)
    gain = math.log(mine[felt]) - math.log(general[felt])
    sense = math.log(max(mine[felt], general[felt])) + math.log(_N)
    aim = -mine
    aim[felt] += 1.0
    bias = (1.0 - weight * SHRINK) * np.asarray(leaning.bias) + weight * RATE * aim
    return replace(
        leaning,
        bias=tuple(np.clip(bias, -LIMIT, LIMIT).tolist()),
        proof=_bounded(leaning.proof + weight * gain),
        sense=_bounded(leaning.sense + trust * weight * sense),
    )


def caution(leaning: Leaning, *, uncertain: bool, right: bool, weight: float = 1.0) -> Leaning:
    """Move the threshold of ``uncertain`` after one utterance (Robbins and Monro 1951).

    Of the labels given without a warning 70 % shall be right: a wrong one raises the threshold by
    ``0.02 * 0.7``, a right one lowers it by ``0.02 * 0.3``. A label that came with a warning pulls
    it back to the general one by a hundredth.
    """
    now = leaning.caution
    if uncertain:
        now *= 1.0 - 0.01 * weight
    else:
        now += weight * CAUTION_RATE * (RIGHT - 1.0 if right else RIGHT)
    return replace(leaning, caution=min(CAUTION_LIMIT, max(-CAUTION_LIMIT, now)))


def _bounded(value: float) -> float:
    return min(MOST_PROOF, max(LEAST_PROOF, value))
