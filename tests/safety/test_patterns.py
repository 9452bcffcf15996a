"""Every pattern finds its own examples and leaves the others alone; broken files are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.language.normalization import flatten, spell
from empathic_sdk.safety.detector import RiskFindings
from empathic_sdk.safety.draft_rules import broken_rules
from empathic_sdk.safety.pattern_files import (
    CUES,
    DIGEST,
    DRAFTS,
    FOLDER,
    FRAGMENTS,
    Pattern,
    digest,
    draft_rules,
    load_cues,
    load_draft_rules,
    load_risk_patterns,
    risk_patterns,
)
from empathic_sdk.types import SafetyLevel

RISK_FILES = [
    path for path in sorted(FOLDER.glob("*.toml")) if path.name not in (CUES, DRAFTS, FRAGMENTS)
]
RISKS = load_risk_patterns(RISK_FILES, examples=True)
RULES = load_draft_rules(FOLDER / DRAFTS, examples=True)
TABLES = {
    f"{name}: {key}": table
    for name in (CUES, DRAFTS)
    for key, table in load_cues(FOLDER / name, examples=True).items()
}


def each(patterns: list[Pattern]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("pattern", patterns, ids=[p.id for p in patterns])


@each([pattern for group in RISKS for pattern in group.patterns])
def test_a_risk_pattern(pattern: Pattern) -> None:
    assert pattern.hits, "no example says what it is for"
    assert pattern.misses or pattern.language != "en", "no example says where it ends"
    for text in pattern.hits:
        assert pattern.id in {f.id for f in RiskFindings.of(text).findings}, text
    for text in pattern.misses:
        assert pattern.id not in {f.id for f in RiskFindings.of(text).findings}, text


@each([pattern for rule in RULES for pattern in rule.patterns])
def test_a_rule_for_drafts(pattern: Pattern) -> None:
    assert pattern.hits
    assert pattern.misses
    for text in pattern.hits:
        assert pattern.id in {p.id for p in broken_rules(text)}, text
    for text in pattern.misses:
        assert pattern.id not in {p.id for p in broken_rules(text)}, text


@pytest.mark.parametrize("name", TABLES)
def test_a_cue(name: str) -> None:
    table = TABLES[name]

    def found(text: str) -> set[str]:
        return {pattern.id for pattern, _ in table.finditer(spell(flatten(text)))}

    for pattern in table.patterns:
        assert pattern.hits
        assert pattern.misses
        for text in pattern.hits:
            assert pattern.id in found(text), text
        for text in pattern.misses:
            assert pattern.id not in found(text), text


def test_the_digest_is_fresh_and_says_the_same() -> None:
    assert (FOLDER / DIGEST).read_text(encoding="utf-8") == digest(), (
        "write it anew: python -m empathic_sdk.safety.pattern_files"
    )

    def bare(tables: object) -> list[object]:
        return [
            [(p.id, p.source, p.language, p.excused_by) for p in table.patterns]
            for table in tables  # type: ignore[attr-defined]
        ]

    assert bare(risk_patterns()) == bare(RISKS)
    assert bare(draft_rules()[0]) == bare(RULES)


def test_what_is_found_is_said_where_it_stands() -> None:
    found = RiskFindings.of("Nice day. I really want to die, lol.")
    places = [f for f in found.findings if f.reason == "wish_to_die"]
    assert "want to die" in {found.segments[f.segment][f.start : f.end] for f in places}
    assert {f.segment for f in places} == {1}
    assert {f.level for f in places} == {SafetyLevel.CONCERN}  # with a laugh


GROUP = """
[[groups]]
reason = 'burden'
kind = '{kind}'
level = '{level}'

[[groups.patterns]]
id = 'burden.one'
find = '{find}'
{more}
"""
TWICE = "\n[[groups.patterns]]\nid = 'burden.one'\nfind = 'x'\n"


def write(folder: Path, **changed: str) -> Path:
    given = {"kind": "suicide", "level": "high", "find": "a burden", "more": "", **changed}
    path = folder / "mine.toml"
    path.write_text(GROUP.format(**given), encoding="utf-8")
    return path


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    path = write(tmp_path, find="{want} to go", more="language = 'en'\nhits = ['I want to go']")
    (group,) = load_risk_patterns([path])
    assert [p.id for p, _ in group.finditer("she wants to go")] == ["burden.one"]
    assert group.patterns[0].hits == ("I want to go",)
    assert (group.deniable, group.joking, group.script, group.foreign) == (
        True,
        False,
        False,
        False,
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"kind": "weather"}, "mine.toml, group 1: kind is one of suicide, .*, not 'weather'"),
        ({"level": "bad"}, "group 1: level is one of none, concern, high, imminent, not 'bad'"),
        ({"find": "(a"}, "group 1, burden.one: .*unterminated subpattern"),
        ({"find": "{nobody} knows"}, r"burden.one: no building block is called \{nobody\}"),
        ({"find": ""}, "burden.one: find is missing"),
        ({"more": TWICE}, "the id 'burden.one' stands twice"),
        ({"more": "hits = 'one'"}, "burden.one: hits is a list of texts"),
        ({"more": "excused_by = ['rain']"}, "nothing is excused by rain"),
        ({"find": "'"}, "mine.toml is no TOML"),
    ],
)
def test_a_broken_file_says_what_and_where(
    tmp_path: Path, changed: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        load_risk_patterns([write(tmp_path, **changed)])


def test_an_id_stands_once_in_all_files_together(tmp_path: Path) -> None:
    path = write(tmp_path)
    with pytest.raises(ConfigurationError, match="stands twice"):
        load_risk_patterns([path, path])
    with pytest.raises(ConfigurationError, match="is not there"):
        load_risk_patterns([tmp_path / "none.toml"])


def test_a_rule_must_be_known_ways(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    rule = "[[rules]]\nreason = 'x'\ngrave = {grave}\nread = '{read}'\n"
    row = "[[rules.patterns]]\nid = 'x.y'\nfind = 'y'\n"
    path.write_text(rule.format(grave="true", read="sentence") + row, encoding="utf-8")
    assert load_draft_rules(path)[0].grave
    path.write_text(rule.format(grave="true", read="backwards") + row, encoding="utf-8")
    with pytest.raises(
        ConfigurationError, match="read is one of sentence, unquoted, clauses, flat"
    ):
        load_draft_rules(path)
    path.write_text(rule.format(grave="'yes'", read="sentence") + row, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="grave is true or false"):
        load_draft_rules(path)
    path.write_text(rule.format(grave="true", read="sentence"), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="it has no patterns"):
        load_draft_rules(path)
