"""Templates: sentences in files, loaded once and checked.

A template file is TOML: ``version = 1``, then one table per *role*, each with ``lines``::

    version = 1

    [acknowledge]
    lines = ["That sounds heavy.", "..."]

    [echo]
    lines = ["You said {quote}, and it seems to matter a lot."]

A slot is written in braces and must be one of :data:`SLOTS`. A line is one sentence.

Files are searched in the added folders (:func:`add_templates`), the last one first, then among
the shipped ones; a role that a file lacks is taken from the next file.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.runtime.resources import prompts_dir
from empathic_sdk.types import BIOMETRIC, HelpLine, Modality

VERSION = 1
"""Version of the file format that this code reads."""

SLOTS = frozenset({
    "quote", "emotion", "line", "number", "modalities", "value",
    "task", "math", "topic", "a", "b", "c", "d",
})  # fmt: skip
"""Names that may occur in braces; those of the last line belong to tutoring."""

Bank = dict[str, tuple[str, ...]]
"""The lines of one file, by role."""

_TAG = re.compile(r"[a-z0-9_]{1,35}")
_SLOT = re.compile(r"\{([^{}]*)\}")


_ADDED: list[Path] = []
_IN_MEMORY: dict[tuple[str, str, str], Bank] = {}
KINDS = ("responder", "safety", "monitor", "llm", "notice")
"""Folders of templates that an added folder may hold."""


def add_templates(folder: str | Path) -> None:
    """Add a folder of your own templates, before the shipped ones, in this process.

    Its layout is that of the shipped folder: ``responder/sv/social/greeting.toml`` holds Swedish
    greetings, ``responder/en/...`` replaces English ones, ``notice/sv.toml`` is the notice in
    Swedish. A file may hold some of the roles; the others stay English. Everything is checked.

    Args:
        folder: The folder. Adding it again reads it again.

    Raises:
        ConfigurationError: It has no template or a broken one (the message names file and key).
    """
    folder = Path(folder).resolve()
    remove_templates(folder)
    files = [p for kind in KINDS for p in template_files(folder / kind)]
    if not files:
        raise ConfigurationError(
            f"there are no templates in {folder}: they stand in {', '.join(KINDS)}, as "
            "responder/LANGUAGE/NAME.toml"
        )
    for path in files:
        _check_beside_ours(path, folder)
    _ADDED.insert(0, folder)


def remove_templates(folder: str | Path) -> None:
    """Remove a folder added by :func:`add_templates`; does nothing if there is none."""
    folder = Path(folder).resolve()
    if folder in _ADDED:
        _ADDED.remove(folder)
    _load_bank.cache_clear()
    _read_bank.cache_clear()


def add_lines(
    kind: str, name: str, roles: Mapping[str, Sequence[str]], language: str = "en"
) -> None:
    """Add a template file's roles from memory instead of a file, in this process.

    Args:
        kind: As in :func:`load_bank`.
        name: As there.
        roles: Lines by role; an empty mapping removes the lines again.
        language: BCP 47 tag; only its first part is used.

    Raises:
        ConfigurationError: A line is broken (the message names role and line).
    """
    key = (kind, _tag(language), name)
    if roles:
        where = Path(kind, _tag(language), name)
        tables = {role: {"lines": list(lines)} for role, lines in roles.items()}
        _IN_MEMORY[key] = _checked(where, tables)
    else:
        _IN_MEMORY.pop(key, None)


def _folders() -> tuple[Path, ...]:
    return (*_ADDED, prompts_dir())


def _tag(language: str) -> str:
    tag = language.split("-")[0].lower()
    return tag if _TAG.fullmatch(tag) else "en"  # a path is made of it


def load_bank(kind: str, name: str, language: str = "en") -> Bank:
    """Return the roles of one template file; roles missing in a language are English.

    Args:
        kind: Folder below ``prompts``: ``responder`` or ``safety``.
        name: Path below the language folder without suffix, such as ``question/sadness``.
        language: BCP 47 tag; only its first part is used.

    Returns:
        The lines of each role.

    Raises:
        ConfigurationError: The template is missing or broken (the message names file and key).
    """
    tag = _tag(language)
    bank = _load_bank(_folders(), kind, name, tag)
    for each in dict.fromkeys(("en", tag)):
        if (kind, each, name) in _IN_MEMORY:
            bank = bank | _IN_MEMORY[kind, each, name]
    if not bank:
        raise ConfigurationError(
            f"there is no template {kind}/en/{name}.toml in {prompts_dir()}: "
            "was the package installed with its prompts?"
        )
    return bank


def load_notice(language: str = "en") -> Bank:
    """Return the parts of the notice given before first use, falling back to English.

    Args:
        language: BCP 47 tag.

    Returns:
        Roles ``intro``, ``ask``, ``stored``, ``rights``, ``limits``, ``help`` and others.

    Raises:
        ConfigurationError: The file is missing or broken.
    """
    paths = [
        root / "notice" / f"{tag}.toml" for tag in (_tag(language), "en") for root in _folders()
    ]
    return _read_bank(next((p for p in paths if p.is_file()), paths[-1]))


def notice(
    language: str = "en",
    *,
    modalities: tuple[str, ...] = (),
    keeps_text: bool = False,
    may_ask: tuple[Modality, ...] = (),
    purpose: str | None = None,
    keep_days: float | None = None,
) -> str:
    """Return the notice: in plain words what the agent is, does and stores.

    Args:
        language: BCP 47 tag; English if there is no notice in that language.
        modalities: Names of enabled biometric modalities, in words (``"your voice"``); only these
            are mentioned.
        keeps_text: Whether what the person types is stored.
        may_ask: Biometric modalities that are used with consent.
        purpose: ``medical`` or ``safety``, if they are allowed only for that purpose.
        keep_days: Days after which turns are deleted, if they are.

    Returns:
        The notice, sentences joined by a space.

    Raises:
        ConfigurationError: The template is missing or broken.
    """
    bank = load_notice(language)
    parts = [*bank["intro"]]
    if may_ask:
        names = dict(zip(BIOMETRIC, bank["names"], strict=True))
        words = _listed([names[m] for m in may_ask], bank)
        parts += [line.format(modalities=words) for line in bank["ask"]]
        parts += bank[purpose] if purpose else ()
    if modalities:
        words = _listed(modalities, bank)
        parts += [line.format(modalities=words) for line in bank["modalities"]]
    parts += bank["correct"]
    parts += bank["stored_text" if keeps_text else "stored"]
    parts += bank["media"] if may_ask or modalities else ()
    if keep_days is not None:
        parts += [line.format(number=f"{keep_days:g}") for line in bank["days"]]
    parts += [*bank["rights"], *bank["limits"], *bank["help"]]
    return " ".join(parts)


def watch_message(kind: str, days: int, language: str = "en") -> str:
    """Return a warning in plain words that a person's days have changed, for their carer.

    Args:
        kind: ``decline`` or ``instability``.
        days: About how many days ago the change began.
        language: BCP 47 tag.

    Raises:
        ConfigurationError: The template is missing or broken.
    """
    lines = load_bank("monitor", "warning", language)[kind]
    return " ".join(line.format(number=days) for line in lines)


def _listed(names: Sequence[str], bank: Bank) -> str:
    first = ", ".join(names[:-1])
    return f"{first} {bank['and'][0]} {names[-1]}" if first else names[-1]


def help_lines(locale: str | None = None, *, about: str = "") -> tuple[HelpLine, ...]:
    """Return the help lines of a locale, the round-the-clock ones first.

    Args:
        locale: Region in capitals (``US``) or language tag with a region (``en-US``). ``None``,
            an unknown region and a language alone (``es`` is spoken in twenty countries) give
            the entry ``*``.
        about: ``abuse`` puts lines for that first, if the locale has any.

    Returns:
        At least one line.

    Raises:
        ConfigurationError: ``prompts/safety/help_lines.toml`` is missing or broken.
    """
    table = _read_help_lines(prompts_dir() / "safety" / "help_lines.toml")
    _, dash, region = (locale or "").replace("_", "-").rpartition("-")
    region = region.upper() if dash else region
    return (*table.get(f"{region}/{about}", ()), *table.get(region, table["*"]))


def template_files(folder: Path | None = None) -> tuple[Path, ...]:
    """Return every template file, sorted.

    Args:
        folder: The folder to search instead of the shipped one.
    """
    return tuple(sorted((folder or prompts_dir()).rglob("*.toml")))


@lru_cache(maxsize=1024)
def _load_bank(roots: tuple[Path, ...], kind: str, name: str, language: str) -> Bank:
    bank: Bank = {}
    for tag in dict.fromkeys(("en", language)):
        for root in reversed(roots):
            path = root / kind / tag / f"{name}.toml"
            if path.is_file():
                bank |= _read_bank(path)
    return bank


def has_bank(kind: str, name: str, language: str = "en") -> bool:
    """Say whether there is a template of that name, in English or in ``language``."""
    tag = _tag(language)
    in_memory = any((kind, each, name) in _IN_MEMORY for each in (tag, "en"))
    return in_memory or _has_bank(_folders(), kind, name, tag)


@lru_cache(maxsize=1024)
def _has_bank(roots: tuple[Path, ...], kind: str, name: str, language: str) -> bool:
    return any(
        (root / kind / tag / f"{name}.toml").is_file() for root in roots for tag in (language, "en")
    )


def _check_beside_ours(path: Path, folder: Path) -> None:
    """Raise if a file's lines do not have the slots of the English lines."""
    bank = _read_bank(path)
    kind, *_, name = path.relative_to(folder).parts
    if kind == "notice":
        lacks = [role for role in _read_bank(prompts_dir() / kind / "en.toml") if role not in bank]
        if lacks:
            raise ConfigurationError(f"{path}: the notice lacks [{'], ['.join(lacks)}]")
        name = "en.toml"
        ours = prompts_dir() / kind / name
    else:
        ours = prompts_dir() / kind / "en" / Path(*path.relative_to(folder).parts[2:])
    if not ours.is_file():
        return
    for role, lines in _read_bank(ours).items():
        slots = [set(_SLOT.findall(line)) for line in lines]
        may, must = set.union(*slots), set.intersection(*slots)
        for number, line in enumerate(bank.get(role, ())):
            found = set(_SLOT.findall(line))
            if wrong := (found - may) | (must - found):
                raise ConfigurationError(
                    f"{path}: {role}.lines[{number}] must have the slots of the English line: "
                    f"{{{'}, {'.join(sorted(wrong))}}} "
                    f"{'is not filled there' if wrong <= found else 'is missing'}"
                )


