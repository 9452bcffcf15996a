"""Batches of ids as tensors."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from empathic_sdk.encoders import tokens


def pad(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Return ids int64 ``[batch, time]`` and a bool mask of the same shape, ``True`` = real."""
    ids, mask = tokens.pad(rows)
    return torch.from_numpy(ids), torch.from_numpy(mask)
