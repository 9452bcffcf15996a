"""``empathic evaluate users``: what a model that knows its user gains, where people recur."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from empathic_sdk.errors import DataError
from empathic_sdk.lab.evaluation.spread import interval
from empathic_sdk.lab.recipes.personal import read_runs
from empathic_sdk.lab.records import FOLDERS, find_records, no_runs
from empathic_sdk.lab.training.personal_fit import HISTORIES
from empathic_sdk.lab.training.recurring_people import SETS


def evaluate_users(*, data: Path, split: str, results: Path, cache: Path) -> dict[str, Any]:
    """Return what is printed: rescored from the labels that recorded runs stored.

    ``gain_SET_kK`` is the mean over people, and over runs, of weighted F1 with the last K
    utterances of their history less that of the general model, on the same later utterances;
    ``low`` and ``high`` under ``sets`` are a 95 % bootstrap interval over utterances, people and
    runs kept. K = 0 is somebody new: the general model to the last bit, so nothing is lost there.

    Raises:
        DataError: There are no recorded runs.
    """
    report: dict[str, Any] = {
        "dataset": "users", "model": "personal", "split": split, "n": 0, "causal": True,
    }  # fmt: skip
    if split != "test":
        raise DataError("users is scored from stored test labels: there is only test")
    details: dict[str, Any] = {}
    for name in SETS:
        runs = read_runs(name, results)
        if not runs:
            continue
        report["n"] += sum(len(p["gold"]) for p in runs[0])
        details[name] = {"people": len(runs[0]), "runs": len(runs)}
        for k in HISTORIES:
            f1 = np.array([[_f1(p, k) for p in run] for run in runs])  # [runs, people]
            by_run = f1.mean(1)
            entry: dict[str, Any] = {
                "mean": float(f1.mean()),
                "std": float(by_run.std(ddof=1)) if len(runs) > 1 else 0.0,
                "across_people": float(f1.mean(0).std(ddof=1)),
                "users": dict(
                    zip((p["user"] for p in runs[0]), map(float, f1.mean(0)), strict=True)
                ),
            }
            report[f"f1_{name}_k{k}"] = entry["mean"]
            if k:
                entry |= _interval(runs, k)
                report[f"gain_{name}_k{k}"] = entry["gain"]
            details[name][f"k{k}"] = entry
        records = [
            record
            for _, record in find_records(results / FOLDERS["personal"], f"{name}-seed*.json")
        ]
        details[name]["chosen_steps"] = [r.run["chosen_step"] for r in records]
        details[name]["dev_gain_k20"] = float(
            np.mean([r.dev["mean_f1_k20"] - r.dev["mean_f1_k0"] for r in records])
        )
    if not details:
        raise no_runs(results / FOLDERS["personal"], ", ".join(SETS), "train personal")
    report["sets"] = details
    report["runs"] = {"n": min(d["runs"] for d in details.values())}
    return report


def weighted_f1(gold: np.ndarray, said: np.ndarray, classes: int = 7) -> np.ndarray:
    """Return weighted F1 along the last axis, ``[..., n]`` to ``[...]``: many resamples at once."""
    total = np.zeros(gold.shape[:-1])
    for c in range(classes):
        real, given = gold == c, said == c
        both = (real & given).sum(-1)
        total += real.sum(-1) * 2.0 * both / np.maximum(real.sum(-1) + given.sum(-1), 1)
    return np.asarray(total / gold.shape[-1])


def _f1(person: dict[str, Any], k: int) -> float:
    return float(weighted_f1(np.array(person["gold"]), np.array(person["said"][str(k)])))


def _interval(runs: list[list[dict[str, Any]]], k: int, draws: int = 1000) -> dict[str, float]:
    """Return the gain of a history of k over none and its interval (paired bootstrap)."""
    rng = np.random.default_rng(0)
    gains = []
    for i, person in enumerate(runs[0]):
        gold = np.array(person["gold"])
        rows = rng.integers(len(gold), size=(draws + 1, len(gold)))
        rows[0] = np.arange(len(gold))  # as it is
        for run in runs:
            said = run[i]["said"]
            mine, general = (np.array(said[str(x)])[rows] for x in (k, 0))
            gains.append(weighted_f1(gold[rows], mine) - weighted_f1(gold[rows], general))
    mean = np.mean(gains, axis=0)
    return {"gain": float(mean[0]), **interval(mean[1:])}
