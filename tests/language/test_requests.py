from __future__ import annotations

import pytest

from empathic_sdk.language.requests import requests


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("Please be blunt.", "tone", "blunt"),
        ("I failed. Could you be a bit more direct with me, please?", "tone", "blunt"),
        ("be gentler please", "tone", "gentle"),
        ("I'd like you to keep your answers short", "pacing", "short"),
        ("Shorter answers, please.", "pacing", "short"),
        ("No advice please", "advice", "no"),
        ("Don't give me any advice.", "advice", "no"),
        ("Please stop giving me advice", "advice", "no"),
        ("Slow down please", "pacing", "slow"),
        ("Call me Sam", "name", "Sam"),
        ("Hi, you can call me Mary Jane.", "name", "Mary Jane"),
        ("my name is josé", "name", "José"),
        ("My pronouns are They / Them.", "pronouns", "they/them"),
    ],
)
def test_requests_are_heard(text: str, name: str, value: str) -> None:
    assert [(p.name, p.value) for p in requests(text)] == [(name, value)]


@pytest.mark.parametrize(
    "text",
    [
        'My boss told me "please be blunt"',
        "She said: be blunt.",
        "> please be blunt",
        "'Call me Sam', and that was it.",
        "“Shorter answers, please.”",
        "Don't be blunt.",
        "Please don't call me Sam.",
        "Never be formal with me",
        "Call me back tomorrow",
        "Call me crazy",
        "Call me when you can",
        "Why should I be blunt?",
        "It is hard to be gentle.",
        "I gave no advice to anyone",
        "My name is not important",
        "They always tell me to slow down",
        "My pronouns are none/ofyours",
        "",
    ],
)
def test_what_is_no_request_is_not(text: str) -> None:
    assert requests(text) == ()


def test_the_last_word_on_a_thing_counts() -> None:
    found = requests("Be blunt. Call me Sam. Actually, be gentle.")
    assert {p.name: p.value for p in found} == {"tone": "gentle", "name": "Sam"}


def test_long_texts_cost_nothing() -> None:
    assert requests("please " * 10_000) == ()
    assert requests("please, " * 240) == ()
