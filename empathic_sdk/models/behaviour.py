"""The network over interaction events.

Liu and Wang, "Research on Personalized Emotion Dynamic Deep Learning Modeling for Human-Centered
Emotional Interaction" (PED), equations 26-28 and 42-44.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from empathic_sdk.errors import ConfigurationError

POOLINGS = ("gated", "max_mean")
# Centres of the interval code: evenly spaced in log1p of seconds, from 0 s to about ten minutes.
_LAST_CENTRE = 6.4


@dataclass(frozen=True, kw_only=True)
class BehaviourConfig:
    """Sizes of :class:`BehaviourNetwork`.

    Attributes:
        kinds: Kinds of event, the last one being "anything else".
        classes: Emotions.
        kind_width: Width of the event embedding, psi of eq 42.
        interval_width: Width of the interval code, eta of eq 42.
        width: Of the states of eq 43 and of the vector that comes out.
        pooling: ``gated`` (eq 44) or ``max_mean`` (eq 28).
        dropout: On states and vector, in training.
    """

    kinds: int = 8
    classes: int = 7
    kind_width: int = 8
    interval_width: int = 8
    width: int = 32
    pooling: str = "gated"
    dropout: float = 0.1

    def __post_init__(self) -> None:
        sizes = (self.kinds, self.classes, self.kind_width, self.width)
        if min(sizes) < 1 or self.interval_width < 2:
            raise ConfigurationError("sizes must be at least 1, interval_width at least 2")
        if self.pooling not in POOLINGS:
            raise ConfigurationError(f"no pooling is named {self.pooling!r}; there are {POOLINGS}")
        if not 0 <= self.dropout < 1:
            raise ConfigurationError("dropout must lie in [0, 1)")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> BehaviourConfig:
        """Make a configuration from :meth:`as_dict` values."""
        return cls(**values)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


class BehaviourBatch(NamedTuple):
    """Padded logs of events.

    Attributes:
        kind: int64 ``[batch, events]``, 0 to ``kinds`` - 1.
        interval: float32 ``[batch, events]``, seconds since the previous event; 0 for the first.
        value: float32 ``[batch, events]``, signed ``log1p`` of the value in its kind's unit.
        mask: bool ``[batch, events]``, ``True`` = real; real events come first.
    """

    kind: Tensor
    interval: Tensor
    value: Tensor
    mask: Tensor


class BehaviourOutput(NamedTuple):
    """Named output of :class:`BehaviourNetwork`.

    Attributes:
        states: ``[batch, events, width]`` q of eq 44, in [-1, 1]; zeros in the padding. The state
            of an event depends only on it and those before it.
        vector: ``[batch, width]`` in [-1, 1]; zeros where no event is real.
        logits: ``[batch, classes]``.
        gates: ``[batch, events, width]`` gamma of eq 44, in [0, 1], summing to 1 per channel over
            real events; zeros in the padding. ``None`` with ``max_mean``.
    """

    states: Tensor
    vector: Tensor
    logits: Tensor
    gates: Tensor | None


class IntervalCode(nn.Module):
    """The code eta of eq 42: overlapping bumps along ``log1p`` of the interval in seconds.

    Pauses of 20 ms and of 20 s both matter and differ by a factor of a thousand, which a single
    number represents poorly.
    """

    centres: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("centres", torch.linspace(0, _LAST_CENTRE, width), persistent=False)
        self.spread = _LAST_CENTRE / (width - 1)

    def forward(self, seconds: Tensor) -> Tensor:
        """Map ``[...]`` seconds, >= 0, to ``[..., width]`` in [0, 1]."""
        place = torch.log1p(seconds).clamp(max=_LAST_CENTRE)[..., None]
        return torch.exp(-(((place - self.centres) / self.spread) ** 2))


class BehaviourNetwork(nn.Module):
    """Event embedding, interval code and value; a GRU over them; gated pooling.

    The published sum of eq 44 grows with the number of events. Here the gates of a channel are a
    softmax over the events instead, and ``log1p`` of the number of events is an extra input beside
    the pooled vector.
    """

    value_mean: Tensor
    value_scale: Tensor

    def __init__(self, config: BehaviourConfig | None = None) -> None:
        super().__init__()
        self.config = c = config or BehaviourConfig()
        # Mean and deviation of each kind's value in the training data: 3 is fast for typing in
        # characters per second and negligible for scrolling in pixels.
        self.register_buffer("value_mean", torch.zeros(c.kinds))
        self.register_buffer("value_scale", torch.ones(c.kinds))
        self.kind = nn.Embedding(c.kinds, c.kind_width)
        self.interval = IntervalCode(c.interval_width)
        self.enter = nn.Linear(c.kind_width + c.interval_width + 1, c.width)
        self.over = nn.GRU(c.width, c.width, batch_first=True)
        self.candidate = nn.Linear(c.width, c.width)
        self.gate = nn.Linear(c.width, c.width)
        pooled = c.width if c.pooling == "gated" else 2 * c.width
        self.leave = nn.Linear(pooled + 1, c.width)
        self.dropout = nn.Dropout(c.dropout)
        self.classify = nn.Linear(c.width, c.classes)

    def forward(self, batch: BehaviourBatch) -> BehaviourOutput:
        """Process padded logs; the padding has no effect."""
        there = batch.mask[..., None]  # (b, n, 1) bool
        kind = batch.kind.masked_fill(~batch.mask, 0)
        value = (batch.value - self.value_mean[kind]) / self.value_scale[kind]
        coded = torch.cat(  # eq 42
            [self.kind(kind), self.interval(batch.interval.masked_fill(~batch.mask, 0.0)),
             value.masked_fill(~batch.mask, 0.0)[..., None]], -1
        )  # fmt: skip
        hidden, _ = self.over(nn.functional.gelu(self.enter(coded)))  # eq 43, left to right
        hidden = self.dropout(hidden)
        states = torch.tanh(self.candidate(hidden)).masked_fill(~there, 0.0)
        gates = None
        if self.config.pooling == "gated":
            # A fully masked row would be NaN: its gates are zeros instead.
            scores = self.gate(hidden).masked_fill(~there, -torch.inf)
            scores = scores.masked_fill(~batch.mask.any(1)[:, None, None], 0.0)
            gates = torch.softmax(scores, 1).masked_fill(~there, 0.0)  # (b, n, d), range (0, 1)
            pooled = (gates * states).sum(1)  # eq 44
        else:
            count = batch.mask.sum(1, keepdim=True).clamp(min=1)
            # States lie in [-1, 1], so -1 in the padding never wins unless all is padding.
            top = states.masked_fill(~there, -1.0).amax(1)
            pooled = torch.cat([top, states.sum(1) / count], -1)  # eq 28
        number = torch.log1p(batch.mask.sum(1, keepdim=True).to(pooled.dtype)) / 4
        vector = torch.tanh(self.leave(torch.cat([pooled, number], -1)))
        vector = vector.masked_fill(~batch.mask.any(1)[:, None], 0.0)
        return BehaviourOutput(states, vector, self.classify(self.dropout(vector)), gates)
