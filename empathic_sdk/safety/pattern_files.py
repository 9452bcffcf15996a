"""Loads the pattern tables in ``safety/patterns/*.toml``.

Three kinds of table:

- **Risk patterns** (``suicide.toml``, ``abuse.toml``, ...): groups of patterns with one meaning
  and level. The patterns of a group are searched together: where two match the same words, the
  first one counts.
- **Cues** (``idioms_and_denials.toml``): words around a risk pattern that change its meaning.
- **Rules for drafts** (``drafts.toml``): what a language model must not say.

Every pattern has a name (``id``), a regular expression (``find``) with named building blocks
(``{want}``; ``fragments.toml``), examples that it must match (``hits``) and some that it must not
(``misses``). Matching happens on flat text (``language/normalization.py``): lower case, no accents,
contractions written out. A line break in an expression, and the spaces after it, do not count.

``patterns/digest.json`` holds the same without examples, which loads ten times as fast. It is
used for a file only if it has that file's hash, so an edited file takes effect at once; after an
edit ``python -m empathic_sdk.safety.pattern_files`` rewrites it (a test fails when it is stale).
"""

from __future__ import annotations

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
from empathic_sdk.runtime.digests import sha256
from empathic_sdk.safety.kinds import RiskKind
from empathic_sdk.types import SafetyLevel

FOLDER = Path(__file__).parent / "patterns"

CUES, DRAFTS, FRAGMENTS = "idioms_and_denials.toml", "drafts.toml", "fragments.toml"
"""Files that do not hold risk patterns."""

DIGEST = "digest.json"
_ROWS = ("patterns", "cues", "idioms")

READS = ("sentence", "unquoted", "clauses", "flat")
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
        hits: Texts that it must match.
        misses: Texts that it must not match.
        excused_by: For draft rules: its own excuses in place of the rule's.
    """

    id: str
    source: str
    language: str = "en"
    hits: tuple[str, ...] = ()
    misses: tuple[str, ...] = ()
    excused_by: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Patterns that are searched together, in order.

    Attributes:
        patterns: The patterns.
        regex: All of them in one expression.
        words: Whether they match only at word boundaries.
    """

    patterns: tuple[Pattern, ...]
    regex: re.Pattern[str]
    words: bool

    def finditer(self, text: str) -> Iterator[tuple[Pattern, re.Match[str]]]:
        """Yield every match with its pattern."""
        for match in self.regex.finditer(text):
            yield self.which(match), match

    def which(self, match: re.Match[str]) -> Pattern:
        """Return the pattern of a match of :attr:`regex`: the first that matches there."""
        # Compiled on demand: most never match.
        return next(
            pattern
            for pattern in self.patterns
            if _compiled(pattern.source, self.words).match(match.string, match.start())
        )


@dataclass(frozen=True, slots=True)
class RiskPatterns(Table):
    """Risk patterns with the same meaning and level.

    Attributes:
        reason: Name that goes into ``SafetyAssessment.reasons``.
        kind: The kind of risk.
        level: Level when said plainly, in the present, about oneself.
        deniable: Whether a preceding "not" negates it; ``False`` if "not" is part of the meaning,
            or the subject is somebody else.
        joking: Whether a joke marker ("lol") lowers it to a concern.
        script: Whether it is in a non-Latin script: no word boundaries, searched only in such
            texts.
    """

    reason: str
    kind: RiskKind
    level: SafetyLevel
    deniable: bool = True
    joking: bool = False
    script: bool = False

    @property
    def foreign(self) -> bool:
        """Whether they are in a language other than English."""
        return self.patterns[0].language != "en"


@dataclass(frozen=True, slots=True)
class DraftRule(Table):
    """A rule for drafts: what a language model must not say, for one reason.

    Attributes:
        reason: Its name, as ``Verdict.reason`` gives it.
        grave: Whether the rest of the draft must not be shown either.
        read: The searched text: the whole ``sentence`` spelled out, its ``clauses`` one by one, or
            the ``flat`` text before it is spelled out.
        excused_by: What excuses a match: a ``denial`` close before it, a ``not`` right before it,
            words that quote the person (``told``), or being a ``question``.
    """

    reason: str
    grave: bool
    read: str
    excused_by: frozenset[str]


@lru_cache(maxsize=1)
def risk_patterns() -> tuple[RiskPatterns, ...]:
    """Return all shipped risk patterns."""
    special = {CUES, DRAFTS, FRAGMENTS}
    paths = [path for path in sorted(FOLDER.glob("*.toml")) if path.name not in special]
    return load_risk_patterns(paths)


@lru_cache(maxsize=1)
def cues() -> Mapping[str, Table]:
    """Return the shipped cues by name; ``idioms`` holds all figures of speech."""
    return load_cues(FOLDER / CUES)


@lru_cache(maxsize=1)
def draft_rules() -> tuple[tuple[DraftRule, ...], Mapping[str, Table]]:
    """Return the shipped rules for drafts, in order of application, and their cues."""
    path = FOLDER / DRAFTS
    return load_draft_rules(path), load_cues(path)


def load_risk_patterns(
    paths: Sequence[Path], *, examples: bool = False
) -> tuple[RiskPatterns, ...]:
    """Read files of risk patterns.

    Args:
        paths: The files; an id may occur in only one of them.
        examples: Whether to load ``hits`` and ``misses`` as well, which takes longer.

    Raises:
        ConfigurationError: A file is missing or not TOML; a kind, level or building block is
            unknown; an expression is invalid; an id occurs twice. The message names file and id.
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
    """Read the cues of a file; its idioms become one cue of that name.

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
    """Return the content for ``digest.json``: every file without examples, and its hash."""
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
    """Return the content of a file, from a fresh digest if no examples are needed."""
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
        return sha256(path)
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
