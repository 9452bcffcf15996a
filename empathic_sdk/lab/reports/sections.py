"""What stands in each section of a report: figures and rows for its template, and its charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from empathic_sdk.lab.baselines.mdget import ABLATIONS
from empathic_sdk.lab.evaluation.configurations import Configuration, Record
from empathic_sdk.lab.evaluation.dialogue_metrics import changed
from empathic_sdk.lab.evaluation.published import ABLATION_NAMES
from empathic_sdk.lab.evaluation.spread import Spread, spread
from empathic_sdk.lab.recipes.dialogue_numbers import BASE, default_features
from empathic_sdk.lab.reports import charts
from empathic_sdk.lab.reports.one_dialogue import Depth
from empathic_sdk.lab.reports.subject import (
    CARDS,
    DIRECTIONS,
    HEADLINES,
    MODELS,
    Subject,
    features,
)

BINS = 15
Section = dict[str, Any]


@dataclass(frozen=True)
class Scale:
    """The scale of the small drawings in a table's column.

    Attributes:
        low: The value at the left edge.
        high: The value at the right edge.
    """

    low: float
    high: float

    def at(self, value: float) -> float:
        """Return the pixel of a value; the column is 148 wide."""
        return round(8 + 132 * (value - self.low) / (self.high - self.low), 1)

    @property
    def ticks(self) -> list[float]:
        """Round numbers on it."""
        found = MaxNLocator(3, steps=[1, 2, 5, 10]).tick_values(self.low, self.high)
        return [float(x) for x in found if self.low <= x <= self.high]


def header(subject: Subject) -> Section:
    """Return what the page is about, and the figures that count."""
    test, row = subject.runs.test, subject.row
    order = [subject.key, *(k for k in CARDS if k != subject.key)]
    return {
        "n": int(sum((d.labels >= 0).sum() for d in test.dialogues)),
        "dialogues": len(test.dialogues),
        "cards": [(k, *CARDS[k], row.test[k]) for k in order if k in row.test],
    }


def models(subject: Subject) -> Section:
    """Return all compared models, best features first, with how far MDGET is ahead of each."""
    runs, key, own = subject.runs, subject.key, subject.row
    compared = _compared(subject)
    order = list(dict.fromkeys(map(_place, compared)))
    order.sort(key=lambda f: (f[0] != own.features, not f[2], f[0] != "joint"))
    groups = []
    for place in order:
        here = [r for r in compared if _place(r) == place]
        here.sort(key=lambda r: -r.test[key].mean)
        ours = next((r for r in here if r.model == "mdget"), None)
        ahead = [runs.compare(ours.name, r.name) if ours and r is not ours else None for r in here]
        title = f"{DIRECTIONS[place[1]].capitalize()} · {features(place[0])}"
        title += " · further corpora beside" if place[2] else ""
        groups.append((title, list(zip(here, ahead, strict=True))))
    published = []
    if known := subject.published:
        (mean, std), (_, rival) = known.weighted_f1, known.rival
        published = [("MDGET-MER, as published", Spread(mean / 100, std / 100), True),
                     ("CFN-ESA, as they print it", Spread(rival / 100, 0.0), False)]  # fmt: skip
    edges = [r.test[key].mean + side * r.test[key].std for r in compared for side in (-1, 1)]
    edges += [published[0][1].mean] if published else []
    low, high = min(edges), max(edges)
    edge = 0.06 * (high - low) + 0.002
    return {
        "groups": groups,
        "published": published,
        "scale": Scale(low - edge, high + edge),
        "other": "macro_f1" if key == "weighted_f1" else "weighted_f1",
    }


def _place(row: Configuration) -> tuple[str, str, bool]:
    return row.features, row.direction, bool(row.beside)


def _compared(subject: Subject) -> list[Configuration]:
    """Return what is compared, and the subject itself, whatever it is."""
    return [
        r for r in subject.runs.rows
        if r.tested and (r.compared(subject.runs.data_set) or r.name == subject.row.name)
    ]  # fmt: skip


def _features(subject: Subject) -> str:
    """Return the features of the tables of parts: the subject's, if the whole model has them."""
    data_set, own = subject.runs.data_set, subject.row.features
    plain = (r for r in subject.runs.rows if r.model == "mdget" and r.compared(data_set))
    there = own != "joint" and any(r.features == own for r in plain)
    return own if there else default_features(data_set)


