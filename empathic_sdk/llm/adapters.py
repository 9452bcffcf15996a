"""Resolves ``EmotionAwareAgent(llm=...)`` to a language model that streams text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from empathic_sdk.errors import ConfigurationError, EmpathicError, MissingExtraError
from empathic_sdk.llm.refusals import is_a, why_not
from empathic_sdk.types import ChatMessage, LanguageModel

_PIP = re.compile(r"pip install [`'\"]?(?:-U )?([A-Za-z0-9_.\[\]-]+)")


def language_model(given: Any) -> LanguageModel:
    """Return ``given`` as a language model.

    Args:
        given: A name that ``langchain.chat_models.init_chat_model`` takes, such as
            ``"openai:gpt-4o-mini"``; a chat model of LangChain, also one that is bound, retried or
            has fallbacks; a text-generation pipeline of transformers; or any object with a
            ``name`` and a method ``stream(messages)``.

    Raises:
        MissingExtraError: A name, and LangChain is not installed.
        ConfigurationError: A name that LangChain does not know, a provider whose package or key
            is missing, or something else than the above: a graph, a chain that begins with a
            prompt or ends in structured output, what can only be awaited, a model without a chat
            template.
    """
    if isinstance(given, str):
        return _named(given)
    if getattr(given, "task", None) is not None and hasattr(given, "tokenizer"):
        from empathic_sdk.llm.huggingface import PipelineModel

        return PipelineModel(given)
    if reason := why_not(given):
        raise ConfigurationError(f"llm=: a {type(given).__name__} cannot write replies: {reason}")
    if is_a(given, "langchain_core", "Runnable"):
        return LangChainModel(given)
    name = getattr(given, "name", None)
    if isinstance(given, type) or not callable(getattr(given, "stream", None)):
        raise ConfigurationError(
            "llm= must be None, a model's name such as 'openai:gpt-4o-mini', a chat model of "
            "LangChain, a text-generation pipeline of transformers, or an object with a name and "
            f"a method stream(messages); not {type(given).__name__}"
        )
    if not isinstance(name, str) or not name.strip():
        raise ConfigurationError(f"llm=: a {type(given).__name__} needs a name (a str, not empty)")
    model: LanguageModel = given
    return model


class LangChainModel:
    """A chat model of LangChain, or anything runnable that takes messages and gives one.

    Args:
        model: The runnable.
        name: The name that ``Turn.responder`` shows; by default the model's own.
    """

    def __init__(self, model: Any, *, name: str | None = None) -> None:
        """Keep the model."""
        self._model = model
        self.name = name or _name_of(model)

    def stream(self, messages: Sequence[ChatMessage]) -> Iterator[str]:
        """Yield the text of the answer; reasoning, tool calls and media are skipped."""
        from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

        kinds: dict[str, type[BaseMessage]] = {
            "system": SystemMessage,
            "user": HumanMessage,
            "assistant": AIMessage,
        }
        pieces = self._model.stream([kinds[m.role](content=m.text) for m in messages])
        try:
            for piece in pieces:
                yield text_of(piece)
        finally:
            close = getattr(pieces, "close", None)
            if callable(close):
                close()


def text_of(piece: Any) -> str:
    """Return the text of a message, a chunk of one, or a str; ``""`` if it has none.

    Raises:
        TypeError: It has another type.
    """
    if isinstance(piece, str):
        return piece
    content = getattr(piece, "content", piece)
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise TypeError(f"a chat model gave a {type(piece).__name__}, not a message")
    parts = []
    for block in content:
        if isinstance(block, str):
            parts.append(block)
        elif isinstance(block, dict) and block.get("type") in ("text", "output_text"):
            text = block.get("text")
            parts.append(text if isinstance(text, str) else "")
    return "".join(parts)


def _name_of(model: Any) -> str:
    inner = model
    for _ in range(8):  # through bindings, retries and fallbacks to the model itself
        deeper = getattr(inner, "bound", None) or getattr(inner, "runnable", None)
        if deeper is None:
            break
        inner = deeper
    kind = getattr(inner, "_llm_type", None)
    named = getattr(inner, "model_name", None) or getattr(inner, "model", None)
    kind = kind if isinstance(kind, str) and kind else type(inner).__name__
    return f"{kind}:{named}" if isinstance(named, str) and named else kind


def _named(name: str) -> LangChainModel:
    if not name.strip():
        raise ConfigurationError("llm= must name a model, such as 'openai:gpt-4o-mini'")
    try:
        from langchain.chat_models import init_chat_model
    except ImportError as error:
        raise MissingExtraError("langchain", f"llm={name!r}") from error
    try:
        return LangChainModel(init_chat_model(name), name=name)
    except EmpathicError:
        raise
    except ImportError as error:
        package = _PIP.search(str(error))
        hint = f"pip install {package[1]}" if package else f"install its provider ({error})"
        raise ConfigurationError(f"llm={name!r} needs its provider's package: {hint}") from error
    except ValueError as error:
        if "provider" in str(error):
            raise ConfigurationError(
                f"llm={name!r}: LangChain knows no such provider; write 'provider:model', such as "
                "'openai:gpt-4o-mini', 'anthropic:claude-3-5-haiku-latest' or 'ollama:llama3.2'"
            ) from error
        raise ConfigurationError(_unmade(name, error)) from error
    except Exception as error:  # every provider has errors of its own
        raise ConfigurationError(_unmade(name, error)) from error


def _unmade(name: str, error: Exception) -> str:
    # Not the error's own message, which may show a key.
    return (
        f"llm={name!r} could not be made ({type(error).__name__}): its key or address is probably "
        "missing from the environment; the cause is above"
    )
