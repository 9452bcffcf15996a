"""The reader: one encoder over an utterance and the turns before it, with many heads.

The vector of an utterance is the mean of the encoder's outputs over its own pieces; the turns
before it are attended to and not averaged, so that a vector says what *this* utterance says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn

ROLES = 3
"""Of a piece: 0 = the utterance itself, 1 = earlier, the same speaker, 2 = earlier, another one."""
OUTPUTS: Mapping[str, int] = {
    "present": 7, "fine": 28, "affect": 2, "situation": 32, "strategy": 8, "change": 1,
}  # fmt: skip
"""Width of each head beside ``emotion``."""


class Encoder(Protocol):
    """What the reader stands on: ids, mask and the vectors of roles to an output a piece."""

    width: int

    def __call__(self, ids: Tensor, mask: Tensor, role: Tensor) -> Tensor:
        """Map int ids ``[batch, time]`` to ``[batch, time, width]``."""
        ...


class ReaderHeads(nn.Module):
    """Linear heads over an utterance's vector, all zero at first.

    Annotators of different corpora share one matrix for the seven emotions; each adds a matrix
    (kept small by a penalty) and a bias of its own.

    Args:
        width: Of the vector.
        annotators: Names; the first one's habits are those of the runtime.
        dropout: Of the vector.
    """

    def __init__(self, *, width: int, annotators: Sequence[str], dropout: float = 0.1) -> None:
        super().__init__()
        self.annotators = tuple(annotators)
        self.dropout = nn.Dropout(dropout)
        self.shared = nn.Parameter(torch.zeros(7, width))
        self.offset = nn.Parameter(torch.zeros(len(self.annotators), 7, width))
        self.bias = nn.Parameter(torch.zeros(len(self.annotators), 7))
        self.others = nn.ModuleDict({name: nn.Linear(width, n) for name, n in OUTPUTS.items()})
        # EmoBank rates sentences by a reader's feeling; ours rate the speaker's.
        self.rated = nn.Linear(width, 2)
        for weights in (*self.others.parameters(), *self.rated.parameters()):
            nn.init.zeros_(weights)

    def forward(self, vectors: Tensor, annotator: str | None = None) -> dict[str, Tensor]:
        """Map ``[batch, width]`` to the logits of every head, ``emotion`` as ``annotator`` would.

        ``rated`` is valence and arousal as EmoBank's readers give them, ``affect`` those of the
        speaker; both unbounded.
        """
        x = self.dropout(vectors)
        row = self.annotators.index(annotator) if annotator in self.annotators else 0
        out = {name: head(x) for name, head in self.others.items()}
        out["emotion"] = x @ (self.shared + self.offset[row]).T + self.bias[row]
        out["rated"] = self.rated(x)
        return out


class Reader(nn.Module):
    """An encoder with roles of pieces and heads.

    Args:
        encoder: A module that fits :class:`Encoder`.
        annotators: See :class:`ReaderHeads`.
    """

    def __init__(self, encoder: Any, annotators: Sequence[str]) -> None:
        super().__init__()
        self.encoder = encoder
        self.role = nn.Embedding(ROLES, encoder.width)
        nn.init.zeros_(self.role.weight)
        self.heads = ReaderHeads(width=encoder.width, annotators=annotators)

    def vectors(self, ids: Tensor, mask: Tensor, roles: Tensor) -> Tensor:
        """Return ``[batch, width]``: the mean over pieces that are real and of role 0."""
        out = self.encoder(ids, mask, self.role(roles))
        own = (mask & (roles == 0)).unsqueeze(-1).to(out.dtype)
        pooled: Tensor = (out * own).sum(1) / own.sum(1).clamp(min=1.0)
        return pooled

    def forward(
        self, ids: Tensor, mask: Tensor, roles: Tensor, annotator: str | None = None
    ) -> dict[str, Tensor]:
        """Return the logits of every head.

        Args:
            ids: int ``[batch, time]``.
            mask: bool ``[batch, time]``, ``True`` = real.
            roles: int ``[batch, time]``, see :data:`ROLES`.
            annotator: Whose habits ``emotion`` has.
        """
        out: dict[str, Tensor] = self.heads(self.vectors(ids, mask, roles), annotator)
        return out
