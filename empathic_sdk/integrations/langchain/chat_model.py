"""The embedded responder as a chat model of LangChain. Importing this needs LangChain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import ConfigDict, Field, PrivateAttr

from empathic_sdk.errors import InputError
from empathic_sdk.integrations.langchain.shown import about
from empathic_sdk.llm.messages import utterances
from empathic_sdk.recognition.shared import shared_recognizer
from empathic_sdk.turn.stateless import StatelessTurn, StatelessTurns
from empathic_sdk.types import PacingHook, ThemeHook, ToneHook


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
    tone: ToneHook | None = Field(default=None, exclude=True, repr=False)
    pacing: PacingHook | None = Field(default=None, exclude=True, repr=False)
    theme: ThemeHook | None = Field(default=None, exclude=True, repr=False)

    _turns: StatelessTurns | None = PrivateAttr(default=None)

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
        turn = turns.take(utterances(messages))
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
