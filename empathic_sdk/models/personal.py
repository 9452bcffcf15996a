"""Personalisation head: user embedding, FiLM, user gate (PED eq 59-65)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class PersonalHead(nn.Module):
    """Correction of a general model's logits by a person's history.

    As published, eq 61-62 scale the state by a sigmoid, which cannot reproduce the general model.
    Here the scale and the gate of eq 63 are twice a sigmoid and start at 1, the shift starts at 0,
    and eq 65 adds the *difference* they make: untrained, or without a history, exactly zero.

    Args:
        profile: Length of p_u.
        state: Length of s.
        fused: Length of h.
        classes: Number of logits.
        width: Width of the user embedding.
        dropout: Dropout on the embedding and on the correction.
    """

    def __init__(
        self,
        *,
        profile: int,
        state: int,
        fused: int,
        classes: int,
        width: int = 16,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        self.embed = nn.Linear(profile, width)
        self.scale = nn.Linear(width, state)
        self.shift = nn.Linear(width, state)
        self.gate = nn.Linear(fused + width, fused)
        self.out = nn.Linear(state + fused, classes, bias=False)
        self.dropout = nn.Dropout(dropout)
        for layer in (self.scale, self.shift, self.gate):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, profile: Tensor, known: Tensor, state: Tensor, fused: Tensor) -> Tensor:
        """Return the correction to add to the logits, ``[n, classes]``.

        Args:
            profile: p_u of eq 59, ``[n, profile]``.
            known: bool ``[n]``: whether there is a history.
            state: s of the dialogue model, ``[n, state]``.
            fused: h, ``[n, fused]``.
        """
        e = self.dropout(torch.tanh(self.embed(profile)))  # eq 60
        scale = 2.0 * torch.sigmoid(self.scale(e))  # [n, state], in (0, 2), eq 62
        moved = (scale - 1.0) * state + self.shift(e)  # eq 61, less s
        gate = 2.0 * torch.sigmoid(self.gate(torch.cat([fused, e], -1)))  # in (0, 2), eq 63
        gated = (gate - 1.0) * fused  # eq 64, less h
        added = self.out(self.dropout(torch.cat([moved, gated], -1)))  # eq 65
        return torch.where(known[:, None], added, added.new_zeros(()))
