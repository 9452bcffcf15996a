"""Modal fusion gate and feature-gated classifier, eq 23-29."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ModalFusion(nn.Module):
    """Eq 23-25: one weight per modality and utterance, beside the unweighted features."""

    def __init__(self, *, modalities: int, width: int, gated: bool) -> None:
        super().__init__()
        self.gate = nn.Linear(modalities * width, modalities) if gated else None

    def forward(
        self, h: Tensor, present: Tensor, weights: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Fuse ``h`` ``[b, n, M, d]``, zeros where ``present`` ``[b, n, M]`` is False.

        Args:
            h: Features by modality.
            present: bool.
            weights: ``[b, n, M]``, at least 0: weight of each modality relative to the largest one
                among those present. They multiply the gates, whose sum stays the same, and scale
                the features that eq 25 passes on. A single modality is not changed by its weight.

        Returns:
            ``[b, n, (M + 1) * d]`` of eq 25, and the gates ``[b, n, M]`` in [0, 1] (zero where
            absent, in (0, 1) elsewhere).
        """
        flat = h.flatten(2)
        g = torch.sigmoid(self.gate(flat)) if self.gate is not None else torch.ones_like(h[..., 0])
        g = g * present.to(h.dtype)  # eq 23
        if weights is None:
            return torch.cat([flat, (g[..., None] * h).sum(2)], -1), g  # eq 24, 25
        w = weights.to(h.dtype) * present.to(h.dtype)
        w = w / w.amax(-1, keepdim=True).clamp(min=1e-6)
        weighted = g * w
        g = weighted * (g.sum(-1, keepdim=True) / weighted.sum(-1, keepdim=True).clamp(min=1e-6))
        return torch.cat([(w[..., None] * h).flatten(2), (g[..., None] * h).sum(2)], -1), g


class GatedClassifier(nn.Module):
    """Eq 26-29 up to the logits; the gate acts on the whole vector of eq 25."""

    def __init__(
        self, *, inputs: int, width: int, classes: int, dropout: float, gated: bool
    ) -> None:
        super().__init__()
        self.gate = nn.Linear(inputs, inputs) if gated else None
        self.hidden = nn.Linear(inputs, width, bias=False)
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(width, classes, bias=False)

    def forward(self, h: Tensor) -> Tensor:
        """Map ``[..., inputs]`` to logits ``[..., classes]``."""
        if self.gate is not None:
            h = torch.sigmoid(self.gate(h)) * h  # eq 26, 27
        out: Tensor = self.out(self.dropout(torch.relu(self.hidden(h))))  # eq 28, 29
        return out
