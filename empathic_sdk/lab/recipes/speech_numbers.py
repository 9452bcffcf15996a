"""The numbers of recipe ``speech``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.lab.recipes.numbers import Numbers, Seed
from empathic_sdk.lab.registry import Option


@dataclass(frozen=True)
class SpeechRecipe(Numbers):
    """Every number of the run.

    Attributes:
        model: ``ped`` (log-mel, convolution, BiGRU, attention) or ``lstm`` (13 MFCCs).
        seed: Of everything that is drawn.
        epochs: How often the clips are seen.
        batch_size: Clips a batch.
        learning_rate: Peak; warms up over a tenth of the steps, then falls as a cosine to zero.
        weight_decay: Of AdamW.
        dropout: Of the network (``ped``), and before the head.
        smoothing: Of the labels.
        mixup: Parameter of the Beta distribution; 0: none.
        average: Decay of the moving average of the weights that is evaluated and kept.
        noise: Share of clips that get noise.
        bands: Mel bands (``ped``).
        channels: Of the convolutions (``ped``).
        hidden: Of the GRU, a direction (``ped``).
        most_frames: A longer clip is cut to a stretch of this length, at random.
        evaluate_every: Epochs between readings of dev; the best is kept.
        bfloat16: Compute in bfloat16.
    """

    model: Annotated[
        str,
        Option(
            "ped: log-mel, convolution, BiGRU, attention. lstm: 13 MFCCs, two LSTMs.",
            choices=("ped", "lstm"),
        ),
    ] = "ped"
    seed: Seed = 1
    epochs: Annotated[
        int, Option("How often the clips are seen.", low=1, default="40, for emodb 12 from --start")
    ] = 40
    batch_size: int = 16
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    dropout: float = 0.2
    smoothing: float = 0.1
    mixup: float = 0.2
    average: float = 0.99
    noise: float = 0.5
    bands: int = 80
    channels: tuple[int, ...] = (32, 64, 96, 128)
    hidden: int = 96
    most_frames: int = 320
    evaluate_every: int = 2
    bfloat16: bool = True

    def __post_init__(self) -> None:
        if self.model not in ("ped", "lstm"):
            raise ConfigurationError(f"model is ped or lstm, not {self.model!r}")
        if self.epochs < 1 or self.batch_size < 2 or self.evaluate_every < 1:
            raise ConfigurationError("epochs >= 1, batch_size >= 2 and evaluate_every >= 1")

    @classmethod
    def of(
        cls, model: str, *, started: bool = False, seed: int = 1, epochs: int | None = None
    ) -> SpeechRecipe:
        """Return the recipe of a model; one that starts from a trained network is shorter."""
        if started:
            return cls(model=model, seed=seed, epochs=epochs or 12, learning_rate=1e-3)
        return cls(model=model, seed=seed, epochs=epochs or 40)
