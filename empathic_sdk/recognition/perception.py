"""What the encoders make of utterances, and what a session asks of whoever perceives them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.recognition.calibration import Calibration
from empathic_sdk.recognition.channels import Channel
from empathic_sdk.recognition.dialogue_model import Memory
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
        unread: Why a modality that was given plays no part, one per utterance.
        odds: float64 ``[7]`` by modality, one per utterance: what channels that the dialogue model
            does not read say of it (:mod:`~empathic_sdk.recognition.channels`).
    """

    features: dict[Modality, NDArray[np.float32]]
    present: dict[Modality, NDArray[np.bool_]]
    emotion: NDArray[np.float32]
    affect: NDArray[np.float32]
    legible: NDArray[np.float32]
    unread: list[dict[Modality, str]]
    odds: list[dict[Modality, NDArray[np.float64]]]

    def read(self, i: int) -> list[Modality]:
        """Return the modalities of utterance ``i`` that the dialogue model reads."""
        return [m for m, p in self.present.items() if p[i]]


class Perceiver(Protocol):
    """What a :class:`~empathic_sdk.recognition.session.DialogueSession` is made from.

    Attributes:
        calibration: Logits to probabilities.
        text_temperature: Of the text's own heads.
        channels: Modalities that join after the dialogue model.
    """

    calibration: Calibration
    text_temperature: float
    channels: dict[Modality, Channel]

    def memory(self) -> Memory | None:
        """Open a dialogue of the dialogue model; ``None`` where each utterance is read alone."""

    def listen(self, utterance: Utterance, user: UserContext) -> Utterance:
        """Return an utterance with the words of its audio as its text, where it has none."""

    def perceive(self, said: Sequence[Utterance], user: UserContext) -> Perception:
        """Return what the encoders make of utterances."""

    def one_by_one(self, work: Callable[[], Result]) -> Result:
        """Run a step of the dialogue model in the one thread that all sessions share."""
