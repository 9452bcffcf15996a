import re

import pytest

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.language import templates
from empathic_sdk.language.templates import help_lines, load_bank, notice, template_files
from empathic_sdk.runtime.resources import prompts_dir

FILES = [p for p in template_files() if p.parent.name != "safety"]
BANNED = re.compile(
    r"i understand (?:exactly|how|what)|i know (?:exactly )?how you|i hear you|i'm sorry|so sorry|"
    r"sorry to hear|sad to hear|i'm (?:so )?(?:sad|happy|glad|proud|worried|excited)\b|"
    r"(?<!nothing )\bi feel\b|"
    r"everything happens|bright side|silver lining|stay strong|stay positive|think positive|"
    r"time heals|cheer up|calm down|don't worry|no worries|at least\b|you should\b|you must\b|"
    r"you need to\b|your feelings are valid|safe space|as a human|"
    r"been there|when i was|my own life|"
    r"you have (?:depression|anxiety disorder|ptsd)|diagnosed with|it could be worse|get over it|"
    r"we all |i remember when|i love\b|trust me|god\b|just relax",
    re.IGNORECASE,
)
METHODS = re.compile(
    r"\b(?:pills?|overdos\w+|rope|noose|hang|gun|bridge|razor|knife|cut|jump|poison|dose)\b", re.I
)


def lines():
    for path in FILES:
        for role, texts in templates._read_bank(path).items():
            for text in texts:
                yield path, role, text


def test_there_are_enough_of_them():
    assert sum(1 for _ in lines()) > 1200
    for family in ("sadness", "anger", "fear", "joy"):
        assert len(load_bank("responder", f"question/{family}")["ask"]) >= 12
        assert len(load_bank("responder", f"question/{family}")["acknowledge"]) >= 12
        assert len(load_bank("responder", f"reflection/{family}")["reflect"]) >= 12
        assert len(load_bank("responder", f"affirmation/{family}")["affirm"]) >= 12


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(prompts_dir())))
def test_every_file_loads_and_every_slot_resolves(path):
    slots = dict.fromkeys(templates.SLOTS, "you slept badly")
    for role, texts in templates._read_bank(path).items():
        if path.parent.name == "notice" and role in ("names", "and"):
            continue  # parts of a sentence
        for text in texts:
            filled = text.format(**slots)
            assert "{" not in filled
            # one sentence, ended; help lines are the only place with inner full stops
            assert filled[-1] in ".!?", text
            assert not re.search(r"[.!?] [A-Z]", text), text
            assert filled.count("?") <= 1, text


def test_no_line_says_what_must_not_be_said():
    for path, role, text in lines():
        # What a model is told may name what it must not say; guard.py holds it to that.
        if path.parent.name != "notice" and path.parent.parent.name != "llm":
            assert not BANNED.search(text), f"{path.name}:{role}: {text}"


def test_safety_lines_never_speak_of_methods():
    for path, role, text in lines():
        if path.parent.parent.name == "safety":
            assert not METHODS.search(text), f"{path.name}:{role}: {text}"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("version = 2\n[ask]\nlines = ['a?']", "version must be 1"),
        ("version = 1\n[ask]\nlines = []", "ask.lines"),
        ("version = 1\n[ask]\nline = ['a?']", "[ask]"),
        ("version = 1\n[ask]\nlines = ['']", "ask.lines[0]"),
        ("version = 1\n[ask]\nlines = ['a?', 'b {name}?']", "ask.lines[1] uses the slot {name}"),
        ("version = 1\n[ask]\nlines = ['a {quote?']", "ask.lines[0] has a brace"),
        ("version = 1\n[ask]\nlines = ['a?', 'a?']", "same line twice"),
        ("version = 1\n[ask", "cannot be read"),
        ("version = 1", "no table"),
    ],
)
def test_a_broken_template_names_file_and_key(tmp_path, monkeypatch, content, words):
    folder = tmp_path / "responder" / "en"
    folder.mkdir(parents=True)
    (folder / "broken.toml").write_text(content)
    monkeypatch.setattr(templates, "prompts_dir", lambda: tmp_path)
    with pytest.raises(ConfigurationError) as error:
        load_bank("responder", "broken")
    assert "broken.toml" in str(error.value)
    assert words in str(error.value)


def test_a_missing_template_is_named_and_other_languages_fall_back_to_english():
    with pytest.raises(ConfigurationError, match="nothing/here"):
        load_bank("responder", "nothing/here")
    assert load_bank("responder", "question/joy", "xx-YY") == load_bank("responder", "question/joy")


@pytest.mark.parametrize(
    ("locale", "contact"),
    [
        ("US", "call or text 988"),
        ("en-US", "call or text 988"),
        ("en_GB", "116 123"),
        ("IE", "116 123"),
        ("de-DE", "0800 1110111"),
        ("EU", "112"),
        (None, "findahelpline.com"),
        ("es", "findahelpline.com"),
        ("XX", "findahelpline.com"),
    ],
)
def test_help_lines_by_region(locale, contact):
    found = help_lines(locale)
    assert found[0].contact == contact
    assert found[0].hours == "24/7"


def test_lines_for_abuse_come_first_where_there_are_any():
    assert "Violence" in help_lines("US", about="abuse")[0].name
    assert help_lines("FR", about="abuse") == help_lines("FR")


def test_notice_says_what_it_must():
    text = notice()
    for word in ("AI", "not a person", "estimates", "wrong", "stores", "erased", "not medical"):
        assert word in text
    assert not re.search("voice|face|camera|microphone", text)
    assert "not the words you type" in text
    assert "your voice and your face" in notice(modalities=("your voice", "your face"))
    assert "and the words you type" in notice(keeps_text=True)
