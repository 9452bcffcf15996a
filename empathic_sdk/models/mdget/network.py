"""The complete network: inputs -> GUE -> gated ACME -> fusion -> emotion, and transfer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from empathic_sdk.models.dialogue import DialogueBatch
from empathic_sdk.models.mdget.acme import GatedACME
from empathic_sdk.models.mdget.attention import Reach
from empathic_sdk.models.mdget.config import MDGETConfig
from empathic_sdk.models.mdget.fusion import GatedClassifier, ModalFusion
from empathic_sdk.models.mdget.gue import GatedUnimodalEncoder, Trace
from empathic_sdk.models.mdget.speakers import OwnPast
from empathic_sdk.models.mdget.transfer import EmotionTransfer, PairOutput

State = dict[str, Tensor]


class DialogueOutput(NamedTuple):
    """Named output of :class:`MDGET`.

    Attributes:
        logits: ``[b, n, classes]``; zeros in the padding and where every modality is absent.
        fused: ``[b, n, (M + 1) * d]`` of eq 25.
        vectors: ``[b, n, d]``: H of eq 32, input of the transfer module.
        fusion_gates: ``[b, n, M]`` of eq 23.
        pairs: Output of the transfer module, if requested and present.
        state: Causal only: streaming state for the next piece of these dialogues.
    """

    logits: Tensor
    fused: Tensor
    vectors: Tensor
    fusion_gates: Tensor
    pairs: PairOutput | None
    state: State


class MDGET(nn.Module):
    """Gated emotion-transfer dialogue model (Chen et al. 2026, eq 1-38).

    The published form reads the whole dialogue. With ``causal=True`` an utterance sees only itself
    and the past: the recurrence runs one way and every attention (two in sequence per layer) spans
    ``window`` utterances. The causal form takes a dialogue in pieces of any size: hand each call's
    ``state`` to the next, and the logits are those of one call with everything (the caches hold
    every layer's keys and values of the last ``window - 1`` utterances). Only the last piece of a
    dialogue may be padded: in a state, padding counts as utterances.
    """

    def __init__(self, config: MDGETConfig) -> None:
        super().__init__()
        self.config = config
        c, d = config, config.width
        inner = c.feedforward or d
        self.project = nn.ModuleDict({m: nn.Linear(w, d) for m, w in c.inputs.items()})
        self.norm_in = nn.ModuleDict({m: nn.LayerNorm(d) for m in c.inputs})
        self.speaker = nn.Embedding(c.speakers, d) if c.speakers else None
        self.timing = nn.Linear(c.timing, d, bias=False) if c.timing else None
        if self.speaker is not None:
            nn.init.normal_(self.speaker.weight, std=0.3)
        self.own_past = (
            OwnPast(width=d, slots=c.speakers, causal=c.causal)
            if c.speakers and c.own_past
            else None
        )
        self.drop_in = nn.Dropout(c.dropout)
        self.gue = nn.ModuleList(
            GatedUnimodalEncoder(
                width=d, inner=inner, dropout=c.gue_dropout, causal=c.causal,
                gated="gue" in c.gates,
            )
            for _ in range(c.gue_layers if c.gue else 0)
        )  # fmt: skip
        self.acme = nn.ModuleList(
            GatedACME(
                modalities=c.modalities, width=d, heads=c.heads, inner=inner,
                dropout=c.acme_dropout, gated="acme" in c.gates, speakers=c.speakers > 0,
            )
            for _ in range(c.acme_layers if c.acme else 0)
        )  # fmt: skip
        fused = (len(c.inputs) + 1) * d
        self.fusion = ModalFusion(modalities=len(c.inputs), width=d, gated="fusion" in c.gates)
        self.classifier = GatedClassifier(
            inputs=fused, width=d, classes=c.classes, dropout=c.dropout,
            gated="classifier" in c.gates,
        )  # fmt: skip
        self.shrink = nn.Linear(fused, d) if c.eetm else None
        self.transfer = (
            EmotionTransfer(width=d, dropout=c.dropout, gated="eetm" in c.gates) if c.eetm else None
        )

    def gate_parameters(self) -> list[nn.Parameter]:
        """Return W_g of eq 40: the weights of all gates."""
        return [
            p for n, p in self.named_parameters()
            if n.endswith("weight") and any(part.startswith("gate") for part in n.split("."))
        ]  # fmt: skip

    def forward(
        self,
        batch: DialogueBatch,
        state: State | None = None,
        *,
        pairs: bool = False,
        trace: dict[str, Trace] | None = None,
    ) -> DialogueOutput:
        """Read dialogues, or (causal) the next piece of each.

        Args:
            batch: Modalities unknown to the network are ignored; those missing from the batch count
                as absent.
            state: State from the previous call; causal only.
            pairs: Also compare utterances (of this piece) pairwise; in training H' of eq 33 is a
                second pass with other dropout.
            trace: If given, receives the values of the gates by layer.
        """
        c = self.config
        if state and not c.causal:
            raise ValueError("only a causal network can continue from a state")
        state = state or {}
        features, present = self._inputs(batch)
        now: State = {}
        x, present_now = self._project(batch, features, present)
        if self.own_past is not None:
            m = x.shape[0]
            flat, hidden = self.own_past(
                x.flatten(0, 1), batch.speaker.repeat(m, 1), batch.mask.repeat(m, 1),
                state.get("own"),
            )  # fmt: skip
            x = flat.view_as(x) * present_now[..., None].to(x.dtype)
            if hidden is not None:
                now["own"] = hidden
        for k, layer in enumerate(self.gue):
            note: Trace | None = {} if trace is not None else None
            # (M, b, n, d): one set of weights, so the modalities are one larger batch.
            flat, hidden = layer(
                x.flatten(0, 1), batch.mask.sum(1).repeat(x.shape[0]), state.get(f"gue.{k}"), note
            )
            x = flat.view_as(x) * present_now[..., None].to(x.dtype)
            if hidden is not None:
                now[f"gue.{k}"] = hidden
            if trace is not None and note is not None:
                trace[f"gue.{k}"] = {n: g.view_as(x) for n, g in note.items()}
        keys, reach = self._reach(batch, present_now, state)
        h, caches = self._cross(x, reach, keys, state, trace)
        weights = self._weights(batch)
        fused, gates = self.fusion(h, present_now.permute(1, 2, 0), weights)
        logits = self.classifier(fused)
        vectors = self.shrink(fused) if self.shrink is not None else fused[..., : c.width]
        found = None
        if pairs and self.transfer is not None:
            other = vectors
            if self.training and self.shrink is not None:  # H' of eq 33
                again, _ = self._cross(x, reach, keys, state, None)
                other = self.shrink(self.fusion(again, present_now.permute(1, 2, 0), weights)[0])
            valid = batch.mask[:, :, None] & batch.mask[:, None]
            if c.causal:
                valid = valid & _band(0, batch.mask.shape[1], c.window, batch.mask.device)
            found = self.transfer(vectors, other, valid, c.window if c.causal else None)
        if c.causal:
            now |= self._kept(keys, batch, state, caches)
        return DialogueOutput(logits, fused, vectors, gates, found, now)

    def _inputs(self, batch: DialogueBatch) -> tuple[Mapping[str, Tensor], dict[str, Tensor]]:
        missing = torch.zeros_like(batch.mask)
        present = {
            m: batch.present[m] & batch.mask if m in batch.features else missing
            for m in self.config.inputs
        }
        return batch.features, present

    def _weights(self, batch: DialogueBatch) -> Tensor | None:
        """Return weights ``[b, n, M]``, or ``None`` without weights."""
        if batch.weights is None and not self.config.weights:
            return None
        given = batch.weights or {}
        one = torch.ones_like(batch.mask, dtype=next(self.parameters()).dtype)
        return torch.stack(
            [given.get(m, one) * self.config.weights.get(m, 1.0) for m in self.config.inputs], -1
        )

    def _project(
        self, batch: DialogueBatch, features: Mapping[str, Tensor], present: dict[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Return ``[M, b, n, d]``, zeros where absent, and ``[M, b, n]``."""
        like = next(self.parameters())
        extra = like.new_zeros(())
        if self.speaker is not None:
            slot = batch.speaker.clamp(min=0, max=self.speaker.num_embeddings - 1)
            extra = extra + self.speaker(slot)
        if self.timing is not None and batch.timing is not None:
            # Padding is removed here; otherwise a NaN in it would reach the gradient.
            when = batch.timing.to(like.dtype)
            extra = extra + self.timing(
                torch.where(batch.mask[..., None], when, when.new_zeros(()))
            )
        rows = []
        for m in self.config.inputs:
            keep = present[m][..., None]
            if m not in features:
                rows.append(like.new_zeros((*batch.mask.shape, self.config.width)))
                continue
            # Selected, not multiplied: NaN times zero is NaN.
            clean = torch.where(keep, features[m].to(like.dtype), like.new_zeros(()))
            y = self.drop_in(self.norm_in[m](self.project[m](clean)) + extra)
            rows.append(torch.where(keep, y, like.new_zeros(())))
        return torch.stack(rows), torch.stack([present[m] for m in self.config.inputs])

    def _reach(
        self, batch: DialogueBatch, present: Tensor, state: State
    ) -> tuple[dict[str, Tensor], Reach]:
        """Return which keys are real, ``[b, p + n]`` per modality, and the attention mask."""
        past = state.get("past.present")
        speaker, every = batch.speaker, present
        if past is not None:
            every = torch.cat([past, present], dim=2)
            speaker = torch.cat([state["past.speaker"], speaker], dim=1)
        p = every.shape[2] - batch.mask.shape[1]
        n = batch.mask.shape[1]
        allowed = batch.mask.new_ones((1, n, p + n))
        if self.config.causal:
            allowed = _band(p, n, self.config.window, batch.mask.device)
        same = None
        if self.speaker is not None:
            same = batch.speaker[:, :, None] == speaker[:, None]
        keys = dict(zip(self.config.inputs, every, strict=True))
        return keys, Reach(allowed.expand(len(batch.mask), -1, -1), same)

    def _cross(
        self,
        x: Tensor,
        reach: Reach,
        keys: dict[str, Tensor],
        state: State,
        trace: dict[str, Trace] | None,
    ) -> tuple[Tensor, State]:
        """Return H of all modalities ``[b, n, M, d]`` and the layers' caches."""
        rows = dict(zip(self.config.inputs, x, strict=True))
        caches: State = {}
        for k, layer in enumerate(self.acme):
            note: Trace | None = {} if trace is not None else None
            prefix = f"acme.{k}."
            past = {n.removeprefix(prefix): t for n, t in state.items() if n.startswith(prefix)}
            rows, now = layer(rows, reach, keys, past, note)
            caches |= {prefix + n: t for n, t in now.items()}
            if trace is not None and note is not None:
                trace[f"acme.{k}"] = note
        return torch.stack([rows[m] for m in self.config.inputs], dim=2), caches

    def _kept(
        self, keys: dict[str, Tensor], batch: DialogueBatch, state: State, caches: State
    ) -> State:
        """Cut the caches to the ``window - 1`` utterances that the next one may attend to."""
        keep = self.config.window - 1
        speaker = batch.speaker
        if "past.speaker" in state:
            speaker = torch.cat([state["past.speaker"], speaker], dim=1)
        return {
            "past.present": torch.stack(list(keys.values()))[:, :, -keep:],
            "past.speaker": speaker[:, -keep:],
            **{n: t[:, :, -keep:] for n, t in caches.items()},
        }


def _band(past: int, n: int, window: int, device: torch.device) -> Tensor:
    """Return bool ``[1, n, past + n]``: keys ``i - window < j <= i``."""
    i = torch.arange(past, past + n, device=device)[:, None]
    j = torch.arange(past + n, device=device)[None]
    return ((j <= i) & (i - j < window))[None]