def modalities(subject: Subject) -> Section:
    """Return what each subset of the modalities is worth, beside Table 5."""
    key, own, known, shown = subject.key, subject.row, subject.published, _features(subject)
    plain = [
        r for r in subject.runs.rows
        if r.model == "mdget" and r.ablation == "full" and r.tested and r.features == shown
        and not r.timing and not r.beside
    ]  # fmt: skip
    every = BASE[subject.runs.data_set].modalities
    sets = sorted(
        {r.modalities for r in plain}, key=lambda some: (len(some), [every.index(m) for m in some])
    )
    lines = [(" + ".join(m), [r for r in plain if r.modalities == m], m) for m in sets]
    if own.model == "mdget" and own.ablation == "full" and not own.timing and own not in plain:
        # What ships stands alone: it has features of its own, or further corpora.
        about = f"{' + '.join(own.modalities)} · {features(own.features)}"
        about += f" · {', '.join(own.beside)} beside" if own.beside else ""
        lines.insert(0, (about, [own], own.modalities))
    rows = []
    for label, some, names in lines:
        found = {r.direction: r.test[key] for r in some}
        paper = known.modalities.get("+".join(names)) if known else None
        rows.append((label, [found.get(d) for d in DIRECTIONS], paper, own in some))
    whole = "text+speech+face"
    if known and tuple(whole.split("+")) not in sets:
        rows.append((whole.replace("+", " + "), [None, None], known.modalities[whole], False))
    return {"rows": rows, "features": features(shown)}


def ablations(subject: Subject) -> Section:
    """Return Table 6's rows, ours in both directions beside the paper's, with the differences.

    Each cell is a figure (a spread, or the paper's number) and its distance from the whole model.
    """
    key, known, shown = subject.key, subject.published, _features(subject)
    found = {
        (r.ablation, r.direction): r.test[key]
        for r in subject.runs.rows
        if r.model == "mdget" and r.compared_but_for_ablation(subject.runs.data_set) and r.tested
        and r.features == shown
    }  # fmt: skip
    rows = []
    for name in ABLATIONS:
        cells: list[tuple[Spread | float | None, float | None]] = []
        for direction in DIRECTIONS:
            here, whole = found.get((name, direction)), found.get(("full", direction))
            step = here.mean - whole.mean if here and whole and name != "full" else None
            cells.append((here, step))
        if known:
            step = (known.ablations[name] - known.ablations["full"]) / 100
            cells.append((known.ablations[name], step if name != "full" else None))
        rows.append((ABLATION_NAMES[name], cells))
    steps = [abs(step) for _, cells in rows for _, step in cells if step is not None]
    return {
        "rows": rows if any(a != "full" for a, _ in found) else [],
        "widest": max(steps, default=0.01),
        "features": features(shown),
        "paper": sorted(known.ablations.values()) if known else [],
    }


def classes(subject: Subject) -> Section:
    """Return F1 by class, over the runs."""
    gold, _ = subject.flat()
    f1 = {c: spread([m["f1"][c] for m in subject.measured]) for c in subject.classes}
    counts = {c: int((gold == k).sum()) for k, c in enumerate(subject.classes)}
    order = sorted(subject.classes, key=lambda c: -counts[c])
    return {
        "chart": charts.class_bars(subject, order, f1, counts),
        "rows": [(c, counts[c], f1[c]) for c in order],
    }


def confusions(subject: Subject) -> Section:
    """Return what was taken for what: counts, and shares of each gold class."""
    gold, p = subject.flat()
    k = len(subject.classes)
    counts = np.bincount(gold * k + p.argmax(1), minlength=k * k).reshape(k, k)
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    return {"counts": counts.tolist(), "shares": share.tolist()}


def calibration(subject: Subject) -> Section:
    """Return how often the top label is right, by how sure the model is."""
    gold, p = subject.flat()
    sure, right = p.max(1), p.argmax(1) == gold
    bin_of = np.minimum((sure * BINS).astype(int), BINS - 1)
    bins = [
        {"low": b / BINS, "high": (b + 1) / BINS, "n": int((bin_of == b).sum()),
         "sure": float(sure[bin_of == b].mean()), "right": float(right[bin_of == b].mean())}
        for b in np.unique(bin_of).tolist()
    ]  # fmt: skip
    ece = subject.runs.measured(subject.record)["ece"]
    return {"chart": charts.reliability(subject, bins), "bins": bins, "ece": ece}


