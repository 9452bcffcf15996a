"""The recogniser as a LangChain runnable and as a tool. Importing this needs LangChain."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import Runnable
from langchain_core.tools import StructuredTool, ToolException

from empathic_sdk.errors import EmpathicError
from empathic_sdk.llm.runnables import recognizer_runnable
from empathic_sdk.recognition.shared import shared_recognizer
from empathic_sdk.types import EmotionState
from empathic_sdk.types.protocols import Recognizer

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool


def emotion_runnable(recognizer: Recognizer | None = None) -> Runnable[Any, EmotionState]:
    """Return a runnable from what was said to the :class:`EmotionState`.

    Its input is a str, an ``Utterance``, a message, or a list of messages (also as pairs or dicts),
    whose human ones are read in order: the state of the last comes out. A dict may hold one of
    these under ``input`` or ``messages``.

    Args:
        recognizer: What reads; by default the embedded one, loaded at the first use.
    """
    return recognizer_runnable(lambda: recognizer or shared_recognizer())


def emotion_tool(
    recognizer: Recognizer | None = None, *, name: str = "estimate_emotion"
) -> BaseTool:
    """Return a tool by which a model may ask how a text is meant to feel.

    It answers with ``emotion``, ``confidence``, ``uncertain``, ``valence`` and ``arousal``, and
    with a message that says what was wrong where it is called badly: without a text, say.

    Args:
        recognizer: What reads; by default the embedded one, loaded at the first use.
        name: What models call it.
    """

    def estimate(text: str) -> dict[str, Any]:
        try:
            state = (recognizer or shared_recognizer()).recognize(text)
        except EmpathicError as error:
            raise ToolException(f"this text cannot be read: {error}") from error
        return {
            "emotion": state.label.value,
            "confidence": round(state.confidence, 3),
            "uncertain": state.uncertain,
            "valence": round(state.valence, 3),
            "arousal": round(state.arousal, 3),
        }

    async def aestimate(text: str) -> dict[str, Any]:
        return await asyncio.to_thread(estimate, text)

    return StructuredTool.from_function(
        estimate,
        coroutine=aestimate,
        name=name,
        description=(
            "Estimate which of seven emotions (neutral, joy, sadness, anger, surprise, fear, "
            "disgust) a text shows. An estimate by a program, not a diagnosis."
        ),
        handle_tool_error=True,
        handle_validation_error="This tool takes one argument, text: a string that is not empty.",
    )
