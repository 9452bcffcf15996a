"""Fixes temperature and thresholds on dev data, and nothing else."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize, minimize_scalar

from empathic_sdk.lab.evaluation.metrics import Floats, Ints
from empathic_sdk.recognition.calibration import probabilities


def fit_temperature(logits: Floats, gold: Ints) -> float:
    """Return the temperature in [0.25, 4] with the least negative log-likelihood."""

    def nll(log_t: float) -> float:
        p = probabilities(logits, float(np.exp(log_t)))
        return float(-np.log(p[np.arange(len(gold)), gold] + 1e-12).mean())

    found = minimize_scalar(nll, bounds=(np.log(0.25), np.log(4.0)), method="bounded")
    return float(np.exp(found.x))


def fit_abstention(p: Floats, gold: Ints, *, precision: float = 0.7) -> float:
    """Return the lowest confidence at and above which ``precision`` of the labels are right."""
    confidence = p.max(1)
    order = np.argsort(-confidence)
    right = (p.argmax(1) == gold)[order]
    so_far = np.cumsum(right) / np.arange(1, len(right) + 1)
    good = np.flatnonzero(so_far >= precision)
    return float(confidence[order][good[-1]]) if len(good) else 1.0


def fit_platt(p: Floats, gold: Ints) -> tuple[float, float]:
    """Return scale and bias of the log-odds of ``p`` ``[n]`` with the least log-loss (Platt)."""
    odds = np.log(np.clip(p, 1e-7, 1)) - np.log(np.clip(1 - p, 1e-7, 1))

    def nll(parameters: Floats) -> float:
        z = np.exp(parameters[0]) * odds + parameters[1]
        return float(np.mean(np.logaddexp(0, z) - gold * z))

    found = minimize(nll, np.zeros(2), method="Nelder-Mead")
    return float(np.exp(found.x[0])), float(found.x[1])


def fit_thresholds(gold: Floats, p: Floats) -> list[float]:
    """Return for each class the threshold with the best F1; a flat top gives its middle."""
    grid = np.arange(0.05, 0.9, 0.01)
    chosen = []
    for k in range(gold.shape[1]):
        said, truth = p[:, k] > grid[:, None], gold[:, k] > 0  # [85, n], [n]
        scores = 2 * (said & truth).sum(1) / np.maximum(said.sum(1) + truth.sum(), 1)
        # Smoothed: a lone spike on a few dozen positives is luck that test will not repeat.
        smooth = np.convolve(np.pad(scores, 2, mode="edge"), np.ones(5) / 5, mode="valid")
        top = np.flatnonzero(smooth >= smooth.max() - 1e-9)
        chosen.append(float(grid[int(np.median(top))]))
    return chosen
