"""What a reader is scored by: single figures of each corpus, in context and alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from empathic_sdk.lab.corpora.in_context import ReaderItems
from empathic_sdk.lab.evaluation.calibrate import fit_thresholds
from empathic_sdk.lab.evaluation.metrics import classification, multi_label, pearson


def measure_reader(
    read: Callable[..., Mapping[str, np.ndarray]],
    items: Mapping[str, ReaderItems],
    *,
    thresholds: np.ndarray | None = None,
) -> dict[str, float]:
    """Return the headline figures of a reader on each corpus.

    Args:
        read: From items, annotator and ``alone`` to the logits of every head.
        items: By corpus.
        thresholds: Of GoEmotions' seven labels; default: the best on these very items (dev).
    """
    out: dict[str, float] = {}
    for name, some in items.items():
        logits = read(some, name)
        if name == "emobank":
            for k, kind in enumerate(("valence", "arousal")):
                out[f"emobank_{kind}"] = pearson(logits["rated"][:, k], some.targets["rated"][:, k])
        elif name == "goemotions":
            p = 1 / (1 + np.exp(-logits["present"].astype(np.float64)))
            wanted = some.targets["present"]
            cut = np.array(fit_thresholds(wanted, p)) if thresholds is None else thresholds
            found = multi_label(wanted, p, cut)["macro_f1"]
            out["goemotions_macro_f1"] = float(found)
        elif name == "own":
            right = logits["emotion"].argmax(1) == some.targets["felt"].argmax(1)
            out["own_accuracy"] = float(right.mean())
            out["own_valence"] = pearson(logits["affect"][:, 0], some.targets["affect"][:, 0])
        else:
            label = some.targets["emotion"]
            kept = label >= 0
            found = classification(label[kept], logits["emotion"].argmax(1)[kept])["weighted_f1"]
            out[f"{name}_weighted_f1"] = float(found)
            if any(some.before):
                alone = read(some, name, alone=True)["emotion"].argmax(1)
                out[f"{name}_alone"] = float(
                    classification(label[kept], alone[kept])["weighted_f1"]
                )
    return out


def dev_score(dev: Mapping[str, ReaderItems]) -> Callable[[Any], dict[str, float]]:
    """Return the function that chooses between marks: the mean of the headline dev figures."""

    def score(trainer: Any) -> dict[str, float]:
        out = measure_reader(trainer.read, dev)
        out["objective"] = float(np.mean(list(out.values())))
        return out

    return score
