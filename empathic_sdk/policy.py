"""What may be processed at all: deployment context, consent, and what counts as biometric.

Speech, faces and interaction behaviour (typing rhythm counts) are biometric data; typed text is
not. Inferring emotions from biometric data is prohibited at work and in education (EU AI Act,
art. 5(1)(f)), whatever the person agrees to; elsewhere it needs their recorded consent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum

from empathic_sdk.errors import PolicyError
from empathic_sdk.types import Modality, Utterance
from empathic_sdk.types.base import Value

BIOMETRIC = frozenset({Modality.SPEECH, Modality.FACE, Modality.BEHAVIOUR})


class Context(StrEnum):
    """Where an agent is put in front of people."""

    PERSONAL = "personal"
    HEALTHCARE = "healthcare"
    RESEARCH = "research"
    EDUCATION = "education"
    WORKPLACE = "workplace"


PROHIBITED = frozenset({Context.EDUCATION, Context.WORKPLACE})


class Deployment(Value):
    """Where an agent runs. ``Deployment()`` is the strict default: text only.

    Attributes:
        context: ``personal healthcare research education workplace``, or ``None``.
    """

    context: Context | None = None


def refusal(
    modality: Modality, deployment: Deployment, consented: Callable[[Modality], bool]
) -> str | None:
    """Return why ``modality`` may not be processed, or ``None`` where it may.

    ``consented`` is asked only where consent decides.
    """
    if modality not in BIOMETRIC:
        return None
    if deployment.context is None:
        return (
            f"{modality} is biometric and no deployment context was given, so only text is read; "
            "say where the agent runs, for instance Deployment(context='personal')"
        )
    if deployment.context in PROHIBITED:
        return (
            f"emotions may not be inferred from {modality} in the {deployment.context} context "
            "(EU AI Act, art. 5(1)(f)); consent does not change that"
        )
    if not consented(modality):
        return f"this user has not consented to {modality}: record it with ProfileStore.consent"
    return None


def text_alone(said: Utterance) -> Utterance:
    """Return an utterance without voice, face and behaviour: where somebody learns, only text is.

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
    """Return those of ``modalities`` that may be processed.

    Raises:
        PolicyError: None of them may; the message gives each reason.
    """
    reasons = {m: refusal(m, deployment, consented) for m in modalities}
    left = tuple(m for m, reason in reasons.items() if reason is None)
    if not left:
        raise PolicyError("; ".join(str(reason) for reason in reasons.values()))
    return left
