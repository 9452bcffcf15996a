"""Multi-head attention over utterances: masked, windowed, with a cache for streaming."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from einops import rearrange
from torch import Tensor, nn


class Reach(NamedTuple):
    """Which queries may attend to which keys.

    Attributes:
        allowed: bool ``[b, queries, keys]``, ``True`` = may attend (window and real utterances;
            missing modalities are masked separately).
        same: bool ``[b, queries, keys]``, ``True`` = the same speaker; ``None`` without speakers.
    """

    allowed: Tensor
    same: Tensor | None


class UtteranceAttention(nn.Module):
    """``MHA(Q, K, V)`` of eq 6, 10, 11, 15 and 18, with K = V's source.

    One learned bias per head is added to the scores between utterances of one speaker, because the
    features do not contain the speaker.
    """

    def __init__(self, *, width: int, heads: int, speakers: bool) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        # Spread at the start: some heads prefer the speaker's own past, some the others'.
        self.same_speaker = nn.Parameter(torch.linspace(-3.0, 3.0, heads)) if speakers else None

    def forward(
        self, x: Tensor, source: Tensor, reach: Reach, present: Tensor, past: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Attend from ``x`` to ``source`` and its ``past``.

        Args:
            x: ``[b, n, d]`` queries.
            source: ``[b, n, d]`` of the same utterances.
            reach: Over ``p + n`` keys.
            present: bool ``[b, p + n]``, where the source's modality is real.
            past: ``[2, b, p, d]`` keys and values of the ``p`` utterances before, or ``None``.

        Returns:
            ``[b, n, d]``, exactly zero where all keys are masked; and keys and values
            ``[2, b, p + n, d]`` for the next call.
        """
        kv = torch.stack([self.key(source), self.value(source)])
        if past is not None:
            kv = torch.cat([past, kv], dim=2)
        q = rearrange(self.query(x), "b n (h k) -> b h n k", h=self.heads)
        k, v = rearrange(kv, "two b n (h k) -> two b h n k", h=self.heads)
        allowed = reach.allowed & present[:, None, :]
        any_key = allowed.any(-1, keepdim=True)
        # A fully masked row attends to everything here and is set to zero below: softmax over
        # nothing would be NaN, and NaN times zero is NaN.
        mask = (allowed | ~any_key)[:, None]
        bias = torch.zeros_like(mask, dtype=q.dtype).masked_fill(~mask, float("-inf"))
        if self.same_speaker is not None and reach.same is not None:
            bias = bias + self.same_speaker[:, None, None] * reach.same[:, None].to(q.dtype)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        out = self.out(rearrange(mixed, "b h n k -> b n (h k)"))
        return out * any_key.to(out.dtype), kv
