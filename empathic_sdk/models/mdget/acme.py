"""The gated attention-based cross-modal encoder, eq 6-22."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from empathic_sdk.models.mdget.attention import Reach, UtteranceAttention
from empathic_sdk.models.mdget.gue import FeedForward, Trace

Cache = dict[str, Tensor]


class GatedACME(nn.Module):
    """One layer: self-attention, cross-modal attention, gated feed-forward.

    Cross-modal attention runs between the first modality (``hub``: text in the paper) and each of
    the others (``spokes``). The parameters have these names in checkpoints.

    Eq 8 and 14 (9 and 17) use one symbol for two gates; here each direction has its own. Eq 20's
    gate has one set of weights for all modalities, as published; FF has one per modality.
    """

    def __init__(
        self,
        *,
        modalities: tuple[str, ...],
        width: int,
        heads: int,
        inner: int,
        dropout: float,
        gated: bool,
        speakers: bool,
    ) -> None:
        super().__init__()
        self.hub, *self.spokes = modalities
        self.modalities = modalities

        def attention() -> UtteranceAttention:
            return UtteranceAttention(width=width, heads=heads, speakers=speakers)

        def each(names: list[str], make: type[nn.Module], *sizes: int) -> nn.ModuleDict:
            return nn.ModuleDict({m: make(*sizes) for m in names})

        every = list(modalities)
        self.itself = nn.ModuleDict({m: attention() for m in every})
        self.norm_self = each(every, nn.LayerNorm, width)
        self.to_hub = nn.ModuleDict({m: attention() for m in self.spokes})
        self.from_hub = nn.ModuleDict({m: attention() for m in self.spokes})
        self.merge = nn.Linear(len(self.spokes) * width, width) if self.spokes else None
        self.norm_cross = each(every, nn.LayerNorm, width)
        self.feedforward = nn.ModuleDict(
            {m: FeedForward(width=width, inner=inner, dropout=dropout) for m in every}
        )
        self.norm_out = each(every, nn.LayerNorm, width)
        self.gate_to_hub = each(self.spokes if gated else [], nn.Linear, 2 * width, width)
        self.gate_from_hub = each(self.spokes if gated else [], nn.Linear, 2 * width, width)
        self.gate_select = nn.Linear(width, width) if gated else None
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        x: dict[str, Tensor],
        reach: Reach,
        present: dict[str, Tensor],
        past: Cache,
        trace: Trace | None = None,
    ) -> tuple[dict[str, Tensor], Cache]:
        """Map one ``[b, n, d]`` per modality to one ``[b, n, d]`` per modality.

        Args:
            x: By modality; zeros where absent.
            reach: Over ``p + n`` utterances.
            present: bool ``[b, p + n]`` per modality.
            past: Cache from the last call, cut to ``p`` utterances; empty at the start.
            trace: If given, receives the values of the gates.
        """
        now: Cache = {}

        def attend(name: str, module: nn.Module, q: Tensor, source: str, s: Tensor) -> Tensor:
            out, now[name] = module(q, s, reach, present[source], past.get(name))
            return out  # type: ignore[no-any-return]

        first = {}
        for m in self.modalities:  # eq 6 and 7
            attended = self.dropout(attend(f"self.{m}", self.itself[m], x[m], m, x[m]))
            first[m] = self.norm_self[m](x[m] + attended)
        hub, crossed, to_hub = self.hub, {}, []
        for m in self.spokes:
            pair = torch.cat([first[hub], first[m]], -1)
            got = attend(f"to.{m}", self.to_hub[m], first[hub], m, first[m])
            given = attend(f"from.{m}", self.from_hub[m], first[m], hub, first[hub])
            if m in self.gate_to_hub:
                g_in = torch.sigmoid(self.gate_to_hub[m](pair))  # (b, n, d), in (0, 1); eq 8, 9
                back = torch.cat([first[m], first[hub]], -1)
                g_out = torch.sigmoid(self.gate_from_hub[m](back))  # eq 14, 17
                got, given = g_in * got, g_out * given
                if trace is not None:
                    trace[f"to_hub.{m}"], trace[f"from_hub.{m}"] = g_in, g_out
            to_hub.append(self.dropout(got))  # eq 10, 11
            crossed[m] = self.norm_cross[m](x[m] + first[m] + self.dropout(given))  # eq 15-19
        # Eq 12: FC's bias counts only where another modality is present.
        extra = torch.zeros_like(x[hub])
        if self.merge is not None:
            some = torch.stack([present[m][:, -x[m].shape[1] :] for m in self.spokes]).any(0)
            extra = F.gelu(self.merge(torch.cat(to_hub, -1))) * some[..., None].to(extra.dtype)
        crossed[hub] = self.norm_cross[hub](x[hub] + first[hub] + extra)  # eq 13
        out = {}
        for m in self.modalities:
            selected = crossed[m]
            if self.gate_select is not None:
                g = torch.sigmoid(self.gate_select(crossed[m]))  # (b, n, d), in (0, 1); eq 20
                selected = g * crossed[m]
                if trace is not None:
                    trace[f"select.{m}"] = g
            y = self.norm_out[m](x[m] + crossed[m] + self.feedforward[m](selected))  # eq 21, 22
            out[m] = y * present[m][:, -y.shape[1] :, None].to(y.dtype)
        return out, now
