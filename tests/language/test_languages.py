"""A language of one's own: a folder of templates and patterns, and nothing of ours to change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.language import add_language, remove_language
from empathic_sdk.language.dialogue_acts import act_of, topic_of
from empathic_sdk.language.hardship import is_good_news, is_hard
from empathic_sdk.language.templates import load_bank, load_notice, notice
from empathic_sdk.responders.embedded import EmbeddedResponder
from tests.conftest import Talk

GREETING = """
version = 1
[open]
lines = ["Hej, fint att du är här.", "Hallå där."]
"""
PATTERNS = r"""
version = 1
common = ["jag", "är", "och", "inte", "min", "det"]
[acts]
greeting = ['^(?:hej|hallå|tjena)\b']
thanks = ['\btack\b']
[topics]
exams = ['\btent(?:a|an|or)\b']
[weight]
hard = ['\bdog\b', 'kuggade']
good = ['klarade']
"""


def put(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def swedish(tmp_path: Path) -> Iterator[Path]:
    put(tmp_path, "responder/sv/social/greeting.toml", GREETING)
    put(tmp_path, "patterns/sv.toml", PATTERNS)
    add_language(tmp_path)
    yield tmp_path
    remove_language(tmp_path)


def test_replies_come_in_it_and_english_fills_in(swedish: Path, talk: Talk) -> None:
    bank = load_bank("responder", "social/greeting", "sv-SE")
    assert bank["open"] == ("Hej, fint att du är här.", "Hallå där.")
    english = load_bank("responder", "social/greeting")
    assert "open" in english and bank["ask"] == english["ask"]
    assert load_bank("responder", "question/joy", "sv") == load_bank("responder", "question/joy")
    reply = EmbeddedResponder(language="sv").reply(talk.context("Hej!"))
    assert reply.sentences[0] in bank["open"]


def test_its_patterns_are_read(swedish: Path) -> None:
    assert act_of("Tjena!") == "greeting"
    assert act_of("tack så mycket") == "thanks"
    assert act_of("Jag är ledsen och det är inte kul") is None  # no longer a foreign text
    assert topic_of("Jag är rädd för tentan") == "exams"
    assert is_hard("min mormor dog igår") and is_good_news("jag klarade det")


def test_english_is_read_as_before(swedish: Path) -> None:
    assert act_of("hello") == "greeting"
    assert not is_hard("I like my dog")
    assert topic_of("my boss fired me") == "work"
    remove_language(swedish)
    assert act_of("Jag är ledsen och det är inte kul") == "foreign"
    assert not is_hard("min mormor dog igår")
    assert load_bank("responder", "social/greeting", "sv") == load_bank(
        "responder", "social/greeting"
    )


def test_a_text_in_another_script_is_known_by_its_common_words(tmp_path: Path) -> None:
    assert act_of("είμαι πολύ λυπημένος") == "foreign"
    put(tmp_path, "patterns/el.toml", 'version = 1\ncommon = ["είμαι", "και"]\n')
    add_language(tmp_path)
    assert act_of("είμαι πολύ λυπημένος") is None
    remove_language(tmp_path)


def test_english_wording_may_be_ones_own(tmp_path: Path) -> None:
    put(tmp_path, "responder/en/social/thanks.toml", "version = 1\n[open]\nlines = ['Any time.']\n")
    before = load_bank("responder", "social/thanks")
    add_language(tmp_path)
    assert load_bank("responder", "social/thanks") == {**before, "open": ("Any time.",)}
    remove_language(tmp_path)
    assert load_bank("responder", "social/thanks") == before


def test_a_notice_comes_whole(tmp_path: Path) -> None:
    lines = {role: [f"sv: {line}" for line in bank] for role, bank in load_notice().items()}
    roles = "".join(f"[{role}]\nlines = {json.dumps(each)}\n" for role, each in lines.items())
    put(tmp_path, "notice/sv.toml", "version = 1\n[intro]\nlines = ['Hej.']\n")
    with pytest.raises(ConfigurationError, match="the notice lacks"):
        add_language(tmp_path)
    put(tmp_path, "notice/sv.toml", "version = 1\n" + roles)
    add_language(tmp_path)
    assert notice("sv").startswith("sv: ")
    remove_language(tmp_path)
    assert notice("sv") == notice("en")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("responder/sv/social/greeting.toml", "version = 1\n[open]\nlines = ['{a}']", "not filled"),
        ("responder/sv/tutoring/session.toml", "version = 1\n[next]\nlines = ['Nu.']", "missing"),
        ("responder/sv/x.toml", "version = 1\n[open]\nlines = []", "open.lines"),
        ("patterns/sv.toml", "version = 1", "common"),
        ("patterns/sv.toml", "version = 2", "version must be 1"),
        ("patterns/sv.toml", "version = 1\ncommon = ['a']\n[acts]\nhug = ['b']", "not hug"),
        ("patterns/sv.toml", "version = 1\ncommon = ['a']\n[acts]\nyes = ['(']", "acts.yes"),
        ("patterns/sv.toml", "version = 1\ncommon = ['a']\n[acts]\nyes = 'b'", "must be a list"),
        ("patterns/sv.toml", "version = 1\ncommon = ['a']\nnames = 1", "unknown keys: names"),
        ("patterns/sv.toml", "version = ", "cannot be read"),
        ("elsewhere/sv.toml", "version = 1", "there is no language"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_used(
    tmp_path: Path, name: str, text: str, words: str
) -> None:
    put(tmp_path, "responder/sv/social/thanks.toml", GREETING) if "elsewhere" not in name else None
    path = put(tmp_path, name, text)
    with pytest.raises(ConfigurationError) as error:
        add_language(tmp_path)
    assert words in str(error.value)
    assert path.name in str(error.value) or words == "there is no language"
    assert load_bank("responder", "social/thanks", "sv") == load_bank("responder", "social/thanks")
