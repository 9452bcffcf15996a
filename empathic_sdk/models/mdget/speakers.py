"""Each speaker's own past: a recurrence over their utterances alone."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class OwnPast(nn.Module):
    """A GRU that runs over the utterances of one speaker at a time, added to its input.

    The paper has no speakers; DialogueRNN (Majumder et al. 2019) showed that a state per
    party is the most useful context. One set of weights for all speakers and modalities; speakers
    beyond the last slot share it.
    """

    def __init__(self, *, width: int, slots: int, causal: bool) -> None:
        super().__init__()
        self.gru = nn.GRU(
            width, width if causal else width // 2, batch_first=True, bidirectional=not causal
        )
        self.slots, self.causal = slots, causal

    def forward(
        self, x: Tensor, speaker: Tensor, mask: Tensor, hidden: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """Add the recurrence over each speaker's own utterances to ``x``.

        Args:
            x: ``[b, n, d]``.
            speaker: int64 ``[b, n]``.
            mask: bool ``[b, n]``, ``True`` = real.
            hidden: ``[b, slots, d]`` of the piece before (causal), or ``None``.

        Returns:
            ``[b, n, d]``, and ``[b, slots, d]`` (causal, else ``None``).
        """
        b, _, d = x.shape
        slot = speaker.clamp(min=0, max=self.slots - 1)
        spoke = F.one_hot(slot, self.slots) * mask[..., None]  # (b, n, slots)
        counts = spoke.sum(1).flatten()  # (b * slots)
        place = (spoke.cumsum(1) - 1).gather(2, slot[..., None])[..., 0]  # of their utterances
        row = torch.arange(b, device=x.device)[:, None] * self.slots + slot
        length = max(1, int(counts.max()))
        own = x.new_zeros(b * self.slots, length, d)
        own[row[mask], place[mask]] = x[mask]
        there = counts > 0
        before = None if hidden is None else hidden.flatten(0, 1)[there][None].contiguous()
        recurred = x.new_zeros(b * self.slots, length, d)
        if bool(there.any()):
            recurred[there] = self._recur(own[there], counts[there], before)
        out = x.clone()
        out[mask] = x[mask] + recurred[row[mask], place[mask]]
        if not self.causal:
            return out, None
        last = recurred[torch.arange(len(counts), device=x.device), (counts - 1).clamp(min=0)]
        old = x.new_zeros(b * self.slots, d) if hidden is None else hidden.flatten(0, 1)
        return out, torch.where(there[:, None], last, old).view(b, self.slots, d)

    def _recur(self, own: Tensor, counts: Tensor, before: Tensor | None) -> Tensor:
        if self.causal:
            out: Tensor = self.gru(own, before)[0]
            return out
        packed = pack_padded_sequence(own, counts.cpu(), batch_first=True, enforce_sorted=False)
        found, _ = pad_packed_sequence(
            self.gru(packed)[0], batch_first=True, total_length=own.shape[1]
        )
        return found
