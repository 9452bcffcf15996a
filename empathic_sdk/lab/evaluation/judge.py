"""A chat model as a judge of empathy, by a written rubric (``prompts/judge``)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from empathic_sdk.errors import InputError, ModelError
from empathic_sdk.language.templates import load_bank
from empathic_sdk.llm.adapters import language_model
from empathic_sdk.responders.prompting import safe_text
from empathic_sdk.types import ChatMessage, LanguageModel

LEVELS = (0, 1, 2)
MOST_CHARS = 20_000
"""Characters of one answer that are read; a judge that writes on is not read to its end."""

_OBJECT = re.compile(r"\{[^{}]*\}")
_TAG = re.compile(r"</?\s*(?:message|reply)\b[^>]*>", re.IGNORECASE)


class Empathy(NamedTuple):
    """The three levels of one reply, each 0, 1 or 2 (Sharma et al. 2020)."""

    emotional_reactions: int
    interpretations: int
    explorations: int


class RubricJudge:
    """Rates replies with a chat model.

    Args:
        model: A name such as ``"openai:gpt-4o-mini"``, a chat model of LangChain, or a
            :class:`~empathic_sdk.types.LanguageModel`, as ``EmotionAwareAgent(llm=...)`` takes.
        language: Of the rubric.

    Raises:
        ConfigurationError: There is no such model.
        MissingExtraError: It needs LangChain, which is not installed.

    A judge reads what it rates: with a hosted model, what the person said leaves this machine.
    Compare its ratings with those of people before trusting them.
    """

    def __init__(self, model: Any, *, language: str = "en") -> None:
        """Keep the model and the rubric."""
        self._model: LanguageModel = language_model(model)
        self.name = self._model.name
        bank = load_bank("judge", "rubric", language)
        parts = ("role", *Empathy._fields, "form")
        self._rubric = "\n\n".join("\n".join(bank[part]) for part in parts)
        self._again = " ".join(bank["again"])

    def rate(self, said: str, reply: str) -> Empathy:
        """Rate one reply; asks once more where the answer cannot be read.

        Args:
            said: What the person said.
            reply: What was answered.

        Raises:
            InputError: One of them is empty.
            ModelError: Neither answer is a rating, or the model failed. No words of the talk or
                of the model are in the message.
        """
        if not said.strip() or not reply.strip():
            raise InputError("a judge needs what was said and a reply, neither of them empty")
        # A text cannot close its own tags.
        said, reply = (_TAG.sub(" ", safe_text(text)) for text in (said, reply))
        material = f"<message>\n{said}\n</message>\n<reply>\n{reply}\n</reply>"
        why = ""
        for again in (False, True):
            # The reminder comes first: what ends the message is ours either way, its closing tag.
            words = f"{self._again}\n\n{material}" if again else material
            messages = [ChatMessage("system", self._rubric), ChatMessage("user", words)]
            try:
                return parse("".join(_bounded(self._model.stream(messages))))
            except ModelError as error:
                why = str(error)
            except Exception as error:  # providers have errors of their own, and quote what is sent
                why = f"the model raised {type(error).__name__}"
        raise ModelError(f"the judge {self.name!r} gave no rating in two answers: {why}") from None


def parse(answer: str) -> Empathy:
    """Read a rating: the one JSON object in ``answer`` with exactly the three keys.

    Raises:
        ModelError: There is none, there are several that differ, or a level is not 0, 1 or 2.
    """
    found: set[Empathy] = set()
    for match in _OBJECT.finditer(answer):
        try:
            rating = json.loads(match[0])
        except ValueError:
            continue
        if not isinstance(rating, dict) or set(rating) != set(Empathy._fields):
            continue
        levels = [rating[key] for key in Empathy._fields]
        if any(type(level) is not int or level not in LEVELS for level in levels):
            raise ModelError("a level is not 0, 1 or 2")
        found.add(Empathy(*levels))
    if len(found) != 1:
        raise ModelError(
            "there are ratings that differ" if found else "there is no JSON object with the scales"
        )
    return found.pop()


def _bounded(pieces: Iterator[str]) -> Iterator[str]:
    read = 0
    for piece in pieces:
        if not isinstance(piece, str):
            raise TypeError("a language model must yield str")
        yield piece[: MOST_CHARS - read]
        read += max(1, len(piece))  # an endless stream of nothing ends, too
        if read >= MOST_CHARS:
            close = getattr(pieces, "close", None)
            if callable(close):
                close()
            return
