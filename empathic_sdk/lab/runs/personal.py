"""Runs of the recipe ``personal`` on the sets where people recur: MELD, IEMOCAP, RAVDESS."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from empathic_sdk.errors import DataError
from empathic_sdk.lab.corpora.dialogues import DialogueSet
from empathic_sdk.lab.corpora.encoded_media import pools
from empathic_sdk.lab.corpora.pairing import MediaPool
from empathic_sdk.lab.evaluation.metrics import classification
from empathic_sdk.lab.recipes.dialogue import DialogueRecipe, Statistics, collate, example
from empathic_sdk.lab.recipes.personal import (
    HISTORIES,
    MOST,
    Person,
    PersonalRecipe,
    read,
    split_history,
    train_head,
)
from empathic_sdk.lab.runs.dialogue import calibrate, dev_score, load, load_checkpoint
from empathic_sdk.lab.runs.dialogue import write_json as write_record
from empathic_sdk.lab.runs.fusion import embedded
from empathic_sdk.lab.training.dialogue_loop import fit, predict
from empathic_sdk.models.mdget import MDGET
from empathic_sdk.recognition.calibration import Calibration
from empathic_sdk.runtime.resources import weights_dir

SETS = ("meld", "iemocap", "ravdess")
FOLDER = "personal"
MAIN = ("Chandler", "Joey", "Monica", "Phoebe", "Rachel", "Ross")
# IEMOCAP has no table of what its classes mean: happy sad neutral angry excited frustrated.
_SIX = np.array(
    [(0.6, 0.3), (-0.6, -0.3), (0.0, 0.0), (-0.5, 0.6), (0.6, 0.7), (-0.5, 0.3)], np.float32
)


def people_of(data_set: str, split: str, data: Path, cache: Path, seed: int) -> list[Person]:
    """Return what the frozen model made of everybody with more than 20 utterances in a split."""
    if data_set == "ravdess":
        return _actors(pools(split, data, embedded(), cache)["speech"])
    if data_set == "meld":
        network, about = load_checkpoint(weights_dir() / "dialogue.safetensors")
        items = load("meld", split, data=data, features="shipped", cache=cache)
        return _speakers(items, network, Calibration(**about["calibration"]), Statistics())
    network, calibration, statistics = _iemocap(data, cache, seed)
    items = load("iemocap", split, data=data, features="shipped", cache=cache)
    return _speakers(items, network, calibration, statistics)


_TRAINED: dict[int, tuple[MDGET, Calibration, Statistics]] = {}


def _iemocap(data: Path, cache: Path, seed: int) -> tuple[MDGET, Calibration, Statistics]:
    """Train a general model: none ships for IEMOCAP."""
    if seed not in _TRAINED:
        train, dev = (
            load("iemocap", s, data=data, features="shipped", cache=cache) for s in ("train", "dev")
        )
        recipe = DialogueRecipe(
            modalities=("text", "speech"), width=64, epochs=8, patience=3, batch_size=8,
            balance=0.0, seed=seed,
        )  # fmt: skip
        network, statistics, _ = fit(recipe, train, dev, dev_score(dev))
        assert isinstance(network, MDGET)
        on_dev = predict(network, [example(d, statistics) for d in dev.dialogues])
        _TRAINED[seed] = (network, calibrate(dev, on_dev), statistics)
    return _TRAINED[seed]


def _actors(pool: MediaPool) -> list[Person]:
    """Return RAVDESS's actors; the clips of one have no order, so they get a fixed random one."""
    calibration = Calibration(
        **load_checkpoint(weights_dir() / "dialogue.safetensors")[1]["calibration"]
    )
    means = np.asarray(calibration.affect, np.float32)
    out = []
    for name in sorted(set(pool.people)):
        rows = np.flatnonzero(np.array(pool.people) == name)
        rows = np.random.default_rng(0).permutation(rows)
        vectors, p = pool.vectors[rows], pool.probabilities[rows]
        out.append(
            Person(name, vectors, vectors, np.log(np.maximum(p, 1e-6)).astype(np.float32),
                   pool.labels[rows], (p @ means).astype(np.float32))
        )  # fmt: skip
    return out