def learning(subject: Subject) -> Section:
    """Return dev over epochs for every run, and the losses of the one in the middle."""
    records = subject.runs.records(subject.row.name)
    first = records[0]["run"]["history"][0]
    at = "epoch" if "epoch" in first else "step"
    together = f"{subject.runs.data_set}_dialogue_{subject.key}"
    key = next((k for k in (subject.key, together) if k in first), "objective")
    runs = [_learned(r, at, key) for r in records]
    return {
        "chart": charts.learning(subject, runs, at),
        "losses": charts.losses(subject, _learned(subject.record, at, key), at)
        if "emotion_loss" in first
        else None,
        "at": at,
        "runs": runs,
        "longest": max(runs, key=lambda r: len(r["at"])),
        "title": f"{HEADLINES[subject.key]} on dev by {at}, one line a run",
    }


def _learned(record: Record, at: str, key: str) -> dict[str, Any]:
    history: Sequence[Mapping[str, float]] = record["run"]["history"]
    names = ("emotion", "transfer")
    return {
        "seed": record["configuration"]["seed"],
        "at": [h[at] for h in history],
        "dev": [h[key] for h in history],
        "chosen": record["run"][f"chosen_{at}"],
        "losses": {name: [h.get(f"{name}_loss", 0.0) for h in history] for name in names},
    }


def change(subject: Subject) -> Section:
    """Return how well a change of emotion is told, in three ways."""
    rows = [r for r in _compared(subject) if r.model == "mdget"]
    labels = []
    for row in rows:
        name = f"{DIRECTIONS[row.direction].capitalize()} · {features(row.features)}"
        labels.append(name + (" · further corpora beside" if row.beside else ""))
    return {"rows": [(label, row, subject.runs.shift(row))
                     for label, row in zip(labels, rows, strict=True)]}  # fmt: skip


def dialogue(subject: Subject, found: Depth) -> Section:
    """Return one dialogue in depth."""
    d, p, gold = found.dialogue, found.probabilities, found.dialogue.labels
    names = list(dict.fromkeys(d.speakers))
    letters = [chr(65 + k) if (k := names.index(s)) < 26 else "…" for s in d.speakers]
    said = p.argmax(1)
    out: Section = {
        "found": found,
        "people": len(names),
        "right": int((said == gold)[gold >= 0].sum()),
        "labelled": int((gold >= 0).sum()),
        "chart": charts.trajectory(subject, found, letters),
        "rows": [
            {"speaker": f"{letters[i]} · {d.speakers[i]}", "text": d.texts[i],
             "gold": subject.classes[gold[i]] if gold[i] >= 0 else "–",
             "said": subject.classes[said[i]], "sure": float(p[i, said[i]]),
             "shift": _number(found.shift[i]), "wrong": bool(0 <= gold[i] != said[i])}
            for i in range(len(d))
        ],
    }  # fmt: skip
    truth = changed(gold, d.speakers)
    if not np.isnan(found.shift).all():
        known = (truth >= 0) & ~np.isnan(found.shift)
        told = found.shift[known] >= found.threshold
        out["changes"] = {
            "chart": charts.changes(found, truth),
            "right": int((told == (truth[known] == 1)).sum()),
            "n": int((truth >= 0).sum()),
        }
    if found.inside is not None:
        out["gates"] = [
            (name, [_number(v) for v in row], float(np.nanmean(row)))
            for name, row in zip(found.inside.names, found.inside.gates, strict=True)
        ]
        if found.inside.change is not None:
            out["pairs"] = _pairs(gold, found.inside.change)
    return out


def _pairs(labels: np.ndarray, change: np.ndarray) -> Section:
    """Return the transfer module's matrix of all pairs, and the truth (NaN: ``None``)."""
    known = (labels[:, None] >= 0) & (labels[None] >= 0) & ~np.isnan(change)
    truth = np.where(known, (labels[:, None] != labels[None]).astype(float), np.nan)
    off = ~np.eye(len(labels), dtype=bool) & known
    right = float(((change >= 0.5) == (truth == 1))[off].mean()) if off.any() else 0.0
    predicted, gold = ([list(map(_number, row)) for row in m] for m in (change, truth))
    return {"predicted": predicted, "gold": gold, "right": right}


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


__all__ = ["MODELS", "Scale", "Section"]
