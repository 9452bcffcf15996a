"""What every dialogue model takes: one padded batch of utterances' features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor


class DialogueBatch(NamedTuple):
    """``b`` dialogues (or next pieces of them) of up to ``n`` utterances.

    Attributes:
        features: float ``[b, n, width]`` by modality. What stands where a modality is absent, or
            in the padding, is never looked at.
        present: bool ``[b, n]`` by modality, ``True`` = real.
        mask: bool ``[b, n]``, ``True`` = a real utterance; padding stands at the end.
        speaker: int64 ``[b, n]``: who spoke, numbered by first appearance in the dialogue.
        timing: float ``[b, n, k]``, or ``None``.
        weights: float ``[b, n]``, at least 0, by modality: how much it is to be believed beside
            the others (1 where not named), or ``None``.
    """

    features: Mapping[str, Tensor]
    present: Mapping[str, Tensor]
    mask: Tensor
    speaker: Tensor
    timing: Tensor | None = None
    weights: Mapping[str, Tensor] | None = None

    def only(self, modalities: tuple[str, ...]) -> DialogueBatch:
        """Return the batch with every other modality taken away (absent, for whoever reads it)."""
        return self._replace(
            present={m: p & (m in modalities) for m, p in self.present.items()},
        )
