"""SHA-256 of the shipped weights, checked when one of them is loaded.

``weights/digests.json`` holds the hash of every file that is read at run time. After weights have
changed, ``python -m empathic_sdk.runtime.digests`` rewrites it (a test fails when it is stale).
Weights of your own, at any other place, are not listed anywhere and not checked.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

from empathic_sdk.errors import DamagedWeightsError
from empathic_sdk.runtime.resources import weights_dir

DIGESTS = "digests.json"
_KINDS = (".onnx", ".safetensors", ".json")


def sha256(path: str | Path) -> str:
    """Return the hexadecimal SHA-256 of a file, by which records identify data and weights."""
    with Path(path).open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def check_shipped(path: str | Path) -> None:
    """Check a file against its shipped hash, if it is one that ships; once per process.

    Raises:
        DamagedWeightsError: It is not the file that was shipped.
    """
    path = Path(path).absolute()
    if path.parent == weights_dir() and path.exists():  # what is missing, its reader says
        _check(path)


@cache
def _check(path: Path) -> None:
    expected = _shipped(path.parent).get(path.name)
    if expected is None:
        return
    try:
        same = sha256(path) == expected
    except OSError as error:
        raise DamagedWeightsError(f"the weights at {path} cannot be read: {error}") from error
    if not same:
        raise DamagedWeightsError(
            f"the weights at {path} are not those that this package shipped: the file is damaged, "
            f"cut off or was changed; reinstall the package (pip install --force-reinstall "
            f"--no-deps empathic-sdk), or give weights of your own by their path, outside "
            f"{path.parent}"
        )


@cache
def _shipped(folder: Path) -> dict[str, str]:
    path = folder / DIGESTS
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): str(digest) for name, digest in found.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise DamagedWeightsError(
            f"the list of hashes at {path} is missing or damaged; reinstall the package"
        ) from error


def digests() -> str:
    """Return the content for ``digests.json``: the hash of every file of weights, by name."""
    files = (p for p in weights_dir().iterdir() if p.suffix in _KINDS and p.name != DIGESTS)
    return json.dumps({p.name: sha256(p) for p in sorted(files)}, indent=1) + "\n"


if __name__ == "__main__":
    (weights_dir() / DIGESTS).write_text(digests(), encoding="utf-8")
