"""What cannot work as ``llm=``, said when it is given and not at every turn.

Asked without importing LangChain or LangGraph: an object of their classes means that they are
there.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

_DEPTH = 8
_NO_TEMPLATE = (
    "has no chat template, so a person's words and the program's could not be told apart; use an "
    "instruction-tuned model"
)


def why_not(given: Any) -> str:
    """Say why something cannot write replies; empty where nothing speaks against it.

    Args:
        given: A runnable of LangChain, or an object of one's own.
    """
    for part in _parts(given):
        if reason := _of_part(part):
            return reason
    ends = [*_ends(given)]
    for first, _ in ends:
        if is_a(first, "langchain_core", "BasePromptTemplate") and not _passes(first):
            return (
                "a chain that begins with a prompt wants variables, not messages; give the model "
                "alone, or a prompt with MessagesPlaceholder as its only variable"
            )
    for _, last in ends:
        if is_a(last, "langchain_core", "RunnableParallel") or (
            is_a(last, "langchain_core", "BaseOutputParser")
            and not is_a(last, "langchain_core", "StrOutputParser")
        ):
            return "a model with structured output gives no text; give the model without it"
    return ""


def is_a(given: Any, package: str, name: str) -> bool:
    """Whether an object's class, or one that it inherits from, has this name in this package."""
    return any(
        cls.__name__ == name and cls.__module__.split(".")[0] == package
        for cls in type(given).__mro__
    )


def _of_part(part: Any) -> str:
    if is_a(part, "langgraph", "Pregel"):
        return (
            "a graph takes and gives a state, not messages; give the model that is in it, or let "
            "EmotionMiddleware take part in the graph's agent"
        )
    if is_a(part, "langgraph", "StateGraph"):
        return "a graph is no model; give the model that is in it"
    if is_a(part, "langchain_core", "BaseLLM"):
        return (
            "it completes a text and knows no roles, so a person's words and the program's could "
            "not be told apart; use a chat model (ChatOllama, ChatHuggingFace, ...)"
        )
    if is_a(part, "langchain", "_ConfigurableModel") and not (
        getattr(part, "_default_config", None) or {}
    ).get("model"):
        return "it names no model yet; give init_chat_model a name"
    for kind in ("BaseTool", "BaseRetriever"):
        if is_a(part, "langchain_core", kind):
            return f"a {type(part).__name__} writes no replies"
    if _only_async(part):
        return (
            "it can only be awaited, and a reply is read in a thread; give it a stream that is no "
            "coroutine and no asynchronous generator"
        )
    if is_a(part, "empathic_sdk", "AgentRunnable") or _is_agent(part):
        return "an agent is no model: it has one of its own"
    if is_a(part, "transformers", "PreTrainedModel"):
        return "give it with its tokenizer, as transformers.pipeline('text-generation', ...)"
    if is_a(part, "openai", "OpenAI") or is_a(part, "openai", "AsyncOpenAI"):
        return "give the name of a model ('openai:...'), or langchain_openai.ChatOpenAI"
    if reason := _without_template(part):
        return reason
    if not is_a(part, "langchain_core", "Runnable") and _takes_no_messages(part):
        return "its stream must take one argument, the messages"
    return ""


def _without_template(part: Any) -> str:
    """Say so where a model in this process has no chat template."""
    client = getattr(part, "client", None)
    if is_a(client, "llama_cpp", "Llama"):
        metadata = getattr(client, "metadata", None) or {}
        own = getattr(client, "chat_handler", None) or getattr(client, "chat_format", None)
        # llama-2 is what llama_cpp assumes where a file says nothing.
        if "tokenizer.chat_template" not in metadata and own in (None, "llama-2"):
            return f"its file {_NO_TEMPLATE}"
    pipeline = getattr(part, "pipeline", None) or getattr(
        getattr(part, "llm", None), "pipeline", None
    )
    if pipeline is not None and hasattr(pipeline, "task") and hasattr(pipeline, "tokenizer"):
        tokenizer = getattr(part, "tokenizer", None) or pipeline.tokenizer
        if not getattr(tokenizer, "chat_template", None):
            return f"its tokenizer {_NO_TEMPLATE}"
    return ""


def _is_agent(part: Any) -> bool:
    return all(callable(getattr(part, name, None)) for name in ("respond", "feedback", "notice"))


def _takes_no_messages(part: Any) -> bool:
    stream = getattr(part, "stream", None)
    if isinstance(part, type) or not callable(stream):
        return False  # refused for that
    try:
        inspect.signature(stream).bind([])
    except TypeError:
        return True
    except ValueError:  # written in C: it has no signature
        return False
    return False


def _only_async(part: Any) -> bool:
    if is_a(part, "langchain_core", "RunnableLambda"):
        return not hasattr(part, "func")
    if is_a(part, "langchain_core", "RunnableGenerator"):
        return not hasattr(part, "_transform")
    stream = getattr(part, "stream", None)
    if stream is None:
        return callable(getattr(part, "astream", None))
    called = getattr(type(stream), "__call__", None)  # noqa: B004 - of an object with a method
    return any(
        inspect.iscoroutinefunction(f) or inspect.isasyncgenfunction(f) for f in (stream, called)
    )


def _passes(prompt: Any) -> bool:
    """Whether a prompt hands on the messages it is given, as messages."""
    from langchain_core.messages import HumanMessage, SystemMessage

    probe = [SystemMessage("rules"), HumanMessage("words")]
    try:
        made = prompt.invoke(probe).to_messages()
    except Exception:  # prompts raise what they like where a variable is missing
        return False
    return all(message in made for message in probe)


def _parts(given: Any, depth: int = 0) -> Iterator[Any]:
    """Give an object and what it wraps or is made of, as far as that can be seen."""
    yield given
    if depth == _DEPTH or not is_a(given, "langchain_core", "Runnable"):
        return
    for inner in (*_wrapped(given), *_steps(given)):
        yield from _parts(inner, depth + 1)


def _ends(given: Any, depth: int = 0) -> Iterator[tuple[Any, Any]]:
    """Give the first and the last step of each chain that may be run."""
    wrapped = _wrapped(given)
    if depth < _DEPTH and wrapped:
        for inner in wrapped:
            yield from _ends(inner, depth + 1)
        return
    steps = _steps(given)
    if depth == _DEPTH or not steps:
        yield given, given
        return
    for first, _ in _ends(steps[0], depth + 1):
        for _, last in _ends(steps[-1], depth + 1):
            yield first, last


def _wrapped(given: Any) -> list[Any]:
    if is_a(given, "langchain_core", "RunnableBindingBase"):
        return [given.bound]
    if is_a(given, "langchain_core", "RunnableWithFallbacks"):
        return [given.runnable, *given.fallbacks]
    if is_a(given, "langchain_core", "DynamicRunnable"):
        return [given.default]
    return []


def _steps(given: Any) -> list[Any]:
    return list(given.steps) if is_a(given, "langchain_core", "RunnableSequence") else []
