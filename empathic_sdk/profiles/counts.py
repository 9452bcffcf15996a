"""Differentially private counts over all people, within a privacy budget.

The unit is a person: their whole record is there or not. Each count puts every person into exactly
one bin, so one person changes one bin by one (sensitivity 1), and noise from the discrete Laplace
distribution with P(k) proportional to exp(-epsilon |k|) on every bin makes the whole answer
epsilon-differentially private (Dwork and Roth 2014, theorem 3.6; Ghosh et al. 2009 for whole
numbers). Questions add up: the store records what was spent and refuses beyond its budget
(sequential composition, theorem 3.14).

The noise is drawn exactly, with whole numbers alone, from the operating system's generator
(Canonne, Kamath and Steinke 2020, algorithms 1 and 2): floating-point Laplace noise leaks
information through its last digits (Mironov 2012).
"""

from __future__ import annotations

import math
import random
from collections import Counter
from datetime import UTC, datetime
from fractions import Fraction

from sqlite_utils import Database

from empathic_sdk.errors import InputError, PrivacyBudgetError
from empathic_sdk.profiles.damage import parsed
from empathic_sdk.profiles.leaving import STAYING
from empathic_sdk.types import Emotion, SafetyLevel

BINS: dict[str, tuple[str, ...]] = {
    "emotions": tuple(Emotion),
    "safety": tuple(SafetyLevel),
}
"""What can be counted. ``emotions``: people by the emotion they showed most often (the earlier in
the order of :class:`Emotion` where two are alike). ``safety``: people by the highest safety level
of their turns. Only people with a turn are counted."""


def noise(epsilon: Fraction, rng: random.Random) -> int:
    """Draw from the discrete Laplace distribution, P(k) proportional to exp(-epsilon |k|)."""
    s, t = epsilon.numerator, epsilon.denominator
    while True:
        u = rng.randrange(t)
        if not _decays(Fraction(u, t), rng):
            continue
        v = 0
        while _decays(Fraction(1), rng):
            v += 1
        size = (u + t * v) // s
        negative = rng.randrange(2) == 1
        if not (negative and size == 0):  # or zero would be drawn twice as often
            return -size if negative else size


def _decays(gamma: Fraction, rng: random.Random) -> bool:
    """Say yes with probability exp(-gamma), for gamma in [0, 1]."""
    k = 1
    while rng.randrange(gamma.denominator * k) < gamma.numerator:
        k += 1
    return k % 2 == 1


def whole(epsilon: float) -> Fraction:
    """Return epsilon as a fraction, in millionths.

    Raises:
        InputError: It is not a number from 0.001 to 10.
    """
    if isinstance(epsilon, bool) or not isinstance(epsilon, int | float):
        raise InputError(f"epsilon must be a number, not {epsilon!r}")
    if not (math.isfinite(epsilon) and 0.001 <= epsilon <= 10):
        raise InputError(f"epsilon must be from 0.001 to 10, not {epsilon!r}")
    return Fraction(round(epsilon * 1_000_000), 1_000_000)


def true_counts(db: Database, what: str) -> Counter[str]:
    """Return the exact counts, which must not be published."""
    found: Counter[str] = Counter()
    if what == "emotions":
        for (emotions,) in db.execute(f"SELECT emotions FROM users WHERE turns > 0 AND {STAYING}"):
            shown = parsed("users.emotions", emotions)
            found[max(Emotion, key=lambda e: shown.get(e, 0))] += 1
        return found
    order = " ".join(f"WHEN '{level}' THEN {n}" for n, level in enumerate(SafetyLevel))
    levels = tuple(SafetyLevel)
    for highest, people in db.execute(
        f"SELECT highest, count(*) FROM (SELECT max(CASE safety_level {order} END) AS highest "
        f"FROM turns WHERE user_id IN (SELECT id FROM users WHERE {STAYING}) GROUP BY user_id) "
        "GROUP BY highest"
    ):
        found[levels[highest]] = people
    return found


def spend(db: Database, what: str, epsilon: Fraction) -> None:
    """Take epsilon out of the budget; call it in the transaction that reads what is counted.

    Raises:
        PrivacyBudgetError: The budget left is smaller.
    """
    total, spent = budget(db)
    if spent + epsilon > total:
        raise PrivacyBudgetError(
            f"epsilon {float(epsilon):g} is asked for and {float(total - spent):g} of "
            f"{float(total):g} is left: ask for less, or raise the budget and with it what can be "
            "learned about each person (ProfileStore.privacy_budget)"
        )
    db.execute(
        "INSERT INTO privacy_spent (at, what, millionths) VALUES (?, ?, ?)",
        [datetime.now(UTC).isoformat(timespec="seconds"), what, int(epsilon * 1_000_000)],
    )


def budget(db: Database) -> tuple[Fraction, Fraction]:
    """Return the total budget of the store and the amount spent."""
    total = db.execute("SELECT privacy_millionths FROM upkeep").fetchone()[0]
    spent = db.execute("SELECT coalesce(sum(millionths), 0) FROM privacy_spent").fetchone()[0]
    return Fraction(total, 1_000_000), Fraction(spent, 1_000_000)


def set_budget(db: Database, total: Fraction) -> None:
    """Set the whole budget."""
    db.execute("UPDATE upkeep SET privacy_millionths = ?", [int(total * 1_000_000)])


def within(epsilon: Fraction, share: float = 0.95) -> int:
    """Return the smallest n such that a count is off by at most n with probability ``share``."""
    # P(|k| > n) = 2 a^(n+1) / (1 + a) with a = exp(-epsilon).
    a = math.exp(-float(epsilon))
    return max(0, math.ceil(math.log((1 - share) * (1 + a) / 2) / math.log(a) - 1))
