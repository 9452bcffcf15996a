"""The joint loss of MDGET-MER, eq 31 and 39-40."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.models.mdget import PairOutput


class LossParts(NamedTuple):
    """Named output of :class:`JointLoss`.

    Attributes:
        total: What is minimised.
        emotion: L_c, the mean cross-entropy over labelled utterances.
        transfer: L_s, the mean cross-entropy over the pairs that pass the gate.
        passed: Share of the labelled pairs whose gate lies above tau.
    """

    total: Tensor
    emotion: Tensor
    transfer: Tensor
    passed: Tensor


class JointLoss(nn.Module):
    """Eq 40: ``L_c + lambda L_s + eta ||W_g||``, or both weights learned.

    Where eq 31 and 39 sum over a dialogue, here are means over labelled utterances and pairs: a
    dialogue of n utterances has n^2 pairs, and a sum would let lambda mean something else for each
    length. ``||W||`` is the optimizer's weight decay; the gates (named twice, in eq 31 and 40) are
    penalised once, here.

    Args:
        balance: lambda in [0, 1]; ``None`` learns the weights of both losses by homoscedastic
            uncertainty (Cipolla et al. 2018): ``exp(-s) L + s / 2`` with one ``s`` a loss. The
            parameters live in this module and belong into the optimizer.
        tau: Pairs with a gate at or below it do not count (eq 39).
        penalty: eta of eq 40, on the squared gate weights.
        smoothing: Label smoothing of L_c (0 in the paper).
    """

    def __init__(
        self,
        *,
        balance: float | None = 0.3,
        tau: float = 0.0,
        penalty: float = 1e-5,
        smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        if balance is not None and not 0 <= balance <= 1:
            raise ConfigurationError(f"balance (lambda) must lie in [0, 1], not {balance}")
        if not 0 <= tau < 1:
            raise ConfigurationError(f"tau must lie in [0, 1), not {tau}")
        self.balance, self.tau, self.penalty, self.smoothing = balance, tau, penalty, smoothing
        self.log_variance = nn.Parameter(torch.zeros(2)) if balance is None else None

    def forward(
        self,
        logits: Tensor,
        labels: Tensor,
        pairs: PairOutput | None = None,
        gates: Sequence[Tensor] = (),
        weights: Tensor | None = None,
    ) -> LossParts:
        """Return the loss of one batch.

        Args:
            logits: ``[b, n, classes]``.
            labels: int64 ``[b, n]``, -1 = unlabelled or padding.
            pairs: Of the transfer module, if it takes part.
            gates: The gates' weights.
            weights: ``[b, n]``, how much each utterance counts in L_c; default: all alike.
        """
        known = labels >= 0
        zero = logits.sum() * 0.0
        emotion = zero
        labelled, compared = bool(known.any()), False
        if labelled:
            emotion = F.cross_entropy(
                logits[known].float(), labels[known], label_smoothing=self.smoothing,
                reduction="mean" if weights is None else "none",
            )  # fmt: skip
            if weights is not None:
                emotion = (emotion * weights[known]).sum() / weights[known].sum().clamp(min=1e-6)
        transfer, passed = zero, zero.detach()
        if pairs is not None:
            counted = pairs.valid & known[:, :, None] & known[:, None]
            through = counted & (pairs.gate.detach() > self.tau)
            passed = through.sum() / counted.sum().clamp(min=1)
            compared = bool(through.any())
            if compared:
                changed = (labels[:, :, None] != labels[:, None]).long()
                transfer = F.cross_entropy(pairs.logits[through].float(), changed[through])
        if self.log_variance is not None:
            # A loss that this batch does not have says nothing of its weight.
            total = zero
            parts = ((emotion, labelled), (transfer, compared))
            for s, (part, there) in zip(self.log_variance, parts, strict=True):
                if there:
                    total = total + torch.exp(-s) * part + s / 2
        else:
            total = emotion + (self.balance or 0.0) * transfer
        for g in gates:
            total = total + self.penalty * g.square().sum()
        return LossParts(total, emotion.detach(), transfer.detach(), passed)

    def weights(self) -> dict[str, float]:
        """Return the factors of L_c and L_s as they are now."""
        if self.log_variance is None:
            return {"emotion": 1.0, "transfer": float(self.balance or 0.0)}
        first, second = torch.exp(-self.log_variance.detach()).tolist()
        return {"emotion": first, "transfer": second}
