"""Which modalities may be processed: deployment context, consent, biometric data.

Speech, faces, interaction behaviour (typing rhythm counts) and any modality that somebody registers
are biometric data; typed text is not. Inferring emotions from biometric data is prohibited at work
and in education (EU AI Act, art. 5(1)(f)), whatever the person agrees to, except for a medical or
safety purpose that is stated and recorded. Everywhere it needs their recorded consent to the notice
in force.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from empathic_sdk.errors import PolicyError
from empathic_sdk.types import (
    BIOMETRIC,
    CONSENT_VERSION,
    Modality,
    Override,
    OverrideUse,
    Purpose,
    UserContext,
    Utterance,
)
from empathic_sdk.types.base import Value
from empathic_sdk.types.consent import Name

__all__ = [
    "BIOMETRIC", "CONSENT_VERSION", "PROHIBITED", "Context", "Deployment", "Override", "Purpose",
    "agreed", "allowed", "announce", "askable", "declare", "overridden", "refusal", "text_alone",
]  # fmt: skip
log = logging.getLogger("empathic_sdk")


class Context(StrEnum):
    """The setting in which an agent is used."""

    PERSONAL = "personal"
    HEALTHCARE = "healthcare"
    RESEARCH = "research"
    EDUCATION = "education"
    WORKPLACE = "workplace"


PROHIBITED = frozenset({Context.EDUCATION, Context.WORKPLACE})


class Deployment(Value):
    """Where an agent runs. ``Deployment()`` is the strict default: text only."""

    context: Context | None = Field(
        default=None,
        description=(
            "Where the agent runs: `personal`, `healthcare`, `research`, `education`, "
            "`workplace`, or `None`."
        ),
    )
    notice: Name = Field(
        default=CONSENT_VERSION,
        description=(
            "Version of the notice that is in force. Consent that was given under another major "
            "version of it (what stands before the first dot) no longer counts. Give it where "
            "the wording is your own."
        ),
    )
    override: Override | None = Field(
        default=None,
        description=(
            "That inferring emotions from biometric data has a medical or safety purpose, which "
            "lifts the prohibition in `education` and `workplace`. It does not take the place of "
            "consent."
        ),
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.override is not None and self.context not in PROHIBITED:
            raise ValueError(
                "an override lifts the prohibition at work and in education; elsewhere there is "
                "none to lift: leave it out, and consent decides"
            )
        return self


def refusal(
    modality: Modality, deployment: Deployment, consented: Callable[[Modality], bool]
) -> str | None:
    """Return why ``modality`` may not be processed, or ``None`` where it may.

    ``consented`` is asked only where consent decides.
    """
    if modality is Modality.TEXT:
        return None
    if deployment.context is None:
        return (
            f"{modality} is biometric and no deployment context was given, so only text is read; "
            "say where the agent runs, for instance Deployment(context='personal')"
        )
    if deployment.context in PROHIBITED and deployment.override is None:
        return (
            f"emotions may not be inferred from {modality} in the {deployment.context} context "
            "(EU AI Act, art. 5(1)(f)); consent does not change that"
        )
    if not consented(modality):
        return (
            f"this user has not consented to {modality} under version {deployment.notice} of the "
            "notice: ask, and record the answer with ProfileStore.consent"
        )
    return None


def agreed(user: UserContext, deployment: Deployment) -> Callable[[Modality], bool]:
    """Return a function that says whether ``user`` has consented to a modality.

    A consent counts for the wording it was given to: its major version must be that of the notice
    in force.
    """

    def consented(modality: Modality) -> bool:
        if modality not in user.consents:
            return False
        version = user.consent_versions.get(modality, deployment.notice)
        return _major(version) == _major(deployment.notice)

    return consented


def askable(deployment: Deployment) -> tuple[Modality, ...]:
    """Return the biometric modalities that may be processed here with consent."""
    return tuple(m for m in BIOMETRIC if refusal(m, deployment, lambda _: True) is None)


def overridden(
    modalities: Iterable[Modality], deployment: Deployment, user: UserContext
) -> OverrideUse | None:
    """Return which of ``modalities`` only an override allows; ``None`` if there are none."""
    if deployment.override is None or deployment.context is None:
        return None
    consented = agreed(user, deployment)
    under = tuple(
        m
        for m in modalities
        if m is not Modality.TEXT and refusal(m, deployment, consented) is None
    )
    if not under:
        return None
    return OverrideUse(context=deployment.context, override=deployment.override, modalities=under)


def announce(deployment: Deployment) -> None:
    """Log that an override is in force."""
    if (override := deployment.override) is not None:
        log.warning(
            "an override is in force: emotions may be inferred from biometric data in the %s "
            "context for a %s purpose; %r answers for it; reason: %r",
            deployment.context, override.purpose, override.by, override.reason,
        )  # fmt: skip


def declare(deployment: Deployment, put_on_record: Callable[[OverrideUse], object]) -> None:
    """Pass an override in force to ``put_on_record`` before anything is processed."""
    if deployment.override is not None and deployment.context is not None:
        put_on_record(OverrideUse(context=deployment.context, override=deployment.override))


def _major(version: str) -> str:
    return version.split(".")[0]


def text_alone(said: Utterance) -> Utterance:
    """Return an utterance with its text alone: tutoring reads nothing else.

    Raises:
        PolicyError: There is no text in it.
    """
    if said.modalities == (Modality.TEXT,):
        return said
    if Modality.TEXT not in said.modalities:
        raise PolicyError("tutoring reads text only; this utterance holds none")
    return Utterance(said.text, speaker=said.speaker, at=said.at)


def allowed(
    modalities: Iterable[Modality],
    deployment: Deployment,
    consented: Callable[[Modality], bool] = lambda _: False,
) -> tuple[Modality, ...]:
    """Return the subset of ``modalities`` that may be processed.

    Raises:
        PolicyError: None of them may; the message gives each reason.
    """
    reasons = {m: refusal(m, deployment, consented) for m in modalities}
    left = tuple(m for m, reason in reasons.items() if reason is None)
    if not left:
        raise PolicyError("; ".join(str(reason) for reason in reasons.values()))
    return left
