"""Adding a language from a folder with its templates and patterns."""

from __future__ import annotations

from pathlib import Path

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.language.patterns import add_patterns, remove_patterns
from empathic_sdk.language.templates import KINDS, add_templates, remove_templates


def add_language(folder: str | Path) -> None:
    """Add a language from a folder of your own, for every agent of this process.

    ========================================  =====================================================
    ``responder/TAG/.../NAME.toml``           sentences of replies (also ``safety monitor llm``)
    ``notice/TAG.toml``                       the notice before first use, whole
    ``patterns/TAG.toml``                     patterns (``language/patterns.py``)
    ========================================  =====================================================

    Any part may be left out: English fills in, role by role. The recogniser's text encoder must
    know the language as well.

    Args:
        folder: The folder. Adding it again reads it again.

    Raises:
        ConfigurationError: It is empty or something in it is broken (the message names file and
            key). Nothing of it is used then.
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
    """Remove a language added by :func:`add_language`; does nothing if there is none."""
    for path in (Path(folder) / "patterns").glob("*.toml"):
        remove_patterns(path)
    remove_templates(folder)
