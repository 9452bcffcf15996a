from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from empathic_sdk.encoders.rewriting import rewrite
from empathic_sdk.language.given_names import given_names, without_names


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("I'm sooooo happyyyyy", "I'm so ~ happy ~"),
        ("nooooo", "no ~"),
        ("gooood morning", "good ~ morning"),
        ("I am s\u00adad", "I am sad"),
        ("I\u200bm fine", "Im fine"),
        ("WHY DID YOU DO THAT", "WHY DID YOU DO THAT ^"),
        ("the BBC said so", "the BBC said so"),
        ("\uff26\uff35\uff2c\uff2c width", "FULL width"),
        ("see http://x.y/ ok :/", "see http://x.y/ ok confused face"),
        ("work tomorrow:(", "work tomorrow frowning face"),
        ("\U0001f602", "face with tears of joy"),
        ("I love you <3", "I love you red heart"),
        ("Greg and Siobhán left.", "Alex and Alex left."),
        ("May I ask Will?", "May I ask Will?"),
    ],
)
def test_what_the_vocabulary_lacks_is_written_in_what_it_has(said: str, read: str) -> None:
    assert rewrite(said) == read


@given(st.text(max_size=200))
def test_any_text_stays_text(text: str) -> None:
    found = rewrite(text)
    assert found == found.strip() and "  " not in found.replace(" ~", "")


def test_names_of_many_peoples_are_known() -> None:
    assert {"jamal", "ngozi", "siobhan", "yuki", "priya", "greg"} <= given_names()
    assert not {"grace", "hope", "will", "mark", "april", "paris", "joy"} & given_names()
    assert without_names("ask greg, GREG or Greg") == "ask greg, GREG or Alex"
