"""The network of the support planner: one hidden layer over features of the context."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn


class StrategyOutput(NamedTuple):
    """Output of :class:`StrategyNetwork`: ``logits`` ``[n, classes]``."""

    logits: Tensor


class StrategyNetwork(nn.Module):
    """Maps features of a moment in a conversation to logits of the supporter's next strategy.

    Args:
        inputs: Length of a feature vector.
        hidden: Units of the hidden layer; 0 is multinomial logistic regression.
        classes: Strategies.
        dropout: Of the inputs and of the hidden units, in training only.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, *, inputs: int, hidden: int, classes: int, dropout: float = 0.0) -> None:
        super().__init__()
        if inputs < 1 or hidden < 0 or classes < 2:
            raise ValueError(f"no network has inputs={inputs}, hidden={hidden}, classes={classes}")
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("scale", torch.ones(inputs))
        self.up = nn.Linear(inputs, hidden) if hidden else None
        self.out = nn.Linear(hidden or inputs, classes)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> StrategyOutput:
        """Map float32 ``[n, inputs]`` to logits ``[n, classes]``."""
        x = self.dropout((x - self.mean) * self.scale)
        if self.up is not None:
            x = self.dropout(torch.relu(self.up(x)))
        return StrategyOutput(self.out(x))
