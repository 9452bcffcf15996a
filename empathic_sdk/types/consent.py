"""Consent and its exceptions: versions, purposes, overrides."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from empathic_sdk.types.base import Value
from empathic_sdk.types.emotion import Modality

CONSENT_VERSION = "1"
"""Version of the notice that ships (``version`` in ``prompts/notice``) and of consents to it.

The part before the first dot is the major version: it changes when what people agree to does.
"""

BIOMETRIC = (Modality.SPEECH, Modality.FACE, Modality.BEHAVIOUR)
"""Typing rhythm counts as behaviour; typed text is not biometric."""

Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=10, max_length=500)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=256)]


class Purpose(StrEnum):
    """Purposes that the EU AI Act, art. 5(1)(f), exempts from its prohibition."""

    MEDICAL = "medical"
    SAFETY = "safety"


class Override(Value):
    """A deployer's statement that an exception to the prohibition applies; logged and recorded."""

    purpose: Purpose = Field(description="Which exception applies: `medical` or `safety`.")
    reason: Sentence = Field(
        description=(
            "Why, in a sentence of 10 to 500 characters. It is logged, so it names no user."
        )
    )
    by: Name = Field(description="Who answers for it.")


class OverrideUse(Value):
    """Record that something was processed which only an override allows."""

    context: str = Field(description="Deployment context in which the agent runs.")
    override: Override = Field(description="The exception that allowed it.")
    modalities: tuple[Modality, ...] = Field(
        default=(),
        description="What was processed under it; empty where it was only declared.",
    )
