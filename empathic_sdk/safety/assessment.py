"""Safety assessment of an utterance in its conversation: patterns and risk model."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Literal
from weakref import WeakValueDictionary

from empathic_sdk.encoders.text import TextEncoder
from empathic_sdk.errors import ConfigurationError, DamagedWeightsError, ModelError
from empathic_sdk.runtime.processes import ForkLock
from empathic_sdk.safety.decision import RiskContext, judge, passes, strong
from empathic_sdk.safety.detector import RiskFindings
from empathic_sdk.safety.draft_model import DraftReader
from empathic_sdk.safety.risk_model import Before, RiskReader
from empathic_sdk.types import EmotionState, Modality, RiskReading, SafetyAssessment
from empathic_sdk.types.reply import TurnContext

log = logging.getLogger("empathic_sdk")
_shared: WeakValueDictionary[int, RiskReader] = WeakValueDictionary()
_drafts: WeakValueDictionary[int, DraftReader] = WeakValueDictionary()
_lock = ForkLock()


def shipped_reader(text: TextEncoder) -> RiskReader | None:
    """Return the shipped risk model, one per text encoder.

    Without its weights, log a warning and return ``None``: only the patterns decide then.

    Raises:
        DamagedWeightsError: They are there, but not as they were shipped.
    """
    with _lock:
        reader = _shared.get(id(text))
        if reader is None:
            try:
                _shared[id(text)] = reader = RiskReader(text=text)
            except DamagedWeightsError:
                raise
            except ModelError as error:
                log.warning("%s; the safety protocol uses only its patterns", error)
        return reader


def draft_reader(text: TextEncoder) -> DraftReader | None:
    """Return the output guard's shipped second opinion, one per text encoder.

    Without its weights, or those of the risk model, ``None``: only the patterns judge then.

    Raises:
        DamagedWeightsError: They are there, but not as they were shipped.
    """
    risk = shipped_reader(text)
    if risk is None:
        return None
    with _lock:
        reader = _drafts.get(id(risk))
        if reader is None:
            try:
                _drafts[id(risk)] = reader = DraftReader(risk, text)
            except DamagedWeightsError:
                raise
            except ModelError as error:
                log.warning("%s; drafts are checked by patterns alone", error)
        return reader


class RiskAssessor:
    """Assesses every turn of an agent: patterns, risk model and decision in one method.

    It fits :class:`~empathic_sdk.types.protocols.SafetyAssessor`; any object that does can take its
    place (``EmotionAwareAgent(safety=...)``). Thread-safe.

    Given as ``safety=`` it takes the place of the shipped one altogether: nothing that ships is
    loaded for safety then, neither as a fallback nor for the output guard.

    Args:
        reader: The risk model; ``None``: the patterns decide alone.
        second: The output guard's second opinion; ``None``: the guard's patterns judge alone.

    Attributes:
        reader: As given.
        second: As given.
    """

    def __init__(
        self, reader: RiskReader | None = None, *, second: DraftReader | None = None
    ) -> None:
        self.reader = reader
        self.second = second

    @classmethod
    def shipped(cls, text: TextEncoder | None) -> RiskAssessor:
        """Return the shipped assessor, with its risk model if the weights are present.

        Args:
            text: The encoder that the risk model shares; ``None``: the patterns decide alone.
        """
        return cls(None if text is None else shipped_reader(text))

    @classmethod
    def load(
        cls,
        text: TextEncoder | None,
        *,
        risk: str | Path | Literal[False] | None = None,
        guard: str | Path | Literal[False] | None = None,
    ) -> RiskAssessor:
        """Return an assessor with weights of your own.

        Args:
            text: The text encoder; ``None``: patterns alone.
            risk: A checkpoint of ``empathic train safety``; ``None``: the one that ships;
                ``False``: the patterns decide alone.
            guard: A checkpoint of ``empathic train guard`` for that risk model; ``None``: the one
                that ships if the risk model is; ``False``: the guard's patterns judge alone.

        Raises:
            ConfigurationError: A guard was given without a risk model.
            ModelError: A file is missing or damaged, or the guard is of another risk model.
        """
        if risk is None:
            reader = None if text is None else shipped_reader(text)
        else:
            reader = None if text is None or risk is False else RiskReader(risk, text)
        if guard and (reader is None or text is None):
            raise ConfigurationError("guard= needs the risk model that it was trained with")
        if guard and reader is not None and text is not None:
            return cls(reader, second=DraftReader(reader, text, guard))
        if guard is None and risk is None and text is not None:
            return cls(reader, second=draft_reader(text))
        return cls(reader)

    def assess(self, context: TurnContext, /) -> SafetyAssessment:
        """Return how worrying ``context.text`` is in its conversation."""
        return assess_turn(
            context.text,
            # "I give up" about an exercise is not a weak sign that a low mood could aggravate.
            None if context.gives_up else context.state,
            before=context.before,
            context=RiskContext(level=context.previous, asked=context.asked),
            reader=self.reader,
        )


def assess_turn(
    text: str,
    state: EmotionState | None,
    *,
    before: Sequence[Before],
    context: RiskContext,
    reader: RiskReader | None,
) -> SafetyAssessment:
    """Assess the next utterance of a conversation.

    Args:
        text: What the person said.
        state: Their emotion state; without one the model is not used.
        before: Earlier utterances, oldest first.
        context: The protocol's memory of the conversation.
        reader: The risk model; ``None``: the patterns decide alone.
    """
    findings = RiskFindings.of(text)
    reading = None
    readable = state is not None and Modality.TEXT not in state.unread
    if reader is not None and readable and findings.segments:
        reading = risk_reading(reader, text, findings, before)
    return judge(findings, state, reading=reading, context=context)


def risk_reading(
    reader: RiskReader, text: str, findings: RiskFindings, before: Sequence[Before]
) -> RiskReading:
    """Score a text in its dialogue; if a strong finding would pass, also in isolation.

    "No reason to live" after another topic scores lower than alone. Context must not hide a plain
    statement, so the graver score counts.
    """
    marks = findings.marks()
    reading = reader.read(text, before=before, marks=marks)
    if before and strong(findings) and passes(findings, reading, findings.alone.level):
        return reader.read(text, marks=marks)
    return reading