@lru_cache(maxsize=1024)
def _read_bank(path: Path) -> Bank:
    data = _read(path)
    return _checked(path, {role: table for role, table in data.items() if role != "version"})


def _checked(path: Path, roles: Mapping[str, Any]) -> Bank:
    bank: Bank = {}
    for role, table in roles.items():
        if not isinstance(table, dict) or set(table) != {"lines"}:
            raise ConfigurationError(f"{path}: [{role}] must be a table that holds only `lines`")
        lines = table["lines"]
        if not isinstance(lines, list) or not lines:
            raise ConfigurationError(f"{path}: {role}.lines must be a list with at least one line")
        for number, line in enumerate(lines):
            _check_line(path, f"{role}.lines[{number}]", line)
        if len(set(lines)) != len(lines):
            raise ConfigurationError(f"{path}: {role}.lines holds the same line twice")
        bank[role] = tuple(lines)
    if not bank:
        raise ConfigurationError(f"{path}: there is no table of lines in it")
    return bank


def _check_line(path: Path, key: str, line: object) -> None:
    if not isinstance(line, str) or not line.strip():
        raise ConfigurationError(f"{path}: {key} must be a text that is not empty")
    for slot in _SLOT.findall(line):
        if slot not in SLOTS:
            raise ConfigurationError(
                f"{path}: {key} uses the slot {{{slot}}}; known are {', '.join(sorted(SLOTS))}"
            )
    if "{" in _SLOT.sub("", line) or "}" in _SLOT.sub("", line):
        raise ConfigurationError(f"{path}: {key} has a brace without its partner")


@lru_cache(maxsize=8)
def _read_help_lines(path: Path) -> dict[str, tuple[HelpLine, ...]]:
    table: dict[str, tuple[HelpLine, ...]] = {}
    for locale, entries in _read(path).items():
        if locale == "version":
            continue
        try:
            lines = tuple(
                HelpLine(**{"locale": locale.split("/")[0], **entry}) for entry in entries
            )
        except (TypeError, ValueError) as error:
            raise ConfigurationError(f"{path}: {locale}: {error}") from error
        if not lines:
            raise ConfigurationError(f"{path}: {locale} lists no line")
        table[locale] = tuple(sorted(lines, key=lambda line: line.hours != "24/7"))
    if "*" not in table:
        raise ConfigurationError(f'{path}: the entry "*" is missing')
    return table


def _read(path: Path) -> dict[str, Any]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read as a template: {error}") from error
    if data.get("version") != VERSION:
        raise ConfigurationError(f"{path}: version must be {VERSION}, not {data.get('version')!r}")
    return data
