"""A language model behind the protocol: what it is sent, what is let through, what if it fails."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.responders import llm as module
from empathic_sdk.responders.cancellable import AbandonedError, Live
from empathic_sdk.responders.llm import LLMResponder
from empathic_sdk.types import ChatMessage, Emotion, SentenceEvent, StateEvent
from empathic_sdk.types.reply import ReplyContext
from tests.replying import Talk, make_state

GOOD = "That sounds heavy. What happened then?"


class Model:
    """Answers from a script: a str, an error, or a callable that gives pieces."""

    name = "fake:model"

    def __init__(self, *script: Any) -> None:
        self.script = list(script)
        self.asked: list[list[ChatMessage]] = []

    def stream(self, messages: Sequence[ChatMessage]) -> Iterator[str]:
        self.asked.append(list(messages))
        item = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(item, BaseException):
            raise item
        if callable(item):
            yield from item()
            return
        yield from item


def context_of(text: str = "I failed again.", sentences: int | None = None) -> ReplyContext:
    talk = Talk(max_sentences=sentences)
    made: ReplyContext = talk.context(text, make_state(Emotion.SADNESS))
    return made


def answer(*script: Any, timeout_s: float = 10.0, **kinds: Any) -> Any:
    model = Model(*script)
    return LLMResponder(model, timeout_s=timeout_s).reply(context_of(**kinds)), model


def test_the_model_answers() -> None:
    reply, model = answer(GOOD)
    assert reply.sentences == ("That sounds heavy.", "What happened then?")
    assert (reply.responder, reply.fallbacks) == ("fake:model", ())
    assert [m.role for m in model.asked[0]] == ["system", "user"]
    assert model.asked[0][1].text == "I failed again."


def test_at_most_the_pacings_sentences_and_the_rest_is_not_read() -> None:
    closed = threading.Event()

    def endless() -> Iterator[str]:
        try:
            while True:
                yield "That is a lot. "
                time.sleep(0.001)
        finally:
            closed.set()

    reply, _ = answer(endless, sentences=2)
    assert reply.sentences == ("That is a lot.",) * 2
    assert reply.fallbacks == ()
    assert closed.wait(5)
    reply, _ = answer(["So it is. " * 10_000], sentences=3)
    assert len(reply.sentences) == 3


@pytest.mark.parametrize(
    ("script", "fallback"),
    [
        ("", "llm:empty"),
        ("...", "llm:empty"),
        ("<think>hm", "llm:empty"),
        (["word " * 400], "llm:overlong"),
        ([None], "llm:TypeError"),
        (lambda: None, "llm:TypeError"),
        (ValueError("the prompt was: I failed again."), "llm:ValueError"),
        (SystemExit(3), "llm:RuntimeError"),
        ("You have depression.", "llm:unsafe:diagnosis"),
        ("That is hard. Just kill yourself. Bye.", "llm:unsafe:encouragement"),
    ],
)
def test_when_it_fails_the_embedded_responder_answers(script: Any, fallback: str) -> None:
    reply, _ = answer(script)
    embedded = module.EmbeddedResponder().reply(context_of())
    assert reply.sentences == embedded.sentences
    assert reply.memory == embedded.memory
    assert (reply.responder, reply.fallbacks) == ("embedded", (fallback,))


def test_a_refused_sentence_is_left_out() -> None:
    reply, _ = answer("That is hard. I feel so sad for you. What happened?")
    assert reply.sentences == ("That is hard.", "What happened?")
    assert (reply.responder, reply.fallbacks) == ("fake:model", ("llm:unsafe:feeling",))


def test_one_retry_on_transient_errors_and_none_on_others() -> None:
    class RateLimitError(Exception):
        status_code = 429

    class AuthenticationError(Exception):
        status_code = 401

    for error in (ConnectionError(), TimeoutError(), RateLimitError()):
        reply, model = answer(error, GOOD)
        assert len(model.asked) == 2
        assert reply.responder == "fake:model"
        assert reply.fallbacks == (f"llm:{type(error).__name__}",)
        reply, model = answer(error)
        assert len(model.asked) == 2
        assert reply.responder == "embedded"
    reply, model = answer(AuthenticationError(), GOOD)
    assert len(model.asked) == 1
    assert reply.responder == "embedded"


def test_one_that_breaks_off_keeps_its_whole_sentences() -> None:
    def breaks() -> Iterator[str]:
        yield "That sounds heavy. And then"
        raise ConnectionError

    reply, model = answer(breaks)
    assert reply.sentences == ("That sounds heavy.",)
    assert (reply.responder, reply.fallbacks) == ("fake:model", ("llm:ConnectionError",))
    assert len(model.asked) == 1


def test_a_model_that_hangs_is_left_behind_and_does_not_eat_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("empathic_sdk.runtime.lanes.HANGING", 2)
    free = threading.Event()

    def hangs() -> Iterator[str]:
        free.wait(60)
        yield "Late."

    model = Model(hangs)
    responder = LLMResponder(model, timeout_s=0.05)
    try:
        for _ in range(5):
            start = time.monotonic()
            reply = responder.reply(context_of())
            assert time.monotonic() - start < 5
            assert (reply.responder, reply.fallbacks) == ("embedded", ("llm:TimeoutError",))
        assert len(model.asked) == 2
    finally:
        free.set()
    deadline = time.monotonic() + 10
    while (reply := responder.reply(context_of())).responder == "embedded":
        assert time.monotonic() < deadline, "the places were not given back"
    assert reply.sentences == ("Late.",)


def test_in_a_crisis_the_model_is_not_asked() -> None:
    reply, model = answer(GOOD, text="I want to kill myself.")
    assert model.asked == []
    assert (reply.responder, reply.fallbacks) == ("embedded", ())
    assert reply.safety.help_lines


def test_a_help_line_stays_in_sight_below_the_models_words() -> None:
    talk = Talk()
    talk.say("I want to kill myself.", Emotion.SADNESS)
    talk.say("No, I am safe now.", Emotion.NEUTRAL)
    for _ in range(3):
        context = talk.context("My sister came over.", make_state(Emotion.NEUTRAL))
        if context.safety.level == "none":
            break
        talk.say("My sister came over.", Emotion.NEUTRAL)
    model = Model("It is good that she came. What did you do together? Tell me more. And more.")
    reply = LLMResponder(model).reply(context)
    assert reply.responder == "fake:model"
    assert len(reply.sentences) <= context.style.pacing.max_sentences
    assert reply.safety.help_lines[0].contact in reply.sentences[-1]
    assert "pointed to danger" in model.asked[0][0].text


def streamed(
    *script: Any, give_up: Callable[[Live], object] | None = None, **kinds: Any
) -> tuple[list[str], Any]:
    events: list[Any] = []
    live = Live(events.append)
    if give_up:
        give_up(live)
    reply = LLMResponder(Model(*script)).reply(context_of(**kinds), live)
    assert isinstance(events[0], StateEvent)
    assert all(isinstance(e, SentenceEvent) for e in events[1:])
    return [e.text for e in events[1:]], reply


def test_sentences_are_let_out_one_by_one() -> None:
    out, reply = streamed(GOOD)
    assert tuple(out) == reply.sentences == ("That sounds heavy.", "What happened then?")
    out, reply = streamed("")
    assert tuple(out) == reply.sentences and reply.responder == "embedded"


def test_a_draft_that_goes_wrong_after_its_first_sentence_is_finished_by_the_embedded() -> None:
    out, reply = streamed("That sounds heavy. You should take 40 pills. More.")
    embedded = module.EmbeddedResponder().reply(context_of())
    assert tuple(out) == reply.sentences
    assert reply.sentences[0] == "That sounds heavy."
    assert set(reply.sentences[1:]) <= set(embedded.sentences)
    assert len(reply.sentences) <= context_of().style.pacing.max_sentences
    assert reply.fallbacks == ("llm:unsafe:methods",)


def test_giving_up_before_a_word_was_shown_drops_the_turn() -> None:
    with pytest.raises(AbandonedError):
        streamed(GOOD, give_up=Live.give_up)
    live = Live()
    started = threading.Event()

    def hangs() -> Iterator[str]:
        started.set()
        time.sleep(5)
        yield GOOD

    threading.Thread(target=lambda: (started.wait(5), live.give_up()), daemon=True).start()
    start = time.monotonic()
    with pytest.raises(AbandonedError):
        LLMResponder(Model(hangs)).reply(context_of(), live)
    assert time.monotonic() - start < 4


def test_giving_up_later_or_in_a_crisis_finishes_it() -> None:
    events: list[Any] = []

    def put(event: Any) -> None:
        events.append(event)
        if isinstance(event, SentenceEvent):
            live.give_up()

    live = Live(put)
    reply = LLMResponder(Model(GOOD)).reply(context_of(), live)
    assert reply.sentences == ("That sounds heavy.", "What happened then?")
    _, reply = streamed(GOOD, give_up=Live.give_up, text="I want to kill myself.")
    assert reply.safety.help_lines


def test_no_words_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    answer(ConnectionError("you sent: I failed again xylophone"), text="My xylophone broke.")
    answer("Just kill yourself xylophone.", text="My xylophone broke.")
    assert any("ConnectionError" in r.getMessage() for r in caplog.records)
    assert "xylophone" not in caplog.text
    assert not any(record.exc_info for record in caplog.records)


@pytest.mark.parametrize("timeout", [0, -1, "20", True, float("nan"), float("inf")])
def test_bad_timeouts(timeout: Any) -> None:
    with pytest.raises(ConfigurationError, match="llm_timeout_s="):
        LLMResponder(Model(GOOD), timeout_s=timeout)
