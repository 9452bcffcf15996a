"""The embedded responder as a chat model of LangChain. Importing this needs LangChain."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextvars import ContextVar
from typing import Any, Literal

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import ensure_config
from pydantic import ConfigDict, Field, PrivateAttr

from empathic_sdk.errors import InputError, debugging
from empathic_sdk.integrations.langchain.people import Known, check_user, person_of
from empathic_sdk.integrations.langchain.shown import about
from empathic_sdk.llm.messages import utterances
from empathic_sdk.recognition.shared import shared_recognizer
from empathic_sdk.turn.stateless import StatelessTurn, StatelessTurns
from empathic_sdk.types import PacingHook, ThemeHook, ToneHook

_CONFIG: ContextVar[RunnableConfig | None] = ContextVar("config", default=None)


class EmpathicChatModel(BaseChatModel):
    """Answers offline: no key, no download, and the same reply to the same messages.

    It holds nothing between calls: the human messages of a call are read in order, and the last is
    answered in their light. System and tool messages are passed over: a system message does not
    steer it. It calls no tools and writes no JSON. ``temperature``, ``timeout``, ``max_retries``
    and keys are accepted, as by every chat model, and change nothing.

    ``response_metadata["empathy"]`` of the answer holds ``emotion``, ``style``, ``safety`` and
    ``strategy``. Streaming gives a sentence at a time, unpaced.
    """

    model_config = ConfigDict(
        arbitrary_types_allowed=True, populate_by_name=True, protected_namespaces=()
    )

    model_name: str = Field(default="embedded", alias="model")
    """Shown in traces; there is one."""
    scenario: Literal["counselling", "tutoring"] = "counselling"
    language: str = "en"
    """Of the replies; English where a template is missing."""
    planner: Literal["rules", "learned"] = "rules"
    """Who chooses the support strategy."""
    max_sentences: int | None = Field(default=None, ge=1, le=20)
    """Length of a reply at most; ``None`` is what the pacing says. A crisis may take more."""
    max_tokens: int | None = Field(default=None, ge=1)
    """Words of a reply at most, whole sentences, but at least one. A crisis is never cut."""
    stop: list[str] | None = None
    """The reply ends before any of these."""
    recognizer: Any = Field(default=None, exclude=True, repr=False)
    """An ``EmotionRecognizer``; by default the embedded one, loaded at the first use."""
    user: Any = Field(default=None, exclude=True, repr=False)
    """What is known of the person (their locale decides the help lines), as for
    :class:`EmotionMiddleware`; ``user_id`` and ``thread_id`` of the config say who it is."""
    debug: bool = Field(default=False, exclude=True, repr=False)
    """Log errors of your hooks in full, which may quote a person."""
    tone: ToneHook | None = Field(default=None, exclude=True, repr=False)
    pacing: PacingHook | None = Field(default=None, exclude=True, repr=False)
    theme: ThemeHook | None = Field(default=None, exclude=True, repr=False)

    _turns: StatelessTurns | None = PrivateAttr(default=None)

    def __init__(self, **given: Any) -> None:
        """Check the fields; nothing is loaded yet."""
        super().__init__(**given)
        check_user(self.user)

    # The config does not reach _generate and _stream, so it is kept aside for the call.

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> AIMessage:
        """Answer the last human message."""
        token = _CONFIG.set(config)
        try:
            return super().invoke(input, config, **kwargs)
        finally:
            _CONFIG.reset(token)

    async def ainvoke(
        self, input: Any, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AIMessage:
        """:meth:`invoke` in an event loop."""
        token = _CONFIG.set(config)
        try:
            return await super().ainvoke(input, config, **kwargs)
        finally:
            _CONFIG.reset(token)

    def stream(
        self, input: Any, config: RunnableConfig | None = None, **kwargs: Any
    ) -> Iterator[AIMessageChunk]:
        """Answer a sentence at a time."""
        chunks = super().stream(input, config, **kwargs)
        while True:
            token = _CONFIG.set(config)
            try:
                chunk = next(chunks)
            except StopIteration:
                return
            finally:
                _CONFIG.reset(token)
            yield chunk

    async def astream(
        self, input: Any, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncIterator[AIMessageChunk]:
        """:meth:`stream` in an event loop."""
        chunks = super().astream(input, config, **kwargs)
        while True:
            token = _CONFIG.set(config)
            try:
                chunk = await anext(chunks)
            except StopAsyncIteration:
                return
            finally:
                _CONFIG.reset(token)
            yield chunk

    @property
    def _llm_type(self) -> str:
        return "empathic"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {
            "model_name": self.model_name,
            "scenario": self.scenario,
            "language": self.language,
            "planner": self.planner,
            "max_sentences": self.max_sentences,
            "max_tokens": self.max_tokens,
            "stop": self.stop,
        }

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        turn, sentences = self._answer(messages, stop)
        message = AIMessage(
            content=" ".join(sentences), response_metadata=_about(turn, self.model_name)
        )
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        turn, sentences = self._answer(messages, stop)
        for number, sentence in enumerate(sentences, start=1):
            last = number == len(sentences)
            text = sentence if number == 1 else f" {sentence}"
            chunk = ChatGenerationChunk(
                message=AIMessageChunk(
                    content=text,
                    response_metadata=_about(turn, self.model_name) if last else {},
                    chunk_position="last" if last else None,
                )
            )
            if run_manager:
                run_manager.on_llm_new_token(text, chunk=chunk)
            yield chunk

    def _answer(
        self, messages: Sequence[BaseMessage], stop: list[str] | None
    ) -> tuple[StatelessTurn, list[str]]:
        turns = self._turns
        if turns is None:
            turns = self._turns = StatelessTurns(
                self.recognizer or shared_recognizer(),
                tone=self.tone,
                pacing=self.pacing,
                theme=self.theme,
                scenario=self.scenario,
                language=self.language,
                planner=self.planner,
                max_sentences=self.max_sentences,
            )
        known: Known = self.user
        config = ensure_config(_CONFIG.get())
        runtime = (config.get("configurable") or {}).get("__pregel_runtime")
        person, _ = person_of(known, config=config, runtime=runtime)
        with debugging(self.debug):  # no name of a conversation: it would be part of the seed
            turn = turns.take(utterances(messages), user=person)
        if turn is None:
            raise InputError("there is nothing to answer: no human message with a text in it")
        sentences = list(turn.context.reply.sentences)
        if turn.crisis:
            return turn, sentences
        if self.max_tokens is not None:
            words = 0
            for number, sentence in enumerate(sentences):
                words += len(sentence.split())
                if number and words > self.max_tokens:
                    sentences = sentences[:number]
                    break
        return turn, _before(sentences, [*(self.stop or ()), *(stop or ())])


def _about(turn: StatelessTurn, model: str) -> dict[str, Any]:
    return {"model_name": model, "finish_reason": "stop", "empathy": about(turn)}


def _before(sentences: list[str], stops: list[str]) -> list[str]:
    text = " ".join(sentences)
    cut = min((at for stop in stops if stop and (at := text.find(stop)) >= 0), default=None)
    if cut is None:
        return sentences
    kept, start = [], 0
    for sentence in sentences:
        if start + len(sentence) > cut:
            kept.append(sentence[: max(0, cut - start)])
            break
        kept.append(sentence)
        start += len(sentence) + 1
    return kept
