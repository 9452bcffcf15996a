"""Contribution of each present modality to the result: exact Shapley values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from math import factorial


def shapley(value: Callable[[frozenset[str]], float], players: Sequence[str]) -> dict[str, float]:
    """Return each player's Shapley value (Shapley 1953): they sum to value(all) - value(none).

    Args:
        value: Value of a subset of the players; called once for each of the ``2 ** n`` subsets.
        players: At most four here, so at most 16 calls.
    """
    n = len(players)
    known = {
        frozenset(some): value(frozenset(some))
        for size in range(n + 1)
        for some in combinations(players, size)
    }
    out = {}
    for player in players:
        others = [p for p in players if p != player]
        total = 0.0
        for size in range(n):
            weight = factorial(size) * factorial(n - size - 1) / factorial(n)
            for some in combinations(others, size):
                without = frozenset(some)
                total += weight * (known[without | {player}] - known[without])
        out[player] = total
    return out


def shares(values: dict[str, float]) -> dict[str, float]:
    """Return Shapley values as shares that sum to 1.

    A modality with a negative value (evidence against the result) has no share. If no value is
    positive, all shares are equal.
    """
    positive = {m: max(0.0, v) for m, v in values.items()}
    total = sum(positive.values())
    if total <= 0:
        return {m: 1.0 / len(values) for m in values}
    return {m: v / total for m, v in positive.items()}
