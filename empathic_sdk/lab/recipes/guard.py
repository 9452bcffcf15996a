"""Recipe ``guard``: one linear step on what the networks make of a sentence.

Logistic regression, once for "must not be said" and once over the reasons; the penalty and the
limit are chosen out of fold, in neighbourhoods of the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.errors import ConfigurationError, DataError, MissingExtraError
from empathic_sdk.safety.draft_model import REASONS


@dataclass(frozen=True)
class GuardRecipe:
    """The numbers of a run.

    Attributes:
        penalties: Inverse strengths of the L2 penalty that are tried.
        folds: Of the choice.
        false_refusals: Share of the harmless sentences that may be refused, out of fold.
    """

    penalties: tuple[float, ...] = (0.1, 0.3, 1.0, 3.0, 10.0)
    folds: int = 5
    false_refusals: float = 0.02

    def __post_init__(self) -> None:
        """Check the numbers."""
        if self.folds < 2 or not self.penalties or not 0 < self.false_refusals < 1:
            raise ConfigurationError("folds must be at least 2, false_refusals a share")


class Draft(NamedTuple):
    """A labelled sentence: what is wrong with it, or ``None``."""

    reason: str | None
    text: str


class Guard(NamedTuple):
    """What was fitted: float32 ``[10, width]`` and ``[10]``, a limit for the first row's logit."""

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    limit: float
    chosen: Mapping[str, float]


def read_drafts(path: Path) -> list[Draft]:
    """Read JSON lines ``{"reason": name or null, "text"}``.

    Raises:
        DataError: There is no such file, or a line of it is broken (named by its number).
    """
    if not path.is_file():
        raise DataError(f"{path} is not there: give the labelled sentences (--lines)")
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            if row["reason"] is not None and row["reason"] not in REASONS:
                raise ValueError(f"no reason is called {row['reason']!r}")
            found.append(Draft(row["reason"], str(row["text"])))
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path}, line {number}: no labelled sentence ({error!r})") from error
    return found


def fit_guard(
    recipe: GuardRecipe, features: NDArray[np.float32], reasons: list[str | None]
) -> Guard:
    """Fit it.

    Args:
        recipe: The numbers.
        features: ``[n, width]`` (:func:`~empathic_sdk.safety.draft_model.draft_features`).
        reasons: What is wrong with each.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise MissingExtraError("train", "training the guard") from error
    bad = np.array([r is not None for r in reasons])
    fold = np.arange(len(bad)) // 10 % recipe.folds
    best: tuple[float, float, float] = (-1.0, 0.0, 0.0)
    for strength in recipe.penalties:
        out = np.zeros(len(bad))
        for k in range(recipe.folds):
            model = LogisticRegression(C=strength, max_iter=2000)
            model.fit(features[fold != k], bad[fold != k])
            out[fold == k] = model.decision_function(features[fold == k])
        limit = float(np.quantile(out[~bad], 1 - recipe.false_refusals))
        best = max(best, (float((out[bad] > limit).mean()), limit, strength))
    recall, limit, strength = best
    whether = LogisticRegression(C=strength, max_iter=2000).fit(features, bad)
    weight = np.zeros((1 + len(REASONS), features.shape[1]), np.float32)
    bias = np.full(1 + len(REASONS), -30.0, np.float32)  # a reason that nobody labelled
    weight[0], bias[0] = whether.coef_[0], whether.intercept_[0]
    named = np.array([REASONS.index(r) for r in reasons if r is not None])
    rows = 1 + np.unique(named)
    weight[rows], bias[rows] = 0.0, 0.0
    if len(rows) > 1:
        which = LogisticRegression(C=strength, max_iter=2000).fit(features[bad], named)
        coef, intercept = which.coef_, which.intercept_
        if len(rows) == 2:  # scikit-learn gives one row then, for the second of them
            coef, intercept = np.vstack([-coef, coef]), np.concatenate([-intercept, intercept])
        weight[rows], bias[rows] = coef, intercept
    chosen = {"strength": strength, "recall": recall, "false_refusals": recipe.false_refusals}
    return Guard(weight, bias, limit, chosen)
