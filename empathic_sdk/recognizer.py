"""Utterances in, emotion states out, one at a time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from empathic_sdk import checkpoints
from empathic_sdk.encoders.normalize import legible
from empathic_sdk.encoders.text import TextEncoder
from empathic_sdk.errors import InputError, ModelError
from empathic_sdk.models.utterance import UtteranceClassifier
from empathic_sdk.policy import Deployment, allowed
from empathic_sdk.state import Calibration, StateTracker
from empathic_sdk.types import EmotionState, Modality, UserContext, Utterance

_STATE_VERSION = 1


class Reading(NamedTuple):
    """What the heads say of a batch of texts: float32 ``[n, 7]``, ``[n, 7]`` and ``[n, 2]``."""

    emotion: NDArray[np.float32]
    present: NDArray[np.float32]
    affect: NDArray[np.float32]


class EmotionRecognizer:
    """Recognises emotion, utterance by utterance.

    Args:
        text: The text encoder; by default the one that ships with this package.
        heads: A checkpoint of ``empathic train text`` with heads for that encoder; by default
            the checkpoint of the encoder itself.
        deployment: Where this runs; decides which modalities may be read. Default: text only.

    Raises:
        ModelError: No heads fit the encoder.

    Thread-safe.
    """

    def __init__(
        self,
        *,
        text: TextEncoder | None = None,
        heads: str | Path | None = None,
        deployment: Deployment | None = None,
    ) -> None:
        self.text = text or TextEncoder()
        self.deployment = deployment or Deployment()
        path = Path(heads) if heads else self.text.path
        if path is None:
            raise ModelError(
                f"the encoder {self.text.name!r} comes without emotion heads: train them with "
                "`empathic train text --encoder NAME` and hand them over as heads=PATH"
            )
        tensors, about = checkpoints.load(path)
        try:
            self._heads = UtteranceClassifier(width=about["width"], corpora=about["corpora"])
            self._heads.load_state_dict(checkpoints.part(tensors, "heads"))
            self.calibration = Calibration(**about["calibration"])
        except (KeyError, TypeError, RuntimeError) as error:
            raise ModelError(f"{path} holds no emotion heads that fit: {error}") from error
        if about["width"] != self.text.width:
            raise ModelError(
                f"the heads at {path} want vectors of {about['width']}, "
                f"the encoder {self.text.name!r} gives {self.text.width}"
            )
        self.about = about
        self._heads.eval()

    def recognize(self, utterance: Utterance | str) -> EmotionState:
        """Return what one utterance shows on its own.

        Raises:
            InputError: It is empty, no utterance at all, or holds nothing this can read.
            PolicyError: Nothing in it may be processed here.
        """
        return self.session().add(utterance)

    def recognize_dialogue(self, utterances: Iterable[Utterance | str]) -> list[EmotionState]:
        """Return a state an utterance, each in the light of the ones before it, never after."""
        said = [Utterance.of(u) for u in utterances]
        readings = self.read([self._readable(u) for u in said])
        session = self.session()
        return [
            session._track(u, readings.emotion[i], readings.affect[i]) for i, u in enumerate(said)
        ]

    def session(self, user: UserContext | None = None) -> DialogueSession:
        """Open a dialogue that takes one utterance at a time."""
        return DialogueSession(self, user or UserContext())

    def read(self, texts: Sequence[str], corpus: str | None = None) -> Reading:
        """Return raw logits for many texts (uncalibrated; for evaluation and tools).

        The embedded network reads Latin script; what it says of other scripts is scaled down
        towards "anything is possible", so that such a text comes out as uncertain.

        Args:
            texts: Any strings.
            corpus: Whose annotators' label frequencies to assume; default as at run time.
        """
        vectors = torch.from_numpy(self.text.encode(texts))
        with torch.inference_mode():
            out = self._heads(vectors, corpus)
        reading = Reading(out.emotion.numpy(), out.present.numpy(), out.affect.numpy())
        if not self.text.embedded:
            return reading
        share = np.array([legible(t) for t in texts], np.float32)[:, None]
        return Reading(reading.emotion * share, reading.present, reading.affect * share)

    def _readable(self, utterance: Utterance) -> str:
        may = allowed(utterance.modalities, self.deployment)
        if Modality.TEXT not in may or utterance.text is None:
            raise InputError(
                f"this utterance holds only {' and '.join(may)}; "
                "this recogniser reads text: give it a text"
            )
        return utterance.text


class DialogueSession:
    """One dialogue, heard one utterance at a time; its cost an utterance stays flat.

    Made by :meth:`EmotionRecognizer.session`. Not for several threads at once.
    """

    def __init__(self, recognizer: EmotionRecognizer, user: UserContext) -> None:
        self._recognizer = recognizer
        self.user = user
        self._tracker = StateTracker(recognizer.calibration)

    def add(self, utterance: Utterance | str) -> EmotionState:
        """Return what this utterance shows in the light of those before; errors as `recognize`."""
        said = Utterance.of(utterance)
        reading = self._recognizer.read([self._recognizer._readable(said)])
        return self._track(said, reading.emotion[0], reading.affect[0])

    def state(self) -> bytes:
        """Return all that the next ``add`` depends on: derived values, never what was said."""
        return json.dumps({"version": _STATE_VERSION, "speakers": self._tracker.dump()}).encode()

    def restore(self, state: bytes) -> None:
        """Continue a dialogue from what :meth:`state` returned, in this process or another.

        Raises:
            InputError: These bytes are not such a state, or of a newer version.
        """
        try:
            loaded = json.loads(state)
            version, speakers = loaded["version"], loaded["speakers"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise InputError("these bytes are not the state of a dialogue session") from error
        if version != _STATE_VERSION:
            raise InputError(
                f"this session state has version {version}; this package reads {_STATE_VERSION}"
            )
        self._tracker.load(speakers)

    def _track(
        self, said: Utterance, logits: NDArray[np.float32], affect: NDArray[np.float32]
    ) -> EmotionState:
        missing = [m for m in Modality if m is not Modality.TEXT]
        return self._tracker.add(said.speaker, logits, affect, missing)