def _speakers(
    items: DialogueSet, network: MDGET, calibration: Calibration, statistics: Statistics
) -> list[Person]:
    """Return those who recur by name, their utterances in the order of the set's dialogues."""
    means = np.asarray(calibration.affect, np.float32) if calibration.affect else _SIX
    rows: dict[str, list[tuple[np.ndarray, np.ndarray, np.ndarray, int]]] = {}
    network.eval()
    for d in sorted(items.dialogues, key=lambda d: _order(d.id)):
        batch, _ = collate([example(d, statistics)])
        with torch.inference_mode():
            out = network(batch)
        for i, (who, label) in enumerate(zip(d.speakers, d.labels.tolist(), strict=True)):
            if label < 0:
                continue
            name = who if items.corpus == "meld" else f"{d.id[:5]}{who}"
            rows.setdefault(name, []).append(
                (out.vectors[0, i].numpy(), out.fused[0, i].numpy(), out.logits[0, i].numpy(),
                 label)
            )  # fmt: skip
    found = []
    for name, some in sorted(rows.items()):
        if len(some) <= MOST or (items.corpus == "meld" and name == "All"):
            continue
        state, fused, logits, labels = (np.stack(c) for c in zip(*some, strict=True))
        logits = logits / calibration.temperature
        p = np.exp(logits - logits.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        found.append(Person(name, state, fused, logits, labels, (p @ means).astype(np.float32)))
    return found


def _order(name: str) -> tuple[str, int]:
    digits = "".join(c for c in name if c.isdigit())
    return (name, 0) if not name.startswith("dia") else ("dia", int(digits))


def mean_f1(people: Sequence[Person], logits: Sequence[np.ndarray]) -> float:
    """Return the mean over people of their weighted F1 on what is scored."""
    return float(
        np.mean(
            [
                classification(p.labels[split_history(p)[1]], z.argmax(1))["weighted_f1"]
                for p, z in zip(people, logits, strict=True)
            ]
        )
    )


def train_personal(
    recipe: PersonalRecipe, *, data_set: str, data: Path, results: Path, cache: Path
) -> dict[str, Any]:
    """Train one run; dev chooses its step; the labels given on test are stored, unseen."""
    if data_set not in SETS:
        raise DataError(f"nobody recurs in {data_set!r}; there are {', '.join(SETS)}")
    train, dev, test = (
        people_of(data_set, s, data, cache, recipe.seed) for s in ("train", "dev", "test")
    )
    if data_set == "meld":  # guests with some twenty lines come only once
        dev, test = ([p for p in some if p.name in MAIN] for some in (dev, test))
    head, ran = train_head(recipe, train, dev, lambda logits: mean_f1(dev, logits))
    name = f"{data_set}-seed{recipe.seed}"
    record = {
        "recipe": "personal", "name": name, "data_set": data_set,
        "configuration": recipe.as_dict(), "run": ran,
        "people": {"train": len(train), "dev": len(dev), "test": len(test)},
        "dev": {f"mean_f1_k{k}": mean_f1(dev, [read(head, p, k) for p in dev]) for k in HISTORIES},
    }  # fmt: skip
    path = results / FOLDER / f"{name}.predictions.jsonl.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.GzipFile(path, "wb", mtime=0) as f:
        for p in test:
            said = {str(k): read(head, p, k).argmax(1).tolist() for k in HISTORIES}
            row = {"user": p.name, "gold": p.labels[split_history(p)[1]].tolist(), "said": said}
            f.write(json.dumps(row).encode() + b"\n")
    write_record(results / FOLDER / f"{name}.json", record)
    return record


def read_runs(data_set: str, results: Path) -> list[list[dict[str, Any]]]:
    """Return the stored test labels of every run of a set, one entry a person."""
    out = []
    for path in sorted((results / FOLDER).glob(f"{data_set}-seed*.predictions.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as f:
            out.append([json.loads(line) for line in f])
    return out
