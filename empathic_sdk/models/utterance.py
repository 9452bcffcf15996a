"""Heads on one text vector: what a single utterance says, without its dialogue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn


class UtteranceLogits(NamedTuple):
    """Named output of :class:`UtteranceClassifier`.

    Attributes:
        emotion: ``[batch, 7]`` logits in the order of ``Emotion`` (softmax gives probabilities).
        present: ``[batch, 7]`` logits, one independent yes/no an emotion (sigmoid).
        affect: ``[batch, 2]`` valence and arousal, unbounded (clip to [-1, 1]).
    """

    emotion: Tensor
    present: Tensor
    affect: Tensor


class UtteranceClassifier(nn.Module):
    """Linear heads over a sentence vector.

    One weight matrix for the seven emotions serves every annotated corpus; corpora differ in how
    often their annotators chose each label, which a bias per corpus takes up. At run time the
    bias of ``corpora[0]`` applies.
    """

    def __init__(self, *, width: int, corpora: Sequence[str], dropout: float = 0.1) -> None:
        super().__init__()
        if not corpora:
            raise ValueError("corpora must name at least one corpus")
        self.corpora = tuple(corpora)
        self.dropout = nn.Dropout(dropout)
        self.emotion = nn.Linear(width, 7, bias=False)
        self.emotion_bias = nn.Parameter(torch.zeros(len(self.corpora), 7))
        self.present = nn.Linear(width, 7)
        self.affect = nn.Linear(width, 2)

    def forward(self, features: Tensor, corpus: str | None = None) -> UtteranceLogits:
        """Map ``features`` ``[batch, width]`` to logits under the bias of ``corpus``."""
        x = self.dropout(features)
        row = self.corpora.index(corpus) if corpus else 0
        return UtteranceLogits(
            emotion=self.emotion(x) + self.emotion_bias[row],
            present=self.present(x),
            affect=self.affect(x),
        )
