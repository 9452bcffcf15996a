"""The input of dialogue models: one padded batch of utterance features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor


class DialogueBatch(NamedTuple):
    """A batch of ``b`` dialogues (or pieces of them) with up to ``n`` utterances.

    Attributes:
        features: float ``[b, n, width]`` by modality. Values where a modality is absent, or
            in the padding, are ignored.
        present: bool ``[b, n]`` by modality, ``True`` = real.
        mask: bool ``[b, n]``, ``True`` = a real utterance; padding is at the end.
        speaker: int64 ``[b, n]``: speakers, numbered by first appearance in the dialogue.
        timing: float ``[b, n, k]``, or ``None``.
        weights: float ``[b, n]``, at least 0, by modality: its weight relative to the others
            (1 if not named), or ``None``.
    """

    features: Mapping[str, Tensor]
    present: Mapping[str, Tensor]
    mask: Tensor
    speaker: Tensor
    timing: Tensor | None = None
    weights: Mapping[str, Tensor] | None = None

    def only(self, modalities: tuple[str, ...]) -> DialogueBatch:
        """Return the batch with every other modality removed (marked absent)."""
        return self._replace(
            present={m: p & (m in modalities) for m, p in self.present.items()},
        )
