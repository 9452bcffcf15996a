"""The risk model: scores the danger to the person's own life in a text with its context.

The network is the sentence network, fine-tuned in all layers, with a small head. It shares the
word vectors of the text encoder, which are half of its size; the rest is trained by
``empathic train safety``. ``decision.py`` uses its scores.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.encoders.text import TextEncoder
from empathic_sdk.encoders.tokens import TextTokenizer, pad, truncate, windows
from empathic_sdk.encoders.trunk import word_table
from empathic_sdk.errors import ModelError
from empathic_sdk.runtime import checkpoints
from empathic_sdk.runtime.checkpoints import Table
from empathic_sdk.runtime.extras import needs
from empathic_sdk.runtime.networks import SUFFIX, Network
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


Compute = Callable[..., dict[str, NDArray[Any]]]


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


def batch(
    rows: Sequence[Row],
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64]]:
    """Return ids, mask and roles ``[batch, time]`` of rows."""
    ids, mask = pad([row.ids for row in rows])
    roles, _ = pad([row.roles for row in rows])
    return ids, mask, roles


class RiskReader:
    """Scores the risk in an utterance, given its dialogue. English only.

    Args:
        path: A network of ``empathic export onnx``, or a checkpoint of ``empathic train safety``,
            which needs PyTorch; by default the network that ships.
        text: The text encoder whose word vectors it may share; without one, or with a plugged-in
            one, it loads them itself.

    Attributes:
        path: The file.
        about: Its description.
        fingerprint: SHA-256 of the checkpoint.

    Raises:
        ModelError: The file is missing, damaged, or of another shape.
        MissingExtraError: A checkpoint is given, and PyTorch is not installed.

    Thread-safe.
    """

    def __init__(self, path: str | Path | None = None, text: TextEncoder | None = None) -> None:
        self.path = Path(path) if path else weights_dir() / "safety.onnx"
        self._compute: Compute
        if self.path.suffix == SUFFIX:
            self._compute = network = Network(self.path)
            self.about = network.about
            self.fingerprint = network.checkpoint
        else:
            self.about = checkpoints.about(self.path)
            self._compute = _of_checkpoint(self.path)
            self.fingerprint = checkpoints.sha256(self.path)
        base = weights_dir() / "text.safetensors"
        try:
            self._limits = {h: float(self.about["limits"][h]) for h in HEADS}
            self._tokenizer = TextTokenizer(weights_dir() / str(self.about["tokenizer"]))
            self._width = int(self.about["encoder"]["width"])
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{self.path} holds no risk model that fits: {error}") from error
        self.words = _word_vectors(text, base, self.about.get("text"))

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
        logits = self._computed(made, list(marks) or [0.0] * MARKS)["logits"]
        # The most worrying window counts.
        return reading(logits[int(logits[:, 0].argmax())].tolist(), self._limits)

    def features(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the network's features of single sentences, float32 ``[n, 3 * width]``.

        The first :data:`LONGEST` word pieces of each are read.
        """
        made = [rows(self._tokenizer, text, ())[0] for text in texts]
        found = np.zeros((len(made), 3 * self._width), np.float32)
        order = sorted(range(len(made)), key=lambda k: len(made[k].ids))
        for start in range(0, len(order), 32):
            part = order[start : start + 32]
            some = self._computed([made[k] for k in part], [0.0] * MARKS)
            found[part] = some["features"]
        return found

    def _computed(self, made: Sequence[Row], marks: Sequence[float]) -> dict[str, NDArray[Any]]:
        ids, mask, roles = batch(made)
        return self._compute(
            words=self.words[ids], mask=mask, roles=roles,
            marks=np.tile(np.array(marks, np.float32), (len(made), 1)),
        )  # fmt: skip


def _of_checkpoint(path: Path) -> Compute:
    """Return what computes a checkpoint, in PyTorch."""
    with needs("torch", f"the checkpoint {path.name}, which was not exported to ONNX,"):
        from empathic_sdk.models.risk import computed_by
    return computed_by(path)


def reading(logits: Sequence[float], limits: Mapping[str, float]) -> RiskReading:
    """Turn five logits into scores, shifted so that 0.5 is each head's threshold."""
    shifted = {h: float(x) - limits[h] for h, x in zip(HEADS, logits, strict=True)}
    return RiskReading(**{h: 1 / (1 + math.exp(-x)) for h, x in shifted.items()})


def _word_vectors(text: TextEncoder | None, base: Path, trained_with: str | None) -> Table:
    """Return the word vectors: the text encoder's, if it is the shipped one or the one of training.

    Every recipe leaves those of the pretrained network as they are, so all text checkpoints share
    them; only an encoder from another start has others.
    """
    if text is None or text.words is None or text.path is None:
        return word_table(base)
    shared = text.path == base or text.fingerprint == trained_with
    return text.words if shared else word_table(base)
