"""The safety protocol's two ears, wired: signs and risk model over a talk."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from weakref import WeakValueDictionary

from empathic_sdk.encoders.text import TextEncoder
from empathic_sdk.errors import ModelError
from empathic_sdk.safety.draft_reader import DraftReader
from empathic_sdk.safety.judgement import RiskContext, Signs, judge, passes, strong
from empathic_sdk.safety.risk_reader import Before, RiskReader
from empathic_sdk.types import EmotionState, Modality, RiskReading, SafetyAssessment

log = logging.getLogger("empathic_sdk")
_shared: WeakValueDictionary[int, RiskReader] = WeakValueDictionary()
_drafts: WeakValueDictionary[int, DraftReader] = WeakValueDictionary()
_lock = threading.Lock()


def shipped_reader(text: TextEncoder) -> RiskReader | None:
    """Return the risk model that ships, one a text encoder.

    Without its weights ``None``, with a warning: then the signs judge alone.
    """
    with _lock:
        reader = _shared.get(id(text))
        if reader is None:
            try:
                _shared[id(text)] = reader = RiskReader(text=text)
            except ModelError as error:
                log.warning("%s; the safety protocol goes on with its list of signs alone", error)
        return reader


def draft_reader(text: TextEncoder) -> DraftReader | None:
    """Return the guard's second opinion that ships, one a text encoder.

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
        reader: The risk model; ``None``: the signs judge alone.
    """
    signs = Signs.of(text)
    reading = None
    readable = state is not None and Modality.TEXT not in state.unread
    if reader is not None and readable and signs.heard.spoken:
        reading = risk_reading(reader, text, signs, before)
    return judge(signs, state, reading=reading, context=context)


def risk_reading(
    reader: RiskReader, text: str, signs: Signs, before: Sequence[Before]
) -> RiskReading:
    """Read a line in its dialogue; where a strong sign would pass, by itself as well.

    "No reason to live" after talk of something else reads less gravely than alone. A plain
    statement is not to be lost in what was said around it: the graver reading counts.
    """
    marks = signs.marks()
    reading = reader.read(text, before=before, signs=marks)
    if before and strong(signs) and passes(signs, reading, signs.alone.level):
        return reader.read(text, signs=marks)
    return reading
