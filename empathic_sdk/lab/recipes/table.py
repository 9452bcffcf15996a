"""The whole table of a data set: tuning trials, baselines, modalities, ablations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from empathic_sdk.lab.recipes.dialogue import DataSet, Features
from empathic_sdk.lab.recipes.dialogue_numbers import default_features, tuning_path
from empathic_sdk.lab.registry import Command, Option, Outcome
from empathic_sdk.lab.runs import grid


def run(
    numbers: Mapping[str, Any],
    *,
    data: Path,
    data_set: DataSet,
    features: Features = None,
    tune: Annotated[bool, Option("Run only the tuning trials.")] = False,
    seeds: Annotated[int, Option("Runs a configuration, with the seeds 1 to N.", low=1)] = 3,
    workers: Annotated[int, Option("Processes, of one thread each.", low=1)] = 2,
    results: Path,
    cache: Path,
) -> Outcome:
    """Run the whole table of a data set: tuning trials, baselines, modalities, ablations.

    Each worker is one process of one thread. A table that was cut off goes on where it stopped.
    """
    features = features or default_features(data_set)
    where: dict[str, Any] = {"data": data, "results": results, "cache": cache, "workers": workers}
    if not tuning_path(data_set, features, results).is_file():
        grid.tune(data_set, features, **where)
    jobs = [] if tune else grid.table(data_set, features, results, range(1, seeds + 1))
    done = grid.run(jobs, **where) if jobs else []
    seconds = sum(r.run["seconds"] for r in done)
    return Outcome(
        {"data_set": data_set, "runs": len(done), "seconds": seconds},
        [f"{len(done)} runs, {seconds / 3600:.2f} hours of one core; records in {results}"],
    )


COMMAND = Command(run=run, threads=False)
