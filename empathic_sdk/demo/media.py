"""Media of a message: sound, one picture, typing events.

They arrive inside the message itself and are never written to a file.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from typing import Any, NamedTuple

from empathic_sdk import BehaviourEvent, Utterance
from empathic_sdk.errors import EmpathicError, InputError

MOST_SOUND = 8_000_000
"""Bytes of one recording."""
MOST_PICTURE = 1_500_000
"""Bytes of one picture."""
MOST_EVENTS = 400
"""Interaction events of one message."""
MOST_PAYLOAD = (MOST_SOUND + MOST_PICTURE) * 4 // 3 + 200_000

MOST_PIXELS = 4_000_000
"""Pixels of one picture; a camera's still has 307,200."""

_PNG = b"\x89PNG\r\n\x1a\n"
_SIZES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # JPEG's markers that hold width and height
_BROKEN = "What came with this message cannot be read. Please try again, or type."


class Given(NamedTuple):
    """The media of a message.

    Attributes:
        sound: A sound file's bytes, or ``None``.
        seconds: How long it is, as the browser says; for showing only.
        picture: A JPEG's or PNG's bytes, or ``None``.
        events: How it was typed.
    """

    sound: bytes | None = None
    seconds: float = 0.0
    picture: bytes | None = None
    events: tuple[BehaviourEvent, ...] = ()

    @property
    def words(self) -> str:
        """Say what it is, without a word of what is in it."""
        kinds = []
        if self.sound is not None:
            kinds.append(f"voice message, {self.seconds:.0f} s" if self.seconds else "sound file")
        if self.picture is not None:
            kinds.append("one picture from the camera")
        return " and ".join(kinds)

    def utterance(self, text: str, at: float | None = None) -> Utterance:
        """Return the message as the agent takes it.

        Raises:
            EmptyUtteranceError: There is nothing in it.
        """
        return Utterance(
            text or None,
            audio=self.sound,
            frames=() if self.picture is None else (self.picture,),
            events=self.events,
            at=at,
        )


def unpack(payload: str | None) -> Given:
    """Return what the page sent along.

    Raises:
        InputError: It is too large, or not what the page makes; in words for the visitor.
    """
    if not payload:
        return Given()
    if len(payload) > MOST_PAYLOAD:
        raise InputError(
            "That recording is too large: please keep it below a minute, or "
            f"{MOST_SOUND // 1_000_000} MB."
        )
    try:
        found = json.loads(payload)
        sound = _bytes(found.get("sound"))
        picture = _bytes(found.get("picture"))
        seconds = float(found.get("seconds") or 0.0)
        events = tuple(_event(e) for e in list(found.get("events") or ())[-MOST_EVENTS:])
    except (
        ValueError,
        TypeError,
        AttributeError,
        KeyError,
        RecursionError,
        EmpathicError,
    ) as error:
        raise InputError(_BROKEN) from error
    if sound is not None and len(sound) > MOST_SOUND:
        raise InputError(f"That recording is larger than {MOST_SOUND // 1_000_000} MB.")
    if picture is not None and not _acceptable(picture):
        raise InputError("That picture cannot be read. Please try again without the camera.")
    if not math.isfinite(seconds) or not 0 <= seconds <= 86_400:
        seconds = 0.0
    return Given(sound, seconds, picture, events)


def picture_size(picture: bytes) -> tuple[int, int] | None:
    """Return width and height as the header of a JPEG or PNG says; ``None`` for anything else.

    Nothing is decoded, and no library opens what is neither of the two.
    """
    if picture.startswith(_PNG) and picture[12:16] == b"IHDR" and len(picture) >= 24:
        return int.from_bytes(picture[16:20]), int.from_bytes(picture[20:24])
    if not picture.startswith(b"\xff\xd8\xff"):
        return None
    at = 2
    while at + 9 <= len(picture) and picture[at] == 0xFF:
        marker = picture[at + 1]
        if marker in _SIZES:
            return int.from_bytes(picture[at + 7 : at + 9]), int.from_bytes(
                picture[at + 5 : at + 7]
            )
        at += 2 + max(2, int.from_bytes(picture[at + 2 : at + 4]))
    return None


def _acceptable(picture: bytes) -> bool:
    size = picture_size(picture) if len(picture) <= MOST_PICTURE else None
    return size is not None and 0 < size[0] * size[1] <= MOST_PIXELS


def _bytes(coded: Any) -> bytes | None:
    if not coded:
        return None
    try:
        return base64.b64decode(coded, validate=True) or None
    except (binascii.Error, TypeError) as error:
        raise ValueError("no base64") from error


def _event(made: Any) -> BehaviourEvent:
    at, value = float(made["at"]), float(made["value"])
    if not (math.isfinite(at) and at >= 0 and math.isfinite(value)):
        raise ValueError("no time or size")
    return BehaviourEvent(kind=str(made["kind"])[:32], at=at, value=value)
