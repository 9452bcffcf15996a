"""What cannot work as ``llm=``, said when it is given and not at every turn.

Asked without importing LangChain or LangGraph: an object of their classes means that they are
there.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

_DEPTH = 8


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
    for kind in ("BaseTool", "BaseRetriever"):
        if is_a(part, "langchain_core", kind):
            return f"a {type(part).__name__} writes no replies"
    if _only_async(part):
        return (
            "it can only be awaited, and a reply is read in a thread; give it a stream that is no "
            "coroutine and no asynchronous generator"
        )
    pipeline = getattr(part, "pipeline", None) or getattr(
        getattr(part, "llm", None), "pipeline", None
    )
    if pipeline is not None and hasattr(pipeline, "task") and hasattr(pipeline, "tokenizer"):
        tokenizer = getattr(part, "tokenizer", None) or pipeline.tokenizer
        if not getattr(tokenizer, "chat_template", None):
            return (
                "its tokenizer has no chat template, so a person's words and the program's could "
                "not be told apart; use an instruction-tuned model"
            )
    return ""


def _only_async(part: Any) -> bool:
    if is_a(part, "langchain_core", "RunnableLambda"):
        return not hasattr(part, "func")
    if is_a(part, "langchain_core", "RunnableGenerator"):
        return not hasattr(part, "_transform")
    stream = getattr(part, "stream", None)
    if stream is None:
        return callable(getattr(part, "astream", None))
    return inspect.iscoroutinefunction(stream) or inspect.isasyncgenfunction(stream)


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
    return []


def _steps(given: Any) -> list[Any]:
    return list(given.steps) if is_a(given, "langchain_core", "RunnableSequence") else []
