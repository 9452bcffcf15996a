"""CFN-ESA: recurrent unimodal encoder, text-centred cross-modal encoder, emotion shift (Li et al.).

J. Li, X. Wang, Y. Liu, Z. Zeng: CFN-ESA: A Cross-Modal Fusion Network with Emotion-Shift Awareness
for Dialogue Emotion Recognition. IEEE Transactions on Affective Computing, 2024. With ``m`` a
modality, ``t`` the text (the hub) and ``v`` every other::

    RUME  y = LN(x_m + BiGRU(x_m));  x_m <- LN(x_m + y + FF(y))         shared by all modalities
    ACME  y_m = LN(x_m + MHA(x_m, x_m))                                 MHA(queries, keys)
          z_t = LN(y_t + W [MHA(y_t, y_v) for every v]);  z_v = LN(y_v + MHA(y_v, y_t))
          x_m <- LN(z_m + FF(z_m))
    emotion  h = W [x_t; x_v ...];  logits = V ReLU(h)
    LESM     did the emotion change from j to i: U ReLU(W' [h_i; h'_j]),  h' with other dropout
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.lab.baselines.recurrent import both_ways, check, cleaned, known, masked
from empathic_sdk.lab.registry import dialogue_model
from empathic_sdk.models.dialogue import DialogueBatch
from empathic_sdk.models.mdget.attention import Reach, UtteranceAttention
from empathic_sdk.models.mdget.transfer import EmotionTransfer, PairOutput

Rows = dict[str, Tensor]


class ShiftOutput(NamedTuple):
    """Named output of :class:`CFNESA`.

    Attributes:
        logits: ``[b, n, classes]``; zeros in the padding.
        pairs: Of the emotion-shift module, if asked for; its gate is 1 on every valid pair.
    """

    logits: Tensor
    pairs: PairOutput | None


def feedforward(width: int, dropout: float) -> nn.Sequential:
    """Return FF of the encoders, ``[..., d]`` to ``[..., d]``."""
    return nn.Sequential(
        nn.Linear(width, width), nn.ReLU(), nn.Dropout(dropout),
        nn.Linear(width, width), nn.Dropout(dropout),
    )  # fmt: skip


class RUME(nn.Module):
    """One layer of the recurrence-based unimodal encoder; each direction has d/2 units."""

    def __init__(self, *, width: int, dropout: float) -> None:
        super().__init__()
        self.gru = nn.GRU(width, width // 2, batch_first=True, bidirectional=True)
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.feedforward = feedforward(width, dropout)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Encode ``x`` ``[b, n, d]``, real where ``mask`` ``[b, n]``."""
        y = self.norm_1(x + self.dropout(both_ways(self.gru, x, mask)))
        out: Tensor = self.norm_2(x + y + self.feedforward(y))
        return out


class ACME(nn.Module):
    """One layer of the attention-based cross-modal encoder; the first modality is the hub."""

    def __init__(
        self, *, modalities: tuple[str, ...], width: int, heads: int, dropout: float
    ) -> None:
        super().__init__()
        self.hub, *self.spokes = modalities

        def attention(names: list[str]) -> nn.ModuleDict:
            return nn.ModuleDict({m: UtteranceAttention(
                width=width, heads=heads, speakers=False
            ) for m in names})  # fmt: skip

        def norm() -> nn.ModuleDict:
            return nn.ModuleDict({m: nn.LayerNorm(width) for m in modalities})

        self.itself, self.norm_self = attention(list(modalities)), norm()
        self.to_hub, self.from_hub = attention(self.spokes), attention(self.spokes)
        self.merge = nn.Linear(len(self.spokes) * width, width) if self.spokes else None
        self.norm_cross = norm() if self.spokes else None
        self.feedforward = nn.ModuleDict({m: feedforward(width, dropout) for m in modalities})
        self.norm_out = norm()
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Rows, reach: Reach, present: Rows) -> Rows:
        """Map one ``[b, n, d]`` a modality to the same; zeros where it is not ``present``."""

        def heard(module: nn.Module, query: Tensor, m: str, source: Tensor) -> Tensor:
            out: Tensor = self.dropout(module(query, source, reach, present[m], None)[0])
            return out

        y = {m: self.norm_self[m](x[m] + heard(self.itself[m], x[m], m, x[m])) for m in x}
        if self.merge is not None and self.norm_cross is not None:
            hub, z = self.hub, {}
            got = [heard(self.to_hub[m], y[hub], m, y[m]) for m in self.spokes]
            z[hub] = self.norm_cross[hub](y[hub] + self.merge(torch.cat(got, -1)))
            for m in self.spokes:
                given = heard(self.from_hub[m], y[m], hub, y[hub])
                z[m] = self.norm_cross[m](y[m] + given)
            y = z
        return {
            m: masked(self.norm_out[m](y[m] + self.feedforward[m](y[m])), present[m]) for m in x
        }


