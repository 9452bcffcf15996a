"""Base class of every value: frozen, no unknown fields, errors from our own tree."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from empathic_sdk.errors import InputError


class Value(BaseModel):
    """A frozen value that packages exchange."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    def __init__(self, **data: Any) -> None:
        """Check the fields; raise :class:`InputError` naming the first invalid one."""
        try:
            super().__init__(**data)
        except ValidationError as error:
            raise InputError(explain(type(self).__name__, error)) from error


def explain(name: str, error: ValidationError) -> str:
    """Summarise a validation error in one line."""
    parts = []
    for e in error.errors()[:3]:
        where = ".".join(str(p) for p in e["loc"])
        parts.append(f"{where}: {e['msg']}" if where else e["msg"])
    return f"{name} cannot be made: {'; '.join(parts)}"
