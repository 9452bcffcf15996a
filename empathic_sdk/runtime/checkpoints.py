"""Checkpoints: one safetensors file with a description inside; never a pickle.

Matrices are stored as int8 with one float16 scale per row (symmetric, round to nearest), which
halves the size compared with float16; everything else is float16. A test bounds the error.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from empathic_sdk.errors import ModelError

if TYPE_CHECKING:  # torch is imported where it is needed: some modules read weights without it
    from torch import Tensor

_SCALE = ".scale"
_FORMAT = "1"


def save(path: str | Path, tensors: Mapping[str, Tensor], description: Mapping[str, Any]) -> None:
    """Write ``tensors`` compactly, with a JSON-able ``description``, in one atomic step."""
    import torch
    from safetensors.torch import save_file

    packed: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        tensor = tensor.detach().float()
        if tensor.ndim == 2 and tensor.numel() >= 4096:
            scale = (tensor.abs().amax(1) / 127).clamp(min=1e-8).half()
            packed[name] = (tensor / scale.float()[:, None]).round().clamp(-127, 127).to(torch.int8)
            packed[name + _SCALE] = scale
        else:
            packed[name] = tensor.half()
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    metadata = {"format": _FORMAT, "description": json.dumps(description, sort_keys=True)}
    save_file({k: v.contiguous() for k, v in packed.items()}, part, metadata)
    part.chmod(0o644)  # the writer makes it private, but files of a package must be readable
    part.replace(path)


def load(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Load a checkpoint of :func:`save`: float32 tensors and the description.

    Raises:
        ModelError: The file is missing, damaged, or written by something else.
    """
    packed, about = _read(path, "pt")
    tensors = {}
    for name, tensor in packed.items():
        if name.endswith(_SCALE):
            continue
        scale = packed.get(name + _SCALE)
        tensors[name] = tensor.float() if scale is None else tensor.float() * scale.float()[:, None]
    return tensors, about


def arrays(
    path: str | Path, prefix: str = ""
) -> tuple[dict[str, NDArray[np.float32]], dict[str, Any]]:
    """Load a checkpoint of :func:`save` as float32 NumPy arrays, without importing torch.

    Args:
        path: The file.
        prefix: Only what starts with ``prefix.`` is read, under its name without that.

    Raises:
        ModelError: As :func:`load`.
    """
    packed, about = _read(path, "np", prefix)
    found = {}
    for name, array in packed.items():
        if name.endswith(_SCALE):
            continue
        scale = packed.get(name + _SCALE)
        name = name.removeprefix(f"{prefix}.") if prefix else name
        found[name] = array.astype(np.float32)
        if scale is not None:
            found[name] *= scale.astype(np.float32)[:, None]
    return found, about


def sha256(path: str | Path) -> str:
    """Return the hexadecimal SHA-256 of a file, by which records identify data and weights."""
    with Path(path).open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def _read(
    path: str | Path, framework: str, prefix: str = ""
) -> tuple[dict[str, Any], dict[str, Any]]:
    path = Path(path)
    if not path.is_file():
        raise ModelError(f"there are no weights at {path}; reinstall the package or give a path")
    try:
        with safe_open(str(path), framework) as f:
            metadata = f.metadata() or {}
            start = f"{prefix}." if prefix else ""
            names = [name for name in f.keys() if name.startswith(start)]  # noqa: SIM118
            packed = {name: f.get_tensor(name) for name in names}
    except (SafetensorError, OSError) as error:
        raise ModelError(f"the weights at {path} are damaged: {error}") from error
    if metadata.get("format") != _FORMAT:
        raise ModelError(
            f"{path} is not a checkpoint of this package (format {metadata.get('format')!r}, "
            f"expected {_FORMAT!r})"
        )
    return packed, json.loads(metadata["description"])


def part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose names start with ``prefix.``, without that prefix."""
    return {
        k.removeprefix(f"{prefix}."): v for k, v in tensors.items() if k.startswith(prefix + ".")
    }
