"""Networks as ONNX Runtime computes them: one file each, with a description inside.

A file is read into memory and handed over as bytes, so that it cannot point at other files. One
thread computes a call: simultaneous calls run beside each other, and nothing of it breaks when the
process forks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from empathic_sdk.errors import ModelError
from empathic_sdk.runtime import checkpoints
from empathic_sdk.runtime.digests import check_shipped
from empathic_sdk.runtime.resources import weights_dir

DESCRIPTION = "empathic_sdk"
"""Key of the description among the metadata of an ONNX file."""
CHECKPOINT = "empathic_sdk.checkpoint"
"""Key of the SHA-256 of the checkpoint that the network was exported from."""
SUFFIX = ".onnx"


class Network:
    """A network, ready to compute.

    Args:
        path: An ONNX file of ``empathic export onnx``.
        threads: Threads of one call.
        foreign: It is a network of another package, which has no description.

    Attributes:
        path: The file.
        about: Its description: sizes, calibration, what it was trained on.
        checkpoint: SHA-256 of the checkpoint that it was exported from; empty if it is not said.
        inputs: Names of what it takes.
        outputs: Names of what it gives.

    Raises:
        ModelError: The file is missing, damaged, or was written by something else.

    Thread-safe.
    """

    def __init__(self, path: str | Path, *, threads: int = 1, foreign: bool = False) -> None:
        self.path = Path(path)
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.enable_cpu_mem_arena = False  # one long text would keep its memory for ever
        check_shipped(self.path)
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise ModelError(
                f"there are no weights at {self.path}; reinstall the package or give a path"
            ) from error
        try:
            self._session = ort.InferenceSession(
                data,
                options,
                providers=["CPUExecutionProvider"],
                enable_fallback=0,  # which would print, and read a damaged file again
            )
            metadata = self._session.get_modelmeta().custom_metadata_map
        except Exception as error:  # the library's own kinds of errors share no base
            raise ModelError(f"the weights at {self.path} are damaged: {error}") from error
        if DESCRIPTION not in metadata and not foreign:
            raise ModelError(
                f"{self.path} is no network of this package: it has no description; "
                "write it with `empathic export onnx`"
            )
        self.about = _description(self.path, metadata.get(DESCRIPTION, "{}"))
        self.checkpoint = str(
            metadata.get(CHECKPOINT) or self.about.get(checkpoints.FINGERPRINT) or ""
        )
        self.inputs = tuple(i.name for i in self._session.get_inputs())
        self.outputs = tuple(o.name for o in self._session.get_outputs())

    def __call__(self, **given: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Compute the outputs, by name, from the inputs, by name.

        Raises:
            ModelError: The arrays do not fit the network.
        """
        return self.compute(given)

    def compute(self, given: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Compute the outputs, for names of inputs that are no Python names."""
        try:
            found = self._session.run(None, dict(given))
        except Exception as error:  # as above
            raise ModelError(f"{self.path.name} cannot read these arrays: {error}") from error
        return dict(zip(self.outputs, (np.asarray(f) for f in found), strict=True))


def _description(path: Path, written: str) -> dict[str, Any]:
    try:
        about = json.loads(written)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"the weights at {path} are damaged: no description") from error
    if not isinstance(about, dict):
        raise ModelError(f"the weights at {path} are damaged: their description is no object")
    return about


def description(path: str | Path) -> dict[str, Any]:
    """Return the description of a network: an ONNX file or a checkpoint.

    Raises:
        ModelError: The file is missing, damaged, or was written by something else.
    """
    path = Path(path)
    return Network(path).about if path.suffix == SUFFIX else checkpoints.arrays(path)[1]


def mark(path: str | Path) -> str:
    """Return the SHA-256 by which records know weights: that of their checkpoint.

    Args:
        path: A checkpoint, or an ONNX file that was exported from one.

    Raises:
        ModelError: The file is missing, damaged, or was written by something else.
    """
    path = Path(path)
    if path.suffix != SUFFIX:
        return checkpoints.fingerprint(path)
    return Network(path).checkpoint or checkpoints.sha256(path)


def shipped(name: str) -> Path:
    """Return the path of a network that ships with the package, by its name without suffix."""
    return weights_dir() / f"{name}{SUFFIX}"


def exported(checkpoint: str | Path, *, threads: int = 1) -> Network | None:
    """Return the network that was exported from a checkpoint, or ``None`` if there is none.

    It lies beside the checkpoint, under the same name.

    Raises:
        ModelError: It was exported from another checkpoint, or is damaged.
    """
    path = Path(checkpoint).with_suffix(SUFFIX)
    if not path.is_file():
        return None
    network = Network(path, threads=threads)
    if network.checkpoint != checkpoints.fingerprint(checkpoint):
        raise ModelError(
            f"{path} was exported from another checkpoint than {Path(checkpoint).name} beside it; "
            "export it again (`empathic export onnx`), or remove it"
        )
    return network
