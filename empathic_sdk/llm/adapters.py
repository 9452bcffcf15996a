"""Resolves ``EmotionAwareAgent(llm=...)`` to a language model that streams text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from empathic_sdk.errors import ConfigurationError, EmpathicError, MissingExtraError
from empathic_sdk.llm.late import folded, is_folded
from empathic_sdk.llm.locks import alone
from empathic_sdk.llm.refusals import is_a, why_not
from empathic_sdk.llm.tools import ToolLoop
from empathic_sdk.types import ChatMessage, LanguageModel

# Providers whose interface takes system messages at the beginning alone.
_KIND_FIRST = re.compile(r"anthropic|google|gemini|vertexai|bedrock|converse", re.IGNORECASE)
_PIP = re.compile(r"pip install [`'\"]?(?:-U )?([A-Za-z0-9_.\[\]-]+)")


def language_model(given: Any, *, tools: Sequence[Any] = (), rounds: int = 4) -> LanguageModel:
    """Return ``given`` as a language model.

    Args:
        given: A name that ``langchain.chat_models.init_chat_model`` takes, such as
            ``"openai:gpt-4o-mini"``; a chat model of LangChain, also one that is bound, retried or
            has fallbacks; a text-generation pipeline of transformers; or any object with a
            ``name`` and a method ``stream(messages)``.
        tools: What the model may call; only for names and chat models of LangChain.
        rounds: How often it may call tools for one reply.

    Raises:
        MissingExtraError: A name or tools, and LangChain is not installed.
        ConfigurationError: A name that LangChain does not know, a provider whose package or key
            is missing, or something else than the above: a graph, a chain that begins with a
            prompt or ends in structured output, what can only be awaited, a model that completes
            texts or has no chat template. Or tools for a model that cannot bind them.
    """
    if isinstance(given, str):
        return _named(given, tools, rounds)
    if getattr(given, "task", None) is not None and hasattr(given, "tokenizer"):
        from empathic_sdk.llm.huggingface import PipelineModel

        if tools:
            raise _no_tools(given)
        return PipelineModel(given)
    if reason := why_not(given):
        raise ConfigurationError(f"llm=: a {type(given).__name__} cannot write replies: {reason}")
    if is_a(given, "langchain_core", "Runnable"):
        return LangChainModel(given, tools=tools, rounds=rounds)
    name = getattr(given, "name", None)
    if isinstance(given, type) or not callable(getattr(given, "stream", None)):
        raise ConfigurationError(
            "llm= must be None, a model's name such as 'openai:gpt-4o-mini', a chat model of "
            "LangChain, a text-generation pipeline of transformers, or an object with a name and "
            f"a method stream(messages); not {type(given).__name__}"
        )
    if not isinstance(name, str) or not name.strip():
        raise ConfigurationError(f"llm=: a {type(given).__name__} needs a name (a str, not empty)")
    if tools:
        raise _no_tools(given)
    model: LanguageModel = given
    return model


def _no_tools(given: Any) -> ConfigurationError:
    return ConfigurationError(
        "LLMOptions(tools=...) needs a chat model of LangChain that binds them, not "
        f"{type(given).__name__}"
    )


class LangChainModel:
    """A chat model of LangChain, or anything runnable that takes messages and gives one.

    One that is not thread-safe (``llm/locks.py``) writes one reply at a time. One that refuses a
    system message after others gets all of them in one from then on.

    Args:
        model: The runnable.
        name: The name that ``Turn.responder`` shows; by default the model's own.
        tools: What the model may call.
        rounds: How often it may call tools for one reply.

    Raises:
        ConfigurationError: The model or one of the tools cannot be used so.
    """

    def __init__(
        self, model: Any, *, name: str | None = None, tools: Sequence[Any] = (), rounds: int = 4
    ) -> None:
        """Keep the model."""
        self._model = model
        self._tools = ToolLoop(model, tools, rounds=rounds, text_of=text_of) if tools else None
        self._late_system = not _KIND_FIRST.search(str(getattr(model, "_llm_type", "")))
        self.name = name or _name_of(model)
        self.parameters = None
        self.context_tokens = _window(model)

    def stream(self, messages: Sequence[ChatMessage]) -> Iterator[str]:
        """Yield the text of the answer; reasoning, tool calls and media are skipped."""
        with alone(self._model):
            if self._late_system and not is_folded(messages):
                began = False
                try:
                    for piece in self._answer(messages):
                        began = began or bool(piece)
                        yield piece
                    return
                except Exception as error:
                    if began or not _refused(error):
                        raise
                yield from self._answer(folded(messages))
                self._late_system = False  # it was that
                return
            yield from self._answer(folded(messages))

    def _answer(self, messages: Sequence[ChatMessage]) -> Iterator[str]:
        from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

        kinds: dict[str, type[BaseMessage]] = {
            "system": SystemMessage,
            "user": HumanMessage,
            "assistant": AIMessage,
        }
        sent = [kinds[m.role](content=m.text) for m in messages]
        if self._tools is not None:
            yield from self._tools.stream(sent)
            return
        pieces = self._model.stream(sent)
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


def _refused(error: Exception) -> bool:
    """Whether a model may have refused the order of the messages."""
    status = getattr(error, "status_code", None)
    if status is None:
        status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(status, int):
        return status in (400, 422, 500)  # a server whose chat template raises says 500
    return isinstance(error, ValueError | TypeError)


def _window(model: Any) -> int | None:
    """Return the tokens of context that a model says it has."""
    profile = getattr(model, "profile", None)
    told = profile.get("max_input_tokens") if isinstance(profile, dict) else None
    for found in (told, getattr(model, "n_ctx", None), getattr(model, "num_ctx", None)):
        if isinstance(found, int) and found > 0:
            return found
    return None


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


def _named(name: str, tools: Sequence[Any], rounds: int) -> LangChainModel:
    if not name.strip():
        raise ConfigurationError("llm= must name a model, such as 'openai:gpt-4o-mini'")
    try:
        from langchain.chat_models import init_chat_model
    except ImportError as error:
        raise MissingExtraError("langchain", f"llm={name!r}") from error
    try:
        return LangChainModel(init_chat_model(name), name=name, tools=tools, rounds=rounds)
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
