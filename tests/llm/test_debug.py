"""Errors of an adopter's own parts: in outline, and in full where they ask for it."""

from __future__ import annotations

import asyncio
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


@pytest.mark.parametrize("what", WAYS)
def test_one_agent_is_asked_and_no_other(
    recognizer: EmotionRecognizer,
    what: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.delenv("EMPATHIC_DEBUG", raising=False)
    take_a_turn(recognizer, WAYS[what]() | {"debug": True})
    assert f"{what}" in caplog.text and f"RuntimeError: {SECRET}" in caplog.text
    caplog.clear()
    take_a_turn(recognizer, WAYS[what]())
    assert SECRET not in caplog.text


@pytest.mark.parametrize("way", ["arespond", "astream", "stream"])
def test_every_way_of_asking(
    recognizer: EmotionRecognizer,
    way: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.delenv("EMPATHIC_DEBUG", raising=False)

    async def awaited(agent: EmotionAwareAgent) -> None:
        if way == "arespond":
            await agent.arespond("I failed.")
        else:
            assert [event async for event in agent.astream("I failed.")]

    with EmotionAwareAgent(Broken(), recognizer=recognizer, debug=True) as agent:
        if way == "stream":
            assert list(agent.stream("I failed."))
        else:
            asyncio.run(awaited(agent))
    assert f"RuntimeError: {SECRET}" in caplog.text


def test_the_middleware_and_the_chat_model(
    recognizer: EmotionRecognizer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    agents = pytest.importorskip("langchain.agents")
    from langchain_core.language_models.fake_chat_models import GenericFakeChatModel

    from empathic_sdk.integrations.langchain import EmotionMiddleware, EmpathicChatModel

    monkeypatch.delenv("EMPATHIC_DEBUG", raising=False)
    for debug in (False, True):
        caplog.clear()
        middleware = EmotionMiddleware(recognizer=recognizer, tone=broken, debug=debug)
        model = GenericFakeChatModel(messages=iter(["That sounds heavy."]))
        agent = agents.create_agent(model, middleware=[middleware])
        agent.invoke({"messages": [("human", "I failed.")]})
        assert (SECRET in caplog.text) is debug
        caplog.clear()
        EmpathicChatModel(recognizer=recognizer, tone=broken, debug=debug).invoke("I failed.")
        assert (SECRET in caplog.text) is debug


def test_a_models_error_goes_through_the_middleware(recognizer: EmotionRecognizer) -> None:
    agents = pytest.importorskip("langchain.agents")
    from langchain_core.language_models.fake_chat_models import GenericFakeChatModel

    from empathic_sdk.integrations.langchain import EmotionMiddleware

    class Raises(GenericFakeChatModel):
        def _generate(self, *given: Any, **kwargs: Any) -> Any:
            raise RuntimeError(SECRET)

    model = Raises(messages=iter([]))
    agent = agents.create_agent(model, middleware=[EmotionMiddleware(recognizer=recognizer)])
    with pytest.raises(RuntimeError, match=SECRET):
        agent.invoke({"messages": [("human", "I failed.")]})
