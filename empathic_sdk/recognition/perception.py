"""What the encoders make of utterances, and what a session asks of whoever perceives them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.models.mdget import MDGET
from empathic_sdk.recognition.calibration import Calibration
from empathic_sdk.types import Modality, UserContext, Utterance

Result = TypeVar("Result")


class Perception(NamedTuple):
    """What the encoders make of ``n`` utterances: all that a session needs of them.

    Attributes:
        features: float32 ``[n, width]`` by modality: what the dialogue model reads.
        present: bool ``[n]`` by modality, ``True`` = real.
        emotion: float32 ``[n, 7]`` logits of the text's own heads; zeros where there is no text.
        affect: float32 ``[n, 2]``; zeros where there is no text.
        legible: float32 ``[n]``: share of a text in a script that the network knows.
        unread: Why a modality that was given plays no part, one an utterance.
    """

    features: dict[Modality, NDArray[np.float32]]
    present: dict[Modality, NDArray[np.bool_]]
    emotion: NDArray[np.float32]
    affect: NDArray[np.float32]
    legible: NDArray[np.float32]
    unread: list[dict[Modality, str]]


class Perceiver(Protocol):
    """What a :class:`~empathic_sdk.recognition.session.DialogueSession` is made from.

    Attributes:
        calibration: Logits to probabilities.
        text_temperature: Of the text's own heads.
        dialogue: The dialogue model, ``None`` where each utterance is read alone.
    """

    calibration: Calibration
    text_temperature: float
    dialogue: MDGET | None

    def listen(self, utterance: Utterance, user: UserContext) -> Utterance:
        """Return an utterance with the words of its audio as its text, where it has none."""

    def perceive(self, said: Sequence[Utterance], user: UserContext) -> Perception:
        """Return what the encoders make of utterances."""

    def one_by_one(self, work: Callable[[], Result]) -> Result:
        """Run a step of the dialogue model in the one thread that all sessions share."""
