"""DialogueRNN: the dialogue, each party and the emotion have a recurrent state (Majumder et al.).

N. Majumder, S. Poria, D. Hazarika, R. Mihalcea, A. Gelbukh, E. Cambria: DialogueRNN: An Attentive
RNN for Emotion Detection in Conversations. AAAI 2019. With ``s(t)`` the speaker of ``u_t``::

    global   g_t = GRU_G(g_{t-1}, [u_t; q_{s(t),t-1}])
    context  c_t = sum_j a_j g_j,  a = softmax_j(u_t^T W_a g_j),  j < t
    party    q_{s(t),t} = GRU_P(q_{s(t),t-1}, [u_t; c_t]);  listeners keep their state
    emotion  e_t = GRU_E(e_{t-1}, q_{s(t),t})
    logits   W_y ReLU(W_l e_t + b_l) + b_y

Both ways, ``e_t`` is the concatenation of two such recurrences, one over the reversed dialogue,
and ``sum_j b_j e_j`` with ``b = softmax_j(e_t^T W_b e_j)`` over the dialogue takes its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from empathic_sdk.lab.baselines.recurrent import (
    SPEAKERS,
    BaselineOutput,
    check,
    joined,
    joined_width,
    masked,
)
from empathic_sdk.lab.registry import dialogue_model
from empathic_sdk.models.dialogue import DialogueBatch


class DialogueRecurrence(nn.Module):
    """One direction, from utterances to emotion states; all states have one width."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.whole = nn.GRUCell(2 * width, width)
        self.party = nn.GRUCell(2 * width, width)
        self.emotion = nn.GRU(width, width, batch_first=True)
        self.relevance = nn.Linear(width, width, bias=False)  # W_a

    def forward(self, u: Tensor, speaker: Tensor) -> Tensor:
        """Map ``u`` ``[b, n, d]`` and ``speaker`` int64 ``[b, n]``, from 0, to e ``[b, n, d]``."""
        b, _, d = u.shape
        slots = int(speaker.max()) + 1
        # One row for each party of each dialogue.
        row = (speaker + slots * torch.arange(b, device=u.device)[:, None]).unbind(1)
        asked = self.relevance(u)[:, :, None].unbind(1)  # n times (b, 1, d)
        g, c, q = (u.new_zeros(size, d) for size in (b, b, b * slots))
        past = u.new_zeros(b, 0, d)
        spoken = []
        for t, u_t in enumerate(u.unbind(1)):
            before = q.index_select(0, row[t])
            if t:
                past = torch.cat([past, g[:, None]], 1)
                c = F.scaled_dot_product_attention(asked[t], past, past, scale=1.0)[:, 0]
            g = self.whole(torch.cat([u_t, before], -1), g)
            now = self.party(torch.cat([u_t, c], -1), before)
            q = q.index_copy(0, row[t], now)
            spoken.append(now)
        # No other state depends on the emotion's, so it runs afterwards, in one call.
        out: Tensor = self.emotion(torch.stack(spoken, 1))[0]
        return out


class DialogueRNN(nn.Module):
    """DialogueRNN, or (not causal) BiDialogueRNN with attention over the emotion states.

    Args:
        inputs: Feature width of each modality, by name; together they are projected to ``u``.
        classes: How many emotions.
        width: Of ``u`` and of every state.
        dropout: On ``u``, the emotion states and the last hidden layer.
        causal: One direction, else both. From a dialogue's eighth speaker on, all share a state.
    """

    def __init__(
        self,
        *,
        inputs: Mapping[str, int],
        classes: int,
        width: int = 128,
        dropout: float = 0.3,
        causal: bool = True,
    ) -> None:
        super().__init__()
        check(inputs, classes, width=width, dropout=dropout)
        self.inputs = dict(inputs)
        self.project = nn.Linear(joined_width(inputs), width)
        self.ahead = DialogueRecurrence(width)
        self.back = None if causal else DialogueRecurrence(width)
        wide = width if causal else 2 * width
        self.relevance = None if causal else nn.Linear(wide, wide, bias=False)  # W_b
        self.hidden = nn.Linear(wide, width)
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(width, classes)

    def forward(self, batch: DialogueBatch, *, pairs: bool = False) -> BaselineOutput:
        """Read dialogues (``pairs`` is ignored)."""
        u = self.dropout(self.project(joined(batch, self.inputs, self.out.weight)))
        speaker = batch.speaker.clamp(min=0, max=SPEAKERS - 1)
        e = self.ahead(u, speaker)
        if self.back is not None:
            turn = reversal(batch.mask)
            wide = turn[..., None].expand_as(u)
            e_back = self.back(u.gather(1, wide), speaker.gather(1, turn))
            e = torch.cat([e, e_back.gather(1, wide)], -1)
        e = self.dropout(e)
        if self.relevance is not None:
            # In a dialogue without utterances all may look at all: nobody looks at the outcome.
            keys = batch.mask | ~batch.mask.any(1, keepdim=True)
            e = F.scaled_dot_product_attention(
                self.relevance(e), e, e, attn_mask=keys[:, None], scale=1.0
            )
        logits = self.out(self.dropout(torch.relu(self.hidden(e))))
        return BaselineOutput(masked(logits, batch.mask))


def reversal(mask: Tensor) -> Tensor:
    """Return int64 ``[b, n]``: the index that turns the real part round and leaves the padding."""
    i = torch.arange(mask.shape[1], device=mask.device)[None]
    length = mask.sum(1, keepdim=True)
    return torch.where(i < length, length - 1 - i, i)


@dialogue_model("dialogue-rnn", rank=4)
def dialogue_rnn(
    inputs: Mapping[str, int], classes: int, numbers: Mapping[str, Any]
) -> DialogueRNN:
    """Build DialogueRNN, or BiDialogueRNN where the future may be read."""
    return DialogueRNN(
        inputs=inputs, classes=classes, width=numbers["width"], dropout=numbers["dropout"],
        causal=numbers["causal"],
    )  # fmt: skip
