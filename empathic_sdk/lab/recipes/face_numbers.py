"""The numbers of recipe ``face``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.lab.recipes.numbers import Limit, Numbers, Seed, Shuffled
from empathic_sdk.lab.registry import Option
from empathic_sdk.models.face import FaceConfig


@dataclass(frozen=True, kw_only=True)
class FaceRecipe(Numbers):
    """Every number of the run.

    Attributes:
        model: ``net`` (the network that ships) or ``cnn`` (Table 5 of the adaptive paper).
        seed: Of weights, batches and everything else that is drawn.
        sizes: Pixels a side and for how many epochs, in order.
        batch_size: Crops a batch.
        learning_rate: Peak; it warms up over one epoch and then follows a cosine to zero.
        momentum: Of SGD with Nesterov's step.
        weight_decay: On convolutions and matrices alone.
        average: Decay of the moving average of the weights that is evaluated and kept.
        smoothing: Share of the target that goes to the other classes.
        balance: Power of a class's inverse frequency in its weight; 0 = none.
        mixup: Share of the batches in which every crop is blended with another one.
        mixup_epochs: In how many epochs, from the first; later ones see unmixed faces only.
        erase: Share of the crops that lose a rectangle.
        erase_epochs: In how many epochs, from the first; the last ones see whole faces.
        limit: Crops a split at most (for tests and trials).
        shuffle_labels: Give every crop another one's label: the result must be chance.
        bfloat16: Convolve in bfloat16.
    """

    model: Annotated[
        str,
        Option("The network that ships, or Table 5 of the adaptive paper.", choices=("net", "cnn")),
    ] = "net"
    seed: Seed = 1
    sizes: tuple[tuple[int, int], ...] = ((36, 26), (40, 16))
    batch_size: int = 128
    learning_rate: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    average: float = 0.998
    smoothing: float = 0.05
    balance: float = 0.3
    mixup: float = 0.5
    mixup_epochs: int = 14
    erase: float = 0.4
    erase_epochs: int = 37
    limit: Limit = None
    shuffle_labels: Shuffled = False
    bfloat16: bool = True

    def __post_init__(self) -> None:
        if self.model not in ("net", "cnn"):
            raise ConfigurationError(f"model must be net or cnn, not {self.model!r}")
        if not self.sizes or min(min(pair) for pair in self.sizes) < 1:
            raise ConfigurationError("sizes must hold pairs of pixels and epochs, each above 0")
        if self.batch_size < 2:
            raise ConfigurationError("batch_size must be 2 or more")

    @property
    def epochs(self) -> int:
        """Epochs of the whole run."""
        return sum(count for _, count in self.sizes)

    def size(self, epoch: int) -> int:
        """Return the pixels a side of ``epoch`` (from 0)."""
        for size, count in self.sizes:
            if epoch < count:
                return size
            epoch -= count
        return self.sizes[-1][0]

    def config(self) -> dict[str, Any] | None:
        """Return the sizes of the network as :func:`empathic_sdk.models.face.build` takes them."""
        return None if self.model == "cnn" else FaceConfig()._asdict()


def recipe_for(model: str, **given: object) -> FaceRecipe:
    """Return the recipe of ``model`` with other numbers where ``given``."""
    # Table 5's network is too small to overfit: nothing that makes its task harder.
    cnn = {"sizes": ((40, 20),), "weight_decay": 1e-4, "mixup": 0.0, "erase": 0.0, "smoothing": 0.0}
    return FaceRecipe(model=model, **{**(cnn if model == "cnn" else {}), **given})  # type: ignore[arg-type]
