"""Text normalisation: quotes, accents, contractions, spaced and masked letters, typos."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 300
"""Maximum characters of a segment; longer sentences are cut with an overlap."""

_OVERLAP = 80
_QUOTES = str.maketrans({
    "’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'", "＇": "'", "“": '"', "”": '"', "„": '"',
    "«": '"', "»": '"', "–": "-", "—": ",", "‐": "-", "‑": "-",
})  # fmt: skip
# Accents, and characters that nobody sees.
_MARKS = re.compile(
    "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f\u064b-\u0655\u00ad\u061c"
    "\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e01ef]"
)
# Greek and Cyrillic letters that look like Latin ones.
_ALIKE = str.maketrans({
    "α": "a", "β": "b", "ε": "e", "η": "n", "ι": "i", "κ": "k", "ο": "o", "ρ": "p", "τ": "t",
    "υ": "u", "ν": "v", "χ": "x", "γ": "y", "ω": "w", "ϲ": "c", "ϳ": "j", "σ": "o", "Α": "a",
    "Β": "b", "Ε": "e", "Ζ": "z", "Η": "h", "Ι": "i", "Κ": "k", "Μ": "m", "Ν": "n", "Ο": "o",
    "Ρ": "p", "Τ": "t", "Υ": "y", "Χ": "x", "а": "a", "е": "e", "ё": "e", "і": "i", "ї": "i",
    "к": "k", "о": "o", "р": "p", "с": "c", "у": "y", "х": "x", "ѕ": "s", "ј": "j", "һ": "h",
    "ԁ": "d", "ӏ": "l", "в": "b", "н": "h", "м": "m", "т": "t", "ɡ": "g", "ı": "i", "ɩ": "i",
    "ⅼ": "l", "ℓ": "l", "А": "a", "В": "b", "Е": "e", "З": "3", "І": "i", "Ј": "j", "К": "k",
    "М": "m", "Н": "h", "О": "o", "Р": "p", "С": "c", "Т": "t", "У": "y", "Х": "x", "Ѕ": "s",
})  # fmt: skip
_BANG = re.compile(r"\b(d|k|su|l)!(?=[a-z]{1,4}\b)")
_SPACED = re.compile(r"(?<![a-z0-9])(?:[a-z0-9][ .*_\-]){3,}[a-z0-9](?![a-z0-9])")
_LEET = re.compile(r"(?<=[a-z])[013457$@!](?=[a-z])|(?<![\w])[5$](?=u[a-z1!]c)")
_LEET_TO = {
    "0": "o",
    "1": "i",
    "3": "e",
    "4": "a",
    "5": "s",
    "7": "t",
    "$": "s",
    "@": "a",
    "!": "i",
}
_SPLIT = re.compile(r"[.!?;\n…]+")
_SPACE = re.compile(r"\s+")
_REPEAT = re.compile(r"([a-z])\1{2,}")

_WORDS = {
    "dont": "do not", "cant": "cannot", "wont": "will not", "im": "i am", "ive": "i have",
    "isnt": "is not", "didnt": "did not", "wouldnt": "would not", "doesnt": "does not",
    "couldnt": "could not", "shouldnt": "should not", "havent": "have not", "hasnt": "has not",
    "wasnt": "was not", "arent": "are not", "aint": "am not", "wanna": "want to",
    "gonna": "going to", "gon": "going to", "gunna": "going to", "finna": "going to",
    "tryna": "trying to", "imma": "i am going to", "ima": "i am going to", "whats": "what is",
    "thats": "that is", "shes": "she is", "hes": "he is", "theyre": "they are", "noone": "no one",
    "nobodys": "nobody is", "everyones": "everyone is", "ur": "your", "u": "you", "b4": "before",
    "2nite": "tonight", "tonite": "tonight", "2morrow": "tomorrow", "tmrw": "tomorrow",
    "anymore": "any more", "myslef": "myself", "mysef": "myself", "meself": "myself",
    "goodby": "goodbye", "hurtin": "hurting", "livin": "living", "livving": "living", "kil": "kill",
    "k*ll": "kill", "k!ll": "kill", "d*e": "die", "su*cide": "suicide", "s*icide": "suicide",
    "suic*de": "suicide", "s**cide": "suicide", "harmin": "harming", "wana": "want to",
    "liek": "like", "dieing": "dying", "diying": "dying", "alown": "alone", "offf": "off",
    "rn": "right now",
}  # fmt: skip
_SUICIDE = re.compile(r"\bsu(?:i|a|e|ic)?[cs]{1,2}[ei]?[dc][eia][a-z]{0,4}\b")
_SUICIDAL = re.compile(r"\bsu(?:i|a|e|ic)?[cs]{1,2}[ei]?[dc](?:[ia][a-z]?l|le|el|al)[a-z]{0,2}\b")
_FINE = re.compile(r"^succ|^success")
_TAIL = re.compile(
    r"\b(i|you|he|she|it|we|they|that|there|what|who|life|everything|everyone|everybody|nobody|"
    r"no one|this|where|how|someone)'(m|ll|re|ve|d|s)\b"
)
_TAIL_TO = {"m": "am", "ll": "will", "re": "are", "ve": "have", "d": "would", "s": "is"}
_WORD = re.compile(r"[^\s,\"()]+")


def flatten(text: str) -> str:
    """Return ``text`` in lower case, with plain quotes and without accents and invisible marks.

    Linear in the length of the text.
    """
    low = text.lower()
    if not low.isascii():
        low = unicodedata.normalize("NFKD", low.translate(_QUOTES))
        low = _MARKS.sub("", low).translate(_QUOTES)
    return _SPACED.sub(_join, _BANG.sub(r"\1i", low))


def unmask(text: str) -> str:
    """Return ``text`` with letters that only look Latin made Latin, where most of it is Latin.

    "Kιll" with a Greek iota becomes "Kill"; Greek and Russian texts stay as they are.
    """
    if text.isascii():
        return text
    made = text.translate(_ALIKE)
    letters = sum(map(str.isalpha, text))
    latin = sum(c.isascii() and c.isalpha() for c in text)
    return made if 3 * latin >= letters else text


def segments(flat: str) -> list[str]:
    """Cut flat text into sentences of at most :data:`LONGEST` characters, duplicates dropped."""
    found: dict[str, None] = {}
    for part in _SPLIT.split(flat):
        part = part.strip()
        if len(part) <= LONGEST:
            if part:
                found[part] = None
            continue
        for start in range(0, len(part), LONGEST - _OVERLAP):
            found[part[start : start + LONGEST]] = None
    return list(found)


def spell(segment: str) -> str:
    """Expand contractions, and undo masked letters and common typos in one segment."""
    s = _LEET.sub(lambda m: _LEET_TO[m[0]], segment)
    s = _REPEAT.sub(r"\1\1", s)
    s = s.replace("can't", "cannot").replace("won't", "will not").replace("ain't", "am not")
    s = s.replace("n't", " not")
    s = _TAIL.sub(lambda m: f"{m[1]} {_TAIL_TO[m[2]]}", s)
    s = _WORD.sub(lambda m: _WORDS.get(m[0], m[0]), s)
    s = _SUICIDAL.sub(lambda m: m[0] if _FINE.match(m[0]) else "suicidal", s)
    s = _SUICIDE.sub(
        lambda m: m[0] if _FINE.match(m[0]) or m[0].startswith("suicidal") else "suicide", s
    )
    s = s.replace("-", " ").replace("'", " ").replace('"', " ").replace("*", "")
    return _SPACE.sub(" ", s).strip()


def _join(match: re.Match[str]) -> str:
    return re.sub(r"[ .*_\-]", "", match[0])
