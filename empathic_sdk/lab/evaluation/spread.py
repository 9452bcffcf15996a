"""Mean and sample standard deviation of figures over several runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

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
