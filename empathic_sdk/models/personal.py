"""A general model, conditioned on who speaks: user embedding, FiLM, user gate (PED eq 59-65)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class PersonalHead(nn.Module):
    """What a person's history adds to the logits of a general model.

    As published, eq 61-62 scale the state by a sigmoid, so that nobody gets the general model back.
    Here both the scale and the gate of eq 63 are twice a sigmoid and start at 1, the shift starts
    at 0, and what eq 65 adds is the *difference* they make: untrained, or without a history, it is
    exactly nothing.

    Args:
        profile: Length of p_u.
        state: Length of s.
        fused: Length of h.
        classes: Of the logits.
        width: Of the user embedding.
        dropout: On the embedding and on what is added.
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
        """Return what is added to the logits, ``[n, classes]``.

        Args:
            profile: p_u of eq 59, ``[n, profile]``.
            known: bool ``[n]``: whether there is a history at all.
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
