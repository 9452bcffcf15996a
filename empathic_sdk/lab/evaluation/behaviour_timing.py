"""Behaviour alone: what ships, on simulated people; what the times of real dialogues say.

The latter is asked of small classifiers that see no word of a dialogue, trained on the spot.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from empathic_sdk.lab.corpora.dialogues import DialogueSet, read_dialogues
from empathic_sdk.lab.corpora.timing import timing_features
from empathic_sdk.lab.evaluation.behaviour_figures import evaluate_simulated, measure
from empathic_sdk.lab.evaluation.metrics import classification, per_class_f1
from empathic_sdk.lab.evaluation.spread import summary as spread_over_runs
from empathic_sdk.lab.simulation.behaviour import BehaviourItems, simulate, summary
from empathic_sdk.types import Emotion

SEEDS = (1, 2, 3)
CORPORA = ("meld", "iemocap")


def evaluate_behaviour(
    *, data: Path, split: str, results: Path, checkpoint: Path | None = None
) -> dict[str, Any]:
    """Return the object that ``empathic evaluate behaviour`` prints.

    The figures are those of the behaviour encoder on simulated people; ``linear`` holds those of
    logistic regression on plain statistics of the same logs; ``corpora`` what the times of MELD's
    and IEMOCAP's dialogues say alone (see :func:`evaluate_timing`).

    Args:
        data: Folder of the corpora.
        split: ``dev`` or ``test``.
        results: Folder of the run records, rescored for ``runs``.
        checkpoint: Weights to measure; default: those that ship.
    """
    report = evaluate_simulated(split=split, results=results, checkpoint=checkpoint)
    train, items = simulate("train"), simulate(split)
    frequency = np.bincount(train.emotion, minlength=len(Emotion)) / len(train)
    return {
        **report,
        "linear": measure(items, linear_probabilities(train, items), frequency),
        "corpora": {c: evaluate_timing(c, data=data, split=split) for c in CORPORA},
    }


WEIGHTS = {"": 0.0, "-half": 0.5, "-balanced": 1.0}


def candidates(seed: int) -> dict[str, tuple[Any, float]]:
    """Return the classifiers among which dev chooses, unfitted, and the power of class weights.

    A class weighs ``(1 / frequency) ** power``. With 0 and features as weak as these a classifier
    says little but the commonest class; with 1 all classes weigh the same.
    """
    out: dict[str, tuple[Any, float]] = {}
    for suffix, power in WEIGHTS.items():
        linear = LogisticRegression(max_iter=1000)
        out[f"linear{suffix}"] = (make_pipeline(StandardScaler(), linear), power)
        trees = HistGradientBoostingClassifier(
            max_iter=60, learning_rate=0.07, max_leaf_nodes=8, min_samples_leaf=40,
            l2_regularization=1.0, max_features=0.5, early_stopping=False, random_state=seed,
        )  # fmt: skip
        out[f"trees{suffix}"] = (make_pipeline(trees), power)
    return out


def fitted(name: str, seed: int, x: np.ndarray, y: np.ndarray) -> Any:
    """Return one of the candidates, trained."""
    model, power = candidates(seed)[name]
    share = np.bincount(y) / len(y)
    weight = (1 / share[y]) ** power
    return model.fit(x, y, **{f"{model.steps[-1][0]}__sample_weight": weight / weight.mean()})


def evaluate_timing(corpus: str, *, data: Path, split: str) -> dict[str, Any]:
    """Train and measure classifiers on timing features alone; takes seconds.

    Dev chooses the classifier, by the weighted F1 of the first seed.

    Args:
        corpus: ``meld`` or ``iemocap``.
        data: Folder of the corpora.
        split: ``dev`` or ``test``.

    Returns:
        ``dataset model split n causal``, the figures of the first seed, those of always saying
        the commonest class of the training split (``majority_...``), and ``runs``.
    """
    sets = {s: read_dialogues(corpus, data, s) for s in ("train", "dev", split)}
    x = {s: features(d) for s, d in sets.items()}
    y = {s: labels(d) for s, d in sets.items()}
    dev = {
        name: classification(
            y["dev"], fitted(name, SEEDS[0], x["train"], y["train"]).predict(x["dev"])
        )["weighted_f1"]
        for name in candidates(0)
    }
    chosen = max(dev, key=lambda name: dev[name])
    said = [fitted(chosen, seed, x["train"], y["train"]).predict(x[split]) for seed in SEEDS]
    measured = [classification(y[split], some) for some in said]
    commonest = np.full(len(y[split]), int(np.bincount(y["train"]).argmax()))
    majority = classification(y[split], commonest)
    return {
        "dataset": corpus,
        "model": f"timing-{chosen}",
        "split": split,
        "n": len(y[split]),
        "causal": True,
        **measured[0],
        **{f"majority_{k}": v for k, v in majority.items()},
        "f1": per_class_f1(y[split], said[0], sets[split].classes),
        "dev_weighted_f1": dev,
        "runs": spread_over_runs([dict(m) for m in measured]),
    }


def features(items: DialogueSet) -> np.ndarray:
    """Return the timing features of every labelled utterance."""
    rows = np.concatenate([timing_features(d) for d in items.dialogues])
    return rows[np.concatenate([d.labels for d in items.dialogues]) >= 0]


def labels(items: DialogueSet) -> np.ndarray:
    """Return the labels of every labelled utterance."""
    found = np.concatenate([d.labels for d in items.dialogues])
    return np.asarray(found[found >= 0])


def linear_probabilities(train: BehaviourItems, items: BehaviourItems) -> np.ndarray:
    """Return what logistic regression on plain statistics of the simulated logs says ``[n, 7]``.

    The baseline of the behaviour network: it knows how many events of a kind there are and how
    large they are on average, not their order or rhythm.
    """
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(np.stack([summary(log) for log in train.logs]), train.emotion)
    found = model.predict_proba(np.stack([summary(log) for log in items.logs]))
    out = np.zeros((len(items), 7))
    out[:, model.classes_] = found
    return out
