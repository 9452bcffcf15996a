"""PED eq 29-31: windows of all modalities to training samples."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from empathic_sdk.errors import ConfigurationError, InputError
from empathic_sdk.types import AlignedWindows


class Samples(NamedTuple):
    """Samples S_i of eq 30-31, one a window from the L-th on.

    Attributes:
        inputs: float32 ``[n, length, width]`` X_i.
        user: float32 ``[n, p]`` p_u, the same in every row; ``[n, 0]`` without one.
        labels: ``[n, length, c]`` Y_i.
        changes: ``[n, length, c]`` of Y_i (eq 31); zeros where there is no window before.
        changed: bool ``[n, length]``: ``True`` = the change is real.
    """

    inputs: np.ndarray
    user: np.ndarray
    labels: np.ndarray
    changes: np.ndarray
    changed: np.ndarray


def joint(windows: AlignedWindows) -> np.ndarray:
    """PED eq 29: all vectors side by side, then all masks as 0 or 1; float32 ``[k, width]``.

    The order is that of :class:`Modality`, of those there are.
    """
    vectors = [windows.values[m] for m in windows.modalities]
    masks = [windows.masks[m][:, None].astype(np.float32) for m in windows.modalities]
    if not vectors:
        return np.zeros((len(windows), 0), np.float32)
    return np.concatenate([*vectors, *masks], axis=1)


def sliding(rows: np.ndarray, length: int) -> np.ndarray:
    """PED eq 30: every run of ``length`` rows, ``[n - length + 1, length, ...]``.

    Fewer rows than ``length`` give none.
    """
    if length < 1:
        raise ConfigurationError(f"length must be 1 or more windows, not {length!r}")
    if len(rows) < length:
        return np.zeros((0, length, *rows.shape[1:]), rows.dtype)
    index = np.arange(len(rows) - length + 1)[:, None] + np.arange(length)
    return np.asarray(rows[index])


def changes(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """PED eq 31: ``y_t - y_(t-1)`` ``[n, c]``, and bool ``[n]`` where there is a y before.

    The first is zeros under ``False``: a beginning is no change.
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
        labels: ``[k, c]`` what was felt in each.
        length: L of eq 30.
        user: ``[p]`` p_u.

    Raises:
        InputError: There are not as many labels as windows.
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
