"""Optional packages that language models come with, and what to say where one is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from empathic_sdk.errors import MissingExtraError


@contextmanager
def needs_langchain() -> Iterator[None]:
    """Turn a failed import in the block into an error that says what to install.

    Raises:
        MissingExtraError: LangChain is not installed.
    """
    try:
        yield
    except ImportError as error:
        raise MissingExtraError("langchain", "the LangChain integration") from error
