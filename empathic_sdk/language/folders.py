"""A language of your own: a folder with its templates and its patterns."""

from __future__ import annotations

from pathlib import Path

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.language.patterns import add_patterns, remove_patterns
from empathic_sdk.language.templates import KINDS, add_templates, remove_templates


def add_language(folder: str | Path) -> None:
    """Read a language from a folder of your own, for every agent of this process.

    ========================================  =====================================================
    ``responder/TAG/.../NAME.toml``           sentences of replies (also ``safety monitor llm``)
    ``notice/TAG.toml``                       the notice before first use, whole
    ``patterns/TAG.toml``                     what people say (``language/patterns.py``)
    ========================================  =====================================================

    Any part of it may be left out: English fills in, role by role. Text is still read by the
    recogniser's text encoder, which must know the language, too.

    Args:
        folder: Where it is. Adding it again reads it again.

    Raises:
        ConfigurationError: There is nothing in it, or something is broken (names file and key).
            Nothing of it is used then.
    """
    folder = Path(folder)
    remove_language(folder)
    patterns = sorted((folder / "patterns").glob("*.toml"))
    templates = any((folder / kind).is_dir() for kind in KINDS)
    if not patterns and not templates:
        raise ConfigurationError(
            f"there is no language in {folder}: neither patterns/TAG.toml nor a folder of "
            f"templates ({', '.join(KINDS)})"
        )
    try:
        for path in patterns:
            add_patterns(path)
        if templates:
            add_templates(folder)
    except ConfigurationError:
        remove_language(folder)
        raise


def remove_language(folder: str | Path) -> None:
    """Forget a folder that :func:`add_language` read; nothing happens without it."""
    for path in (Path(folder) / "patterns").glob("*.toml"):
        remove_patterns(path)
    remove_templates(folder)
