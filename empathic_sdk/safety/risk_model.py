"""A text and what was said before it, read for danger to the person's own life.

The network is the sentence network's, tuned again from its first to its last layer, with a small
head. It borrows the word vectors of the text encoder, which are half of its size; the rest is
trained by ``empathic train safety``. What the protocol makes of its reading:
``decision.py``.
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
"""Roles of a token: of the words that are judged, of a reply, of the person's earlier words."""

LONGEST = 192
"""Word pieces of the judged words in one window."""

BEFORE = 96
"""Word pieces of what was said before."""

REMEMBERED = 4
"""Utterances before the judged one that are read."""


Before = Remark
"""An earlier utterance of the conversation: the person's own, or a reply to them."""


class RiskNetwork(nn.Module):
    """Word pieces with their roles to five logits.

    Args:
        config: Of the sentence network.
        hidden: Units of the head.
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
        # Not -inf: bfloat16 autocast and a row without judged tokens both survive this.
        most = tokens.masked_fill(~judged, -1e4).amax(1).clamp(min=-1e3)
        return torch.cat([tokens[:, 0], mean, most], -1)


class Row(NamedTuple):
    """One row for the network: ids and roles, equally long."""

    ids: list[int]
    roles: list[int]


def rows(tokenizer: TextTokenizer, text: str, before: Sequence[Before]) -> list[Row]:
    """Return a row a window of ``text``: ``[CLS] text [SEP] last utterance [SEP] the one before``.

    What was said before follows, the nearest first, so that nothing moves when more is known.
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
    """Reads how worrying an utterance is in its dialogue. English.

    Args:
        path: A checkpoint of ``empathic train safety``; by default the one that ships.
        text: The text encoder whose word vectors it may share; without one, or with one that is
            not ours, it loads them itself.

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
            shared = text.words if text is not None and text.path == base else None
            tensors["body.word.weight"] = shared if shared is not None else words(base)
            network.load_state_dict(tensors, assign=True)
            self._limits = {h: float(self.about["limits"][h]) for h in HEADS}
        except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
            raise ModelError(f"{self.path} holds no risk model that fits: {error}") from error
        if not all(t.isfinite().all() for t in tensors.values()):
            raise ModelError(f"{self.path} holds numbers that are not finite")
        self._network = network.eval()
        self._tokenizer = TextTokenizer(weights_dir() / str(self.about["tokenizer"]))

    def read(
        self, text: str, *, before: Sequence[Before] = (), marks: Sequence[float] = ()
    ) -> RiskReading:
        """Read one utterance.

        Args:
            text: What the person said, any length; a long one is read in windows, of which the
                most worrying decides.
            before: What was said before it, oldest first; the last :data:`REMEMBERED` are read.
            marks: What the patterns found in it, ``MARKS`` numbers; none = nothing.
        """
        made = rows(self._tokenizer, text, before)
        beside = torch.tensor([list(marks) or [0.0] * MARKS] * len(made))
        # Its limits were chosen in bfloat16, which is nearly three times as fast where the
        # processor has it, and slower where it must be imitated.
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=_bfloat16()):
            logits = self._network(*batch(made), beside).float()
        # The window that worries most speaks for all of them.
        return reading(logits[int(logits[:, 0].argmax())].tolist(), self._limits)

    def features(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return float32 ``[n, 3 * width]``: what the network makes of sentences by themselves.

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
    """Return what five logits say: chances, shifted so that 0.5 is each head's limit."""
    shifted = {h: float(x) - limits[h] for h, x in zip(HEADS, logits, strict=True)}
    return RiskReading(**{h: 1 / (1 + math.exp(-x)) for h, x in shifted.items()})


@lru_cache(maxsize=1)
def _bfloat16() -> bool:
    """Say whether this processor multiplies in bfloat16 by itself."""
    known = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(known is not None and known())


def words(path: Path) -> Tensor:
    """Return the word vectors ``[vocabulary, width]`` of a text checkpoint."""
    return checkpoints.load(path)[0]["encoder.word.weight"]


def description(network: RiskNetwork, limits: dict[str, float], **more: Any) -> dict[str, Any]:
    """Return what a checkpoint says of itself."""
    return {
        "encoder": network.body.config._asdict(), "tokenizer": "text-tokenizer.json",
        "limits": limits, **more,
    }  # fmt: skip


def own_tensors(network: RiskNetwork) -> dict[str, Tensor]:
    """Return the tensors that a checkpoint of it holds: all but the word vectors."""
    return {k: v for k, v in network.state_dict().items() if k != "body.word.weight"}
