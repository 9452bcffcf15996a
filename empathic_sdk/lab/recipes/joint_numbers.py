"""The numbers of recipe ``joint``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from empathic_sdk.lab.recipes.dialogue_numbers import DialogueRecipe
from empathic_sdk.lab.recipes.numbers import Limit, Numbers, Seed
from empathic_sdk.lab.recipes.text_numbers import TextRecipe


def _replay() -> dict[str, float]:
    return {"goemotions": 0.3, "empathetic": 0.3, "emobank": 1.0}


@dataclass(frozen=True, kw_only=True)
class JointRecipe(Numbers):
    """Every number of the run.

    Attributes:
        seed: Of batches, dropout and everything else that is drawn.
        dialogue: The dialogue network and its loss (its own loop's numbers are not used).
        epochs: How often each corpus of dialogues is seen; the first is the one that counts.
        batch_size: Dialogues a batch.
        replay: How often each corpus of single texts is seen.
        learning_rate: Peak, of the encoder.
        head_learning_rate: Peak, of the heads of single utterances.
        dialogue_learning_rate: Peak, of the dialogue network.
        utterance_weight: Of the loss of the utterance heads in batches of dialogues.
        opening_weight: Of the dialogue model's loss on single texts.
        max_tokens: Word pieces an utterance at most.
        average: Decay of the moving average of the weights.
        bfloat16: Multiply the encoder's matrices in bfloat16.
        evaluations: How often dev is scored; the best of them is kept.
        limit: Items (and dialogues) a corpus at most, for tests and trials.
    """

    seed: Seed = 1
    dialogue: DialogueRecipe = field(
        default_factory=lambda: DialogueRecipe(width=192, window=16, smoothing=0.1)
    )
    epochs: Mapping[str, float] = field(default_factory=lambda: {"meld": 4.0, "dailydialog": 0.1})
    batch_size: int = 8
    replay: Mapping[str, float] = field(default_factory=_replay)
    learning_rate: float = 8e-5
    head_learning_rate: float = 5e-4
    dialogue_learning_rate: float = 5e-4
    utterance_weight: float = 0.5
    opening_weight: float = 0.3
    max_tokens: int = 64
    average: float = 0.997
    bfloat16: bool = True
    evaluations: int = 3
    limit: Limit = None

    def text(self) -> TextRecipe:
        """Return the part that the batches of single texts follow."""
        return TextRecipe(
            seed=self.seed, epochs=self.replay, max_tokens=self.max_tokens,
            learning_rate=self.learning_rate, head_learning_rate=self.head_learning_rate,
            average=self.average, bfloat16=self.bfloat16, evaluations=self.evaluations,
            limit=self.limit,
        )  # fmt: skip
