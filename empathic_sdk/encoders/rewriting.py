"""Rewrites typed text in what the word-piece vocabulary has, for the shared reader.

The vocabulary (uncased English BERT) has no emoji, no emoticons, no capitals and no stretched
words: a sobbing face would become ``[UNK]``, just like a birthday cake. What they say is therefore
written in words and marks that it has.
"""

from __future__ import annotations

import re
import unicodedata

from empathic_sdk.language.given_names import without_names

_QUOTES = str.maketrans(
    {
        "\u2018": "'", "\u2019": "'", "\u201b": "'", "\u2032": "'", "\u0091": "'", "\u0092": "'",
        "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u0093": '"', "\u0094": '"',
        "\u2013": "-", "\u2014": "-", "\u0096": "-", "\u0097": "-",
        "\u2026": "...", "\u0085": "...", "\u00a0": " ",
        "\u2764": " red heart ", "\ufe0f": "",
        # Invisible: they part no word.
        "\u00ad": "", "\u200b": "", "\u200c": "", "\u2060": "", "\ufeff": "", "\u180e": "",
    }
)  # fmt: skip
_JOINER = re.compile("\u200d")
_EMOJI = re.compile(
    "[\u2600-\u27bf\U0001f300-\U0001f64f\U0001f680-\U0001f6ff\U0001f900-\U0001faff]"
)
_SKIN = re.compile("[\U0001f3fb-\U0001f3ff]")
_EMOTICONS = {
    "slightly smiling face": ":) :-) (: =) :] ^^ ^_^ ^.^ :3",
    "grinning face": ":D :-D =D",
    "face with tears of joy": "xD XD xd x'D",
    "winking face": ";) ;-)",
    "face with tongue": ":P :-P :p =P",
    "frowning face": ":( :-( ): =( :[ :c",
    "crying face": ":'( :,( ;( ;_; T_T T-T ;-; TT_TT QQ",
    "confused face": ":/ :-/ :\\ :S :s",
    "neutral face": ":| :-|",
    "expressionless face": "-_- -.-",
    "astonished face": ":o :O :-O o_o O_O o.o 0_0",
    "angry face": ">:( >:-( >:[ D:< ლ(ಠ益ಠლ)",
    "anguished face": "D: D-:",
    "red heart": "<3",
    "broken heart": "</3",
    "shrug": "¯\\_(ツ)_/¯",
}
_EMOTICON_NAMES = {sign: name for name, signs in _EMOTICONS.items() for sign in signs.split()}
_EMOTICON = re.compile(
    r"(?<!\S)("
    + "|".join(re.escape(s) for s in sorted(_EMOTICON_NAMES, key=len, reverse=True))
    + r")(?=\s|[.,!?]|$)"
)
# Glued to a word ("work tomorrow:("), only those that nothing else looks like.
_GLUED = re.compile(r"(?<=[^\W\d_])(:\(|:\)|:D|:'\(|<3)(?=\s|$)")
_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")
_LONG_RUN = re.compile(r"(\S)\1{3,}")
_SPACE = re.compile(r"\s+")
DRAWN_OUT = "~"
"""Stands after a stretched word."""
SHOUTED = "^"
"""Stands after a text in capitals."""


def _name(match: re.Match[str]) -> str:
    return f" {unicodedata.name(match.group(), 'symbol').lower()} "


def _emoticon(match: re.Match[str]) -> str:
    return f" {_EMOTICON_NAMES[match.group(1)]} "


# Words whose doubled letter is right; any other run of letters is one letter said long.
_RIGHT = frozenset(
    {
        "absolutely", "actually", "add", "added", "agree", "all", "apparently", "bee", "been",
        "better", "bloody", "boo", "book", "boss", "bull", "buzzing", "call", "class", "cool",
        "daddy", "door", "dull", "egg", "feel", "fell", "finally", "food", "fool", "foot",
        "free", "full", "funny", "good", "goose", "happen", "happier", "happy", "hell",
        "hello", "hmm", "hurry", "ill", "keep", "kill", "kiss", "knee", "less", "literally",
        "little", "loo", "look", "loose", "loss", "mess", "messy", "miss", "mmm", "mommy",
        "moo", "mood", "moon", "mummy", "need", "noon", "off", "pool", "poor", "pretty",
        "proof", "pull", "puppy", "really", "room", "root", "school", "see", "seriously",
        "shoot", "silly", "sleep", "small", "smooth", "soon", "sooner", "sorry", "still",
        "stress", "stuff", "sunny", "sweet", "tell", "three", "too", "tool", "tooth",
        "totally", "tree", "ugh", "wee", "week", "well", "will", "woo", "wool", "worry",
        "yeet", "zoo",
    }
)  # fmt: skip


def _calm(word: str) -> str:
    """Return a stretched word as it is spelled."""
    two = _STRETCHED.sub(r"\1\1", word)
    if two.lower() in _RIGHT:
        return two
    return _STRETCHED.sub(r"\1", word)


def _unstretch(text: str) -> str:
    if not _STRETCHED.search(text):
        return text
    return " ".join(
        f"{_calm(w)} {DRAWN_OUT}" if _STRETCHED.search(w) else w for w in text.split(" ")
    )


def _is_shouted(text: str) -> bool:
    """Whether it is written in capitals: two words of them, or one of five letters."""
    words = [w for w in re.findall(r"[^\W\d_]+", text) if len(w) > 1]
    high = [w for w in words if w.isupper()]
    return len(high) > 0.6 * len(words) and (len(high) > 1 or any(len(w) > 4 for w in high))


def rewrite(text: str) -> str:
    """Return ``text`` in what the vocabulary has.

    Full-width letters, quotes and dashes become plain, invisible marks vanish, emoji and emoticons
    are named, given names become the same one, a stretched word is spelled as usual with a
    :data:`DRAWN_OUT` behind it, a text in capitals has a :data:`SHOUTED` at its end, control
    characters and long spaces become one space.
    """
    text = unicodedata.normalize("NFKC", text.translate(_QUOTES)).translate(_QUOTES)
    text = _EMOTICON.sub(_emoticon, text)
    text = _GLUED.sub(_emoticon, text)
    text = _EMOJI.sub(_name, _SKIN.sub("", _JOINER.sub(" ", text)))
    text = "".join(c if unicodedata.category(c)[0] != "C" or c in "\n\t" else " " for c in text)
    text = _SPACE.sub(" ", text).strip()
    shouted = _is_shouted(text)
    text = _LONG_RUN.sub(r"\1\1\1", _unstretch(without_names(text)))
    return f"{text} {SHOUTED}" if shouted else text
