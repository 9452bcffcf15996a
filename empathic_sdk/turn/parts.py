"""Checks a caller's arguments and makes the parts of a turn engine from them."""

from __future__ import annotations

import logging
from functools import lru_cache
from pathlib import Path
from typing import Literal

from empathic_sdk.dialogue.planner import Planner, shipped_planner
from empathic_sdk.encoders.text import TextEncoder
from empathic_sdk.errors import ConfigurationError
from empathic_sdk.policy import Deployment
from empathic_sdk.responders.embedded import EmbeddedResponder
from empathic_sdk.responders.guarded import GuardedResponder
from empathic_sdk.responders.llm import TIMEOUT_S, LLMResponder
from empathic_sdk.safety.assessment import RiskAssessor, draft_reader
from empathic_sdk.safety.output_guard import SecondOpinion
from empathic_sdk.types.protocols import Recognizer, Responder, SafetyAssessor

log = logging.getLogger("empathic_sdk")

PLANNERS = ("rules", "learned")


def check_parts(recognizer: object, responder: object, safety: object) -> None:
    """Raise if one of the given parts does not fit its protocol.

    Raises:
        ConfigurationError: The message names the argument and what it lacks.
    """
    for name, given, kind, needs in (
        ("recognizer", recognizer, Recognizer, "recognize, recognize_dialogue and session"),
        ("responder", responder, Responder, "reply(context) -> Reply"),
        ("safety", safety, SafetyAssessor, "assess(context) -> SafetyAssessment"),
    ):
        if given is not None and (isinstance(given, type) or not isinstance(given, kind)):
            what = "an EmotionRecognizer, or an object" if name == "recognizer" else "an object"
            raise ConfigurationError(f"{name}= must be {what} with {needs}, or None")


def check_hooks(**hooks: object) -> None:
    """Raise if a hook is not callable.

    Raises:
        ConfigurationError: The message names the argument.
    """
    for name, hook in hooks.items():
        if hook is not None and not callable(hook):
            what = "(Alert) -> ..." if name == "on_alert" else "(HookContext) -> ..."
            raise ConfigurationError(f"{name}= must be a callable {what}")


def check_planner(planner: object) -> None:
    """Raise if ``planner=`` is not the name of a planner.

    Raises:
        ConfigurationError: It is not.
    """
    if planner not in PLANNERS:
        raise ConfigurationError(f"planner must be one of {PLANNERS}, not {planner!r}")


def deployment_of(recognizer: Recognizer) -> Deployment:
    """Return the deployment of a recogniser; the strict default if it has none."""
    found = getattr(recognizer, "deployment", None)
    return found if isinstance(found, Deployment) else Deployment()


def text_of(recognizer: Recognizer) -> TextEncoder | None:
    """Return the text encoder that the safety protocol shares with a recogniser.

    Raises:
        ModelError: The recogniser has none, and the shipped weights are missing.
    """
    if not hasattr(recognizer, "text"):
        return _shipped_text()
    found: TextEncoder | None = recognizer.text
    return found


@lru_cache(maxsize=1)
def _shipped_text() -> TextEncoder:
    return TextEncoder()


def assessor_of(recognizer: Recognizer, safety: SafetyAssessor | None) -> RiskAssessor:
    """Return who decides where ``safety`` is none or fails: itself if it is a ``RiskAssessor``."""
    if isinstance(safety, RiskAssessor):
        return safety
    return RiskAssessor.shipped(text_of(recognizer))


def second_opinion(
    recognizer: Recognizer, safety: SafetyAssessor | None = None
) -> SecondOpinion | None:
    """Return the output guard's second opinion on sentences of a language model."""
    if isinstance(safety, RiskAssessor):
        return safety.second
    text = text_of(recognizer)
    return None if text is None else draft_reader(text)


def responder_of(
    given: Responder | None, embedded: EmbeddedResponder, *, timeout_s: float = TIMEOUT_S
) -> Responder:
    """Return the responder: shipped ones as they are, others behind the safety protocol."""
    if given is None:
        return embedded
    if isinstance(given, EmbeddedResponder | LLMResponder | GuardedResponder):
        return given
    return GuardedResponder(given, fallback=embedded, timeout_s=timeout_s)


def planner_for(
    recognizer: Recognizer, weights: Path | Literal[False] | None = None
) -> Planner | None:
    """Return the learned support planner; without one log a warning and return ``None``.

    It works only with the text encoder that it was trained with.

    Args:
        recognizer: Whose text encoder it will read with.
        weights: A checkpoint; ``None``: the one that ships; ``False``: no planner.

    Raises:
        ModelError: The checkpoint is missing or damaged.
    """
    if weights is False:
        return None
    planner = shipped_planner() if weights is None else Planner(weights)
    if planner is None:
        return None
    text = getattr(recognizer, "text", None)
    if getattr(text, "fingerprint", None) == planner.about["text_sha256"]:
        return planner
    log.warning(
        "the learned support planner was trained with another text encoder than %r; the rules "
        "decide alone",
        getattr(text, "name", None),
    )
    return None
