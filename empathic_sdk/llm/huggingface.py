"""Adapter for text-generation pipelines of transformers."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.llm.late import folded
from empathic_sdk.llm.locks import alone
from empathic_sdk.llm.sizes import parameters_of
from empathic_sdk.types import ChatMessage

MAX_NEW_TOKENS = 400
"""Maximum tokens of a reply; the agent stops after the sentences that the pacing allows."""


class PipelineModel:
    """Generates with a pipeline in this process.

    One reply at a time, because generation is not thread-safe: others wait, within their timeout,
    also those of other agents on the same model.

    Args:
        pipeline: ``transformers.pipeline("text-generation", ...)``. Its tokenizer needs a chat
            template with a system role: without one, a person's words and the program's could
            not be told apart.
        max_new_tokens: Maximum length of an answer.

    Raises:
        ConfigurationError: The task or the chat template is not suitable.
    """

    def __init__(self, pipeline: Any, *, max_new_tokens: int = MAX_NEW_TOKENS) -> None:
        """Check the pipeline and its chat template."""
        if getattr(pipeline, "task", None) != "text-generation" or not callable(pipeline):
            raise ConfigurationError(
                "llm= takes a pipeline for the task 'text-generation', not "
                f"{getattr(pipeline, 'task', type(pipeline).__name__)!r}"
            )
        self._pipeline = pipeline
        self._tokenizer = pipeline.tokenizer
        self._max_new_tokens = max_new_tokens
        model = getattr(pipeline, "model", None)
        self.parameters = parameters_of(model)
        window = getattr(getattr(model, "config", None), "max_position_embeddings", None)
        self.context_tokens = window if isinstance(window, int) else None
        self._late_system = False
        where = getattr(model, "name_or_path", "") or type(model).__name__
        self.name = f"huggingface:{where}"
        self._special = sorted(set(_special_tokens(self._tokenizer)), key=len, reverse=True)
        self._check_template()

    def stream(self, messages: Sequence[ChatMessage]) -> Iterator[str]:
        """Yield the answer as it is generated; closing the iterator stops the generation."""
        from transformers import StoppingCriteria, StoppingCriteriaList, TextIteratorStreamer

        stop = threading.Event()

        class Stopped(StoppingCriteria):  # type: ignore[misc,unused-ignore]
            def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
                import torch

                return torch.full((input_ids.shape[0],), stop.is_set(), device=input_ids.device)

        prompt = self.render(messages)
        streamer = TextIteratorStreamer(self._tokenizer, skip_prompt=True, skip_special_tokens=True)
        failed: list[BaseException] = []

        def generate() -> None:
            try:
                self._pipeline(
                    prompt,
                    streamer=streamer,
                    max_new_tokens=self._max_new_tokens,
                    return_full_text=False,
                    add_special_tokens=False,  # the template has them
                    stopping_criteria=StoppingCriteriaList([Stopped()]),
                )
            except BaseException as error:  # handed to the reader, not to the thread's hook
                failed.append(error)
            finally:
                streamer.end()  # type: ignore[no-untyped-call,unused-ignore]

        with alone(self._pipeline):
            thread = threading.Thread(target=generate, name="empathic-generate", daemon=True)
            thread.start()
            try:
                yield from streamer
            finally:
                stop.set()
                thread.join()
        if failed:
            raise failed[0]

    def render(self, messages: Sequence[ChatMessage]) -> str:
        """Return the prompt: the messages in the chat template, special tokens disarmed."""
        turns = [
            {
                "role": m.role,
                # A special token typed by a person would be read as one: insert a space.
                "content": m.text if m.role == "system" else self._plain(m.text),
            }
            for m in (messages if self._late_system else folded(messages))
        ]
        text = self._tokenizer.apply_chat_template(
            turns, tokenize=False, add_generation_prompt=True
        )
        return str(text)

    def _plain(self, text: str) -> str:
        for token in self._special:
            text = text.replace(token, f"{token[0]} {token[1:]}")
        return text

    def _check_template(self) -> None:
        told, said = "a rule for the check", "a word for the check"
        try:
            text = self.render([ChatMessage("system", told), ChatMessage("user", said)])
        except Exception as error:  # no template, or one that refuses a system message
            raise ConfigurationError(
                f"llm=: {self.name} has no chat template with a system role "
                f"({type(error).__name__}); use an instruction-tuned model"
            ) from error
        if told not in text or said not in text:
            raise ConfigurationError(
                f"llm=: the chat template of {self.name} drops the system or the user message; "
                "use an instruction-tuned model"
            )
        self._late_system = self._takes_late_system()

    def _takes_late_system(self) -> bool:
        """Whether the template keeps a system message after the first message."""
        late = "a state for the check"
        self._late_system = True
        messages = [
            ChatMessage("system", "a rule"),
            ChatMessage("user", "a word"),
            ChatMessage("assistant", "an answer"),
            ChatMessage("system", late),
            ChatMessage("user", "another word"),
        ]
        try:
            text = self.render(messages)
        except Exception:  # templates refuse in ways of their own
            return False
        return text.find("an answer") < text.find(late) < text.rfind("another word")


def _special_tokens(tokenizer: Any) -> Iterator[str]:
    for token in getattr(tokenizer, "all_special_tokens", ()) or ():
        yield str(token)
    for token in (getattr(tokenizer, "added_tokens_decoder", None) or {}).values():
        if getattr(token, "special", False):
            yield str(token)
