from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from empathic_sdk.language.sentences import LONGEST, SentenceReader, sentences_of, split, tidy


def read(pieces: list[str]) -> list[str]:
    reader = SentenceReader()
    return [s for piece in pieces for s in reader.feed(piece)] + reader.flush()


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("That is hard. What happened?", ["That is hard.", "What happened?"]),
        (
            "Dr. Bell said 3.5 h, e.g. today. Ok!",
            ["Dr. Bell said 3.5 h, e.g. today.", "Ok!"],
        ),
        ('You said "I can\'t." Why?', ['You said "I can\'t."', "Why?"]),
        ("- One thing\n- **Another** thing", ["One thing", "Another thing"]),
        ("1. Breathe.\n2. Rest.", ["Breathe.", "Rest."]),
        ("Assistant: Hello there.", ["Hello there."]),
        ("Wait... what?! Really", ["Wait...", "what?!", "Really"]),
        ("辛いですね。何がありましたか？", ["辛いですね。", "何がありましたか？"]),
        ("She is taller than I. So what?", ["She is taller than I.", "So what?"]),
        ("<think>They are sad. Say so.</think>That is hard.", ["That is hard."]),
        ("Fine. <THINK>x. y.</THINK> Good.", ["Fine.", "Good."]),
        ("<think>never closed. And on.", []),
        ("I <3 that. You too.", ["I <3 that.", "You too."]),
        ("... --- !!!", []),
        ("", []),
    ],
)
def test_sentences(text: str, sentences: list[str]) -> None:
    assert sentences_of(text) == sentences
    assert read(list(text)) == sentences
    assert read([text[i : i + 3] for i in range(0, len(text), 3)]) == sentences


@settings(deadline=None, max_examples=60)
@given(st.text(alphabet="ab .!?\n<think/>1*\"'I", max_size=80), st.integers(1, 9))
def test_pieces_do_not_matter(text: str, size: int) -> None:
    assert read([text[i : i + size] for i in range(0, len(text), size)]) == read([text])


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=200))
def test_split_loses_nothing_and_tidy_leaves_no_controls(text: str) -> None:
    assert "".join(split(text)) == text
    assert all(c == " " or c.isprintable() or not c.isspace() for c in tidy(text))


def test_a_sentence_without_an_end_is_dropped_and_reading_stops() -> None:
    reader = SentenceReader()
    assert reader.feed("One. ") == ["One."]
    for _ in range(LONGEST // 5 + 5):
        assert reader.feed("word ") == []
    assert reader.overlong
    assert reader.feed("Two. Three. ") == []
    assert reader.flush() == []


def test_huge_pieces_take_linear_time() -> None:
    start = time.process_time()
    assert len(sentences_of("Yes it is. " * 10_000)) == 10_000
    assert sentences_of("mr. " * 50_000) == []
    sentences_of("<think>" * 2_000)
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    "sign", [".", "!?", "…", "。", " ", "\n", '"', "’)", "*_", "- ", "1. ", "a"]
)
def test_a_hundred_thousand_signs_are_split_in_linear_time(sign: str) -> None:
    """Ninety thousand full stops once took a minute and a half."""
    began = time.process_time()
    sentences_of(sign * (100_000 // len(sign)) + "x")
    assert time.process_time() - began < 5
