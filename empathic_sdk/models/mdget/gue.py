"""The gated unimodal encoder, eq 1-5: one set of weights for every modality."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

Trace = dict[str, Tensor]


class FeedForward(nn.Module):
    """Eq 5: two fully connected layers, an activation and dropout after each."""

    def __init__(self, *, width: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(width, inner), nn.GELU(), nn.Dropout(dropout),
            nn.Linear(inner, width), nn.Dropout(dropout),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[..., d]`` to ``[..., d]``."""
        out: Tensor = self.net(x)
        return out


class GatedUnimodalEncoder(nn.Module):
    """One layer, eq 1-4.

    Bidirectional (as published), each direction has d/2 units so that GRU(X) has d; causal, one
    direction has d. Without its gates both residuals are plain sums.
    """

    def __init__(
        self, *, width: int, inner: int, dropout: float, causal: bool, gated: bool
    ) -> None:
        super().__init__()
        self.gru = nn.GRU(
            width, width if causal else width // 2, batch_first=True, bidirectional=not causal
        )
        self.causal = causal
        self.gate_1 = nn.Linear(2 * width, width) if gated else None
        self.gate_2 = nn.Linear(3 * width, width) if gated else None
        self.feedforward = FeedForward(width=width, inner=inner, dropout=dropout)
        self.norm_1 = nn.LayerNorm(width)
        self.norm_2 = nn.LayerNorm(width)

    def forward(
        self, x: Tensor, lengths: Tensor, hidden: Tensor | None, trace: Trace | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Encode ``x`` ``[b, n, d]`` whose rows have ``lengths`` ``[b]`` real utterances.

        Returns:
            ``[b, n, d]`` (undefined in the padding), and the hidden state ``[1, b, d]`` after the
            last utterance, ``None`` if bidirectional.
        """
        recurred, hidden = self._recur(x, lengths, hidden)
        if self.gate_1 is None or self.gate_2 is None:
            first = self.norm_1(x + recurred)
            return self.norm_2(x + first + self.feedforward(first)), hidden
        g1 = torch.sigmoid(self.gate_1(torch.cat([x, recurred], -1)))  # (b, n, d), in (0, 1); eq 1
        first = self.norm_1(g1 * x + (1 - g1) * recurred)  # eq 2
        forward = self.feedforward(first)
        g2 = torch.sigmoid(self.gate_2(torch.cat([x, first, forward], -1)))  # eq 3
        if trace is not None:
            trace["gate_1"], trace["gate_2"] = g1, g2
        return self.norm_2(g2 * x + (1 - g2) * (first + forward)), hidden  # eq 4

    def _recur(
        self, x: Tensor, lengths: Tensor, hidden: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        if self.causal:  # padding is at the end, so a forward pass never reaches it
            out, hidden = self.gru(x, hidden)
            return out, hidden
        packed = pack_padded_sequence(
            x, lengths.clamp(min=1).cpu(), batch_first=True, enforce_sorted=False
        )
        out, _ = pad_packed_sequence(self.gru(packed)[0], batch_first=True, total_length=x.shape[1])
        return out, None
