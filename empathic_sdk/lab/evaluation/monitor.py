"""``empathic evaluate monitor``: how soon a known change is found, and how often there was none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import chi2

from empathic_sdk.errors import DataError
from empathic_sdk.lab.corpora.dialogues import DialogueSet, read_dialogues
from empathic_sdk.lab.corpora.text_vectors import mark
from empathic_sdk.lab.evaluation.spread import interval
from empathic_sdk.lab.records import read_rows, write_rows
from empathic_sdk.lab.simulation.trajectories import (
    KINDS,
    LENGTH,
    START,
    States,
    Trajectory,
    people,
)
from empathic_sdk.monitoring.days import BASELINE, DELTA, LEVEL, SPREAD, changes
from empathic_sdk.recognition.recognizer import EmotionRecognizer
from empathic_sdk.runtime.networks import Network, shipped
from empathic_sdk.types import Emotion, Utterance
from empathic_sdk.types.monitor import WARNED_OF, ChangeKind, ChangePoint

FOLDER = "monitor"
PEOPLE = 300
SEEDS = {"dev": 7, "test": 1001}
"""The numbers of the tests were fixed on the people of ``dev``."""
WITHIN_DAYS = 60
"""A change that is found later counts as missed."""
MONTH_DAYS = 365.25 / 12

_EXPECTED = {
    "decline": ChangeKind.DECLINE,
    "drop": ChangeKind.DECLINE,
    "instability": ChangeKind.INSTABILITY,
    "recovery": ChangeKind.IMPROVEMENT,
}


def evaluate_monitor(
    *, data: Path, split: str, results: Path, number: int = PEOPLE
) -> dict[str, Any]:
    """Simulate people with MELD's errors of a split; what ``empathic evaluate monitor`` prints.

    ``dev`` and ``test`` differ in the people drawn and in the utterances whose readings they get.

    Args:
        data: Folder of the corpora.
        split: ``dev`` or ``test``.
        results: Folder of the run records; the states that the shipped recogniser gave are kept
            in ``monitor/`` in it, and made anew (minutes) after a change of weights.
        number: People of each kind.
    """
    items = read_dialogues("meld", data, split)
    states, made = read_states(items, results / FOLDER)
    drawn = people(number, states, SEEDS[split])
    found = {kind: [changes(c.days) for c in some] for kind, some in drawn.items()}
    seed = SEEDS[split]
    false = false_alarms(drawn, found, seed)
    courses = {k: score(drawn[k], found[k], _EXPECTED[k], seed) for k in KINDS if k != "stable"}
    report: dict[str, Any] = {
        "dataset": "monitor",
        "model": "page-hinkley",
        "split": split,
        "n": number * len(KINDS),
        "causal": True,
        "simulated": True,
        "settings": {"baseline_days": BASELINE, "delta": DELTA, "level": LEVEL, "spread": SPREAD},
        "states": {"corpus": "meld", "n": len(states.gold), "file": made},
        "false_warnings_per_person_month": false["warnings"]["rate"],
    }
    for kind, figures in courses.items():
        report[f"detected_{kind}"] = figures["detected"]
        report[f"delay_days_{kind}"] = figures["delay_days"]["median"]
    return {**report, "courses": courses, "false_alarms": false, "runs": {"n": 0}}


def score(
    courses: Sequence[Trajectory],
    found: Sequence[Sequence[ChangePoint]],
    expected: ChangeKind,
    seed: int,
) -> dict[str, Any]:
    """Return how many changes were found, how late, and how many wrong hints came after onset.

    The delay ends on the day on which somebody would be told: the first with a turn after the day
    that gave the change away.
    """
    delays: list[float] = []
    hits, wrong = [], 0
    for course, points in zip(courses, found, strict=True):
        assert course.onset is not None
        late = [
            (told(course, p) - course.onset).days
            for p in points
            if p.kind is expected and p.found >= course.onset
        ]
        hit = bool(late) and late[0] <= WITHIN_DAYS
        hits.append(hit)
        delays += [float(late[0])] if hit else []
        wrong += any(
            p.kind in WARNED_OF and p.kind is not expected and p.found >= course.onset
            for p in points
        )
    rate = np.array(hits, float)
    draws = np.random.default_rng(seed).choice(rate, (2000, len(rate))).mean(1)
    quartiles = np.percentile(delays, [25, 50, 75]).tolist() if delays else [float("nan")] * 3
    before, after = np.mean([c.distress for c in courses], axis=0).tolist()
    return {
        "n": len(courses),
        "expected": expected.value,
        "detected": float(rate.mean()),
        "detected_interval": [*interval(draws).values()],
        "delay_days": dict(zip(("q25", "median", "q75"), quartiles, strict=True)),
        "wrong_hint": wrong / len(courses),
        "true_distress": {"before": before, "after": after},
    }


def false_alarms(
    drawn: Mapping[str, Sequence[Trajectory]],
    found: Mapping[str, Sequence[Sequence[ChangePoint]]],
    seed: int,
) -> dict[str, Any]:
    """Return alarms without a change by kind: all of stable people, and what came before onset.

    ``poisson`` is the exact interval of a rate (Garwood 1936), ``bootstrap`` draws people.
    """
    months, counts = [], []
    for kind, some in drawn.items():
        for course, points in zip(some, found[kind], strict=True):
            end = course.onset or START + timedelta(days=LENGTH)
            months.append((end - START).days / MONTH_DAYS)
            early = [p.kind for p in points if p.found < end]
            counts.append([early.count(k) for k in ChangeKind])
    table, watched = np.array(counts, float), np.array(months)
    warned = [i for i, k in enumerate(ChangeKind) if k in WARNED_OF]
    columns = {k.value: table[:, i] for i, k in enumerate(ChangeKind)}
    columns["warnings"] = table[:, warned].sum(1)
    pick = np.random.default_rng(seed).integers(0, len(watched), (1000, len(watched)))
    total = float(watched.sum())
    out: dict[str, Any] = {"person_months": total}
    for name, column in columns.items():
        count = int(column.sum())
        draws = column[pick].sum(1) / watched[pick].sum(1)
        out[name] = {
            "count": count,
            "rate": count / total,
            "poisson": poisson_interval(count, total),
            "bootstrap": [*interval(draws).values()],
        }
    return out


def poisson_interval(count: int, exposure: float) -> list[float]:
    """Return the exact 95 % interval of a Poisson rate (Garwood 1936)."""
    low = float(chi2.ppf(0.025, 2 * count)) / 2 if count else 0.0
    return [low / exposure, float(chi2.ppf(0.975, 2 * (count + 1))) / 2 / exposure]


def told(course: Trajectory, point: ChangePoint) -> date:
    """Return the first day with a turn after the one on which a change was found."""
    later = [d.day for d in course.days if d.day > point.found]
    return min(later, default=point.found + timedelta(days=1))


def read_states(items: DialogueSet, folder: Path) -> tuple[States, str]:
    """Return what the shipped recogniser gave for each labelled utterance, and its file's name.

    Raises:
        DataError: The file does not hold these utterances.
    """
    trained = str(Network(shipped("dialogue")).about["checkpoint_sha256"])
    weights = f"{mark(None)[:12]}-{trained[:12]}"
    path = folder / f"meld-{items.split}-{weights}.states.jsonl.gz"
    if not path.is_file():
        _write_states(items, path)
    rows = read_rows(path)
    if [r["id"] for r in rows] != [d.id for d in items.dialogues]:
        raise DataError(f"{path} does not hold the dialogues of {items.corpus} {items.split}")
    gold = np.concatenate([d.labels for d in items.dialogues])
    p = np.array([p for r in rows for p in r["p"]], float)
    known = gold >= 0
    return States(gold[known], p[known]), path.name


def _write_states(items: DialogueSet, path: Path) -> None:
    recognizer = EmotionRecognizer()

    def rows() -> Iterator[dict[str, Any]]:
        for d in items.dialogues:
            said = [Utterance(text=t, speaker=s) for t, s in zip(d.texts, d.speakers, strict=True)]
            states = recognizer.session().extend(said)
            yield {
                "id": d.id, "p": [[round(s.probabilities[e], 4) for e in Emotion] for s in states]
            }  # fmt: skip

    write_rows(path, rows())


__all__ = ["evaluate_monitor", "false_alarms", "poisson_interval", "read_states", "score", "told"]
