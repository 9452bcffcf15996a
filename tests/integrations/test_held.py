"""Nothing of a draft is in a stream before it was checked, whatever wraps or swaps the model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

pytest.importorskip("langchain")

from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, ModelFallbackMiddleware
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import HumanMessage

from empathic_sdk import EmotionRecognizer
from empathic_sdk.integrations.langchain import EmotionMiddleware

DRAFT = "That is hard. You should take 40 pills."
GOOD = "That sounds heavy. What happened then?"


class Streaming(GenericFakeChatModel):
    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        return self.bind(tools=[])


class Failing(Streaming):
    def _generate(self, *given: Any, **kwargs: Any) -> Any:
        raise RuntimeError("no answer")


def fake(text: str) -> Streaming:
    return Streaming(messages=iter([text]))


def failing() -> Failing:
    return Failing(messages=iter([]))


class Swapping(AgentMiddleware):  # type: ignore[type-arg]
    """Calls a model of its own instead of the one that was asked for."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def wrap_model_call(self, request: Any, handler: Callable[..., Any]) -> Any:
        return handler(request.override(model=self.model))

    async def awrap_model_call(self, request: Any, handler: Callable[..., Any]) -> Any:
        return await handler(request.override(model=self.model))


WAYS: dict[str, Callable[[str], tuple[Any, list[Any]]]] = {
    "plain": lambda text: (fake(text), []),
    "bound": lambda text: (fake(text).bind(stop=["x"]), []),
    "tagged": lambda text: (fake(text).with_config(tags=["mine"]), []),
    "retried": lambda text: (fake(text).with_retry(), []),
    "fallback": lambda text: (failing().with_fallbacks([fake(text)]), []),
    "all at once": lambda text: (
        failing().bind(stop=["x"]).with_retry(stop_after_attempt=1)
        .with_fallbacks([fake(text).bind(stop=["x"]).with_config(tags=["mine"])]),
        [],
    ),
    "fallback middleware": lambda text: (failing(), [ModelFallbackMiddleware(fake(text))]),
    "swapped": lambda text: (fake("never"), [Swapping(fake(text).bind(stop=["x"]))]),
}  # fmt: skip


def agent_of(recognizer: EmotionRecognizer, way: str, text: str, **given: Any) -> Any:
    model, more = WAYS[way](text)
    ours = EmotionMiddleware(recognizer=recognizer, **given)
    return create_agent(model, middleware=[ours, *more])


ASKED = {"messages": [HumanMessage("I failed.")]}


def streamed(agent: Any, **config: Any) -> list[str]:
    stream = agent.stream(ASKED, config or None, stream_mode="messages")
    return [m.text for m, _ in stream if not isinstance(m, HumanMessage)]


@pytest.mark.parametrize("way", WAYS)
def test_a_draft_is_not_streamed(recognizer: EmotionRecognizer, way: str) -> None:
    seen = "".join(streamed(agent_of(recognizer, way, DRAFT)))
    assert seen and "pills" not in seen and "hard" not in seen
    assert streamed(agent_of(recognizer, way, GOOD)) == [GOOD]


@pytest.mark.parametrize("way", WAYS)
def test_a_draft_is_not_streamed_in_a_loop(recognizer: EmotionRecognizer, way: str) -> None:
    async def main() -> str:
        stream = agent_of(recognizer, way, DRAFT).astream(
            ASKED, stream_mode=["messages", "updates"]
        )
        return "".join([str(part) async for part in stream])

    seen = asyncio.run(main())
    assert "pills" not in seen and "hard" not in seen


def test_it_can_be_let_through(recognizer: EmotionRecognizer) -> None:
    assert len(streamed(agent_of(recognizer, "bound", GOOD, hold=False))) > 3
    assert len(streamed(agent_of(recognizer, "bound", GOOD, guard="off"))) > 3


def test_nothing_stays_marked_afterwards(recognizer: EmotionRecognizer) -> None:
    class Later(AgentMiddleware):  # type: ignore[type-arg]
        def after_model(self, state: Any, runtime: Any) -> None:
            fake("word by word").invoke("hello")

    ours = EmotionMiddleware(recognizer=recognizer)
    parts = streamed(create_agent(fake(GOOD), middleware=[ours, Later()]))
    assert "word" in parts and GOOD in parts


def test_callbacks_see_the_call(recognizer: EmotionRecognizer) -> None:
    seen: list[Any] = []

    class Watching(BaseCallbackHandler):
        def on_chat_model_start(self, *given: Any, **kwargs: Any) -> None:
            seen.append(kwargs["tags"])

    parts = streamed(agent_of(recognizer, "bound", GOOD), callbacks=[Watching()], tags=["run"])
    assert parts == [GOOD]
    assert len(seen) == 1 and "run" in seen[0]
