"""Opens the network of an encoder: an ONNX file, or a checkpoint that PyTorch computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

from numpy.typing import NDArray

from empathic_sdk.errors import ConfigurationError, ModelError
from empathic_sdk.runtime.extras import needs
from empathic_sdk.runtime.networks import SUFFIX, Network

CHECKPOINT = ".safetensors"
"""Suffix of a checkpoint of ``empathic train``."""

T = TypeVar("T")


class Computed(Protocol):
    """A network that is called with arrays by name."""

    about: dict[str, Any]

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of what it takes."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of what it gives."""

    def __call__(self, **given: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Compute the outputs, by name, from the inputs, by name."""


def is_file(model: str | Path | None) -> bool:
    """Return whether ``model`` names a file of ours, by its suffix."""
    return model is None or Path(model).suffix in (SUFFIX, CHECKPOINT)


def open_network(kind: str, path: Path) -> Computed:
    """Open a network of a kind: ``speech``, ``face`` or ``behaviour``.

    Args:
        kind: Which encoder it is of.
        path: An ONNX file of ``empathic export onnx``, or a checkpoint (``.safetensors``), which
            needs PyTorch.

    Raises:
        ModelError: The file is missing, damaged or of another kind.
        MissingExtraError: A checkpoint is given, and PyTorch is not installed.
    """
    if path.suffix == SUFFIX:
        return Network(path)
    with needs(
        "torch",
        f"reading the checkpoint {path} (`empathic export onnx {path}`, where PyTorch is "
        "installed, writes a file that can be read without it)",
    ):
        from empathic_sdk.models.readers import TorchNetwork
    return TorchNetwork(kind, path)


def described(
    kind: str, network: Computed, path: Path, outputs: tuple[str, ...],
    read: Callable[[Mapping[str, Any]], T],
) -> T:  # fmt: skip
    """Return what ``read`` makes of a network's description.

    Raises:
        ModelError: The network or its description is of another kind.
    """
    try:
        if network.outputs != outputs:
            raise ValueError(f"it gives {', '.join(network.outputs)}")
        return read(network.about)
    except (KeyError, TypeError, ValueError, ConfigurationError) as error:
        raise ModelError(f"{path} holds no {kind} network that fits: {error}") from error
