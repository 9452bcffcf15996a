"""What a language model may come up with besides a reply: every sort of it ends in an answer."""

from __future__ import annotations

import itertools
import threading
import time

import pytest

from empathic_sdk.responders import llm as module
from empathic_sdk.responders.llm import LLMResponder
from empathic_sdk.safety.output_guard import check_sentence
from tests.responders.test_llm import Model, answer, context_of

PAGES = (
    "<!DOCTYPE html>\n<html>\n<head><title>502 Bad Gateway</title></head>\n<body>\n"
    "The server is busy.\nPlease try again later.\n</body>\n</html>",
    "<html><body><h1>Log in.</h1> Please log in to go on.</body></html>",
    "<?xml version='1.0'?>\n<error>\nAccess is denied.\n</error>",
    "<script>\nlet a = 1;\n</script>\nWelcome back.",
)
CALLS = (
    '{"name": "get_weather", "arguments": {"city": "Paris"}}\nIt is sunny there.',
    '```json\n{"tool": "search", "query": "sadness"}\n```\nDone.',
    '<tool_call>\n{"name": "search"}\n</tool_call>\nHere it is.',
    '[TOOL_CALLS] [{"name": "search", "arguments": {}}]\nHere it is.',
    'search_web(query="how to cheer up")\nHere it is.',
)


@pytest.mark.parametrize("draft", [*PAGES, *CALLS])
def test_pages_and_calls_of_tools_are_no_reply(draft):
    for script in (draft, [draft[i : i + 5] for i in range(0, len(draft), 5)]):
        reply, _ = answer(script)
        assert (reply.responder, reply.fallbacks) == ("embedded", ("llm:unsafe:markup",))


@pytest.mark.parametrize(
    "sentence",
    [
        "What was the name of the place: do you remember?",
        "You put it in a nutshell: it hurts.",
        "Your head and your body need rest.",
        "It is like a table for two with one chair.",
        "You said (and I took note) that it was late.",
        "Would it help to make a list [of three things]?",
    ],
)
def test_words_about_such_things_are_fine(sentence):
    assert check_sentence(sentence, context_of()).allowed


def test_fifty_thousand_tokens_are_read_to_the_pacings_sentences_only():
    reply, _ = answer(["word "] * 50_000)
    assert (reply.responder, reply.fallbacks) == ("embedded", ("llm:overlong",))
    reply, _ = answer(["So ", "it ", "is. "] * 20_000, sentences=2)
    assert reply.sentences == ("So it is.", "So it is.")


@pytest.mark.parametrize("piece", ["", "word ", "I feel so sad for you. ", "\n", "<think>", "... "])
def test_a_stream_without_end_ends(piece):
    closed = threading.Event()

    def endless():
        try:
            yield from itertools.repeat(piece)
        finally:
            closed.set()

    start = time.monotonic()
    reply, model = answer(endless, timeout_s=1.0)
    assert time.monotonic() - start < 8
    assert reply.responder == "embedded"
    assert reply.fallbacks[-1] in ("llm:TimeoutError", "llm:overlong")
    assert len(model.asked) == 1
    assert closed.wait(8)


def test_a_model_is_not_let_far_ahead_of_its_reader(monkeypatch):
    made = []
    reading = threading.Event()

    def fast():
        for _ in range(5000):
            made.append(1)
            yield "So "
        yield "it is."

    check = module.SentenceReader.feed

    def slow(self, piece):
        if not reading.is_set():
            reading.set()
            time.sleep(0.3)  # long enough for all of them, were there no limit
            assert len(made) <= module.AHEAD + 2
        return check(self, piece)

    monkeypatch.setattr(module.SentenceReader, "feed", slow)
    reply = LLMResponder(Model(fast)).reply(context_of())
    assert reading.is_set()
    assert reply.fallbacks == ("llm:overlong",)


def test_broken_utf8_never_reaches_the_reply():
    reply, _ = answer("That is \ud83d a lot\udcff. What \ude00happened?")
    assert reply.sentences == ("That is a lot .", "What happened?")
    assert reply.text.encode()
    reply, _ = answer("\ud800\udfff\udc80")
    assert reply.fallbacks == ("llm:empty",)


@pytest.mark.parametrize(
    "script", [[b"That is a lot."], b"That is a lot.", [bytearray(b"\xff")], [7]]
)
def test_bytes_are_no_text(script):
    reply, _ = answer(script)
    assert (reply.responder, reply.fallbacks) == ("embedded", ("llm:TypeError",))


def test_what_is_no_stream_is_told_by_its_class():
    class Wrong(Model):
        def stream(self, messages):
            return self.script[0]

    for given in (None, 7, object()):
        reply = LLMResponder(Wrong(given)).reply(context_of())
        assert (reply.responder, reply.fallbacks) == ("embedded", ("llm:TypeError",))
