"""Cues around a risk pattern that change its meaning: denial, past, other people, fiction, means.

The expressions and their names are in ``patterns/idioms_and_denials.toml``. They are matched on
flat, spelled-out text.
"""

from __future__ import annotations

import re

from empathic_sdk.safety.pattern_files import cues

_CUES = {name: table.regex for name, table in cues().items()}


def has(cue: str, text: str) -> bool:
    """Say whether a cue occurs in a text."""
    return bool(_CUES[cue].search(text))


def starts(cue: str, text: str) -> bool:
    """Say whether a text starts with a cue."""
    return bool(_CUES[cue].match(text))


def places(cue: str, text: str) -> list[re.Match[str]]:
    """Return all matches of a cue in a text."""
    return list(_CUES[cue].finditer(text))


def without_idioms(text: str) -> str:
    """Blank out idioms that only look like a risk."""
    return _CUES["idioms"].sub(" _ ", text)
