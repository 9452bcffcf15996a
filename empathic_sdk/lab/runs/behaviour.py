"""Runs of the recipe ``behaviour``: training, dev's choice, the record, stored test predictions.

A run writes ``NAME.json`` (what was run, and what dev says) and ``NAME.predictions.jsonl.gz``
(calibrated probabilities of every simulated test message). Test figures are computed from those,
by ``empathic evaluate behaviour``.
"""

from __future__ import annotations

import gzip
import json
import platform
from pathlib import Path
from typing import Any

import numpy as np
import torch

from empathic_sdk.encoders.behaviour import KINDS, BehaviourEncoder
from empathic_sdk.errors import DataError
from empathic_sdk.lab.evaluation.calibrate import fit_temperature
from empathic_sdk.lab.evaluation.metrics import (
    classification,
    expected_calibration_error,
    per_class_f1,
)
from empathic_sdk.lab.recipes.behaviour import BehaviourRecipe, Score, fit
from empathic_sdk.lab.runs.dialogue import write_json
from empathic_sdk.lab.simulation.typing import PEOPLE, BehaviourItems, simulate
from empathic_sdk.recognition.calibration import probabilities
from empathic_sdk.runtime import checkpoints
from empathic_sdk.types import Emotion

FOLDER = "behaviour"
CHECKPOINT = "behaviour.safetensors"
DATASET = "simulated-behaviour"


def run_name(recipe: BehaviourRecipe) -> str:
    """Name a run; trials and controls get names that ``runs`` does not count."""
    if recipe.people is not None or recipe.shuffle_labels:
        return f"trial-seed{recipe.seed}" + ("-shuffled" if recipe.shuffle_labels else "")
    default = BehaviourRecipe(seed=recipe.seed)
    part = "" if recipe.pooling == default.pooling else f"-{recipe.pooling}"
    return f"behaviour{part}-seed{recipe.seed}"


