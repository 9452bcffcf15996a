"""Given names of many peoples, so that a reader need not know who somebody is.

``given_names.txt`` holds the given names in Latin script of the locales of Faker (MIT), and some of
studies on bias by names, less those that are ordinary words: that public conversations write small
more than once in seven times, places, months, brands and gods.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from pathlib import Path

ANYBODY = "Alex"
"""Stands for every given name."""

_CAPITALISED = re.compile(r"(?<![^\W_])[^\W\d_a-z][^\W\d_]{2,}(?![^\W_])")


@lru_cache(maxsize=1)
def given_names() -> frozenset[str]:
    """Return all of them, in small letters."""
    path = Path(__file__).with_suffix(".txt")
    return frozenset(path.read_text(encoding="utf-8").split())


def plain(word: str) -> str:
    """Return ``word`` without accents."""
    parts = unicodedata.normalize("NFD", word)
    return "".join(c for c in parts if not unicodedata.combining(c))


def without_names(text: str) -> str:
    """Return ``text`` with :data:`ANYBODY` for every given name that is written as one."""

    def anybody(match: re.Match[str]) -> str:
        word = match.group()
        names = given_names()
        known = word.lower() in names or plain(word.lower()) in names
        return ANYBODY if known and not word.isupper() else word

    return _CAPITALISED.sub(anybody, text)
