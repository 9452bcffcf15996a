"""Heads on a text vector, for single utterances without context."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

EMOTIONS = 7


class UtteranceLogits(NamedTuple):
    """Named output of :class:`UtteranceClassifier`.

    Attributes:
        emotion: ``[batch, 7]`` logits in the order of ``Emotion`` (softmax gives probabilities).
        present: ``[batch, 7]`` logits, one independent yes/no per emotion (sigmoid).
        affect: ``[batch, 2]`` valence and arousal, unbounded (clip to [-1, 1]).
    """

    emotion: Tensor
    present: Tensor
    affect: Tensor


class UtteranceClassifier(nn.Module):
    """Linear heads over a sentence vector.

    All annotated corpora share one weight matrix for the seven emotions; each corpus adds a second
    matrix (kept small by a penalty in training) and a bias for the habits of its annotators. At
    run time those of ``corpora[0]`` are used.

    Every weight starts at zero, so that runs with different seeds stay close enough together for
    their weights to be averaged.
    """

    def __init__(self, *, width: int, corpora: Sequence[str], dropout: float = 0.1) -> None:
        super().__init__()
        if not corpora:
            raise ValueError("corpora must name at least one corpus")
        self.corpora = tuple(corpora)
        self.dropout = nn.Dropout(dropout)
        self.shared = nn.Parameter(torch.zeros(EMOTIONS, width))
        self.offset = nn.Parameter(torch.zeros(len(self.corpora), EMOTIONS, width))
        self.bias = nn.Parameter(torch.zeros(len(self.corpora), EMOTIONS))
        self.present = nn.Linear(width, EMOTIONS)
        self.affect = nn.Linear(width, 2)
        for head in (self.present, self.affect):
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)

    def forward(self, features: Tensor, corpus: str | None = None) -> UtteranceLogits:
        """Map ``features`` ``[batch, width]`` to logits, with the label habits of ``corpus``."""
        x = self.dropout(features)
        row = self.corpora.index(corpus) if corpus else 0
        return UtteranceLogits(
            emotion=x @ (self.shared + self.offset[row]).T + self.bias[row],
            present=self.present(x),
            affect=self.affect(x),
        )
