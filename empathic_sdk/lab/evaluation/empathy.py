"""A stand-in for EPITOME (Sharma et al. 2020, arXiv 2009.08441): three kinds of empathy, 0 to 2.

EPITOME's own annotations are not at hand. ESConv's supporters said which strategy they used, and
three proxies are read off that: *emotional reactions* where a reply reflects feelings or affirms,
*interpretations* where it restates, *explorations* where it asks. A level is twice the calibrated
chance that a human supporter's reply worded like this one was meant so. It measures how much a
reply resembles human replies of that kind, and neither whether it is true, nor whether it helps.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from empathic_sdk.lab.corpora.opening import cached
from empathic_sdk.lab.corpora.reply_moments import ReplyTalk
from empathic_sdk.types import Strategy

KINDS = ("emotional_reactions", "interpretations", "explorations")
_OF = {
    "emotional_reactions": (Strategy.REFLECTION, Strategy.AFFIRMATION),
    "interpretations": (Strategy.RESTATEMENT,),
    "explorations": (Strategy.QUESTION,),
}
_ORDER = tuple(Strategy)
# What dev chooses between: what is read, and how strongly the weights are held down.
READS = ("reply", "reply and context")
STRENGTHS = (0.003, 0.03, 0.3)

Floats = NDArray[np.float32]
Encode = Callable[[Sequence[str]], Floats]


class Pairs(NamedTuple):
    """Replies with what they answer.

    Attributes:
        said: What was said.
        replies: What was answered.
    """

    said: tuple[str, ...]
    replies: tuple[str, ...]


def pairs_of(talks: Sequence[ReplyTalk]) -> Pairs:
    """Return every moment of the talks, with the human reply."""
    return Pairs(
        tuple(text for talk in talks for text in talk.said),
        tuple(text for talk in talks for text in talk.replies),
    )


def proxies(talks: Sequence[ReplyTalk]) -> NDArray[np.bool_]:
    """Return ``[moments, 3]``: whether the human reply used a strategy of that kind."""
    return np.array(
        [
            [any(_ORDER[s] in _OF[kind] for s in used) for kind in KINDS]
            for talk in talks
            for used in talk.strategies
        ],
        bool,
    )


def vectors(texts: Sequence[str], encode: Encode, cache: Path | None = None) -> Floats:
    """Return ``encode(texts)``, each different text once, kept in a file between runs.

    Args:
        texts: The texts.
        encode: Texts to float32 ``[n, width]``.
        cache: The file's folder; ``None`` keeps nothing.
    """
    unique = sorted(set(texts))
    row = {text: i for i, text in enumerate(unique)}
    where = [row[text] for text in texts]
    mark = hashlib.sha256(json.dumps(unique).encode("utf-8", "replace")).hexdigest()[:16]
    if cache is None:
        return np.asarray(encode(unique)[where], np.float32)
    path = cache / f"replies-{mark}.safetensors"
    kept = cached(path, lambda: {"vectors": encode(unique).astype(np.float16)})
    return np.asarray(kept["vectors"][where], np.float32)


def features(said: Floats, replies: Floats, reads: str) -> Floats:
    """Return what a classifier reads: the reply, or also the context and how both go together."""
    if reads == "reply":
        return replies
    return np.concatenate([replies, said, said * replies], 1)


class EmpathyClassifier:
    """Three logistic regressions on text vectors; dev chooses what they read, and how strictly.

    Args:
        train: Vectors ``[n, width]`` of what was said and of the replies, and ``[n, 3]`` proxies.
        dev: The same; chooses by log loss, for each kind on its own.

    Attributes:
        chosen: Of each kind, what dev chose and its log loss there.
    """

    def __init__(
        self,
        train: tuple[Floats, Floats, NDArray[np.bool_]],
        dev: tuple[Floats, Floats, NDArray[np.bool_]],
    ) -> None:
        """Fit all candidates; keep the best of each kind."""
        self.chosen: dict[str, dict[str, Any]] = {}
        self._models: list[tuple[str, Any]] = []
        for k, kind in enumerate(KINDS):
            best: tuple[float, str, float, Any] | None = None
            for reads in READS:
                x, held = (features(said, reply, reads) for said, reply, _ in (train, dev))
                for strength in STRENGTHS:
                    regression = LogisticRegression(C=strength, max_iter=300)
                    model = make_pipeline(StandardScaler(), regression).fit(x, train[2][:, k])
                    chance = model.predict_proba(held)[:, 1]
                    loss = float(log_loss(dev[2][:, k], chance, labels=[False, True]))
                    if best is None or loss < best[0]:
                        best = loss, reads, strength, model
            assert best is not None
            self.chosen[kind] = {"reads": best[1], "C": best[2], "dev_log_loss": best[0]}
            self._models.append((best[1], best[3]))

    def levels(self, said: Floats, replies: Floats) -> NDArray[np.float64]:
        """Return ``[n, 3]`` levels from 0 to 2, in the order of :data:`KINDS`."""
        chances = [
            model.predict_proba(features(said, replies, reads))[:, 1]
            for reads, model in self._models
        ]
        return 2.0 * np.stack(chances, 1)


def held_out(levels: NDArray[np.float64], gold: NDArray[np.bool_]) -> dict[str, Any]:
    """Return how well levels tell the proxies of replies that were held out.

    Args:
        levels: ``[n, 3]``; a level of 1 or more says yes.
        gold: ``[n, 3]``.

    Returns:
        Of each kind ``accuracy``, ``majority`` (of always saying what is commoner), ``uar``,
        ``auc``, ``share`` (how common it is) and ``mean_level`` over 2.
    """
    found: dict[str, Any] = {}
    for k, kind in enumerate(KINDS):
        y, said = gold[:, k], levels[:, k] >= 1
        share = float(y.mean())
        found[kind] = {
            "accuracy": float((said == y).mean()),
            "majority": max(share, 1 - share),
            "uar": float(np.mean([(said[y == c] == c).mean() for c in (False, True)])),
            "auc": float(roc_auc_score(y, levels[:, k])),
            "share": share,
            "mean_level": float(levels[:, k].mean() / 2),
        }
    return found
