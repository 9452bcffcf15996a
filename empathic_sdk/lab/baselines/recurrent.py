"""Plain models of a dialogue: what the elaborate ones must beat."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.lab.registry import dialogue_model
from empathic_sdk.models.dialogue import DialogueBatch
from empathic_sdk.models.mdget.attention import Reach, UtteranceAttention

POSITIONS = 512
SPEAKERS = 8


class BaselineOutput(NamedTuple):
    """Named output of the models without a transfer module.

    Attributes:
        logits: ``[b, n, classes]``; zeros in the padding.
    """

    logits: Tensor


def check(
    inputs: Mapping[str, int],
    classes: int,
    *,
    width: int = 1,
    multiple: int = 1,
    layers: int = 1,
    dropout: float = 0.0,
) -> None:
    """Raise ``ConfigurationError`` where a model's sizes do not fit.

    Args:
        inputs: Feature width of each modality, by name.
        classes: At least 2.
        width: Inner width; a positive multiple of ``multiple``.
        multiple: At least 1.
        layers: At least 1.
        dropout: In [0, 1).
    """
    if not inputs or min(inputs.values()) < 1:
        raise ConfigurationError("inputs must name at least one modality, each of width >= 1")
    if classes < 2:
        raise ConfigurationError(f"classes must be at least 2, not {classes}")
    if multiple < 1 or width < 1 or width % multiple:
        raise ConfigurationError(f"width {width} must be a positive multiple of {multiple}")
    if layers < 1:
        raise ConfigurationError(f"there must be at least one layer, not {layers}")
    if not 0 <= dropout < 1:
        raise ConfigurationError(f"dropout must lie in [0, 1), not {dropout}")


def known(batch: DialogueBatch, inputs: Mapping[str, int]) -> dict[str, Tensor]:
    """Return where each modality of ``inputs`` is real, bool ``[b, n]`` by modality."""
    nowhere = torch.zeros_like(batch.mask)
    return {
        m: batch.present[m] & batch.mask if m in batch.features else nowhere for m in inputs
    }  # fmt: skip


def cleaned(batch: DialogueBatch, modality: str, width: int, keep: Tensor, like: Tensor) -> Tensor:
    """Return one modality's features ``[b, n, width]`` as ``like``, zeros where not ``keep``."""
    if modality not in batch.features:
        return like.new_zeros((*batch.mask.shape, width))
    # Selected, not multiplied: NaN times zero is NaN.
    return torch.where(keep[..., None], batch.features[modality].to(like), like.new_zeros(()))


def joined(batch: DialogueBatch, inputs: Mapping[str, int], like: Tensor) -> Tensor:
    """Put all modalities side by side, and one column each that is 1 where it is present.

    Args:
        batch: Modalities that ``inputs`` does not name are not looked at; ones that the batch
            lacks count as absent.
        inputs: Feature width of each modality, by name; their order is the order of the columns.
        like: Has the dtype and device of what is returned.

    Returns:
        ``[b, n, sum of widths + number of modalities]``, zeros where absent.
    """
    present = known(batch, inputs)
    rows = [cleaned(batch, m, w, present[m], like) for m, w in inputs.items()]
    return torch.cat([*rows, torch.stack(list(present.values()), -1).to(like)], -1)


def joined_width(inputs: Mapping[str, int]) -> int:
    """Return how many columns :func:`joined` gives."""
    return sum(inputs.values()) + len(inputs)


def masked(x: Tensor, mask: Tensor) -> Tensor:
    """Return ``x`` ``[..., d]`` with zeros where ``mask`` ``[...]`` is False."""
    return x.masked_fill(~mask[..., None], 0.0)


class UtteranceLinear(nn.Module):
    """Logistic regression on single utterances.

    Args:
        inputs: Feature width of each modality, by name.
        classes: How many emotions.
    """

    def __init__(self, *, inputs: Mapping[str, int], classes: int) -> None:
        super().__init__()
        check(inputs, classes)
        self.inputs = dict(inputs)
        self.out = nn.Linear(joined_width(inputs), classes)

    def forward(self, batch: DialogueBatch, *, pairs: bool = False) -> BaselineOutput:
        """Read each utterance by itself (``pairs`` is ignored)."""
        x = joined(batch, self.inputs, self.out.weight)
        return BaselineOutput(masked(self.out(x), batch.mask))


class ContextGRU(nn.Module):
    """``x = W u``, ``logits = V (x + GRU(x))``.

    Args:
        inputs: Feature width of each modality, by name.
        classes: How many emotions.
        width: Of ``x``; even where not causal, each direction having half of it.
        layers: Of the recurrence.
        dropout: On ``x``, between layers, and on what the classifier sees.
        causal: One direction, else both.
    """

    def __init__(
        self,
        *,
        inputs: Mapping[str, int],
        classes: int,
        width: int = 128,
        layers: int = 1,
        dropout: float = 0.3,
        causal: bool = True,
    ) -> None:
        super().__init__()
        directions = 1 if causal else 2
        check(inputs, classes, width=width, multiple=directions, layers=layers, dropout=dropout)
        self.inputs, self.causal = dict(inputs), causal
        self.project = nn.Linear(joined_width(inputs), width)
        self.gru = nn.GRU(
            width, width // directions, num_layers=layers, batch_first=True,
            dropout=dropout if layers > 1 else 0.0, bidirectional=not causal,
        )  # fmt: skip
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(width, classes)

    def forward(self, batch: DialogueBatch, *, pairs: bool = False) -> BaselineOutput:
        """Read dialogues (``pairs`` is ignored)."""
        x = self.dropout(self.project(joined(batch, self.inputs, self.out.weight)))
        heard = self.gru(x)[0] if self.causal else both_ways(self.gru, x, batch.mask)
        return BaselineOutput(masked(self.out(self.dropout(x + heard)), batch.mask))


