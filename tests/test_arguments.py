"""Whatever is handed to a public door: it works, or one of our own errors says what was wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from empathic_sdk import EmotionAwareAgent, EmotionRecognizer, UserContext, Utterance
from empathic_sdk.errors import EmpathicError, InputError
from empathic_sdk.testing import FakeRecognizer

ODD: dict[str, Any] = {
    "none": None,
    "int": 3,
    "nan": float("nan"),
    "true": True,
    "bytes": b"Hello.",
    "list": ["a"],
    "dict": {"a": 1},
    "tuple": ("a",),
    "set": set(),
    "object": object(),
    "class": type("Odd", (), {}),
    "function": lambda: 1,
    "array": np.zeros(2),
    "empty": "",
    "blank": " ",
    "surrogate": "\ud800",
    "nul": "nul\0",
    "long": "x" * 300,
    "path": "../../pyproject",
}

AGENT: dict[str, Callable[[EmotionAwareAgent, Any], object]] = {
    "respond text": lambda a, x: a.respond(x),
    "respond user": lambda a, x: a.respond("Hi.", user=x),
    "respond conversation": lambda a, x: a.respond("Hi.", user="u", conversation=x),
    "arespond text": lambda a, x: asyncio.run(a.arespond(x)),
    "arespond user": lambda a, x: asyncio.run(a.arespond("Hi.", user=x)),
    "arespond conversation": lambda a, x: asyncio.run(a.arespond("Hi.", conversation=x)),
    "stream text": lambda a, x: next(iter(a.stream(x))),
    "stream user": lambda a, x: next(iter(a.stream("Hi.", user=x))),
    "feedback turn": lambda a, x: a.feedback(x, user="u", rating=1),
    "feedback user": lambda a, x: a.feedback("t", user=x, rating=1),
    "feedback emotion": lambda a, x: a.feedback("t", user="u", emotion=x),
    "feedback rating": lambda a, x: a.feedback("t", user="u", rating=x),
    "afeedback user": lambda a, x: asyncio.run(a.afeedback("t", user=x, rating=1)),
    "transfers user": lambda a, x: a.transfers(user=x),
    "transfers conversation": lambda a, x: a.transfers(user="u", conversation=x),
    "accept turn": lambda a, x: a.accept(x, user="u"),
    "accept user": lambda a, x: a.accept("t", user=x),
    "decline turn": lambda a, x: a.decline(x, user="u"),
    "decline user": lambda a, x: a.decline("t", user=x),
    "watch": lambda a, x: a.watch(x),
    "notice": lambda a, x: a.notice(language=x),
    "as_runnable": lambda a, x: a.as_runnable(output=x),
}

RECOGNIZER: dict[str, Callable[[EmotionRecognizer, Any], object]] = {
    "recognize": lambda r, x: r.recognize(x),
    "recognize user": lambda r, x: r.recognize("Hi.", user=x),
    "arecognize": lambda r, x: asyncio.run(r.arecognize(x)),
    "recognize_dialogue": lambda r, x: r.recognize_dialogue(x),
    "recognize_dialogue item": lambda r, x: r.recognize_dialogue(["Hi.", x]),
    "session user": lambda r, x: r.session(x),
    "session add": lambda r, x: r.session().add(x),
    "session extend": lambda r, x: r.session().extend(x),
    "session restore": lambda r, x: r.session().restore(x),
    "timeline": lambda r, x: r.timeline(x),
    "timeline window": lambda r, x: r.timeline("Hi.", window_s=x),
    "timeline user": lambda r, x: r.timeline("Hi.", user=x),
    "read": lambda r, x: r.read(x),
    "read item": lambda r, x: r.read(["Hi.", x]),
    "read corpus": lambda r, x: r.read(["Hi."], x),
    "listen": lambda r, x: r.listen(x, UserContext()),
    "utterance text": lambda r, x: r.recognize(Utterance(text=x)),
    "utterance audio": lambda r, x: r.recognize(Utterance("Hi.", audio=x)),
    "utterance frames": lambda r, x: r.recognize(Utterance("Hi.", frames=x)),
    "utterance events": lambda r, x: r.recognize(Utterance("Hi.", events=x)),
    "utterance speaker": lambda r, x: r.recognize(Utterance("Hi.", speaker=x)),
    "utterance at": lambda r, x: r.recognize(Utterance("Hi.", at=x)),
    "utterance signals": lambda r, x: r.recognize(Utterance("Hi.", signals=x)),
    "context user": lambda r, x: UserContext(user=x),
    "context consents": lambda r, x: UserContext(consents=x),
}


@pytest.fixture(scope="module")
def asked() -> Iterator[EmotionAwareAgent]:
    with EmotionAwareAgent(recognizer=FakeRecognizer()) as made:
        yield made


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("door", AGENT)
def test_doors_of_an_agent(asked: EmotionAwareAgent, door: str, odd: str) -> None:
    try:
        AGENT[door](asked, ODD[odd])
    except EmpathicError as error:
        assert len(str(error)) > 15 and len(str(error)) < 1000


@pytest.mark.parametrize("door", RECOGNIZER)
def test_doors_of_a_recogniser(recognizer: EmotionRecognizer, door: str) -> None:
    for odd in ODD.values():
        try:
            RECOGNIZER[door](recognizer, odd)
        except EmpathicError as error:
            assert len(str(error)) > 15 and len(str(error)) < 1000


@pytest.mark.parametrize("odd", ["int", "bytes", "list", "dict", "array", "true", "empty", "long"])
def test_a_name_that_is_none_is_refused_everywhere(asked: EmotionAwareAgent, odd: str) -> None:
    for door in ("respond", "arespond", "stream", "feedback", "afeedback", "transfers", "accept",
                 "decline"):  # fmt: skip
        with pytest.raises(InputError, match="user must"):
            AGENT[f"{door} user"](asked, ODD[odd])
    if odd not in ("long",):
        with pytest.raises(InputError, match="conversation"):
            AGENT["respond conversation"](asked, ODD[odd])


@pytest.mark.parametrize("odd", ["none", "int", "bytes", "list", "dict", "array", "true"])
def test_what_was_said_is_a_text_or_an_utterance(asked: EmotionAwareAgent, odd: str) -> None:
    for door in ("respond", "arespond", "stream"):
        with pytest.raises(InputError, match="an utterance must be a str or an Utterance"):
            AGENT[f"{door} text"](asked, ODD[odd])


def test_a_language_is_a_tag_and_never_a_path(asked: EmotionAwareAgent) -> None:
    english = asked.notice()
    for odd in ("../../pyproject", "x" * 300, "nul\0", "/etc/passwd", "de/../en", "\ud800"):
        assert asked.notice(language=odd) == english
    assert asked.notice(language="de-AT") == asked.notice(language="de") != english
    with pytest.raises(InputError, match="language must be a BCP 47 tag"):
        asked.notice(language=3)  # type: ignore[arg-type]


def test_a_recogniser_wants_a_context_and_not_a_name(recognizer: EmotionRecognizer) -> None:
    with pytest.raises(InputError, match=r"UserContext\(consents="):
        recognizer.recognize("Hi.", user="ada")  # type: ignore[arg-type]
