"""Encoded utterances, and the protocol through which a session gets them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.recognition.calibration import Calibration
from empathic_sdk.recognition.channels import Channel
from empathic_sdk.recognition.dialogue_model import Memory
from empathic_sdk.types import Modality, UserContext, Utterance


class Perception(NamedTuple):
    """The encoders' output for ``n`` utterances: all that a session needs.

    Attributes:
        features: float32 ``[n, width]`` by modality: input of the dialogue model.
        present: bool ``[n]`` by modality, ``True`` = real.
        emotion: float32 ``[n, 7]`` logits of the text heads; zeros without text.
        affect: float32 ``[n, 2]`` valence and arousal of the text heads; zeros without text.
        legible: float32 ``[n]``: share of the text in a script that the network knows.
        unread: One per utterance: why a given modality plays no part.
        odds: One per utterance: float64 ``[7]`` by modality: log-odds of channels that the
            dialogue model does not read (:mod:`~empathic_sdk.recognition.channels`).
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
    """The part of a recogniser that a ``DialogueSession`` uses.

    Attributes:
        calibration: Calibration of the dialogue model.
        text_temperature: Softmax temperature of the text heads.
        channels: Modalities that are fused after the dialogue model.
    """

    calibration: Calibration
    text_temperature: float
    channels: dict[Modality, Channel]

    def memory(self) -> Memory | None:
        """Open a memory of the dialogue model; ``None`` if utterances are read in isolation."""

    def listen(self, utterance: Utterance, user: UserContext) -> Utterance:
        """Return an utterance with the words of its audio as its text, where it has none."""

    def perceive(self, said: Sequence[Utterance], user: UserContext) -> Perception:
        """Encode utterances."""
