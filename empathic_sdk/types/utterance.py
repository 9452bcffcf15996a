"""Input of an agent: one utterance of a person, in any modalities."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from empathic_sdk.errors import EmptyUtteranceError, InputError
from empathic_sdk.types.base import Value
from empathic_sdk.types.emotion import Modality

AGENT = "agent"
"""The speaker name under which the agent's own replies enter a dialogue."""

Audio = str | Path | bytes | tuple[np.ndarray, int]
Frame = str | Path | bytes | np.ndarray


class BehaviourKind(StrEnum):
    """Kinds of interaction event with a meaning of their own, and the unit of ``value``.

    ``click``: how many clicks in one go. ``pause``: seconds without input. ``scroll``: pixels,
    negative upwards. ``delay``: seconds from the last reply to the first input. ``typing``:
    characters per second over one stretch of typing. ``correction``: characters deleted per 100
    typed. ``switch``: seconds spent in another window or tab.
    """

    CLICK = "click"
    PAUSE = "pause"
    SCROLL = "scroll"
    DELAY = "delay"
    TYPING = "typing"
    CORRECTION = "correction"
    SWITCH = "switch"


class BehaviourEvent(Value):
    """One interaction event."""

    kind: str = Field(
        description="One of `BehaviourKind`; any other name is taken as *something else happened*."
    )
    at: float = Field(description="Seconds since the dialogue began.")
    value: float = Field(default=1.0, description="Size of the event, in the unit of its kind.")


class Utterance(Value):
    """One utterance, in any modalities. A plain ``str`` is accepted in its place.

    Raises:
        EmptyUtteranceError: It is empty (spaces and control characters do not count as text).
    """

    text: str | None = Field(default=None, description="What was typed or transcribed.")
    # Recordings and pictures of people do not belong in logs and tracebacks.
    audio: Audio | None = Field(
        default=None,
        repr=False,
        description=(
            "A path, the bytes of a file, or `(samples float32 [n] in [-1, 1], rate in Hz)`."
        ),
    )
    frames: tuple[Frame, ...] = Field(
        default=(),
        repr=False,
        description=(
            "Images: paths, bytes of files, or uint8 arrays `[height, width, channel]` RGB."
        ),
    )
    events: tuple[BehaviourEvent, ...] = Field(
        default=(),
        description="Interaction events during the utterance.",
    )
    speaker: str = Field(
        default="user",
        min_length=1,
        max_length=256,
        description="Who spoke; `agent` for the agent itself.",
    )
    at: float | None = Field(
        default=None,
        description="When it began, in seconds since the dialogue began.",
    )
    signals: dict[Modality, Any] = Field(
        default_factory=dict,
        repr=False,
        description="Signals of modalities of your own (`register_modality`), as their encoder "
        "takes them.",
    )

    def __init__(self, text: str | None = None, **data: Any) -> None:
        """Check the fields; the text may be given by position, one picture without a tuple."""
        frames = data.get("frames")
        if isinstance(frames, str | Path | bytes | np.ndarray) and not (
            isinstance(frames, np.ndarray) and frames.ndim > 3
        ):
            data["frames"] = (frames,)
        super().__init__(text=text, **data)
        if not self.modalities:
            raise EmptyUtteranceError(
                "this utterance is empty: give it a text with at least one visible character, "
                "or audio, frames or events"
            )
        if known := [m for m in self.signals if m in tuple(Modality)]:
            raise InputError(
                f"signals= is for modalities of your own; {', '.join(known)} has a field"
            )

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """The modalities that are present, in the order of :class:`Modality`, then your own."""
        there = {
            Modality.TEXT: self.text is not None and any(map(_visible, self.text)),
            Modality.SPEECH: self.audio is not None,
            Modality.FACE: bool(self.frames),
            Modality.BEHAVIOUR: bool(self.events),
        }
        return (*(m for m, is_there in there.items() if is_there), *self.signals)

    def signal(self, modality: Modality) -> Any:
        """Return the signal of one modality, as its encoder takes it."""
        given = {
            Modality.TEXT: self.text,
            Modality.SPEECH: self.audio,
            Modality.FACE: self.frames,
            Modality.BEHAVIOUR: self.events,
        }
        return given[modality] if modality in given else self.signals.get(modality)

    @classmethod
    def of(cls, value: Utterance | str) -> Utterance:
        """Return ``value`` as an utterance.

        Raises:
            InputError: It is neither a string nor an utterance.
        """
        if isinstance(value, Utterance):
            return value
        if isinstance(value, str):
            return cls(text=value)
        raise InputError(
            f"an utterance must be a str or an Utterance, not {type(value).__name__}"
            + ("; there is nothing to respond to in None" if value is None else "")
        )


def utterances_of(values: Iterable[Utterance | str]) -> list[Utterance]:
    """Return several utterances as a list.

    Raises:
        InputError: They are no iterable of strings and utterances. A single string is none.
    """
    if isinstance(values, str | bytes | Utterance) or not isinstance(values, Iterable):
        raise InputError(
            "utterances must be several, such as a list of str or Utterance, not "
            f"{type(values).__name__}"
        )
    return [Utterance.of(value) for value in values]


def _visible(char: str) -> bool:
    # Zs/Zl/Zp separators and Cc/Cf/Cs/Co/Cn controls carry nothing that can be read.
    return unicodedata.category(char)[0] not in "ZC"
