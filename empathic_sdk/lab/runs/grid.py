"""The whole table of dialogue runs: what belongs to it, and a queue that can be cut off."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from empathic_sdk.lab.baselines.mdget import ABLATIONS
from empathic_sdk.lab.evaluation.dialogue_figures import headline
from empathic_sdk.lab.recipes.dialogue import finished, train_dialogue
from empathic_sdk.lab.recipes.dialogue_numbers import BASE, DialogueRecipe, tuned, tuning_path
from empathic_sdk.lab.records import RunRecord, write_json

SEEDS = (1, 2, 3)
# Every model gets these same trials, seed 1, and dev picks; dropout is 0.3 for all.
GRID: tuple[dict[str, Any], ...] = (
    {"learning_rate": 5e-4, "width": 128},
    {"learning_rate": 1e-3, "width": 128},
    {"learning_rate": 1e-3, "width": 192},
)
# CMU-MOSI is small, and its training text knows the labels: something smaller is tried as well.
GRIDS = {"mosi": (*GRID, {"learning_rate": 2e-4, "width": 64})}
# Model, and whether it looks back only.
COMPARED: tuple[tuple[str, bool], ...] = (
    ("mdget", True),
    ("mdget", False),
    ("linear", True),
    ("gru", True),
    ("gru", False),
    ("transformer", True),
    ("transformer", False),
    ("dialogue-rnn", True),
    ("dialogue-rnn", False),
    ("cfn-esa", False),
)


class Job(NamedTuple):
    """One run."""

    data_set: str
    features: str
    recipe: DialogueRecipe


def trials(data_set: str, features: str) -> list[Job]:
    """Return the tuning trials of all compared models."""
    base = BASE[data_set]
    return [
        Job(data_set, features, replace(base, model=model, causal=causal, **numbers))
        for model, causal in COMPARED
        for numbers in GRIDS.get(data_set, GRID)
    ]


def table(data_set: str, features: str, results: Path, seeds: Sequence[int] = SEEDS) -> list[Job]:
    """Return every run of the table: comparison, modalities (Table 5), ablation (Table 6)."""
    recipes: list[DialogueRecipe] = [
        tuned(data_set, features, model, causal, results) for model, causal in COMPARED
    ]
    if data_set not in ("meld", "own"):  # one modality has no rows to compare
        # Tables 5 and 6 are those of the published, bidirectional form; the modalities of the
        # causal form, too, because that is what an agent uses.
        full = tuned(data_set, features, "mdget", False, results)
        recipes += [replace(full, modalities=some) for some in subsets(full.modalities)]
        recipes += [replace(full, ablation=name) for name in ABLATIONS if name != "full"]
        causal = tuned(data_set, features, "mdget", True, results)
        recipes += [replace(causal, modalities=some) for some in subsets(causal.modalities)]
    if data_set == "iemocap":
        recipes.append(replace(tuned(data_set, features, "mdget", True, results), timing=True))
    return [Job(data_set, features, replace(r, seed=s)) for s in seeds for r in recipes]


def subsets(modalities: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield every proper, non-empty subset in order."""
    for bits in range(1, 2 ** len(modalities) - 1):
        yield tuple(m for k, m in enumerate(modalities) if bits >> k & 1)


def tune(
    data_set: str, features: str, *, data: Path, results: Path, cache: Path, workers: int
) -> dict[str, Any]:
    """Run the trials, let dev choose, and write the choice down."""
    jobs = trials(data_set, features)
    folder = cache / "trials"
    found: dict[str, list[dict[str, Any]]] = {}
    records = run(jobs, data=data, results=folder, cache=cache, workers=workers, by_numbers=True)
    for job, record in zip(jobs, records, strict=True):
        key = f"{job.recipe.model}-{'causal' if job.recipe.causal else 'both'}"
        numbers = _numbers(job)
        found.setdefault(key, []).append(
            {"numbers": numbers, "dev": record.dev[headline(data_set)]}
        )
    chosen = {k: max(rows, key=lambda r: r["dev"]) for k, rows in found.items()}
    out = {"data_set": data_set, "features": features, "chosen": chosen, "trials": found}
    write_json(tuning_path(data_set, features, results), out)
    return out


def run(
    jobs: Sequence[Job],
    *,
    data: Path,
    results: Path,
    cache: Path,
    workers: int = 2,
    by_numbers: bool = False,
    on_done: Callable[[RunRecord], None] | None = None,
) -> list[RunRecord]:
    """Run jobs in processes of one thread each; those with a record are not run again.

    Args:
        jobs: What to run.
        data: Folder of the corpora.
        results: Folder of the records.
        cache: Folder of text vectors.
        workers: Processes.
        by_numbers: Records of one name with other numbers stand side by side (for trials).
        on_done: Called with the record of each run that ended now.
    """
    out: dict[int, RunRecord] = {}
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TimeRemainingColumn())  # fmt: skip
    with (
        ProcessPoolExecutor(workers, get_context("spawn"), _one_thread) as pool,
        Progress(*columns, console=console, refresh_per_second=1) as progress,
    ):
        bar = progress.add_task("runs", total=len(jobs))
        waiting = {}
        for i, job in enumerate(jobs):
            where = results / _mark(job) if by_numbers else results
            known = finished(where, *job[:2], job.recipe)
            if known is not None:
                out[i] = known
                progress.advance(bar)
                continue
            waiting[pool.submit(_work, job, data, where, cache)] = i
        try:
            for future in as_completed(waiting):
                i = waiting[future]
                out[i] = future.result()
                progress.advance(bar)
                dev = out[i].dev[headline(jobs[i].data_set)]
                progress.console.print(
                    f"{out[i].name}: dev {dev:.4f}, {out[i].run['seconds']:.0f} s"
                )
                if on_done is not None:
                    on_done(out[i])
        except BaseException:  # or all that wait would run first
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [out[i] for i in range(len(jobs))]


def _numbers(job: Job) -> dict[str, Any]:
    """Return the point of the grid that a trial is."""
    grid = GRIDS.get(job.data_set, GRID)
    return next(g for g in grid if replace(job.recipe, **g) == job.recipe)


def _mark(job: Job) -> str:
    """Name a trial's numbers."""
    numbers = _numbers(job)
    return "-".join(f"{k}={v}" for k, v in numbers.items())


def _one_thread() -> None:
    torch.set_num_threads(1)


def _work(job: Job, data: Path, results: Path, cache: Path) -> RunRecord:
    return train_dialogue(
        job.recipe, data_set=job.data_set, features=job.features, data=data, results=results,
        cache=cache,
    )  # fmt: skip
