"""LangChain: an agent, a recogniser and the embedded responder as its parts, and a middleware.

Importing this module does not import LangChain; using a name of it does.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from empathic_sdk.errors import MissingExtraError

if TYPE_CHECKING:
    from empathic_sdk.agent import EmotionAwareAgent
    from empathic_sdk.integrations.langchain.chat_model import EmpathicChatModel
    from empathic_sdk.integrations.langchain.middleware import EmotionAgentState, EmotionMiddleware
    from empathic_sdk.integrations.langchain.recognition import emotion_runnable, emotion_tool
    from empathic_sdk.llm.runnables import AgentRunnable

_HOMES = {
    "AgentRunnable": "llm.runnables",
    "EmotionAgentState": "integrations.langchain.middleware",
    "EmotionMiddleware": "integrations.langchain.middleware",
    "EmpathicChatModel": "integrations.langchain.chat_model",
    "emotion_runnable": "integrations.langchain.recognition",
    "emotion_tool": "integrations.langchain.recognition",
}

__all__ = [
    "AgentRunnable",
    "EmotionAgentState",
    "EmotionMiddleware",
    "EmpathicChatModel",
    "emotion_runnable",
    "emotion_tool",
    "runnable",
]


def runnable(
    agent: EmotionAwareAgent, *, output: Literal["turn", "reply"] = "turn"
) -> AgentRunnable:
    """Wrap an agent as a runnable.

    Args:
        agent: The agent; it stays yours to close.
        output: What comes out: turns, or the texts of replies.

    Raises:
        ConfigurationError: ``output`` is neither.
        MissingExtraError: LangChain is not installed.
    """
    made: AgentRunnable = __getattr__("AgentRunnable")(agent, output=output)
    return made


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f"empathic_sdk.{_HOMES[name]}"), name)
    except ImportError as error:
        raise MissingExtraError("langchain", "the LangChain integration") from error
