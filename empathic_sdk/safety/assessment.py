"""How worrying the next utterance of a conversation is: patterns and risk model, joined."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from weakref import WeakValueDictionary

from empathic_sdk.encoders.text import TextEncoder
from empathic_sdk.errors import ModelError
from empathic_sdk.safety.decision import RiskContext, judge, passes, strong
from empathic_sdk.safety.detector import RiskFindings
from empathic_sdk.safety.draft_model import DraftReader
from empathic_sdk.safety.risk_model import Before, RiskReader
from empathic_sdk.types import EmotionState, Modality, RiskReading, SafetyAssessment
from empathic_sdk.types.reply import TurnContext

log = logging.getLogger("empathic_sdk")
_shared: WeakValueDictionary[int, RiskReader] = WeakValueDictionary()
_drafts: WeakValueDictionary[int, DraftReader] = WeakValueDictionary()
_lock = threading.Lock()


def shipped_reader(text: TextEncoder) -> RiskReader | None:
    """Return the risk model that ships, one per text encoder.

    Without its weights ``None``, with a warning: then the patterns decide alone.
    """
    with _lock:
        reader = _shared.get(id(text))
        if reader is None:
            try:
                _shared[id(text)] = reader = RiskReader(text=text)
            except ModelError as error:
                log.warning("%s; the safety protocol goes on with its patterns alone", error)
        return reader


def draft_reader(text: TextEncoder) -> DraftReader | None:
    """Return the guard's second opinion that ships, one per text encoder.

    Without its weights, or those of the risk model, ``None``: then the patterns judge alone.
    """
    risk = shipped_reader(text)
    if risk is None:
        return None
    with _lock:
        reader = _drafts.get(id(risk))
        if reader is None:
            try:
                _drafts[id(risk)] = reader = DraftReader(risk, text)
            except ModelError as error:
                log.warning("%s; drafts are checked by patterns alone", error)
        return reader


class RiskAssessor:
    """Patterns, risk model and decision behind one method: what the agent asks on every turn.

    It fits :class:`~empathic_sdk.types.protocols.SafetyAssessor`; any object that does can take its
    place (``EmotionAwareAgent(safety=...)``). Thread-safe.

    Args:
        reader: The risk model; ``None``: the patterns decide alone.
    """

    def __init__(self, reader: RiskReader | None = None) -> None:
        self._reader = reader

    @classmethod
    def shipped(cls, text: TextEncoder | None) -> RiskAssessor:
        """Return the one that ships, with its risk model if the weights are there.

        Args:
            text: The encoder that the risk model shares; ``None``: the patterns decide alone.
        """
        return cls(None if text is None else shipped_reader(text))

    def assess(self, context: TurnContext, /) -> SafetyAssessment:
        """Return how worrying ``context.text`` is in its conversation."""
        return assess_turn(
            context.text,
            # "I give up" of an exercise is no weak sign for a low mood to turn into a strong one.
            None if context.gives_up else context.state,
            before=context.before,
            context=RiskContext(level=context.previous, asked=context.asked),
            reader=self._reader,
        )


def assess_turn(
    text: str,
    state: EmotionState | None,
    *,
    before: Sequence[Before],
    context: RiskContext,
    reader: RiskReader | None,
) -> SafetyAssessment:
    """Say how worrying the next utterance of a conversation is.

    Args:
        text: What the person said.
        state: What they show; without one no model is asked.
        before: What was said before, oldest first.
        context: What the protocol remembers of it.
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
    """Read a line in its dialogue; where a strong finding would pass, by itself as well.

    "No reason to live" after talk of something else reads less gravely than alone. A plain
    statement is not to be lost in what was said around it: the graver reading counts.
    """
    marks = findings.marks()
    reading = reader.read(text, before=before, marks=marks)
    if before and strong(findings) and passes(findings, reading, findings.alone.level):
        return reader.read(text, marks=marks)
    return reading
