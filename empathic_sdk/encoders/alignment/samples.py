"""PED eq 29-31: training samples from windows of all modalities."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from empathic_sdk.errors import ConfigurationError, InputError
from empathic_sdk.types import AlignedWindows


class Samples(NamedTuple):
    """Samples S_i of eq 30-31, one per window from the L-th on.

    Attributes:
        inputs: float32 ``[n, length, width]`` X_i.
        user: float32 ``[n, p]`` p_u, the same in every row; ``[n, 0]`` without one.
        labels: ``[n, length, c]`` Y_i.
        changes: ``[n, length, c]`` of Y_i (eq 31); zeros without a preceding window.
        changed: bool ``[n, length]``: ``True`` = the change is real.
    """

    inputs: np.ndarray
    user: np.ndarray
    labels: np.ndarray
    changes: np.ndarray
    changed: np.ndarray


def joint(windows: AlignedWindows) -> np.ndarray:
    """PED eq 29: all vectors side by side, then all masks as 0 or 1; float32 ``[k, width]``.

    Present modalities are in the order of :class:`Modality`.
    """
    vectors = [windows.values[m] for m in windows.modalities]
    masks = [windows.masks[m][:, None].astype(np.float32) for m in windows.modalities]
    if not vectors:
        return np.zeros((len(windows), 0), np.float32)
    return np.concatenate([*vectors, *masks], axis=1)


def sliding(rows: np.ndarray, length: int) -> np.ndarray:
    """PED eq 30: every run of ``length`` rows, ``[n - length + 1, length, ...]``.

    Empty if there are fewer rows than ``length``.
    """
    if length < 1:
        raise ConfigurationError(f"length must be 1 or more windows, not {length!r}")
    if len(rows) < length:
        return np.zeros((0, length, *rows.shape[1:]), rows.dtype)
    index = np.arange(len(rows) - length + 1)[:, None] + np.arange(length)
    return np.asarray(rows[index])


def changes(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """PED eq 31: ``y_t - y_(t-1)`` ``[n, c]``, and bool ``[n]`` where a y precedes.

    The first is zeros under ``False``: the start is not a change.
    """
    labels = np.asarray(labels, np.float64)
    out = np.zeros_like(labels)
    out[1:] = labels[1:] - labels[:-1]
    return out, np.arange(len(labels)) > 0


def samples(
    windows: AlignedWindows, labels: np.ndarray, *, length: int, user: np.ndarray | None = None
) -> Samples:
    """PED eq 29-31: the samples of one interaction.

    Args:
        windows: k of them.
        labels: ``[k, c]`` labels of the windows.
        length: L of eq 30.
        user: ``[p]`` p_u.

    Raises:
        InputError: The number of labels differs from that of windows.
    """
    labels = np.asarray(labels, np.float64)
    if labels.ndim != 2 or len(labels) != len(windows):
        raise InputError(f"labels must be [{len(windows)}, c], not {list(labels.shape)}")
    moved, known = changes(labels)
    inputs = sliding(joint(windows), length)
    given = np.zeros(0, np.float32) if user is None else np.asarray(user, np.float32)
    return Samples(
        inputs, np.tile(given, (len(inputs), 1)), sliding(labels, length),
        sliding(moved, length), sliding(known, length),
    )  # fmt: skip
