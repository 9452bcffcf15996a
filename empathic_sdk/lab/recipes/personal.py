"""Recipe ``personal``: a head that reads a person's history beside a frozen model's answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from empathic_sdk.errors import DataError
from empathic_sdk.lab.evaluation.metrics import classification
from empathic_sdk.lab.records import (
    FOLDERS,
    PREDICTIONS,
    RunRecord,
    read_rows,
)
from empathic_sdk.lab.registry import Command, Option, Outcome
from empathic_sdk.lab.runs.runner import record_run
from empathic_sdk.lab.training.personal_fit import (
    HISTORIES,
    History,
    PersonalRecipe,
    read,
    split_history,
    train_head,
)
from empathic_sdk.lab.training.recurring_people import SETS, people_of

MAIN = ("Chandler", "Joey", "Monica", "Phoebe", "Rachel", "Ross")


def mean_f1(people: Sequence[History], logits: Sequence[np.ndarray]) -> float:
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
) -> RunRecord:
    """Train one run; dev chooses its step; the labels given on test are stored, unseen."""
    if data_set not in SETS:
        raise DataError(f"nobody recurs in {data_set!r}; there are {', '.join(SETS)}")
    train, dev, test = (
        people_of(data_set, s, data, cache, recipe.seed) for s in ("train", "dev", "test")
    )
    if data_set == "meld":  # guests with some twenty lines come only once
        dev, test = ([p for p in some if p.name in MAIN] for some in (dev, test))
    head, ran = train_head(recipe, train, dev, lambda logits: mean_f1(dev, logits))
    rows = (
        {
            "user": p.name,
            "gold": p.labels[split_history(p)[1]].tolist(),
            "said": {str(k): read(head, p, k).argmax(1).tolist() for k in HISTORIES},
        }
        for p in test
    )
    return record_run(
        results, recipe, rows, recipe="personal", name=f"{data_set}-seed{recipe.seed}",
        data_set=data_set, run=ran,
        people={"train": len(train), "dev": len(dev), "test": len(test)},
        dev={f"mean_f1_k{k}": mean_f1(dev, [read(head, p, k) for p in dev]) for k in HISTORIES},
    )  # fmt: skip


def read_runs(data_set: str, results: Path) -> list[list[dict[str, Any]]]:
    """Return the stored test labels of every run of a set, one entry a person."""
    folder = results / FOLDERS["personal"]
    return [read_rows(path) for path in sorted(folder.glob(f"{data_set}-seed*{PREDICTIONS}"))]


def run(
    numbers: Mapping[str, Any],
    *,
    data: Path,
    data_set: Annotated[str, Option("Where people recur.", choices=SETS, flag="--set")],
    results: Path,
    cache: Path,
) -> Outcome:
    """Train the head that reads a person's history beside the general model.

    Dev chooses the step, and may choose to leave the general model as it is; the labels given on
    the test split are stored, and `empathic evaluate users` scores them. No weights are written.
    """
    record = train_personal(
        PersonalRecipe(**numbers), data_set=data_set, data=data, results=results, cache=cache
    )
    said = "  ".join(f"{k} {v:.4f}" for k, v in record.dev.items())
    return Outcome(record, [f"step {record.run['chosen_step']}", f"dev: {said}"])


COMMAND = Command(run=run, recipe=PersonalRecipe)
