"""The numbers of a recipe, as records hold them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from empathic_sdk.lab.registry import Option


@dataclass(frozen=True)
class Numbers:
    """Base of the recipes' dataclasses."""

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        out: dict[str, Any] = _plain(asdict(self))
        return out


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, tuple | list) else value


Seed = Annotated[int, Option("Of everything that is drawn.", low=0, default="1")]
Epochs = Annotated[int, Option("How many (for trials).", low=1, default="that of the recipe")]
Shuffled = Annotated[bool, Option("A control: the result must be chance.")]
Limit = Annotated[int | None, Option("Items a corpus at most (a trial).", low=8)]