def train_behaviour(recipe: BehaviourRecipe, *, out: Path, results: Path) -> dict[str, Any]:
    """Train one run, let dev choose and calibrate, store the test predictions unseen.

    Args:
        recipe: Its numbers.
        out: Folder for ``behaviour.safetensors``, which :class:`BehaviourEncoder` reads; every
            figure is that of this file as it is read again.
        results: Folder of the run records.

    Returns:
        The run record.
    """
    few = recipe.people
    train, dev, test = (
        simulate(split, people=few and max(2, few * n // PEOPLE["train"]))
        for split, n in PEOPLE.items()
    )
    name = run_name(recipe)
    network, ran = fit(recipe, train, dev, dev_score(dev))
    frequency = np.bincount(train.emotion, minlength=len(Emotion)) / len(train)
    about: dict[str, Any] = {
        "name": name,
        "behaviour": network.config.as_dict(),
        "kinds": list(KINDS),
        "frequency": frequency.tolist(),
        "calibration": {"temperature": 1.0},
    }
    tensors = {f"behaviour.{n}": t for n, t in network.state_dict().items()}
    checkpoints.save(out / CHECKPOINT, tensors, about)
    raw = read(BehaviourEncoder(out / CHECKPOINT), dev)
    temperature = fit_temperature(np.log(np.maximum(raw, 1e-12)), dev.emotion)
    about["calibration"] = {"temperature": temperature}
    checkpoints.save(out / CHECKPOINT, tensors, about)
    encoder = BehaviourEncoder(out / CHECKPOINT)
    record = {
        "recipe": "behaviour",
        "name": name,
        "data_set": DATASET,
        "configuration": recipe.as_dict(),
        "data": {
            s.split: {"people": len(set(s.people)), "n": len(s), "sha256": s.digest()}
            for s in (train, dev, test)
        },
        "frequency": frequency.tolist(),
        "environment": {"python": platform.python_version(), "torch": torch.__version__,
                        "processor": platform.machine(), "threads": torch.get_num_threads()},
        "run": ran,
        "calibration": about["calibration"],
        "dev": measure(dev, read(encoder, dev), frequency),
        "checkpoint": {
            "bytes": (out / CHECKPOINT).stat().st_size,
            "sha256": checkpoints.sha256(out / CHECKPOINT),
        },
    }  # fmt: skip
    write_predictions(results / FOLDER / f"{name}.predictions.jsonl.gz", test, read(encoder, test))
    write_json(results / FOLDER / f"{name}.json", record)
    return record


def dev_score(dev: BehaviourItems) -> Score:
    """Return the function that chooses between epochs: log-likelihood.

    Feelings show so little here that F1 jumps with a handful of messages; likelihood does not.
    """

    def score(logits: np.ndarray) -> dict[str, float]:
        p = probabilities(logits, 1.0)
        likely = float(np.log(p[np.arange(len(dev)), dev.emotion] + 1e-12).mean())
        figures = classification(dev.emotion, p.argmax(1))
        return {"weighted_f1": figures["weighted_f1"], "objective": likely}

    return score


def read(encoder: BehaviourEncoder, items: BehaviourItems) -> np.ndarray:
    """Return the encoder's probabilities of every message, ``[n, 7]``."""
    found = [e.probabilities for e in encoder.encode(items.events())]
    return np.stack([p for p in found if p is not None]).astype(np.float64)


def measure(
    items: BehaviourItems, p: np.ndarray, frequency: np.ndarray
) -> dict[str, float | dict[str, float]]:
    """Return all figures of probabilities ``[n, 7]``.

    ``majority_weighted_f1`` is what always saying the commonest emotion reaches, ``uar_even``
    the recall over the classes when probabilities are divided by how common each is: chance is
    1/7.
    """
    commonest = np.full(len(items), int(frequency.argmax()))
    even = p / np.maximum(frequency, 1e-9)
    return {
        **classification(items.emotion, p.argmax(1)),
        "uar_even": classification(items.emotion, even.argmax(1))["uar"],
        "majority_weighted_f1": classification(items.emotion, commonest)["weighted_f1"],
        "ece": expected_calibration_error(p, items.emotion),
        "log_loss": float(-np.log(p[np.arange(len(p)), items.emotion] + 1e-12).mean()),
        "f1": per_class_f1(items.emotion, p.argmax(1), tuple(e.value for e in Emotion)),
    }


def write_predictions(path: Path, items: BehaviourItems, p: np.ndarray) -> None:
    """Store one line a message: its id and probabilities."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        json.dumps({"id": i, "p": np.round(q, 4).tolist()})
        for i, q in zip(items.ids, p, strict=True)
    ]
    with gzip.GzipFile(path, "wb", mtime=0) as f:
        f.write("\n".join(rows).encode() + b"\n")


def recorded(results: Path, test: BehaviourItems, pooling: str = "gated") -> dict[str, Any]:
    """Rescore every recorded run from its stored predictions: ``{n, METRIC: {mean, std}}``.

    Raises:
        DataError: Predictions are not those of these messages.
    """
    scored: list[dict[str, Any]] = []
    for path in sorted((results / FOLDER).glob("behaviour-*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["configuration"]["pooling"] != pooling:
            continue
        stored = path.with_name(f"{record['name']}.predictions.jsonl.gz")
        with gzip.open(stored, "rt", encoding="utf-8") as f:
            rows = [json.loads(line) for line in f]
        if [r["id"] for r in rows] != test.ids:
            raise DataError(f"{stored} does not hold the simulated test messages")
        scored.append(
            measure(test, np.array([r["p"] for r in rows]), np.array(record["frequency"]))
        )
    return spreads(scored)


def spreads(scored: list[dict[str, Any]]) -> dict[str, Any]:
    """Return ``{n, METRIC: {mean, std}}`` (sample deviation, 0 for one) of several runs."""
    out: dict[str, Any] = {"n": len(scored)}
    for key in scored[0] if scored else ():
        if isinstance(scored[0][key], float):
            values = [s[key] for s in scored]
            out[key] = {
                "mean": float(np.mean(values)),
                "std": float(np.std(values, ddof=1)) if len(values) > 1 else 0.0,
            }
    return out


def evaluate_simulated(
    *, split: str, results: Path, checkpoint: Path | None = None
) -> dict[str, Any]:
    """Measure a checkpoint on the simulated people of ``split``, and the recorded runs.

    ``runs`` are those of the pooling that ships, ``max_mean`` those of the other; both only of the
    test split.
    """
    encoder = BehaviourEncoder(checkpoint)
    _, about = checkpoints.load(encoder.path)
    items = simulate(split)
    test = split == "test"
    return {
        "dataset": DATASET,
        "model": encoder.name,
        "split": split,
        "n": len(items),
        "causal": True,
        **measure(items, read(encoder, items), np.array(about["frequency"])),
        "runs": recorded(results, items) if test else {"n": 0},
        "max_mean": {"runs": recorded(results, items, "max_mean") if test else {"n": 0}},
    }


__all__ = ["evaluate_simulated", "measure", "train_behaviour"]
