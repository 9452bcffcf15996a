"""Splits text into sentences, also incrementally from a language model's pieces."""

from __future__ import annotations

import re

LONGEST = 800
"""Maximum characters of a sentence; a longer one is not part of a chat."""

# A run of stops is read from its first only, and no part of it twice: linear in any text.
_END = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’)\]*_]*+(?=\s)|[。！？]++[”’」』）]*+|\n++")
# Full stops that end no sentence: titles, initials, "e.g.", and the number of a list's item.
_NO_END = re.compile(
    r"(?:^|[\s(])(?:(?:mr|mrs|ms|dr|prof|st|vs|etc|approx|no|e\.g|i\.e|z\.b|d\.h|p\.m|a\.m|[a-z])"
    r"|\d{1,2})\.$",
    re.IGNORECASE,
)
_A_LETTER = re.compile(r"(?:^|[\s(])I\.$")  # "…than I." does end one
# Some models emit reasoning before the answer, which is not for the person.
_THINKS = re.compile(r"<(think|thinking|reasoning|analysis)>", re.IGNORECASE)
_MAY_THINK = re.compile(r"<[a-z]{0,9}$", re.IGNORECASE)
_BULLET = re.compile(r"^(?:[-*•–]|\d{1,2}[.)]|#{1,6})\s+")
_LABEL = re.compile(r"^(?:assistant|ai|agent|bot|response|answer|reply)\s*:\s+", re.IGNORECASE)
_MARKUP = re.compile(r"(\*\*|__|`)")
# Halves of a surrogate pair are what is left of bytes that are no UTF-8: nobody can store or send
# them.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# Takes no room, so nothing stands in its place: "ki" and "ll" around it are one word.
_UNSEEN = re.compile(r"[\u00ad\u200b\u2060\ufeff\U000e0000-\U000e007f]")
_SPACE = re.compile(r"\s+")


class SentenceReader:
    """Turns pieces of text into whole sentences; linear in what it reads.

    Attributes:
        overlong: A sentence exceeded :data:`LONGEST` characters. It is dropped, and so is all that
            follows.
    """

    def __init__(self) -> None:
        """Start with nothing read."""
        self.overlong = False
        self._held = ""
        self._thinking: str | None = None

    def feed(self, piece: str) -> list[str]:
        """Add a piece; return the sentences that it completes."""
        if self.overlong:
            return []
        self._held += piece
        found: list[str] = []
        while True:
            if self._thinking is not None:
                end = self._held.lower().find(f"</{self._thinking}>")
                if end < 0:
                    self._held = self._held[-20:]  # enough for a closing tag that is half there
                    return found
                self._held = self._held[end + len(self._thinking) + 3 :]
                self._thinking = None
            opening = _THINKS.search(self._held)
            ready = self._held if opening is None else self._held[: opening.start()]
            rest = "" if opening is None else self._held[opening.end() :]
            if opening is None and (half := _MAY_THINK.search(ready)):
                ready, rest = ready[: half.start()], ready[half.start() :]
            found += self._cut(ready, whole=opening is not None)
            self._held += rest
            if opening is None or self.overlong:
                return found
            self._thinking, self._held = opening[1].lower(), rest

    def flush(self) -> list[str]:
        """Return the rest: a last sentence without an end mark."""
        if self.overlong or self._thinking is not None:
            return []
        return self._cut(self._held, whole=True)

    def _cut(self, text: str, *, whole: bool) -> list[str]:
        """Return the complete sentences of ``text``, or all; keep an incomplete rest."""
        found, start = [], 0
        for end in _END.finditer(text):
            if end.end() - start > LONGEST:
                break
            tail = text[max(start, end.end() - 12) : end.end()]
            if "\n" not in end[0] and _NO_END.search(tail) and not _A_LETTER.search(tail):
                continue
            found.append(text[start : end.end()])
            start = end.end()
        self._held = "" if whole else text[start:]
        if whole:
            found.append(text[start:])
        if len(text) - start > LONGEST:
            self.overlong, self._held = True, ""
            found = found[:-1] if whole else found
        return [clean for part in found if (clean := tidy(part))]


def tidy(sentence: str) -> str:
    """Return a sentence for display: no markup, no control characters, single spaces.

    Without any letter or digit, return an empty string.
    """
    s = _MARKUP.sub("", _CONTROL.sub(" ", _UNSEEN.sub("", sentence)))
    s = _SPACE.sub(" ", s).strip()
    s = _LABEL.sub("", _BULLET.sub("", s)).strip()
    return s if any(c.isalnum() for c in s) else ""


def split(text: str) -> list[str]:
    """Cut a text into sentences without changing a character: joined they are the text."""
    parts, start = [], 0
    for end in _END.finditer(text):
        tail = text[max(start, end.end() - 12) : end.end()]
        if "\n" in end[0] or not _NO_END.search(tail) or _A_LETTER.search(tail):
            parts.append(text[start : end.end()])
            start = end.end()
    return [*parts, text[start:]] if start < len(text) else parts


def sentences_of(text: str) -> list[str]:
    """Return the sentences of a whole text."""
    reader = SentenceReader()
    return [*reader.feed(text), *reader.flush()]
