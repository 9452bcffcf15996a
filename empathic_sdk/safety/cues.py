"""Words around a risk pattern that turn it: a denial, the past, somebody else, a story, means.

The expressions stand in ``patterns/idioms_and_denials.toml``, by the names that are asked for here.
They are matched on flat, spelled-out text.
"""

from __future__ import annotations

import re

from empathic_sdk.safety.pattern_files import cues

_CUES = {name: table.regex for name, table in cues().items()}


def has(cue: str, text: str) -> bool:
    """Say whether a cue stands anywhere in a text."""
    return bool(_CUES[cue].search(text))


def starts(cue: str, text: str) -> bool:
    """Say whether a text begins with a cue."""
    return bool(_CUES[cue].match(text))


def places(cue: str, text: str) -> list[re.Match[str]]:
    """Return every place of a text where a cue stands."""
    return list(_CUES[cue].finditer(text))


def without_idioms(text: str) -> str:
    """Blank out turns of phrase that only look like a risk."""
    return _CUES["idioms"].sub(" _ ", text)
