"""Errors about invalid stored values: they name the place, never the value."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import ValidationError

_NAME = re.compile(r"[A-Za-z_]{1,40}")
_FAULTS = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)


class DamagedValueError(Exception):
    """A stored value cannot be read. ``place`` names table and column, nobody's data.

    Internal to this package: it becomes a ``StoreCorruptError`` that names the store.
    """

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.place = place


@contextmanager
def reading_from(place: str) -> Iterator[None]:
    """Raise :class:`DamagedValueError` for whatever goes wrong in turning rows into values.

    The outermost place stands for the table, an inner one for the column.
    """
    try:
        yield
    except DamagedValueError:
        raise
    except ValidationError as error:
        raise DamagedValueError(".".join([place, *_steps(error)])) from None
    except _FAULTS as error:
        raise DamagedValueError(".".join([place, *_steps(error.__cause__)])) from None


def _steps(error: BaseException | None) -> list[str]:
    """Return where a validation found a fault: safe to tell, unlike what it found there."""
    if not isinstance(error, ValidationError):
        return []
    return [str(step) for step in error.errors()[0]["loc"] if _NAME.fullmatch(str(step))]


def parsed(place: str, text: str, kind: type = dict) -> Any:
    """Return the value of a column that holds JSON of one kind."""
    with reading_from(place):
        found = json.loads(text)
        if not isinstance(found, kind):
            raise TypeError(kind)
        return found
