"""Errors for missing optional packages of language models."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from empathic_sdk.errors import MissingExtraError


@contextmanager
def needs_langchain() -> Iterator[None]:
    """Turn a failed import in the block into an error with the install line.

    Raises:
        MissingExtraError: LangChain is not installed.
    """
    try:
        yield
    except ImportError as error:
        raise MissingExtraError("langchain", "the LangChain integration") from error
