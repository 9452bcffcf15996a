"""How sure a figure is: its spread over runs, and the middle of what was drawn anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Measures = Mapping[str, Any]
"""The figures of one run: floats, and mappings such as the F1 of each class."""


class Spread(NamedTuple):
    """Mean and sample standard deviation over runs (0 for a single one)."""

    mean: float
    std: float


def spread(values: Sequence[float]) -> Spread:
    """Summarise one figure of several runs."""
    std = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return Spread(float(np.mean(values)), std)


def spreads(measured: Sequence[Measures]) -> dict[str, Spread]:
    """Summarise every plain figure that all these runs have."""
    return {
        key: spread([m[key] for m in measured])
        for key in (measured[0] if measured else ())
        if all(isinstance(m.get(key), float) for m in measured)
    }


def summary(measured: Sequence[Measures]) -> dict[str, Any]:
    """Return ``{n, METRIC: {mean, std}}``: the key ``runs`` of every report."""
    return {"n": len(measured), **{k: s._asdict() for k, s in spreads(measured).items()}}


def interval(draws: NDArray[np.floating]) -> dict[str, float]:
    """Return ``low`` and ``high`` around the middle 95 % of bootstrap draws ``[n]``.

    Draws without a value (NaN) do not count.
    """
    low, high = np.nanpercentile(draws, [2.5, 97.5])
    return {"low": float(low), "high": float(high)}


def difference(draws: NDArray[np.floating]) -> dict[str, float]:
    """Return ``difference low high p`` of differences ``[1 + n]``: as it is, then as drawn.

    ``p`` is twice the share of draws on the rarer side of 0 (a 0 counts on both), at most 1.
    """
    drawn = draws[1:]
    rarer = min((drawn <= 0).mean(), (drawn >= 0).mean())
    return {
        "difference": float(draws[0]), **interval(drawn), "p": float(min(1.0, 2 * rarer)),
    }  # fmt: skip
