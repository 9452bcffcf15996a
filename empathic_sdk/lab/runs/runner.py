"""What all runs have in common: where they go, how a checkpoint is finished, when test is read.

A run trains, lets dev choose, writes its checkpoint, fixes the calibration on dev as the checkpoint
will be loaded, and records what dev says. Test is read once that stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from torch import Tensor

from empathic_sdk.lab.evaluation.calibrate import fit_temperature
from empathic_sdk.lab.recipes.numbers import Numbers
from empathic_sdk.lab.records import (
    RunRecord,
    environment,
    predictions_of,
    recorded,
    weights_entry,
    write_json,
    write_rows,
)
from empathic_sdk.lab.registry import Option, Outcome
from empathic_sdk.runtime import checkpoints

Calibrated = Mapping[str, Any]
Test = Annotated[bool, Option("Score the finished run on the test split; train nothing.")]


def folder(name: str, out: Path | None) -> Path:
    """Return the folder of a run: the one that was asked for, else the one of its name."""
    return out or Path("runs") / name


def save_calibrated(
    path: Path,
    tensors: Mapping[str, Tensor],
    about: Mapping[str, Any],
    fix: Callable[[Path], Calibrated],
    *,
    start: Calibrated,
) -> dict[str, Any]:
    """Write a checkpoint whose calibration is fixed on it as it is read again.

    Args:
        path: The checkpoint.
        tensors: Its weights.
        about: Its description, without ``calibration``.
        fix: From the checkpoint with the calibration ``start`` to the one that dev wants.
        start: One that changes nothing.

    Returns:
        The calibration that was written.
    """
    checkpoints.save(path, tensors, {**about, "calibration": dict(start)})
    calibration = dict(fix(path))
    checkpoints.save(path, tensors, {**about, "calibration": calibration})
    return calibration


def record_run(
    results: Path,
    numbers: Numbers,
    rows: Iterable[Mapping[str, Any]] | None = None,
    *,
    weights: Path | None = None,
    **said: Any,
) -> RunRecord:
    """Write the record of a run, and what it said of each test item, unseen.

    Args:
        results: Folder of the run records.
        numbers: Of the recipe.
        rows: One for each test item.
        weights: Its checkpoint, if one was written.
        said: What else the record says.
    """
    if weights is not None:
        said = {"checkpoint": weights_entry(weights), **said}
    record = RunRecord(**said, configuration=numbers.as_dict(), environment=environment())
    path = record.write(results)
    if rows is not None:
        write_rows(predictions_of(path), rows)
    return record


def temperature_on(
    labels: np.ndarray, read: Callable[[Path], np.ndarray]
) -> Callable[[Path], dict[str, float]]:
    """Return what fixes a temperature from the probabilities that a checkpoint gives on dev."""
    return lambda path: {
        "temperature": fit_temperature(np.log(np.maximum(read(path), 1e-12)), labels)
    }


def kept_test(path: Path, checkpoint: Path) -> dict[str, Any] | None:
    """Return the test figures that a record already holds for this very checkpoint."""
    if not path.is_file():
        return None
    old = RunRecord.read(path)
    same = (old.checkpoint or {}).get("sha256") == weights_entry(checkpoint)["sha256"]
    return old.test if same else None


def complete(
    path: Path, checkpoint: Path, test: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]
) -> RunRecord:
    """Add the figures on test to a record, and store what was said of every item.

    Raises:
        DataError: The checkpoint has no record at ``path``, or is not the one recorded there.
    """
    record = recorded(path, checkpoint).changed(test=dict(test))
    write_rows(predictions_of(path), rows)
    write_json(path, record.as_json())
    return record


def figures(title: str, measured: Mapping[str, Any]) -> str:
    """Return one line with every plain figure."""
    said = "  ".join(f"{k} {v:.4f}" for k, v in measured.items() if isinstance(v, float))
    return f"{title}: {said}"


def outcome(
    record: RunRecord,
    results: Path,
    title: str,
    *,
    weights: Path | None = None,
    split: str = "dev",
) -> Outcome:
    """Return a record with its figures in lines, and where it and the weights are."""
    measured = (record.test or {}) if split == "test" else record.dev
    where = f"record: {record.path(results)}"
    lines = [
        figures(title, measured), where if weights is None else f"weights: {weights}   {where}"
    ]  # fmt: skip
    return Outcome(record, lines)
