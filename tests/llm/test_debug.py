"""Errors of an adopter's own parts: in outline, and in full where they ask for it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from empathic_sdk import EmotionAwareAgent, EmotionRecognizer

SECRET = "they told me about the lighthouse"


class Broken:
    name = "broken"

    def stream(self, messages: Any) -> Any:
        raise RuntimeError(SECRET)
        yield ""


class BrokenPart:
    name = "broken"

    def reply(self, context: Any) -> Any:
        raise RuntimeError(SECRET)

    def assess(self, context: Any) -> Any:
        raise RuntimeError(SECRET)


def broken(*given: Any) -> Any:
    raise RuntimeError(SECRET)


WAYS: dict[str, Callable[[], dict[str, Any]]] = {
    "the tone hook": lambda: {"tone": broken},
    "the language model": lambda: {"llm": Broken()},
    "the responder": lambda: {"responder": BrokenPart()},
    "the safety assessor": lambda: {"safety": BrokenPart()},
    "on_alert": lambda: {"on_alert": broken},
}


def take_a_turn(recognizer: EmotionRecognizer, given: dict[str, Any]) -> None:
    text = "I want to kill myself." if "on_alert" in given else "I failed."
    with EmotionAwareAgent(given.pop("llm", None), recognizer=recognizer, **given) as agent:
        assert agent.respond(text).reply


@pytest.mark.parametrize("what", WAYS)
def test_in_full_where_asked_for(
    recognizer: EmotionRecognizer,
    what: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.delenv("EMPATHIC_DEBUG", raising=False)
    take_a_turn(recognizer, WAYS[what]())
    assert SECRET not in caplog.text
    monkeypatch.setenv("EMPATHIC_DEBUG", "1")
    take_a_turn(recognizer, WAYS[what]())
    assert f"{what}" in caplog.text and "raised, in full" in caplog.text
    assert f"RuntimeError: {SECRET}" in caplog.text
    assert "test_debug.py" in caplog.text and "Traceback" in caplog.text
