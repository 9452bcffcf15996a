"""Patterns that read what a reply's wording does, held against every template and plain lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from empathic_sdk.lab.evaluation.wording import (
    celebrates,
    consoles,
    distinct,
    repeated,
    sentences,
    without,
    words,
)
from empathic_sdk.language.templates import load_bank

# Lines of the joy banks that would do for any news.
PLAIN = {
    "How did you find out?", "Who did you tell first?", "Where were you when it happened?",
    "Tell me more!", "There's room for the whole story.", "Tell it from the start, if you like.",
    "I'm all ears.", "Go on!", "Oh, so you won!", "So you won!",
}  # fmt: skip


def lines(family):
    for folder in ("question", "reflection", "affirmation", "restatement"):
        if (folder, family) == ("restatement", "neutral"):
            continue
        for texts in load_bank("responder", f"{folder}/{family}").values():
            yield from (text.format(quote="you won") for text in texts)


def test_every_line_of_joy_celebrates_but_those_that_fit_any_news():
    assert {line for line in lines("joy") if not celebrates(line)} == PLAIN


@pytest.mark.parametrize(
    "family",
    ["sadness", "anger", "fear", "disgust", "surprise", "neutral", "uncertain", "rough", "open"],
)
def test_no_line_of_another_family_celebrates(family):
    assert [line for line in lines(family) if celebrates(line)] == []


@pytest.mark.parametrize("family", ["joy", "open", "neutral", "uncertain", "surprise"])
def test_no_light_line_consoles(family):
    assert [line for line in lines(family) if consoles(line)] == []


def test_most_lines_that_speak_to_hardship_console():
    heavy = [
        t
        for f in ("sadness", "rough")
        for t in load_bank("responder", f"question/{f}")["acknowledge"]
    ]
    assert sum(map(consoles, heavy)) > len(heavy) / 2


@pytest.mark.parametrize(
    "reply",
    [
        "Congrats!", "That's awesome.", "Good for you!", "I'm so happy for you",
        "Wow, that is great news",
        "You must be so proud of him", "That sounds like fun. How exciting!", "yay, well done",
    ],
)  # fmt: skip
def test_people_celebrate(reply):
    assert celebrates(reply) and not consoles(reply)


@pytest.mark.parametrize(
    "reply",
    [
        "I'm sorry to hear that.", "Oh no, that is awful", "That must be so hard for you.",
        "That sucks.",
        "My condolences.", "I hope things get better soon.", "How terrible!",
    ],
)  # fmt: skip
def test_people_console(reply):
    assert consoles(reply) and not celebrates(reply)


@pytest.mark.parametrize(
    "reply",
    [
        "What happened?", "That is a good question.", "I am happy to listen.",
        "Are you still there?",
        "It's hard to tell from here.", "That is a great deal to think about.", "Okay.",
    ],
)  # fmt: skip
def test_neither(reply):
    assert not celebrates(reply) and not consoles(reply)


def test_the_persons_own_words_do_not_count():
    said = "I told her that is great news for us all."
    reply = "You told her that is great news for us all."
    assert celebrates(reply) and not celebrates(reply, said)
    assert without(reply, said) == "You      ." or "great" not in without(reply, said)
    assert celebrates(reply + " Congratulations!", said)


def test_distinct_by_hand():
    assert distinct(["a b a", "a b"], 1) == 2 / 5
    assert distinct(["a b a", "a b"], 2) == 2 / 3
    assert distinct(["a"], 2) == 0.0


def test_repeated_by_hand():
    replies = ["So it is. What now?", "What now? Why?", *["Hm."] * 20, "Why?", "SO IT IS!"]
    found = repeated(replies)
    assert found[0] == (0, 2) and found[1] == (1, 2)
    assert found[2] == (0, 1) and found[3] == (1, 1)
    assert found[22] == (0, 1)  # 21 turns ago
    assert found[23] == (0, 1)
    assert repeated(["Why?", *["Hm."] * 19, "Why?"])[-1] == (1, 1)  # 20 turns ago


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_text_is_read(reply, said):
    assert celebrates(reply, said) in (True, False)
    assert consoles(reply, said) in (True, False)
    assert len(without(reply, said)) <= len(reply)
    assert without(reply, "") == reply
    assert all(part.strip() for part in sentences(reply))
    assert 0 <= distinct([reply], 1) <= 1
    assert words(reply) == words(" " + reply)
