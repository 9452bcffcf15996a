"""Normalises typed text for the word-piece vocabulary.

The vocabulary (uncased English BERT) has no emoji: a sobbing face would become ``[UNK]``, just
like a birthday cake. They are therefore replaced by their Unicode names.
"""

from __future__ import annotations

import re
import unicodedata

_QUOTES = str.maketrans(
    {
        "\u2018": "'", "\u2019": "'", "\u201b": "'", "\u2032": "'", "\u0091": "'", "\u0092": "'",
        "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u0093": '"', "\u0094": '"',
        "\u2013": "-", "\u2014": "-", "\u0096": "-", "\u0097": "-",
        "\u2026": "...", "\u0085": "...", "\u00a0": " ",
        "\u2764": " red heart ", "\ufe0f": "", "\u200d": " ",
    }
)  # fmt: skip
_EMOJI = re.compile(
    "[\u2600-\u27bf\U0001f300-\U0001f64f\U0001f680-\U0001f6ff\U0001f900-\U0001faff]"
)
_SKIN = re.compile("[\U0001f3fb-\U0001f3ff]")
_LONG_RUN = re.compile(r"(\S)\1{3,}")
_SPACE = re.compile(r"\s+")


def legible(text: str) -> float:
    """Return the share of letters in Latin script, which the vocabulary can spell.

    1 if there are no letters (digits, emoji). Text in other scripts becomes a sequence of unknown
    pieces, for which the network's output is noise.
    """
    letters = [c for c in text if c.isalpha()]
    if not letters:
        return 1.0
    return sum(c.isascii() or unicodedata.name(c, "").startswith("LATIN") for c in letters) / len(
        letters
    )


def _name(match: re.Match[str]) -> str:
    return f" {unicodedata.name(match.group(), 'symbol').lower()} "


def normalize(text: str) -> str:
    """Return ``text`` with plain quotes, named emoji, no control characters and single spaces.

    Runs of four or more of one character become three ("noooooo" and "nooo" then share their
    word pieces).
    """
    text = unicodedata.normalize("NFC", text).translate(_QUOTES)
    text = _EMOJI.sub(_name, _SKIN.sub("", text))
    text = "".join(c if unicodedata.category(c)[0] != "C" or c in "\n\t" else " " for c in text)
    return _SPACE.sub(" ", _LONG_RUN.sub(r"\1\1\1", text)).strip()
