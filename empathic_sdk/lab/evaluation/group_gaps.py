"""How well a model does on groups of people, and how sure a gap between them is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.lab.evaluation.spread import interval

METRICS = ("accuracy", "uar", "ece")
BINS = 15
SAMPLES = 1000

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Counts(NamedTuple):
    """What all figures of one group follow from, one row a cluster.

    Attributes:
        support: float64 ``[clusters, classes]`` items by their gold label.
        hits: float64 ``[clusters, classes]`` those of them that are right.
        beyond: float64 ``[clusters, bins]`` right answers minus confidence, summed a bin.
    """

    support: Floats
    hits: Floats
    beyond: Floats


def compare(
    gold: Ints,
    probabilities: Floats,
    groups: Sequence[str],
    clusters: Sequence[Any],
    classes: Sequence[str],
    *,
    samples: int = SAMPLES,
    seed: int = 0,
) -> dict[str, Any]:
    """Return figures of each group, and the gaps between them with 95 % intervals.

    Whole clusters are drawn with replacement, for all groups at once (paired). Where each cluster
    holds people of one group only (an actor has one sex), they are drawn within their group.

    UAR is the mean recall of the classes that every group has. Of two groups the gap is the first
    minus the second, in the order of their names; of more, the largest figure minus the smallest,
    which is above 0 also where groups do not differ: ``by_chance`` is its median when items
    change groups at random, ``p`` the share of such shuffles that reach it.

    Args:
        gold: ``[n]``.
        probabilities: ``[n, classes]``.
        groups: ``[n]`` names; ``""`` is left out.
        clusters: ``[n]`` what hangs together: a dialogue, an actor.
        classes: Names of the labels.
        samples: Draws of the bootstrap.
        seed: For the draws.

    Returns:
        ``groups``: ``{NAME: {n, clusters, accuracy, uar, ece, recall}}``; ``gaps``:
        ``{METRIC: {of, difference, low, high}}``, with ``by_chance`` and ``p`` for more than two.

    Raises:
        ConfigurationError: There are fewer than two groups.
    """
    named = np.asarray(groups, dtype=str)
    there = named != ""
    names, group = np.unique(named[there], return_inverse=True)
    if len(names) < 2:
        raise ConfigurationError("a gap needs at least two groups")
    y, p = np.asarray(gold)[there], np.asarray(probabilities, np.float64)[there]
    _, cluster = np.unique(np.asarray(clusters)[there], return_inverse=True)
    parts = [_counts(y, p, cluster, group == g) for g in range(len(names))]
    shared = np.all([c.support.sum(0) > 0 for c in parts], axis=0)
    rng = np.random.default_rng(seed)
    drawn = _draw(cluster, group, samples, rng)
    whole = np.ones((1, int(cluster.max()) + 1))
    exact = np.stack([_figures(c, whole, shared)[:, 0] for c in parts])  # [groups, metrics]
    draws = np.stack([_figures(c, drawn, shared) for c in parts])  # [groups, metrics, samples]
    out: dict[str, Any] = {"groups": {}, "gaps": {}}
    for g, name in enumerate(names.tolist()):
        counts = parts[g]
        support, hits = counts.support.sum(0), counts.hits.sum(0)
        out["groups"][name] = {
            "n": int(support.sum()),
            "clusters": int((counts.support.sum(1) > 0).sum()),
            **dict(zip(METRICS, exact[g].tolist(), strict=True)),
            "recall": {c: float(hits[k] / support[k]) for k, c in enumerate(classes) if support[k]},
        }
    shuffled = _shuffled(y, p, group, shared, rng) if len(names) > 2 else None
    for m, metric in enumerate(METRICS):
        if shuffled is None:
            of, gap, spread = names.tolist(), exact[0, m] - exact[1, m], draws[0, m] - draws[1, m]
        else:
            order = np.argsort(exact[:, m], kind="stable")
            of = [str(names[order[-1]]), str(names[order[0]])]
            gap = exact[:, m].max() - exact[:, m].min()
            spread = draws[:, m].max(0) - draws[:, m].min(0)
        figures = {"of": of, "difference": float(gap), **interval(spread)}
        if shuffled is not None:
            figures["by_chance"] = float(np.median(shuffled[m]))
            figures["p"] = float((1 + (shuffled[m] >= gap).sum()) / (1 + len(shuffled[m])))
        out["gaps"][metric] = figures
    return out


def _counts(gold: Ints, p: Floats, cluster: Ints, chosen: NDArray[np.bool_]) -> Counts:
    size, k = int(cluster.max()) + 1, p.shape[1]
    confidence, said = p.max(1), p.argmax(1)
    right = said == gold
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    support, hits, beyond = np.zeros((size, k)), np.zeros((size, k)), np.zeros((size, BINS))
    np.add.at(support, (cluster[chosen], gold[chosen]), 1)
    np.add.at(hits, (cluster[chosen & right], gold[chosen & right]), 1)
    np.add.at(beyond, (cluster[chosen], place[chosen]), (right - confidence)[chosen])
    return Counts(support, hits, beyond)


def _figures(counts: Counts, times: Floats, shared: NDArray[np.bool_]) -> Floats:
    """Return accuracy, UAR and ECE ``[3, samples]`` when clusters count ``times``."""
    support, hits = times @ counts.support, times @ counts.hits
    total = np.maximum(support.sum(1), 1e-12)
    recall = np.where(support > 0, hits / np.maximum(support, 1e-12), np.nan)[:, shared]
    seen = (~np.isnan(recall)).sum(1)
    uar = np.where(seen > 0, np.nansum(recall, 1) / np.maximum(seen, 1), np.nan)
    ece = np.abs(times @ counts.beyond).sum(1) / total
    out = np.stack([hits.sum(1) / total, uar, ece])
    out[:, support.sum(1) == 0] = np.nan  # nobody of this group was drawn
    return out


def _draw(cluster: Ints, group: Ints, samples: int, rng: np.random.Generator) -> Floats:
    """Return how often each cluster is drawn, float64 ``[samples, clusters]``."""
    pairs = np.unique(np.stack([cluster, group]), axis=1)
    size = int(cluster.max()) + 1
    if pairs.shape[1] > size:  # some cluster holds people of several groups
        return rng.multinomial(size, np.full(size, 1 / size), samples).astype(np.float64)
    out = np.zeros((samples, size))
    for g in np.unique(group):
        mine = pairs[0, pairs[1] == g]
        out[:, mine] = rng.multinomial(len(mine), np.full(len(mine), 1 / len(mine)), samples)
    return out


def _shuffled(
    gold: Ints,
    p: Floats,
    group: Ints,
    shared: NDArray[np.bool_],
    rng: np.random.Generator,
    shuffles: int = 300,
) -> Floats:
    """Return the gaps ``[3, shuffles]`` when items change groups at random."""
    out = np.empty((len(METRICS), shuffles))
    one = np.ones((1, int(group.max()) + 1))
    for s in range(shuffles):
        # A group stands for a cluster here: one call gives the counts of all of them.
        counts = _counts(gold, p, rng.permutation(group), np.ones(len(gold), bool))
        rows = [Counts(*(c[g : g + 1] for c in counts)) for g in range(one.shape[1])]
        found = np.stack([_figures(c, one[:, :1], shared)[:, 0] for c in rows])
        out[:, s] = found.max(0) - found.min(0)
    return out


def worst(found: Mapping[str, Any], metric: str = "accuracy") -> float:
    """Return the figure of the group that fares worst."""
    figures = [g[metric] for g in found["groups"].values()]
    return float(max(figures) if metric == "ece" else min(figures))


__all__ = ["METRICS", "Counts", "compare", "worst"]
