"""The recogniser as a LangChain runnable and as a tool. Importing this needs LangChain."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.tools import StructuredTool, ToolException

from empathic_sdk.errors import EmpathicError
from empathic_sdk.integrations.langchain.people import Known, check_user, person_of
from empathic_sdk.llm.runnables import read_by, recognizer_runnable
from empathic_sdk.recognition.shared import shared_recognizer
from empathic_sdk.types import EmotionState, UserContext, Utterance
from empathic_sdk.types.protocols import Recognizer

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool


def emotion_runnable(
    recognizer: Recognizer | None = None, *, user: Known = None
) -> Runnable[Any, EmotionState]:
    """Return a runnable from what was said to the :class:`EmotionState`.

    Its input is a str, an ``Utterance``, a message, or a list of messages (also as pairs or dicts),
    whose human ones are read in order: the state of the last comes out. A dict may hold one of
    these under ``input`` or ``messages``.

    Args:
        recognizer: What reads; by default the embedded one, loaded at the first use.
        user: What is known of the person, as for :class:`EmotionMiddleware`; an object such as an
            agent's ``profiles`` is asked for the ``user_id`` of the run's ``configurable`` or
            context. A callable gets the run's ``Runtime`` where there is one.

    Raises:
        ConfigurationError: ``user`` is none of these.
    """
    check_user(user)
    return recognizer_runnable(
        lambda: recognizer or shared_recognizer(), lambda config: _person(user, config)
    )


def emotion_tool(
    recognizer: Recognizer | None = None,
    *,
    name: str = "estimate_emotion",
    user: Known = None,
) -> BaseTool:
    """Return a tool by which a model may ask how a text is meant to feel.

    It answers with ``emotion``, ``confidence``, ``uncertain``, ``valence`` and ``arousal``, and
    with a message that says what was wrong where it is called badly: without a text, say.

    Args:
        recognizer: What reads; by default the embedded one, loaded at the first use.
        name: What models call it.
        user: What is known of the person, as for :func:`emotion_runnable`.

    Raises:
        ConfigurationError: ``user`` is none of these.
    """
    check_user(user)

    def estimate(text: str, config: RunnableConfig) -> dict[str, Any]:
        try:
            person = _person(user, config)
            reader = recognizer or shared_recognizer()
            if person is None:
                state = reader.recognize(text)
            else:
                (state,) = read_by(reader, [Utterance(text)], person)
        except EmpathicError as error:
            raise ToolException(f"this text cannot be read: {error}") from error
        return {
            "emotion": state.label.value,
            "confidence": round(state.confidence, 3),
            "uncertain": state.uncertain,
            "valence": round(state.valence, 3),
            "arousal": round(state.arousal, 3),
        }

    async def aestimate(text: str, config: RunnableConfig) -> dict[str, Any]:
        return await asyncio.to_thread(estimate, text, config)

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


def _person(known: Known, config: RunnableConfig) -> UserContext | None:
    if known is None:  # the names alone change nothing that is read, and nothing is kept
        return None
    runtime = (config.get("configurable") or {}).get("__pregel_runtime")
    return person_of(known, config=config, runtime=runtime)[0]
