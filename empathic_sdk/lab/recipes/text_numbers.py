"""The numbers of recipe ``text``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.lab.recipes.numbers import Limit, Numbers, Seed, Shuffled
from empathic_sdk.lab.registry import Option

# The first one's annotators speak at run time: MELD is spoken conversation.
EMOTION_CORPORA = ("meld", "goemotions", "dailydialog", "empathetic")
FINE_LABELS = 28
SCORED = ("meld", "goemotions", "emobank")
FREE = ("goemotions", "emobank")
"""Corpora whose licences allow commercial use: Apache-2.0 and CC BY-SA 4.0."""


def _default_epochs() -> dict[str, float]:
    return {
        "meld": 3.0,
        "goemotions": 2.5,
        "dailydialog": 1.0,
        "empathetic": 1.5,
        "emobank": 6.0,
    }


@dataclass(frozen=True)
class TextRecipe(Numbers):
    """Every number of the run.

    Attributes:
        seed: Of batches, dropout and everything else that is drawn.
        epochs: How often each corpus is seen; one that is not named is left out.
        batch_size: Texts a batch.
        max_tokens: Word pieces a text at most.
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
        free: Use the corpora of :data:`FREE` alone, in training and on dev.
        shuffle_labels: Give every item the labels of another one: the result must be chance.
    """

    seed: Seed = 1
    epochs: Mapping[str, float] = field(default_factory=_default_epochs)
    batch_size: int = 64
    max_tokens: int = 64
    learning_rate: float = 1e-4
    head_learning_rate: float = 1e-3
    weight_decay: float = 0.01
    warmup: float = 0.06
    average: float = 0.998
    offset_penalty: float = 0.01
    neutral_share: float = 0.4
    bfloat16: bool = True
    evaluations: int = 6
    limit: Limit = None
    shuffle_labels: Shuffled = False
    free: Annotated[
        bool, Option("Only corpora that may be used commercially: GoEmotions and EmoBank.")
    ] = False

    def __post_init__(self) -> None:
        if self.free:
            kept = {c: n for c, n in self.epochs.items() if c in FREE}
            object.__setattr__(self, "epochs", kept)
        if not self.epochs or min(self.epochs.values()) <= 0:
            raise ConfigurationError("epochs must name at least one corpus, each above 0")
        if self.batch_size < 2 or self.max_tokens < 4 or self.evaluations < 1:
            raise ConfigurationError("batch_size >= 2, max_tokens >= 4 and evaluations >= 1")

    @property
    def scored(self) -> tuple[str, ...]:
        """The corpora whose dev splits choose the step and fit the calibration."""
        return FREE if self.free else SCORED

    @property
    def emotion_corpora(self) -> tuple[str, ...]:
        """The corpora whose annotators' habits the emotion head knows; the first counts later."""
        return tuple(c for c in EMOTION_CORPORA if c in FREE) if self.free else EMOTION_CORPORA


# What stays of each corpus's epochs where others are left out: such a run is a start for another.
_SHORTER = {"goemotions": 2.0, "dailydialog": 1.0, "empathetic": 1.25, "emobank": 4.0}


def without_corpora(recipe: TextRecipe, corpora: Sequence[str]) -> TextRecipe:
    """Return a shorter recipe that leaves ``corpora`` out and scores dev three times."""
    if not corpora:
        return recipe
    kept = {c: min(n, _SHORTER.get(c, n)) for c, n in recipe.epochs.items() if c not in corpora}
    return replace(recipe, epochs=kept, evaluations=3)
