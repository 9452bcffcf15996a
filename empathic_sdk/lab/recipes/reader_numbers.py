"""The numbers of the recipes ``reader`` and ``teacher``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.lab.recipes.numbers import Limit, Numbers, Seed

ANNOTATORS = ("own", "meld", "dailydialog", "goemotions", "empathetic")
"""The first one's habits are those of the runtime: what the speaker feels now."""


def _epochs() -> dict[str, float]:
    return {
        "meld": 3.0, "goemotions": 2.5, "dailydialog": 1.0, "empathetic": 1.0, "emobank": 5.0,
        "esconv": 0.7, "own": 6.0,
    }  # fmt: skip


def _weights() -> dict[str, float]:
    return {
        "present": 0.4, "fine": 0.4, "situation": 0.5, "strategy": 0.3, "change": 0.3, "rated": 1.0,
        "affect": 1.0,
    }  # fmt: skip


@dataclass(frozen=True)
class ReaderRecipe(Numbers):
    """Every number of the run.

    Attributes:
        seed: Of batches, dropout and everything else that is drawn.
        epochs: How often each corpus is seen; one that is not named is left out.
        weights: Of the loss of each target; 1 where not named.
        tokens: Word pieces a batch at most.
        max_tokens: Word pieces of an utterance at most.
        context: Word pieces of the turns before it at most.
        frozen: Layers of the encoder that stay as they are, with the word vectors.
        learning_rate: Peak, of the encoder; it warms up and then falls linearly to zero.
        head_learning_rate: Peak, of the heads.
        weight_decay: Of AdamW.
        warmup: Share of the steps.
        average: Decay of the moving average of the weights that is evaluated and kept.
        offset_penalty: On the squared corpus offsets of the emotion head.
        neutral_share: Share of neutral turns kept of DailyDialog (83 % of it are neutral).
        bfloat16: Multiply matrices in bfloat16.
        evaluations: How often dev is scored; the best of them is kept.
        limit: Items a corpus at most (for tests and trials).
    """

    seed: Seed = 1
    epochs: Mapping[str, float] = field(default_factory=_epochs)
    weights: Mapping[str, float] = field(default_factory=_weights)
    tokens: int = 2048
    max_tokens: int = 64
    context: int = 40
    frozen: int = 0
    learning_rate: float = 1.5e-4
    head_learning_rate: float = 1e-3
    weight_decay: float = 0.01
    warmup: float = 0.06
    average: float = 0.998
    offset_penalty: float = 0.01
    neutral_share: float = 0.5
    bfloat16: bool = False
    evaluations: int = 5
    limit: Limit = None

    def __post_init__(self) -> None:
        if not self.epochs or min(self.epochs.values()) <= 0:
            raise ConfigurationError("epochs must name at least one corpus, each above 0")
        if self.tokens < 8 or self.max_tokens < 4 or self.evaluations < 1 or self.context < 0:
            raise ConfigurationError(
                "tokens >= 8, max_tokens >= 4, evaluations >= 1 and context >= 0"
            )


def _fewer() -> dict[str, float]:
    return {
        "meld": 2.5, "goemotions": 1.2, "dailydialog": 0.4, "empathetic": 0.25, "emobank": 2.0,
        "esconv": 0.4, "own": 2.0,
    }  # fmt: skip


@dataclass(frozen=True)
class TeacherRecipe(ReaderRecipe):
    """The same numbers for a network of a hundred million parameters."""

    epochs: Mapping[str, float] = field(default_factory=_fewer)
    tokens: int = 1024
    frozen: int = 6
    learning_rate: float = 4e-5
    average: float = 0.995
