"""Linear in any text: twenty times as much of the same takes about twenty times as long."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from empathic_sdk.language.normalization import flatten, segments, spell
from empathic_sdk.language.sentences import sentences_of, split, tidy
from empathic_sdk.safety.decision import asks
from empathic_sdk.safety.detector import assess
from empathic_sdk.safety.output_guard import check_sentence, check_text
from empathic_sdk.types.reply import ReplyContext

LENGTH = 100_000
TIMES = 20
"""By which the longer text is longer: what is quadratic takes 400 times as long."""
MARGIN = 4
LEAST = 2e-3
"""Seconds that any text may take, shorter ones are too short to be measured."""
UNITS = (
    ".", "…", "!", "?", "!?", "?!.", ". ", ". . ", "..a", " ", "\n", "\t", "\r", "'", '"', "’", "`",
    "*", "_", "**", "-", "—", "(", ")", "[", "{", "<", ">", "<a", "</", "<think", "|", "/", "//",
    "@", "a@", "a@a.", "#", ",", ";", ":", "a", "i", "A", "ß", "a ", "a.", "a. ", "I. ", "s", "s ",
    "su", "a-", "a'", "(a", "x(", "0", "5", "1.", "1 ", "1-", "5 (", " 1.", "\n1. ", "http:",
    "www.", "http://a", "a.b", "a.b/", "\u200b", "\u00ad", "\u0301", "é", "İ", "ǆ", "。", "」",
    "中", "κ", "死", "😀", "\U000e0041", "\x00", "no ", "not ", "n't", "kill ", "suicide ",
    "i want to ", "my ", "you ", "i'm ", "call 1", '"a"', "{a:", "a, ", "[inst",
)  # fmt: skip


@pytest.fixture
def context(new_talk: Callable[..., Any]) -> ReplyContext:
    made: ReplyContext = new_talk().context("hello")
    return made


@pytest.mark.parametrize("unit", UNITS)
def test_a_hundred_thousand_of_the_same(unit: str, context: ReplyContext) -> None:
    short, long = ((unit * length)[:length] for length in (LENGTH // TIMES, LENGTH))
    ways: dict[str, Callable[[str], object]] = {
        "assess": assess,
        "check_text": lambda t: check_text(t, context),
        "check_sentence": lambda t: check_sentence(t, context),
        "split": split,
        "sentences_of": sentences_of,
        "tidy": tidy,
        "flatten": flatten,
        "segments": segments,
        "spell": spell,
        "asks": asks,
    }
    for name, way in ways.items():
        assert _grows_linearly(way, short, long), name


def _grows_linearly(way: Callable[[str], object], short: str, long: str) -> bool:
    """Say whether the longer text costs no more than its length and a wide margin.

    The processor's own time is compared, which other processes take none of; they do make caches
    cold, so a pair of measurements that fails is taken again. What is quadratic fails each time.
    """
    for _ in range(4):
        small, large = (_cost(way, text) for text in (short, long))
        if large <= TIMES * MARGIN * max(small, LEAST):
            return True
    return False


def _cost(way: Callable[[str], object], text: str) -> float:
    start = time.process_time()
    way(text)
    return time.process_time() - start


def test_what_is_quadratic_is_told() -> None:
    def pairs(text: str) -> int:
        return sum(text.count("b", at) for at in range(0, len(text), 4))

    assert not _grows_linearly(pairs, "a" * (LENGTH // TIMES), "a" * LENGTH)
    assert _grows_linearly(str.upper, "a" * (LENGTH // TIMES), "a" * LENGTH)


def test_runs_of_stops_end_sentences_as_they_did() -> None:
    assert split("So... well?! Yes.) No") == ["So...", " well?!", " Yes.)", " No"]
    assert split("a..b. c") == ["a..b.", " c"]
    assert split("." * 5) == ["." * 5]
    assert split("好。。」そう") == ["好。。」", "そう"]
