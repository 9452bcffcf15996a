"""Opens the files of the public corpora; where one is missing, says where its owners have it."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from safetensors.numpy import load_file, save_file

from empathic_sdk.errors import DataError

SPLITS = ("train", "dev", "test")
SOURCES: Mapping[str, str] = {
    "meld": "MELD: https://github.com/declare-lab/MELD",
    "goemotions": "GoEmotions: https://github.com/monologg/GoEmotions-pytorch",
    "dailydialog": "DailyDialog: http://yanran.li/dailydialog",
    "empatheticdialogues": "EmpatheticDialogues: "
    "https://github.com/facebookresearch/EmpatheticDialogues",
    "emobank": "EmoBank: https://github.com/JULIELab/EmoBank",
    "esconv": "ESConv: https://github.com/thu-coai/Emotional-Support-Conversation",
    "iemocap": "IEMOCAP, on request: https://sail.usc.edu/iemocap/",
    "mosi": "CMU-MOSI with its vectors: "
    "https://github.com/soujanyaporia/contextual-utterance-level-multimodal-sentiment-analysis",
    "fer2013.npz": "FER2013's pictures: https://github.com/darkbit404/FaceExp",
    "ravdess": "RAVDESS: https://zenodo.org/records/1188976",
    "ravdess_action_units.npz": "RAVDESS, its action units: https://zenodo.org/records/1188976",
    "emodb": "EMO-DB: http://emodb.bilderbar.info",
}
"""What stands at the top of the data folder, and where each corpus comes from."""

T = TypeVar("T")


def missing(path: Path) -> DataError:
    """Return the error for a file or folder of a corpus that is not there."""
    known = [SOURCES[part] for part in path.parts if part in SOURCES]
    return DataError(
        f"{path} is not there. Give the folder with the corpora by --data DIR or the environment "
        f"variable EMPATHIC_DATA. Get {known[-1] if known else 'it from its owners'}; "
        "docs/data.md says how its files are laid out."
    )


def open_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a UTF-8 file, unzipped if its name says so; ``DataError`` without it."""
    if not path.is_file():
        raise missing(path)
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8", newline="") as f:
            yield from f
    else:
        with path.open(encoding="utf-8", newline="") as f:
            yield from f


def open_objects(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects of a file with one a line."""
    for line in open_lines(path):
        yield json.loads(line)


def open_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read a NumPy archive, never pickled objects.

    Raises:
        DataError: It is missing or damaged.
    """
    if not path.is_file():
        raise missing(path)
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (ValueError, OSError, EOFError) as error:
        raise DataError(
            f"{path} is not the archive that docs/data.md describes: {error}"
        ) from error


def open_folder(path: Path) -> list[Path]:
    """Return what lies in a folder, by name; ``DataError`` without it."""
    if not path.is_dir():
        raise missing(path)
    return sorted(path.iterdir())


def chosen(what: str, name: str, known: Mapping[str, T] | Iterable[str]) -> str:
    """Return a name that must be one of those known.

    Raises:
        DataError: It is none; says which there are.
    """
    names = list(known)
    if name not in names:
        raise DataError(f"no {what} is named {name!r}; there are {', '.join(names)}")
    return name


def cached(path: Path, make: Callable[[], Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return arrays from a file, which is made where it is not there.

    Two processes may come here for the same file: each writes one of its own first.
    """
    if not path.is_file():
        made = {name: np.ascontiguousarray(array) for name, array in make().items()}
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.part")
        save_file(made, part)
        part.replace(path)
    return dict(load_file(path))
