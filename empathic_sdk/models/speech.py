"""Speech networks: PED's speech encoder, and the MFCC LSTM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from einops import rearrange
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class SpeechEncoding(NamedTuple):
    """Output of a speech network.

    Attributes:
        vector: ``[batch, width]``, one per utterance; zeros if no frame is real.
        frames: ``[batch, time', width]``, frames before pooling; zeros where not real.
        weights: ``[batch, time']``, share of each frame in the vector; each row sums to 1.
        mask: bool ``[batch, time']``, ``True`` = real.
    """

    vector: Tensor
    frames: Tensor
    weights: Tensor
    mask: Tensor


class PedSpeechConfig(NamedTuple):
    """Sizes of :class:`PedSpeech`; the defaults are those of the shipped network."""

    bands: int = 80
    channels: tuple[int, ...] = (32, 64, 96, 128)
    hidden: int = 96
    dropout: float = 0.3


class PedSpeech(nn.Module):
    """Log-mel spectra to one vector: convolution, BiGRU, temporal attention (PED, eq. 36-38).

    The convolution of eq. 36 is a stack of blocks here, each halving the bands, the first two also
    the time: one row of ``frames`` covers 40 ms. The GRU of eq. 37 reads the utterance in both
    directions, so it looks ahead only within an utterance that is already complete.
    """

    time_stride = 4

    def __init__(self, config: PedSpeechConfig | None = None) -> None:
        super().__init__()
        c = self.config = config or PedSpeechConfig()
        if len(c.channels) < 2 or c.bands % 2 ** len(c.channels):
            raise ValueError("at least two channels, and bands a multiple of 2 ** len(channels)")
        sizes = (1, *c.channels)
        self.convolutions = nn.ModuleList(
            # Strides instead of pooling, at a third of the cost.
            nn.Conv2d(
                sizes[i],
                sizes[i + 1],
                5 if i == 0 else 3,
                stride=(2 if i < 2 else 1, 2),
                padding=2 if i == 0 else 1,
                bias=False,
            )
            for i in range(len(c.channels))
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(b) for b in c.channels)
        self.width = 2 * c.hidden
        rows = c.bands // 2 ** len(c.channels)
        self.project = nn.Linear(c.channels[-1] * rows, self.width)
        self.gru = nn.GRU(self.width, c.hidden, batch_first=True, bidirectional=True)
        self.query = nn.Parameter(torch.zeros(self.width))

    def forward(self, features: Tensor, mask: Tensor) -> SpeechEncoding:
        """Map ``features`` ``[batch, time, bands]`` and bool ``mask`` ``[batch, time]``.

        Padding is ignored.
        """
        drop = self.config.dropout
        extra = -features.shape[1] % self.time_stride
        x = F.pad(features, (0, 0, 0, extra)).unsqueeze(1)  # (batch, 1, time, bands)
        real = F.pad(mask, (0, extra))
        x = x * real[:, None, :, None]
        for i, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            x = F.relu(norm(convolution(x)))
            real = real[:, ::2] if i < 2 else real
            # Zero the padding, so that it cannot reach real frames through the next convolution.
            x = x * real[:, None, :, None]
            x = F.dropout2d(x, drop / 3, self.training)
        x = F.relu(self.project(rearrange(x, "b c t f -> b t (c f)")))
        x = F.dropout(x, drop, self.training)
        x = _recurrent(self.gru, x, real)
        weights = _attention(x @ self.query, real)
        return SpeechEncoding(torch.einsum("bt,btd->bd", weights, x), x, weights, real)


class MfccLstm(nn.Module):
    """Encodes 13 MFCCs per frame as one vector: the speech network of the CNN-LSTM paper's Table 6.

    Two stacked LSTMs (128, 64), the last real state of the second, a dense layer of 128. With its
    classifier of seven it holds the 131,335 parameters of the table: each gate has one bias vector,
    as Keras counts, so PyTorch's second one is zero and frozen.

    ``frames`` are the states of the second LSTM under the dense layer, and the last real one has
    all the weight.
    """

    time_stride = 1

    def __init__(self, *, coefficients: int = 13, dropout: float = 0.3) -> None:
        super().__init__()
        self.width = 128
        self.dropout = dropout
        self.first = nn.LSTM(coefficients, 128, batch_first=True)
        self.second = nn.LSTM(128, 64, batch_first=True)
        for lstm in (self.first, self.second):
            second_bias = lstm.get_parameter("bias_hh_l0")
            nn.init.zeros_(second_bias)
            second_bias.requires_grad_(False)
        self.dense = nn.Linear(64, self.width)

    def forward(self, features: Tensor, mask: Tensor) -> SpeechEncoding:
        """Map ``features`` ``[batch, time, coefficients]`` and bool ``mask`` ``[batch, time]``."""
        x = F.dropout(_recurrent(self.first, features, mask), self.dropout, self.training)
        x = F.dropout(_recurrent(self.second, x, mask), self.dropout, self.training)
        frames = F.relu(self.dense(x)) * mask.unsqueeze(-1)
        last = (mask.long().cumsum(1) == mask.sum(1, keepdim=True)) & mask
        weights = last.to(frames.dtype)
        return SpeechEncoding(torch.einsum("bt,btd->bd", weights, frames), frames, weights, mask)


class SpeechClassifier(nn.Module):
    """One linear head per corpus on the vector of a speech network.

    Corpora of acted speech have different classes, and actors of different schools and languages
    act the shared ones differently; the network below is common to all of them.

    Args:
        width: Width of the vector.
        classes: Number of classes of each corpus, by its name.
        dropout: Dropout before the head.
    """

    def __init__(self, *, width: int, classes: Mapping[str, int], dropout: float = 0.0) -> None:
        super().__init__()
        if not classes:
            raise ValueError("classes must name at least one corpus")
        self.dropout = nn.Dropout(dropout)
        self.heads = nn.ModuleDict({name: nn.Linear(width, n) for name, n in classes.items()})

    def forward(self, vector: Tensor, corpus: str) -> Tensor:
        """Map ``[batch, width]`` to the logits ``[batch, classes]`` of one corpus."""
        logits: Tensor = self.heads[corpus](self.dropout(vector))
        return logits


class StatisticsClassifier(nn.Module):
    """A linear classifier on one row of utterance statistics, standardised."""

    def __init__(self, *, width: int, classes: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("std", torch.ones(width))
        self.linear = nn.Linear(width, classes)

    def forward(self, statistics: Tensor) -> Tensor:
        """Map ``[batch, width]`` to logits ``[batch, classes]``.

        Values beyond five deviations are clipped, to limit the effect of broken recordings.
        """
        z = (statistics - self.get_buffer("mean")) / self.get_buffer("std")
        logits: Tensor = self.linear(z.clamp(-5.0, 5.0))
        return logits


def _recurrent(cell: nn.GRU | nn.LSTM, x: Tensor, mask: Tensor) -> Tensor:
    """Run ``cell`` over the real frames of ``[batch, time, width]``; zeros elsewhere.

    Real frames come first; a row without any runs over its first frame and is zeroed.
    """
    lengths = mask.sum(1).clamp(min=1).cpu()
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    out, _ = pad_packed_sequence(cell(packed)[0], batch_first=True, total_length=x.shape[1])
    return out * mask.unsqueeze(-1).to(out.dtype)


def _attention(scores: Tensor, mask: Tensor) -> Tensor:
    """Return the softmax of ``[batch, time]`` scores over real frames; zeros if there are none."""
    lowest = torch.finfo(scores.dtype).min
    weights = torch.softmax(scores.masked_fill(~mask, lowest), 1)
    return weights * mask.to(weights.dtype)