def both_ways(gru: nn.GRU, x: Tensor, mask: Tensor) -> Tensor:
    """Run a bidirectional ``gru`` over the real part of ``x`` ``[b, n, d]``; zeros in padding."""
    lengths = mask.sum(1).clamp(min=1).cpu()
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    out, _ = pad_packed_sequence(gru(packed)[0], batch_first=True, total_length=x.shape[1])
    return out


class ContextTransformer(nn.Module):
    """Pre-norm transformer encoder (Vaswani et al. 2017) over utterances.

    Positions are sinusoids (from the 512th utterance on, all have the last one), and speakers
    have an embedding by order of appearance (from the eighth on, all have the last one).

    Args:
        inputs: Feature width of each modality, by name.
        classes: How many emotions.
        width: Even, and a multiple of ``heads``.
        layers: Of attention and feed-forward.
        heads: Of the attention.
        dropout: On the input, the attention's weights and every residual branch.
        causal: An utterance attends to itself and the ``window - 1`` before it, else to all.
        window: See ``causal``.
    """

    positions: Tensor

    def __init__(
        self,
        *,
        inputs: Mapping[str, int],
        classes: int,
        width: int = 128,
        layers: int = 2,
        heads: int = 8,
        dropout: float = 0.3,
        causal: bool = True,
        window: int = 32,
    ) -> None:
        super().__init__()
        check(inputs, classes, width=width, multiple=heads, layers=layers, dropout=dropout)
        if width % 2 or window < 1:
            raise ConfigurationError("width must be even, and window at least 1")
        self.inputs, self.window = dict(inputs), window if causal else None
        self.project = nn.Linear(joined_width(inputs), width)
        self.speaker = nn.Embedding(SPEAKERS, width)
        nn.init.normal_(self.speaker.weight, std=0.02)
        self.register_buffer("positions", sinusoids(POSITIONS, width), persistent=False)
        self.layers = nn.ModuleList(
            _Layer(width=width, heads=heads, dropout=dropout) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(width, classes)

    def forward(self, batch: DialogueBatch, *, pairs: bool = False) -> BaselineOutput:
        """Read dialogues (``pairs`` is ignored)."""
        i = torch.arange(batch.mask.shape[1], device=batch.mask.device)
        where = self.positions[i.clamp(max=POSITIONS - 1)].to(self.out.weight)
        who = self.speaker(batch.speaker.clamp(min=0, max=SPEAKERS - 1))
        x = self.dropout(self.project(joined(batch, self.inputs, self.out.weight)) + where + who)
        back = i[:, None] - i
        allowed = torch.ones_like(back, dtype=torch.bool)
        if self.window is not None:
            allowed = (back >= 0) & (back < self.window)
        reach = Reach(allowed.expand(len(batch.mask), -1, -1), None)
        for layer in self.layers:
            x = layer(x, reach, batch.mask)
        return BaselineOutput(masked(self.out(self.norm(x)), batch.mask))


class _Layer(nn.Module):
    def __init__(self, *, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = UtteranceAttention(width=width, heads=heads, speakers=False)
        self.feedforward = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Dropout(dropout),
            nn.Linear(4 * width, width),
        )  # fmt: skip
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, reach: Reach, mask: Tensor) -> Tensor:
        y = self.norm_1(x)
        x = x + self.dropout(self.attention(y, y, reach, mask, None)[0])
        out: Tensor = x + self.dropout(self.feedforward(self.norm_2(x)))
        return out


def sinusoids(count: int, width: int) -> Tensor:
    """Return ``[count, width]``: sines of falling frequency, then their cosines."""
    rate = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
    angle = torch.arange(count)[:, None] * rate
    return torch.cat([angle.sin(), angle.cos()], -1)


@dialogue_model("linear", rank=1)
def linear(inputs: Mapping[str, int], classes: int, _: Mapping[str, Any]) -> UtteranceLinear:
    """Build logistic regression on single utterances."""
    return UtteranceLinear(inputs=inputs, classes=classes)


@dialogue_model("gru", rank=2)
def gru(inputs: Mapping[str, int], classes: int, numbers: Mapping[str, Any]) -> ContextGRU:
    """Build the GRU, with as many layers as GUE has."""
    return ContextGRU(
        inputs=inputs, classes=classes, width=numbers["width"], layers=numbers["gue_layers"],
        dropout=numbers["dropout"], causal=numbers["causal"],
    )  # fmt: skip


@dialogue_model("transformer", rank=3)
def transformer(
    inputs: Mapping[str, int], classes: int, numbers: Mapping[str, Any]
) -> ContextTransformer:
    """Build the transformer, with as many layers as ACME has."""
    return ContextTransformer(
        inputs=inputs, classes=classes, width=numbers["width"], layers=numbers["acme_layers"],
        dropout=numbers["dropout"], causal=numbers["causal"], window=numbers["window"],
    )  # fmt: skip
