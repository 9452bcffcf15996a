r"""Patterns of a language of your own: what a person does, what about, and what weighs.

A file is TOML. Patterns are regular expressions, matched in lower case and without accents (write
them with or without), in texts with at least as many common words of the language as of English;
a list means alternatives::

    version = 1
    common = ["jag", "och", "inte"]     # the words by which a text in this language is known

    [acts]                              # see dialogue_acts.act_of
    greeting = ['^(?:hej|hallå)']

    [topics]                            # see dialogue_acts.topic_of
    exams = ['\btent(?:a|an|or)\b']

    [weight]                            # see hardship: hard, loss, good, troubled, hoped
    hard = ['\bdog\b', '\bcancer\b']
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.language.normalization import flatten

ACTS = (
    "injection", "bot", "feelings", "who", "privacy", "how", "misread", "complaint", "decline",
    "goodbye", "thanks", "love", "hate", "greeting", "advice", "yes", "no", "short", "request",
)  # fmt: skip
"""Names of dialogue acts, in the order in which they are tried."""
WEIGHT = ("hard", "loss", "good", "troubled", "hoped", "past_fear")
"""Names of the patterns of hardship and good news."""

ENGLISH = re.compile(
    r"\b(?:the|i|you|is|to|and|my|it|a|of|in|me|that|was|for|not|do|we|he|she|they|what|how|so|no|am|are|have|this|all|but|just)\b"
)
"""Common words of English."""

_MARKS = re.compile("[\u0300-\u036f]")
_NOISE = re.compile(r"[^\w'\s]+|\s+")


class Patterns(NamedTuple):
    """The patterns of one file."""

    common: re.Pattern[str]
    acts: Mapping[str, re.Pattern[str]]
    topics: Mapping[str, re.Pattern[str]]
    weight: Mapping[str, re.Pattern[str]]

    def reads(self, plain: str) -> bool:
        """Whether a text may be in this language rather than in English."""
        return len(self.common.findall(plain)) >= len(ENGLISH.findall(plain))


_ADDED: dict[Path, Patterns] = {}


def add_patterns(path: str | Path) -> None:
    """Add the patterns of a language to the English ones, in this process.

    Raises:
        ConfigurationError: The file cannot be read or is invalid (the message names the key).
    """
    path = Path(path).resolve()
    _ADDED[path] = _read(path)


def remove_patterns(path: str | Path) -> None:
    """Remove a file added by :func:`add_patterns`; does nothing if there is none."""
    _ADDED.pop(Path(path).resolve(), None)


def act(text: str) -> str | None:
    """Return the dialogue act of ``text`` by the patterns of added languages, if any."""
    return _first(text, lambda p: p.acts, ACTS)


def topic(text: str) -> str | None:
    """Return the topic of ``text`` by the patterns of added languages, if any."""
    return _first(text, lambda p: p.topics)


def weighs(kind: str, text: str) -> bool:
    """Say whether a pattern of kind ``kind`` of an added language matches ``text``."""
    return _first(text, lambda p: p.weight, [kind]) is not None


def is_known(text: str) -> bool:
    """Say whether ``text`` holds a common word of an added language."""
    if not _ADDED:
        return False
    plain = _plain(text)
    return any(p.common.search(plain) for p in _ADDED.values())


def _first(
    text: str,
    table: Callable[[Patterns], Mapping[str, re.Pattern[str]]],
    names: Iterable[str] | None = None,
) -> str | None:
    if not _ADDED:
        return None
    plain = _plain(text)
    for added in _ADDED.values():
        known = table(added)
        if known and added.reads(plain):
            for name in known if names is None else names:
                if name in known and known[name].search(plain):
                    return name
    return None


def _plain(text: str) -> str:
    return _NOISE.sub(" ", flatten(text[:2000])).strip()


def _read(path: Path) -> Patterns:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read as patterns: {error}") from error
    if data.pop("version", None) != 1:
        raise ConfigurationError(f"{path}: version must be 1")
    words = data.pop("common", [])
    tables = {name: data.pop(name, {}) for name in ("acts", "topics", "weight")}
    if data:
        raise ConfigurationError(
            f"{path}: unknown keys: {', '.join(sorted(data))}; known are version, common, acts, "
            "topics and weight"
        )
    for name, known in (("acts", ACTS), ("weight", WEIGHT)):
        if strange := sorted(set(tables[name]) - set(known)):
            raise ConfigurationError(
                f"{path}: [{name}] knows {', '.join(known)}, not {', '.join(strange)}"
            )
    found = [
        {key: _compiled(path, f"{name}.{key}", each) for key, each in table.items()}
        for name, table in tables.items()
    ]
    if not isinstance(words, list) or not words or not all(isinstance(w, str) and w for w in words):
        raise ConfigurationError(f"{path}: common must be a list of words, at least one")
    common = _compiled(path, "common", [rf"\b{re.escape(w)}\b" for w in words])
    return Patterns(common, *found)


def _compiled(path: Path, key: str, patterns: object) -> re.Pattern[str]:
    if not isinstance(patterns, list) or not patterns or not all(
        isinstance(p, str) and p for p in patterns
    ):  # fmt: skip
        raise ConfigurationError(f"{path}: {key} must be a list of patterns, at least one")
    # Like flatten(), but without lower-casing, which would turn \S into \s.
    plain = [_MARKS.sub("", unicodedata.normalize("NFKD", p)) for p in patterns]
    try:
        return re.compile("|".join(f"(?:{p})" for p in plain), re.IGNORECASE)
    except re.error as error:
        raise ConfigurationError(f"{path}: {key} is no regular expression: {error}") from error
