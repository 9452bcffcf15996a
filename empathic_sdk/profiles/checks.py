"""Checks of the store's arguments: names, texts, numbers, days, paths."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from empathic_sdk.errors import ConfigurationError, InputError
from empathic_sdk.types import Mastery

MAX_NAME = 256
MOST = 2**63 - 1
"""The largest number that a row can hold."""

_Member = TypeVar("_Member", bound=StrEnum)
_Value = TypeVar("_Value")


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


def check_type(value: object, kind: type[_Value], what: str) -> _Value:
    """Return ``value`` if it is a ``kind``, or raise :class:`InputError`."""
    if not isinstance(value, kind):
        raise InputError(f"{what} must be a {kind.__name__}, not {type(value).__name__}")
    return value


def check_limit(value: object) -> int:
    """Return how many rows to read at most, or raise :class:`InputError`."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError(f"limit must be an int, not {type(value).__name__}")
    if value < 0:
        raise InputError(f"limit must be at least 0, not {value}")
    return min(value, MOST)


def check_day(value: object, what: str) -> date:
    """Return a day without a time, or raise :class:`InputError`."""
    found = check_type(value, date, what)
    return found.date() if isinstance(found, datetime) else found


def check_span(found: date, apart: object) -> timedelta:
    """Return a length of time that can be taken from a day, or raise :class:`InputError`."""
    span = check_type(apart, timedelta, "apart")
    try:
        found - span
    except OverflowError:
        raise InputError(f"apart must be a length of time, not {span.days} days") from None
    return span


def check_path(value: object, what: str) -> Path:
    """Return an absolute path, or raise :class:`ConfigurationError`."""
    if not isinstance(value, str | Path):
        raise ConfigurationError(f"{what} must be a str or a Path, not {type(value).__name__}")
    text = str(value)
    try:
        check_text(text, what)
    except InputError as error:
        raise ConfigurationError(str(error)) from None
    if not text.strip() or "\0" in text:
        raise ConfigurationError(f"{what} must name a file")
    try:
        return Path(text).expanduser().absolute()
    except (RuntimeError, OSError):
        raise ConfigurationError(f"{what} begins with a home folder that is not there") from None


def is_number(value: Any) -> bool:
    """Say whether ``value`` is an int or a float, and no bool."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def check_mastery(value: object) -> None:
    """Raise :class:`InputError` unless ``value`` is mastery by skill, or ``None``."""
    if value is None:
        return
    if not isinstance(value, Mapping):
        raise InputError(f"mastery must be a mapping, not {type(value).__name__}")
    for skill, one in value.items():
        check_name(skill, "skill")
        found = check_type(one, Mastery, "the mastery of a skill")
        if max(found.seen, found.version) > MOST:
            raise InputError("the numbers of a mastery must be below 2^63")
