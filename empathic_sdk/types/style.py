"""How to answer: tone, pacing, theme; and the context that hooks receive."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Annotated

from pydantic import Field, model_validator

from empathic_sdk.types.base import Value
from empathic_sdk.types.emotion import EmotionState, Unit
from empathic_sdk.types.safety import SafetyAssessment
from empathic_sdk.types.user import UserContext

Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
WCAG_AA = 4.5


class Tone(Value):
    """How a reply sounds."""

    name: str = Field(description="One word, shown to people (`gentle`, `upbeat`, ...).")
    warmth: Unit = Field(description="Matter-of-fact (0) to warm (1).")
    energy: Unit = Field(description="Quiet (0) to lively (1).")
    formality: Unit = Field(description="Casual (0) to formal (1).")
    instructions: str = Field(
        description="The same in a sentence or two, for a language model or a reader."
    )


class Pacing(Value):
    """How fast a reply comes."""

    delay_s: Annotated[float, Field(ge=0.0, le=30.0)] = Field(
        description="Seconds to wait before the first word."
    )
    words_per_minute: Annotated[float, Field(gt=0.0, le=2000.0)] = Field(
        description="Speed of what is streamed."
    )
    max_sentences: Annotated[int, Field(ge=1, le=20)] = Field(
        description="Most sentences of the reply."
    )


class Theme(Value):
    """How the page looks. ``text`` on ``background`` keeps WCAG AA contrast (4.5 : 1)."""

    name: str = Field(description="One word, shown to people (`calm`, ...).")
    primary: Colour = Field(description="Accent colour, `#rrggbb`.")
    background: Colour = Field(description="Page colour, `#rrggbb`.")
    text: Colour = Field(
        description="Text colour, `#rrggbb`; 4.5 : 1 against the background or better."
    )

    @model_validator(mode="after")
    def _readable(self) -> Theme:
        ratio = contrast(self.text, self.background)
        if ratio < WCAG_AA:
            raise ValueError(
                f"text {self.text} on {self.background} has a contrast of {ratio:.1f} : 1; "
                f"WCAG AA asks for {WCAG_AA} : 1"
            )
        return self


class ResponseStyle(Value):
    """Tone, pacing and theme of one reply."""

    tone: Tone = Field(description="How the reply sounds.")
    pacing: Pacing = Field(description="How fast the reply comes, and how long it may be.")
    theme: Theme = Field(description="How the page looks.")


class HookContext(Value):
    """Input of a hook: what was recognised and found in this turn, without any words.

    Each hook gets its own copy; changes to it have no effect elsewhere.
    """

    state: EmotionState = Field(description="What the person shows now.")
    history: tuple[EmotionState, ...] = Field(
        default=(),
        description=(
            "What they showed on earlier turns of this conversation, oldest first (at most 20)."
        ),
    )
    user: UserContext = Field(
        default_factory=UserContext,
        description="What the profile knows of them.",
    )
    safety: SafetyAssessment = Field(
        default_factory=SafetyAssessment,
        description="What the safety protocol found in this utterance.",
    )
    scenario: str = Field(
        default="counselling",
        description="Name of the scenario: `counselling`, `tutoring`, or one of your own.",
    )
    turn: Annotated[int, Field(ge=0)] = Field(
        default=0,
        description="How many turns this conversation had before, 0 on the first.",
    )


ToneHook = Callable[[HookContext], Tone | Awaitable[Tone]]
PacingHook = Callable[[HookContext], Pacing | Awaitable[Pacing]]
ThemeHook = Callable[[HookContext], Theme | Awaitable[Theme]]


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two ``#rrggbb`` colours, 1 to 21 (WCAG 2.2, 1.4.3)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(c, 16) / 255 for c in re.findall("..", colour.lstrip("#"))]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
