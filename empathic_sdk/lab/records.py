"""What a run leaves behind: one record, and what it said of every test item.

``NAME.json`` says what was run and what dev says of it; ``NAME.predictions.jsonl.gz`` holds one row
for each item, so that any figure can be computed again without the weights. Records hold ids and
numbers, never texts. Each kind of run has a folder below the results (``FOLDERS``); those of the
text encoder stand at the top.
"""

from __future__ import annotations

import gzip
import json
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from pydantic import ConfigDict, Field, PrivateAttr

from empathic_sdk.errors import DataError, InputError
from empathic_sdk.runtime import checkpoints
from empathic_sdk.types.base import Value

PREDICTIONS = ".predictions.jsonl.gz"
FOLDERS: Mapping[str, str] = {
    "text": "", "text-heads": "", "safety": "", "dialogue": "dialogue",
    "behaviour": "behaviour", "face": "face", "speech": "speech", "personal": "personal",
    "strategy": "strategy", "reader": "reader", "teacher": "reader",
}  # fmt: skip
"""Below the folder of the results: where the records of a recipe are."""

Figures = Mapping[str, Any]


class RunRecord(Value):
    """The record of one run. What only some recipes say is in :attr:`details`.

    Attributes:
        recipe: What was run.
        name: Of the run; also that of its files.
        configuration: Every number of the recipe.
        data_set: What it was trained on, where a recipe knows several.
        configuration_name: Of what was run, all but the seed (dialogue models).
        features: What stands for the text (dialogue models).
        data: Each split or corpus that was read: how many items, and their SHA-256.
        environment: Python, PyTorch, processor, threads.
        run: How it went: epochs or steps, seconds, what dev said on the way and what it chose.
        calibration: What dev fixed afterwards.
        dev: Every figure on dev.
        checkpoint: Bytes and SHA-256 of the weights, where any were written.
        test: Every figure on test, ``None`` until it is asked for; recipes that score their stored
            predictions later have none.
    """

    model_config = ConfigDict(extra="allow")

    recipe: str
    name: str
    configuration: dict[str, Any] = Field(default_factory=dict)
    data_set: str | None = None
    configuration_name: str | None = None
    features: str | None = None
    data: dict[str, Any] = Field(default_factory=dict)
    environment: dict[str, Any] = Field(default_factory=dict)
    run: dict[str, Any] = Field(default_factory=dict)
    calibration: dict[str, Any] = Field(default_factory=dict)
    dev: dict[str, Any] = Field(default_factory=dict)
    checkpoint: dict[str, Any] | None = None
    test: dict[str, Any] | None = None

    _keys: tuple[str, ...] = PrivateAttr(())

    def __init__(self, **data: Any) -> None:
        """Check the entries, and keep their order for the file."""
        super().__init__(**data)
        self._keys = tuple(data)

    @property
    def details(self) -> Mapping[str, Any]:
        """What this recipe alone records, such as ``folds`` or ``pool``."""
        return self.model_extra or {}

    @property
    def seed(self) -> int:
        """The seed of the run; 1 where a recipe draws nothing."""
        return int(self.configuration.get("seed", 1))

    def as_json(self) -> dict[str, Any]:
        """Return what stands in the file: what the recipe says, and nothing else."""
        found = self.model_dump(exclude_unset=True)
        out = {key: found[key] for key in self._keys}
        if self.recipe == "safety":  # its numbers stand where others have their name
            out["recipe"] = out.pop("configuration")
        return out

    def changed(self, **changes: Any) -> RunRecord:
        """Return the record with other entries."""
        return RunRecord.of({**self.as_json(), **changes})

    @classmethod
    def of(cls, about: Mapping[str, Any]) -> RunRecord:
        """Return the record that stands in a file (see :meth:`as_json`)."""
        if isinstance(about.get("recipe"), Mapping):
            about = {**about, "recipe": "safety", "configuration": about["recipe"]}
        return cls(**about)

    @classmethod
    def read(cls, path: Path) -> RunRecord:
        """Read a record.

        Raises:
            DataError: There is none, or it is no record of a run.
        """
        try:
            return cls.of(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise DataError(f"there is no run record {path}") from None
        except (ValueError, TypeError, InputError) as error:
            raise DataError(f"{path} is no run record: {error}") from error

    def path(self, results: Path) -> Path:
        """Return its file below the folder of the results.

        A dialogue model that was trained together with its encoder has two records of one name.
        """
        if self.recipe == "joint":
            stem = f"dialogue/{self.data_set}-{self.name}" if self.data_set else self.name
            return results / f"{stem}.json"
        return results / FOLDERS[self.recipe] / f"{self.name}.json"

    def write(self, results: Path) -> Path:
        """Write it below the folder of the results, in one atomic step; return the file."""
        path = self.path(results)
        write_json(path, self.as_json())
        return path


def find_records(folder: Path, pattern: str = "*.json") -> list[tuple[Path, RunRecord]]:
    """Return the run records in a folder by the order of their names, without other JSON files."""
    found = []
    for path in sorted(folder.glob(pattern)):
        about = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(about, dict) and {"recipe", "name"} <= set(about):
            found.append((path, RunRecord.of(about)))
    return found


def recorded(path: Path, checkpoint: Path) -> RunRecord:
    """Return the record at ``path`` if it is that of this checkpoint.

    Raises:
        DataError: There is none, or it is that of another one: dev's choice comes before any test.
    """
    if not path.is_file():
        raise DataError(f"there is no run record {path}: the choice on dev comes before any test")
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if record["checkpoint"]["sha256"] != checkpoints.sha256(checkpoint):
        raise DataError(f"{checkpoint} is not the checkpoint that {path} records")
    return RunRecord.of(record)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON object in one atomic step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    part.replace(path)


def predictions_of(path: Path) -> Path:
    """Return the file with the predictions of the run whose record is at ``path``."""
    return path.with_name(path.name.removesuffix(".json") + PREDICTIONS)


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON object a line, zipped, in one atomic step; the same rows, the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with gzip.GzipFile(part, "wb", mtime=0) as f:
        for row in rows:
            f.write(json.dumps(row).encode() + b"\n")
    part.replace(path)


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Read what :func:`write_rows` wrote.

    Raises:
        DataError: The file is missing.
    """
    if not path.is_file():
        raise DataError(f"{path} is missing: train the run again")
    with gzip.open(path, "rt", encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def item_rows(
    ids: Sequence[str], values: np.ndarray, digits: int, **beside: Any
) -> Iterator[dict[str, Any]]:
    """Yield the rows of items: what stands ``beside`` all of them, ``id`` and numbers ``p``.

    Args:
        ids: ``[n]``.
        values: ``[n, k]``.
        digits: How many are kept.
        beside: The same for all of them, such as their corpus.
    """
    for name, row in zip(ids, np.asarray(values, float).tolist(), strict=True):
        yield {**beside, "id": name, "p": [round(v, digits) for v in row]}


def read_items(path: Path, ids: Sequence[str], what: str, **beside: Any) -> np.ndarray:
    """Return the numbers ``[n, k]`` of the stored rows of exactly these items, in their order.

    Args:
        path: Of the predictions.
        ids: ``[n]``.
        what: How the error calls them.
        beside: What else a row must say to count.

    Raises:
        DataError: The file is missing or holds other items.
    """
    rows = [r for r in read_rows(path) if all(r[k] == v for k, v in beside.items())]
    if [r["id"] for r in rows] != list(ids):
        raise DataError(f"{path} does not hold {what}")
    return np.array([r["p"] for r in rows], float)


def no_runs(folder: Path, what: str, command: str) -> DataError:
    """Return the error that ``folder`` has no runs of something; it says how to come by them.

    Args:
        folder: Where they were looked for.
        what: Whose runs.
        command: What makes them, after ``empathic``.
    """
    return DataError(
        f"there are no runs of {what} in {folder}; give the folder `results` of this project's "
        "repository, wherever it lies, as --results or EMPATHIC_RESULTS, or make them with "
        f"`empathic {command}`"
    )


def environment() -> dict[str, Any]:
    """Return what a run was computed with."""
    import torch

    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "processor": platform.machine(),
        "threads": torch.get_num_threads(),
    }


def weights_entry(path: Path, **beside: Any) -> dict[str, Any]:
    """Return what a record says of a checkpoint."""
    return {"bytes": path.stat().st_size, "sha256": checkpoints.sha256(path), **beside}


class Digestible(Protocol):
    """Data that can be counted and named by a digest."""

    def __len__(self) -> int:
        """How many items there are."""
        ...

    def digest(self) -> str:
        """SHA-256 of what training sees."""
        ...


def data_entry(items: Digestible, **beside: Any) -> dict[str, Any]:
    """Return what a record says of data that a run saw."""
    return {**beside, "n": len(items), "sha256": items.digest()}


__all__ = [
    "FOLDERS",
    "PREDICTIONS",
    "Figures",
    "RunRecord",
    "data_entry",
    "environment",
    "find_records",
    "item_rows",
    "no_runs",
    "predictions_of",
    "read_items",
    "read_rows",
    "recorded",
    "weights_entry",
    "write_json",
    "write_rows",
]
