"""The risk model: scores the danger to the person's own life in a text with its context.

The network is the sentence network, fine-tuned in all layers, with a small head. It shares the
word vectors of the text encoder, which are half of its size; the rest is trained by
``empathic train safety``. ``decision.py`` uses its scores.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from empathic_sdk.encoders.text import TextEncoder
from empathic_sdk.encoders.tokens import TextTokenizer, pad, truncate, windows
from empathic_sdk.errors import ModelError
from empathic_sdk.models.minilm import MiniLM, MiniLMConfig
from empathic_sdk.runtime import checkpoints
from empathic_sdk.runtime.resources import weights_dir
from empathic_sdk.safety.detector import MARKS
from empathic_sdk.types import RiskReading
from empathic_sdk.types.safety import Remark

HEADS = ("concern", "high", "imminent", "other", "past")
JUDGED, REPLY, EARLIER = 0, 1, 2
"""Roles of a token: part of the judged text, of a reply, of the person's earlier words."""

LONGEST = 192
"""Word pieces of the judged text in one window."""

BEFORE = 96
"""Word pieces of the context."""

REMEMBERED = 4
"""Number of preceding utterances that are read."""


Before = Remark
"""An earlier utterance of the conversation: the person's own, or a reply to them."""


class RiskNetwork(nn.Module):
    """Word pieces with their roles to five logits.

    Args:
        config: Configuration of the sentence network.
        hidden: Hidden units of the head.
    """

    def __init__(self, config: MiniLMConfig | None = None, *, hidden: int = 128) -> None:
        super().__init__()
        self.body = MiniLM(config)
        width = self.body.config.width
        self.role = nn.Embedding(3, width)
        nn.init.normal_(self.role.weight, std=0.02)
        self.head = nn.Sequential(
            nn.Dropout(0.2), nn.Linear(3 * width + MARKS, hidden), nn.GELU(), nn.Dropout(0.2),
            nn.Linear(hidden, len(HEADS)),
        )  # fmt: skip

    def forward(self, ids: Tensor, mask: Tensor, roles: Tensor, marks: Tensor) -> Tensor:
        """Return logits ``[batch, 5]`` in the order of :data:`HEADS`.

        Args:
            ids: int ``[batch, time]``.
            mask: bool ``[batch, time]``, ``True`` = real.
            roles: int ``[batch, time]``; every row has a real token of the role ``JUDGED``.
            marks: float ``[batch, MARKS]``.
        """
        out: Tensor = self.head(torch.cat([self.features(ids, mask, roles), marks.float()], -1))
        return out

    def features(self, ids: Tensor, mask: Tensor, roles: Tensor) -> Tensor:
        """Return ``[batch, 3 * width]``: the first token, mean and maximum of the judged ones."""
        tokens = self.body(ids, mask, self.role(roles)).tokens.float()
        judged = (mask & (roles == JUDGED)).unsqueeze(-1)
        mean = (tokens * judged).sum(1) / judged.sum(1).clamp(min=1)
        # Not -inf: this works with bfloat16 autocast and with rows without judged tokens.
        most = tokens.masked_fill(~judged, -1e4).amax(1).clamp(min=-1e3)
        return torch.cat([tokens[:, 0], mean, most], -1)


class Row(NamedTuple):
    """One row for the network: ids and roles, equally long."""

    ids: list[int]
    roles: list[int]


