"""Checkpoints: one safetensors file with a description inside; never a pickle.

Matrices are stored as int8 with one float16 scale per row (symmetric, round to nearest), which
halves the size compared with float16; everything else is float16. A test bounds the error.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from empathic_sdk.errors import DamagedWeightsError, ModelError
from empathic_sdk.runtime.digests import check_shipped
from empathic_sdk.runtime.digests import sha256 as sha256
from empathic_sdk.runtime.processes import one_thread_in_children

if TYPE_CHECKING:  # torch is imported where it is needed: some modules read weights without it
    from torch import Tensor

FINGERPRINT = "checkpoint_sha256"
"""Key of the description of what was made from a checkpoint: the checkpoint's SHA-256."""

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
    one_thread_in_children()
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
    start = f"{prefix}." if prefix else ""
    packed, about = _read(path, "np", lambda name: name.startswith(start))
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


def about(path: str | Path) -> dict[str, Any]:
    """Return the description of a checkpoint of :func:`save`, without its tensors.

    Raises:
        ModelError: As :func:`load`.
    """
    return _read(path, "np", lambda _: False)[1]


def fingerprint(path: str | Path) -> str:
    """Return the SHA-256 of a file, or of the checkpoint that it was made from.

    Raises:
        DamagedWeightsError: It ships, and was changed.
        OSError: It cannot be read.
    """
    try:
        known = about(path).get(FINGERPRINT)
    except DamagedWeightsError:
        raise
    except ModelError:  # not one of ours
        known = None
    return str(known or sha256(path))


def copy(source: str | Path, path: str | Path, prefixes: Sequence[str]) -> None:
    """Write the tensors of a checkpoint whose names start so, as they are, to another.

    Its description names the checkpoint that they are from.

    Raises:
        ModelError: As :func:`load`.
    """
    from safetensors.numpy import save_file

    packed, description = _read(source, "np")
    kept = {k: v for k, v in packed.items() if k.startswith(tuple(prefixes))}
    description = {**description, FINGERPRINT: fingerprint(source)}
    path = Path(path)
    part = path.with_name(path.name + ".part")
    metadata = {"format": _FORMAT, "description": json.dumps(description, sort_keys=True)}
    save_file(kept, part, metadata)
    part.chmod(0o644)
    part.replace(path)


class Table:
    """A matrix of a checkpoint whose rows are looked up, kept as small as it is stored.

    Args:
        rows: int8 ``[n, width]`` with a ``scale``, or float16 or float32.
        scale: float16 ``[n]``: of each row; ``None``: the rows are as they are.
    """

    def __init__(self, rows: NDArray[Any], scale: NDArray[Any] | None = None) -> None:
        self.rows, self.scale = rows, scale
        self.shape: tuple[int, ...] = rows.shape

    def __getitem__(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the rows at ``ids``, of any shape, as float32 ``[*ids.shape, width]``."""
        found: NDArray[np.float32] = self.rows[ids].astype(np.float32)
        if self.scale is not None:
            found *= self.scale[ids].astype(np.float32)[..., None]
        return found


def table(path: str | Path, name: str) -> Table:
    """Return one matrix of a checkpoint of :func:`save`, without torch.

    Raises:
        ModelError: As :func:`load`, or the checkpoint has no such matrix.
    """
    packed, _ = _read(path, "np", lambda found: found in (name, name + _SCALE))
    if name not in packed or packed[name].ndim != 2:
        raise ModelError(f"{path} has no matrix {name!r}")
    return Table(packed[name], packed.get(name + _SCALE))


def _read(
    path: str | Path, framework: str, wanted: Callable[[str], bool] | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the tensors as they are stored, all or those that are ``wanted``."""
    path = Path(path)
    if not path.is_file():
        raise ModelError(f"there are no weights at {path}; reinstall the package or give a path")
    check_shipped(path)
    try:
        with safe_open(str(path), framework) as f:
            metadata = f.metadata() or {}
            there = [n for n in f.keys() if wanted is None or wanted(n)]  # noqa: SIM118
            packed = {name: f.get_tensor(name) for name in there}
    except (SafetensorError, OSError) as error:
        raise ModelError(f"the weights at {path} are damaged: {error}") from error
    if metadata.get("format") != _FORMAT:
        raise ModelError(
            f"{path} is not a checkpoint of this package (format {metadata.get('format')!r}, "
            f"expected {_FORMAT!r})"
        )
    try:
        about = json.loads(metadata["description"])
    except (KeyError, ValueError, RecursionError) as error:
        raise ModelError(f"the weights at {path} are damaged: no description") from error
    if not isinstance(about, dict):
        raise ModelError(f"the weights at {path} are damaged: their description is no object")
    return packed, about


def part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose names start with ``prefix.``, without that prefix."""
    return {
        k.removeprefix(f"{prefix}."): v for k, v in tensors.items() if k.startswith(prefix + ".")
    }
