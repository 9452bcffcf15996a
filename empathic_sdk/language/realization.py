"""Surface realisation: chooses and fills template lines, varied and deterministic."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import blake2b

from empathic_sdk.language.templates import Bank, has_bank, load_bank
from empathic_sdk.types.reply import RECENT, ReplyContext

_FORMAL = 0.8  # from this formality on, contractions are written out
_LONG_FORMS = {
    "I'm": "I am", "I'd": "I would", "I'll": "I will", "I've": "I have", "can't": "cannot",
    "won't": "will not", "don't": "do not", "doesn't": "does not", "didn't": "did not",
    "isn't": "is not", "aren't": "are not", "wasn't": "was not", "haven't": "have not",
    "hasn't": "has not", "you're": "you are", "you've": "you have", "you'd": "you would",
    "you'll": "you will", "it's": "it is", "that's": "that is", "there's": "there is",
    "let's": "let us", "we're": "we are", "what's": "what is", "weren't": "were not",
    "wouldn't": "would not", "couldn't": "could not", "shouldn't": "should not",
}  # fmt: skip
_CONTRACTED = re.compile(r"\b[A-Za-z]+'[a-z]{1,2}\b")


class Voice:
    """Realises template lines for one reply and remembers which were used.

    Every choice depends only on the context: conversation name, turn, text, and recently used
    lines.

    Args:
        context: The context of the reply.
        language: Language of the templates; English where one is missing.
    """

    def __init__(self, context: ReplyContext, language: str) -> None:
        """Start an empty reply."""
        self.language = language
        self.sentences: list[str] = []
        self._recent = list(context.memory.recent)
        self._seed = f"{context.conversation}|{context.turn}|{context.text[:500]}"
        self._formal = context.style.tone.formality >= _FORMAL

    @property
    def asked(self) -> bool:
        """Whether the reply already has a question; it may have one at most."""
        return any(sentence.endswith("?") for sentence in self.sentences)

    @property
    def recent(self) -> tuple[str, ...]:
        """Digests of recently used templates, including this reply's, oldest first."""
        return tuple(self._recent[-RECENT:])

    def bank(self, name: str, kind: str = "responder") -> Bank:
        """Return a bank of templates, empty if there is none of that name."""
        there = has_bank(kind, name, self.language)
        return load_bank(kind, name, self.language) if there else {}

    def say(self, lines: Iterable[str], **slots: str) -> bool:
        """Add one of ``lines``, preferably one not used recently.

        Returns:
            Whether a line was added: not if there is none, or if each would be a second
            question.
        """
        lines = [line for line in lines if not (self.asked and line.endswith("?"))]
        if not lines:
            return False
        seen = {digest: age for age, digest in enumerate(self._recent)}
        fresh = [line for line in lines if digest_of(line) not in seen]
        if fresh:
            number = int.from_bytes(_hash(f"{self._seed}|{len(self.sentences)}|{fresh[0]}"), "big")
            line = fresh[number % len(fresh)]
        else:
            line = min(lines, key=lambda each: seen[digest_of(each)])
        self._recent.append(digest_of(line))
        text = line.format(**slots)
        self.sentences.append(self._dress(text))
        return True

    def _dress(self, text: str) -> str:
        text = text[0].upper() + text[1:]
        return _CONTRACTED.sub(_long_form, text) if self._formal else text


def digest_of(line: str) -> str:
    """Return the digest by which a template line is remembered."""
    return _hash(line).hex()


def _hash(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=5).digest()


def _long_form(match: re.Match[str]) -> str:
    word = match[0]
    if word in _LONG_FORMS:
        return _LONG_FORMS[word]
    long = _LONG_FORMS.get(word[0].lower() + word[1:])
    return long[0].upper() + long[1:] if long else word