def rows(tokenizer: TextTokenizer, text: str, before: Sequence[Before]) -> list[Row]:
    """Return one row per window of ``text``: ``[CLS] text [SEP] last utterance [SEP] earlier``.

    The context follows the text, nearest first, so that more context moves no token.
    """
    recent = [b for b in before[-REMEMBERED:] if b.text.strip()][::-1]
    judged, *earlier = tokenizer([text, *(b.text for b in recent)])
    tail, roles = [], []
    for utterance, ids in zip(recent, earlier, strict=True):
        body = truncate(ids, BEFORE // 2)[1:]
        tail += body
        roles += [EARLIER if utterance.own else REPLY] * len(body)
    tail, roles = tail[:BEFORE], roles[:BEFORE]
    return [
        Row([*window, *tail], [JUDGED] * len(window) + roles)
        for window in windows(judged, size=LONGEST)
    ]


def batch(rows: Sequence[Row]) -> tuple[Tensor, Tensor, Tensor]:
    """Return ids, mask and roles ``[batch, time]`` of rows."""
    ids, mask = pad([row.ids for row in rows])
    roles, _ = pad([row.roles for row in rows])
    return ids, mask, roles


class RiskReader:
    """Scores the risk in an utterance, given its dialogue. English only.

    Args:
        path: A checkpoint of ``empathic train safety``; by default the one that ships.
        text: The text encoder whose word vectors it may share; without one, or with a plugged-in
            one, it loads them itself.

    Raises:
        ModelError: The checkpoint is missing, damaged, or of another shape.

    Thread-safe.
    """

    def __init__(self, path: str | Path | None = None, text: TextEncoder | None = None) -> None:
        self.path = Path(path) if path else weights_dir() / "safety.safetensors"
        tensors, self.about = checkpoints.load(self.path)
        base = weights_dir() / "text.safetensors"
        try:
            with torch.device("meta"):
                network = RiskNetwork(MiniLMConfig(**self.about["encoder"]))
            tensors["body.word.weight"] = _word_vectors(text, base, self.about.get("text"))
            network.load_state_dict(tensors, assign=True)
            self._limits = {h: float(self.about["limits"][h]) for h in HEADS}
        except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
            raise ModelError(f"{self.path} holds no risk model that fits: {error}") from error
        if not all(t.isfinite().all() for t in tensors.values()):
            raise ModelError(f"{self.path} holds numbers that are not finite")
        self._network = network.eval()
        self._tokenizer = TextTokenizer(weights_dir() / str(self.about["tokenizer"]))

    @property
    def words(self) -> Tensor:
        """Word vectors ``[vocabulary, width]``, shared with the text encoder if it has them."""
        return self._network.body.word.weight

    def read(
        self, text: str, *, before: Sequence[Before] = (), marks: Sequence[float] = ()
    ) -> RiskReading:
        """Score one utterance.

        Args:
            text: What the person said, any length; a long one is read in windows, of which the
                most worrying one counts.
            before: Earlier utterances, oldest first; the last :data:`REMEMBERED` are read.
            marks: Findings of the patterns, ``MARKS`` features; empty = none.
        """
        made = rows(self._tokenizer, text, before)
        beside = torch.tensor([list(marks) or [0.0] * MARKS] * len(made))
        # Its thresholds were chosen in bfloat16, which is nearly three times as fast if the
        # CPU supports it, and slower if it must be emulated.
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=_bfloat16()):
            logits = self._network(*batch(made), beside).float()
        # The most worrying window counts.
        return reading(logits[int(logits[:, 0].argmax())].tolist(), self._limits)

    def features(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the network's features of single sentences, float32 ``[n, 3 * width]``.

        The first :data:`LONGEST` word pieces of each are read.
        """
        made = [rows(self._tokenizer, text, ())[0] for text in texts]
        found = np.zeros((len(made), 3 * self._network.body.config.width), np.float32)
        order = sorted(range(len(made)), key=lambda k: len(made[k].ids))
        with torch.inference_mode():
            for start in range(0, len(order), 32):
                part = order[start : start + 32]
                found[part] = self._network.features(*batch([made[k] for k in part])).numpy()
        return found


def reading(logits: Sequence[float], limits: Mapping[str, float]) -> RiskReading:
    """Turn five logits into scores, shifted so that 0.5 is each head's threshold."""
    shifted = {h: float(x) - limits[h] for h, x in zip(HEADS, logits, strict=True)}
    return RiskReading(**{h: 1 / (1 + math.exp(-x)) for h, x in shifted.items()})


@lru_cache(maxsize=1)
def _bfloat16() -> bool:
    """Say whether this CPU supports bfloat16 multiplication in hardware."""
    known = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(known is not None and known())


def _word_vectors(text: TextEncoder | None, base: Path, trained_with: str | None) -> Tensor:
    """Return the word vectors: the text encoder's, if it is the shipped one or the one of training.

    Every recipe leaves those of the pretrained network as they are, so all text checkpoints share
    them; only an encoder from another start has others.
    """
    if text is None or text.words is None or text.path is None:
        return words(base)
    shared = text.path == base or checkpoints.sha256(text.path) == trained_with
    return text.words if shared else words(base)


def words(path: Path) -> Tensor:
    """Return the word vectors ``[vocabulary, width]`` of a text checkpoint."""
    return checkpoints.load(path)[0]["encoder.word.weight"]


def description(network: RiskNetwork, limits: dict[str, float], **more: Any) -> dict[str, Any]:
    """Return the description for a checkpoint."""
    return {
        "encoder": network.body.config._asdict(), "tokenizer": "text-tokenizer.json",
        "limits": limits, **more,
    }  # fmt: skip


def own_tensors(network: RiskNetwork) -> dict[str, Tensor]:
    """Return the tensors for a checkpoint: all but the word vectors."""
    return {k: v for k, v in network.state_dict().items() if k != "body.word.weight"}