class CFNESA(nn.Module):
    """CFN-ESA, which reads the whole dialogue. Speakers are not told apart.

    Pairs are compared as in MDGET's transfer module without its gate: ``W' [h_i; h'_j]`` is
    ``A h_i + B h'_j``, so that no tensor holds the concatenations.

    Args:
        inputs: Feature width of each modality, by name. The first is the hub.
        classes: How many emotions.
        width: Even, and a multiple of ``heads``.
        heads: Of every attention.
        gue_layers: Layers of RUME.
        acme_layers: Layers of ACME.
        dropout: Everywhere.
    """

    def __init__(
        self,
        *,
        inputs: Mapping[str, int],
        classes: int,
        width: int = 128,
        heads: int = 8,
        gue_layers: int = 2,
        acme_layers: int = 2,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        layers = min(gue_layers, acme_layers)
        check(inputs, classes, width=width, multiple=heads, layers=layers, dropout=dropout)
        check(inputs, classes, width=width, multiple=2)
        self.inputs = dict(inputs)
        self.project = nn.ModuleDict({m: nn.Linear(w, width) for m, w in inputs.items()})
        self.rume = nn.ModuleList(RUME(width=width, dropout=dropout) for _ in range(gue_layers))
        self.acme = nn.ModuleList(
            ACME(modalities=tuple(inputs), width=width, heads=heads, dropout=dropout)
            for _ in range(acme_layers)
        )
        self.fuse = nn.Linear(len(inputs) * width, width)
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(width, classes)
        self.shift = EmotionTransfer(width=width, dropout=dropout, gated=False)

    def forward(self, batch: DialogueBatch, *, pairs: bool = False) -> ShiftOutput:
        """Read dialogues; with ``pairs`` also compare utterances pairwise.

        In training, h' of the comparison is a second pass of the cross-modal encoder over the
        same unimodal encodings with other dropout; otherwise it is h.
        """
        present = known(batch, self.inputs)
        x = self._encode(batch, present)
        h = self._cross(x, present)
        logits = masked(self.out(self.dropout(torch.relu(h))), batch.mask)
        if not pairs:
            return ShiftOutput(logits, None)
        other = self._cross(x, present) if self.training else h
        valid = batch.mask[:, :, None] & batch.mask[:, None]
        return ShiftOutput(logits, self.shift(h, other, valid))

    def _encode(self, batch: DialogueBatch, present: Rows) -> Rows:
        """Return RUME's ``[b, n, d]`` by modality, zeros where absent."""
        like = self.out.weight
        there = torch.stack(list(present.values()))  # (M, b, n)
        x = torch.stack([
            self.project[m](cleaned(batch, m, w, present[m], like)) for m, w in self.inputs.items()
        ])  # fmt: skip
        x = self.dropout(masked(x, there))
        # One set of weights, so the modalities are one larger batch.
        mask = batch.mask.repeat(len(there), 1)
        for layer in self.rume:
            x = masked(layer(x.flatten(0, 1), mask).view_as(x), there)
        return dict(zip(self.inputs, x, strict=True))

    def _cross(self, x: Rows, present: Rows) -> Tensor:
        """Return h ``[b, n, d]``."""
        b, n = present[next(iter(self.inputs))].shape
        reach = Reach(torch.ones((b, n, n), dtype=torch.bool, device=self.out.weight.device), None)
        for layer in self.acme:
            x = layer(x, reach, present)
        out: Tensor = self.fuse(torch.cat(list(x.values()), -1))
        return out


@dialogue_model("cfn-esa", rank=5)
def cfn_esa(inputs: Mapping[str, int], classes: int, numbers: Mapping[str, Any]) -> CFNESA:
    """Build CFN-ESA; raise ``ConfigurationError`` for a causal one."""
    if numbers["causal"]:
        raise ConfigurationError("cfn-esa reads the whole dialogue; it has no causal form")
    return CFNESA(
        inputs=inputs, classes=classes, width=numbers["width"], dropout=numbers["dropout"],
        gue_layers=numbers["gue_layers"], acme_layers=numbers["acme_layers"],
    )  # fmt: skip
