"""Loads the tables of patterns in ``safety/patterns/*.toml``, which people without Python can read.

Three sorts of table:

- **Risk patterns** (``suicide.toml``, ``abuse.toml``, ...): groups of patterns that mean the same
  and weigh the same. The patterns of a group are sought together: where two of them fit the same
  words, the one that stands first counts.
- **Cues** (``idioms_and_denials.toml``): words around a risk pattern that turn it.
- **Rules for drafts** (``drafts.toml``): what a language model must not say.

Every pattern has a name (``id``), a regular expression (``find``) with named building blocks
(``{want}``; ``fragments.toml``), examples that it must find (``hits``) and some that it must not
(``misses``). Matching happens on flat text (``language/normalization.py``): lower case, no accents,
contractions written out. A line break in an expression, and the spaces after it, do not count.

``patterns/digest.json`` holds the same without examples, which loads ten times as fast. It counts
for a file only while it bears that file's hash, so an edited file is in force at once; after an
edit ``python -m empathic_sdk.safety.pattern_files`` writes it anew (a test says when it is stale).
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeVar

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.language.normalization import flatten
from empathic_sdk.safety.kinds import RiskKind
from empathic_sdk.types import SafetyLevel

FOLDER = Path(__file__).parent / "patterns"

CUES, DRAFTS, FRAGMENTS = "idioms_and_denials.toml", "drafts.toml", "fragments.toml"
"""Files that hold something else than risk patterns."""

DIGEST = "digest.json"
_ROWS = ("patterns", "cues", "idioms")

READS = ("sentence", "clauses", "flat")
EXCUSES = ("denial", "not", "told", "question")

_FRAGMENT = re.compile(r"\{([a-z_]+)\}")
_BREAK = re.compile(r"\n\s*")
_E = TypeVar("_E", RiskKind, SafetyLevel)


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern.

    Attributes:
        id: Its name, unique among all.
        source: The regular expression, building blocks filled in.
        language: ISO 639-1, or ``hi-Latn``.
        hits: Texts that it must find.
        misses: Texts in which it must not be found.
        excused_by: Of a rule for drafts: what excuses it in place of what excuses the rule.
    """

    id: str
    source: str
    language: str = "en"
    hits: tuple[str, ...] = ()
    misses: tuple[str, ...] = ()
    excused_by: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Patterns that are sought together, in their order.

    Attributes:
        patterns: The patterns.
        regex: All of them in one expression.
        words: Whether they are bounded by words.
    """

    patterns: tuple[Pattern, ...]
    regex: re.Pattern[str]
    words: bool

    def finditer(self, text: str) -> Iterator[tuple[Pattern, re.Match[str]]]:
        """Give every match, with the pattern that it is of."""
        for match in self.regex.finditer(text):
            yield self.which(match), match

    def which(self, match: re.Match[str]) -> Pattern:
        """Return the pattern that a match of :attr:`regex` is of: the first that fits there."""
        # Compiled when it is asked for: most are never found.
        return next(
            pattern
            for pattern in self.patterns
            if _compiled(pattern.source, self.words).match(match.string, match.start())
        )


@dataclass(frozen=True, slots=True)
class RiskPatterns(Table):
    """Risk patterns that mean and weigh the same.

    Attributes:
        reason: Name that goes into ``SafetyAssessment.reasons``.
        kind: What it is about.
        level: How worrying it is when said plainly, in the present, about oneself.
        deniable: A "not" before it undoes it; ``False`` where a "not" is part of the meaning, or
            the subject is somebody else.
        joking: A joke marker ("lol") beside it lowers it to a concern.
        script: Of a script that is not Latin: no word boundaries, sought in such texts only.
    """

    reason: str
    kind: RiskKind
    level: SafetyLevel
    deniable: bool = True
    joking: bool = False
    script: bool = False

    @property
    def foreign(self) -> bool:
        """Whether they are in other languages than English."""
        return self.patterns[0].language != "en"


@dataclass(frozen=True, slots=True)
class DraftRule(Table):
    """What a language model must not say, for one reason.

    Attributes:
        reason: Its name, as ``Verdict.reason`` gives it.
        grave: Nothing else of the same draft may be shown either.
        read: What is searched: the whole ``sentence`` spelled out, its ``clauses`` one by one, or
            the ``flat`` text before it is spelled out.
        excused_by: What lets a match pass: a ``denial`` close before it, a ``not`` right before
            it, words by which it is ``told`` back to the person, or that it is a ``question``.
    """

    reason: str
    grave: bool
    read: str
    excused_by: frozenset[str]


@lru_cache(maxsize=1)
def risk_patterns() -> tuple[RiskPatterns, ...]:
    """Return all risk patterns that ship."""
    special = {CUES, DRAFTS, FRAGMENTS}
    paths = [path for path in sorted(FOLDER.glob("*.toml")) if path.name not in special]
    return load_risk_patterns(paths)


@lru_cache(maxsize=1)
def cues() -> Mapping[str, Table]:
    """Return the cues that ship by their names; ``idioms`` are all figures of speech together."""
    return load_cues(FOLDER / CUES)


@lru_cache(maxsize=1)
def draft_rules() -> tuple[tuple[DraftRule, ...], Mapping[str, Table]]:
    """Return the rules for drafts that ship, in the order in which they are asked, and cues."""
    path = FOLDER / DRAFTS
    return load_draft_rules(path), load_cues(path)


def load_risk_patterns(
    paths: Sequence[Path], *, examples: bool = False
) -> tuple[RiskPatterns, ...]:
    """Read files of risk patterns.

    Args:
        paths: The files; an id may stand in one of them only.
        examples: Whether ``hits`` and ``misses`` are wanted, which takes longer.

    Raises:
        ConfigurationError: A file is missing or no TOML; a kind, level or building block is
            unknown; an expression is broken; an id stands twice. The message names file and id.
    """
    shared, seen = _fragments(), set[str]()
    made = []
    for path in paths:
        content = _read(path, examples=examples)
        names = {**shared, **content.get("fragments", {})}
        for number, group in enumerate(content.get("groups", ()), 1):
            where = f"{path.name}, group {number}"
            patterns = _patterns(group, names, seen, where)
            script = _flag(group, "script", where)
            patterns = [_flat(p) for p in patterns] if script else patterns
            made.append(
                RiskPatterns(
                    patterns=tuple(patterns),
                    regex=_together(patterns, where, words=not script),
                    words=not script,
                    reason=_text(group, "reason", where),
                    kind=_one_of(RiskKind, group, "kind", where),
                    level=_one_of(SafetyLevel, group, "level", where),
                    deniable=_flag(group, "deniable", where, default=True),
                    joking=_flag(group, "joking", where),
                    script=script,
                )
            )
    return tuple(made)


def load_cues(path: Path, *, examples: bool = False) -> dict[str, Table]:
    """Read the cues of a file, and its idioms as one cue of that name.

    Raises:
        ConfigurationError: As for :func:`load_risk_patterns`.
    """
    content, seen = _read(path, examples=examples), set[str]()
    names = {**_fragments(), **content.get("fragments", {})}
    found = {}
    for number, cue in enumerate(content.get("cues", ()), 1):
        where = f"{path.name}, cue {number}"
        patterns = _patterns({"patterns": [cue]}, names, seen, where)
        found[patterns[0].id] = Table(tuple(patterns), _together(patterns, where), words=False)
    if content.get("idioms"):
        where = f"{path.name}, idioms"
        patterns = _patterns({"patterns": content["idioms"]}, names, seen, where)
        found["idioms"] = Table(tuple(patterns), _together(patterns, where, words=True), words=True)
    return found


def load_draft_rules(path: Path, *, examples: bool = False) -> tuple[DraftRule, ...]:
    """Read the rules for drafts of a file.

    Raises:
        ConfigurationError: As for :func:`load_risk_patterns`.
    """
    content, seen = _read(path, examples=examples), set[str]()
    names = {**_fragments(), **content.get("fragments", {})}
    rules = []
    for number, rule in enumerate(content.get("rules", ()), 1):
        where = f"{path.name}, rule {number}"
        patterns = [
            pattern if pattern.source.isascii() else _flat(pattern)
            for pattern in _patterns(rule, names, seen, where)
        ]
        read = rule.get("read", "sentence")
        if read not in READS:
            raise ConfigurationError(f"{where}: read is one of {', '.join(READS)}, not {read!r}")
        rules.append(
            DraftRule(
                patterns=tuple(patterns),
                regex=_together(patterns, where),
                words=False,
                reason=_text(rule, "reason", where),
                grave=_flag(rule, "grave", where),
                read=read,
                excused_by=_excuses(rule, where) or frozenset(),
            )
        )
    return tuple(rules)


def digest() -> str:
    """Return what ``digest.json`` is to hold: every file without its examples, and its hash."""
    found = {}
    for path in sorted(FOLDER.glob("*.toml")):
        content = _parsed(path)
        tables = [content, *content.get("groups", ()), *content.get("rules", ())]
        for row in [row for t in tables for key in _ROWS for row in t.get(key, ())]:
            row.pop("hits", None)
            row.pop("misses", None)
        found[path.name] = {"sha256": _sha256(path), "content": content}
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")) + "\n"


def _read(path: Path, *, examples: bool = False) -> dict[str, Any]:
    """Return what a file holds; without its examples where the digest is fresh and they may go."""
    known = None if examples or path.parent != FOLDER else _digested().get(path.name)
    if known is not None and known["sha256"] == _sha256(path):
        content: dict[str, Any] = known["content"]
        return content
    return _parsed(path)


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(f"{path} is not there: the patterns are incomplete") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is no TOML: {error}") from error


@lru_cache(maxsize=1)
def _digested() -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((FOLDER / DIGEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


@lru_cache(maxsize=1)
def _fragments() -> dict[str, str]:
    found: dict[str, str] = _read(FOLDER / FRAGMENTS)["fragments"]
    return found


def _patterns(
    group: Mapping[str, Any], names: Mapping[str, str], seen: set[str], where: str
) -> list[Pattern]:
    made = []
    for row in group.get("patterns", ()):
        name = _text(row, "id", where)
        if name in seen:
            raise ConfigurationError(f"{where}: the id {name!r} stands twice")
        seen.add(name)
        here = f"{where}, {name}"
        made.append(
            Pattern(
                id=name,
                source=_expand(_text(row, "find", here), names, here),
                language=_text({"language": "en", **row}, "language", here),
                hits=_texts(row, "hits", here),
                misses=_texts(row, "misses", here),
                excused_by=_excuses(row, here),
            )
        )
    if not made:
        raise ConfigurationError(f"{where}: it has no patterns")
    return made


def _excuses(row: Mapping[str, Any], where: str) -> frozenset[str] | None:
    if "excused_by" not in row:
        return None
    found = frozenset(row["excused_by"])
    if unknown := found - set(EXCUSES):
        raise ConfigurationError(f"{where}: nothing is excused by {', '.join(sorted(unknown))}")
    return found


def _expand(source: str, names: Mapping[str, str], where: str, depth: int = 0) -> str:
    def block(match: re.Match[str]) -> str:
        if match[1] not in names:
            raise ConfigurationError(f"{where}: no building block is called {match[0]}")
        if depth > 8:
            raise ConfigurationError(f"{where}: the building block {match[0]} holds itself")
        return _expand(names[match[1]], names, where, depth + 1)

    return _FRAGMENT.sub(block, _BREAK.sub("", source.lstrip()))


def _together(patterns: Sequence[Pattern], where: str, *, words: bool = False) -> re.Pattern[str]:
    """Compile patterns into one expression."""
    try:
        return _compiled("|".join(pattern.source for pattern in patterns), words)
    except re.error:
        for pattern in patterns:
            try:
                re.compile(pattern.source)
            except re.error as error:
                raise ConfigurationError(f"{where}, {pattern.id}: {error}") from error
        raise


@cache
def _compiled(source: str, words: bool) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{source})\b" if words else source)


def _flat(pattern: Pattern) -> Pattern:
    return replace(pattern, source=flatten(pattern.source))


def _text(row: Mapping[str, Any], key: str, where: str) -> str:
    found = row.get(key)
    if not isinstance(found, str) or not found:
        raise ConfigurationError(f"{where}: {key} is missing")
    return found


def _texts(row: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    found = row.get(key, [])
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise ConfigurationError(f"{where}: {key} is a list of texts")
    return tuple(found)


def _flag(row: Mapping[str, Any], key: str, where: str, *, default: bool = False) -> bool:
    found = row.get(key, default)
    if not isinstance(found, bool):
        raise ConfigurationError(f"{where}: {key} is true or false, not {found!r}")
    return found


def _one_of(kinds: type[_E], row: Mapping[str, Any], key: str, where: str) -> _E:
    try:
        return kinds(_text(row, key, where))
    except ValueError:
        raise ConfigurationError(
            f"{where}: {key} is one of {', '.join(kinds)}, not {row[key]!r}"
        ) from None


if __name__ == "__main__":
    (FOLDER / DIGEST).write_text(digest(), encoding="utf-8")
