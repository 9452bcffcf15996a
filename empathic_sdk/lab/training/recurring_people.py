"""What frozen models made of everybody who recurs by name, in MELD, IEMOCAP and RAVDESS."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from empathic_sdk.lab.corpora.dialogues import DialogueSet
from empathic_sdk.lab.corpora.encoded_media import pools
from empathic_sdk.lab.corpora.pairing import MediaPool
from empathic_sdk.lab.corpora.text_vectors import load
from empathic_sdk.lab.evaluation.dialogue_figures import calibrate, dev_score
from empathic_sdk.lab.recipes.dialogue import predictions
from empathic_sdk.lab.recipes.dialogue_numbers import DialogueRecipe
from empathic_sdk.lab.recipes.fusion import embedded
from empathic_sdk.lab.training.dialogue_batches import Statistics, collate, example
from empathic_sdk.lab.training.dialogue_fit import fit, load_checkpoint
from empathic_sdk.lab.training.personal_fit import MOST, History
from empathic_sdk.models.mdget import MDGET
from empathic_sdk.recognition.calibration import Calibration
from empathic_sdk.runtime.networks import shipped

SETS = ("meld", "iemocap", "ravdess")
# IEMOCAP has no table of what its classes mean: happy sad neutral angry excited frustrated.
_SIX = np.array(
    [(0.6, 0.3), (-0.6, -0.3), (0.0, 0.0), (-0.5, 0.6), (0.6, 0.7), (-0.5, 0.3)], np.float32
)


def people_of(data_set: str, split: str, data: Path, cache: Path, seed: int) -> list[History]:
    """Return what the frozen model made of everybody with more than 20 utterances in a split."""
    if data_set == "ravdess":
        return _actors(pools(split, data, embedded(), cache)["speech"])
    if data_set == "meld":
        network, about = load_checkpoint(shipped("dialogue"))
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
        fixed = calibrate(dev, predictions(network, dev, statistics))
        _TRAINED[seed] = (network, fixed, statistics)
    return _TRAINED[seed]


def _actors(pool: MediaPool) -> list[History]:
    """Return RAVDESS's actors; the clips of one have no order, so they get a fixed random one."""
    calibration = Calibration(**load_checkpoint(shipped("dialogue"))[1]["calibration"])
    means = np.asarray(calibration.affect, np.float32)
    out = []
    for name in sorted(set(pool.people)):
        rows = np.flatnonzero(np.array(pool.people) == name)
        rows = np.random.default_rng(0).permutation(rows)
        vectors, p = pool.vectors[rows], pool.probabilities[rows]
        out.append(
            History(name, vectors, vectors, np.log(np.maximum(p, 1e-6)).astype(np.float32),
                   pool.labels[rows], (p @ means).astype(np.float32))
        )  # fmt: skip
    return out


def _speakers(
    items: DialogueSet, network: MDGET, calibration: Calibration, statistics: Statistics
) -> list[History]:
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
        found.append(History(name, state, fused, logits, labels, (p @ means).astype(np.float32)))
    return found


def _order(name: str) -> tuple[str, int]:
    digits = "".join(c for c in name if c.isdigit())
    return (name, 0) if not name.startswith("dia") else ("dia", int(digits))
