"""The gated enhanced emotion transfer module, eq 34-38: did the emotion change?

The published tensor of eq 35 holds ``n x n x 2d`` numbers per dialogue. It is never needed: with
``t = g [h_i; h'_j]`` and no bias in eq 36, ``W t = g (A h_i + B h'_j)``, where ``W = [A B]``; and
as ``g > 0``, ``ReLU(g u) = g ReLU(u)``. So each utterance is projected once, pairs are added up in
tiles, and the content of a tile is recomputed in the backward pass.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

TILE = 1 << 18  # numbers: 1 MB of float32 stays in a core's cache


class PairOutput(NamedTuple):
    """Named output of :class:`EmotionTransfer`, over pairs of utterances (i, j).

    Attributes:
        logits: ``[b, n, n, 2]``: unchanged, changed (eq 37 before softmax); zeros outside.
        gate: ``[b, n, n]``, in (0, 1) (eq 34); zeros outside.
        valid: bool ``[b, n, n]``: both utterances are real and within the window.
    """

    logits: Tensor
    gate: Tensor
    valid: Tensor


class EmotionTransfer(nn.Module):
    """Eq 34-37 for pairs of utterance vectors."""

    def __init__(self, *, width: int, dropout: float, gated: bool, tile: int = TILE) -> None:
        super().__init__()
        self.gate = nn.Linear(2 * width, 1) if gated else None
        self.hidden = nn.Linear(2 * width, width, bias=False)  # W'_l of eq 36
        self.out = nn.Linear(width, 2, bias=False)
        self.dropout, self.tile = dropout, tile

    def naive(self, h: Tensor, other: Tensor, valid: Tensor) -> PairOutput:
        """Compute eq 34-37 as published, with ``n x n x 2d`` numbers (a reference)."""
        n = h.shape[1]
        pair = torch.cat(
            [h[:, :, None].expand(-1, -1, n, -1), other[:, None].expand(-1, n, -1, -1)], -1
        )
        g = (
            torch.sigmoid(self.gate(pair))
            if self.gate is not None
            else torch.ones_like(pair[..., :1])
        )
        t = g * pair  # eq 35
        hidden = F.dropout(torch.relu(self.hidden(t)), self.dropout, self.training)
        keep = valid[..., None].to(h.dtype)
        return PairOutput(self.out(hidden) * keep, (g * keep)[..., 0], valid)

    def forward(
        self, h: Tensor, other: Tensor, valid: Tensor, window: int | None = None
    ) -> PairOutput:
        """Compute eq 34-37 in tiles.

        Args:
            h: ``[b, n, d]`` of eq 32.
            other: ``[b, n, d]`` of eq 33.
            valid: bool ``[b, n, n]``.
            window: No pair with ``j > i`` or ``i - j >= window`` is valid, so they are skipped.
        """
        b, n, d = h.shape
        a, c = self._halves(h, other)
        ga, gc = self._gate_halves(h, other)
        cells = self.tile // max(1, b * d)
        rows = cells // n
        if window is not None:  # a tile of r rows has r + window - 1 columns
            rows = max(rows, int((math.sqrt((window - 1) ** 2 + 4 * cells) - window + 1) / 2))
        rows = max(1, min(n, rows))
        logits, gates = [], []
        for start in range(0, n, rows):
            end = min(n, start + rows)
            left, right = (0, n) if window is None else (max(0, start - window + 1), end)
            part = checkpoint(
                self._tile, a[:, start:end], c[:, left:right], ga[:, start:end], gc[:, left:right],
                valid[:, start:end, left:right], use_reentrant=False,
            )  # fmt: skip
            logits.append(F.pad(part[0], (0, 0, left, n - right)))
            gates.append(F.pad(part[1], (left, n - right)))
        return PairOutput(torch.cat(logits, 1), torch.cat(gates, 1), valid)

    def between(self, h: Tensor, other: Tensor) -> Tensor:
        """Return logits ``[..., 2]`` of single pairs ``[..., d]`` (for streaming)."""
        a, c = self._halves(h, other)
        ga, gc = self._gate_halves(h, other)
        g = torch.sigmoid(ga + gc)[..., None] if self.gate is not None else 1.0
        out: Tensor = g * self.out(torch.relu(a + c))
        return out

    def _halves(self, h: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        left, right = self.hidden.weight.chunk(2, dim=1)
        return F.linear(h, left), F.linear(other, right)

    def _gate_halves(self, h: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        if self.gate is None:
            return torch.zeros_like(h[..., 0]), torch.zeros_like(other[..., 0])
        left, right = self.gate.weight[0].chunk(2)
        return h @ left + self.gate.bias[0], other @ right

    def _tile(
        self, a: Tensor, c: Tensor, ga: Tensor, gc: Tensor, valid: Tensor
    ) -> tuple[Tensor, Tensor]:
        keep = valid.to(a.dtype)
        g = (
            torch.sigmoid(ga[:, :, None] + gc[:, None])
            if self.gate is not None
            else torch.ones_like(keep)
        )
        g = g * keep  # (b, rows, columns), in (0, 1) where valid
        u = torch.relu(a[:, :, None] + c[:, None])
        if self.training and self.dropout:
            u = _thinned(u, self.dropout)
        return g[..., None] * self.out(u), g


def _thinned(x: Tensor, p: float) -> Tensor:
    """Return dropout of ``x`` with ``p`` rounded to 1/256.

    A tile draws millions of masks, twice. Taking eight of them from one 64-bit draw makes the
    whole network a third faster on a CPU.
    """
    cut = min(round(p * 256), 255)
    bits = torch.empty((x.numel() + 7) // 8, dtype=torch.int64, device=x.device)
    drawn = bits.random_(-(2**63), None).view(torch.uint8)[: x.numel()].view(x.shape)
    return x * (drawn >= cut).to(x.dtype).mul_(256 / (256 - cut))
