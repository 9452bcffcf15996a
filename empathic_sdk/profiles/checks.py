"""What may come in: names and texts that a database can hold and a person can read back."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from empathic_sdk.errors import InputError

MAX_NAME = 256

_Member = TypeVar("_Member", bound=StrEnum)


def check_name(value: object, what: str) -> None:
    """Raise :class:`InputError` unless ``value`` is a string of 1 to 256 characters."""
    check_text(value, what)
    assert isinstance(value, str)
    if not 1 <= len(value) <= MAX_NAME:
        raise InputError(f"{what} must have 1 to {MAX_NAME} characters, not {len(value)}")


def check_text(value: object, what: str) -> None:
    """Raise :class:`InputError` unless ``value`` is a string without lone surrogates."""
    if not isinstance(value, str):
        raise InputError(f"{what} must be a str, not {type(value).__name__}")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise InputError(f"{what} holds a lone surrogate, which is no character") from None


def member(kind: type[_Member], value: str) -> _Member:
    """Return ``value`` as a member of ``kind``, or raise :class:`InputError`."""
    try:
        return kind(value)
    except ValueError:
        raise InputError(
            f"{value!r} is no {kind.__name__.lower()}; there are: {', '.join(kind)}"
        ) from None
