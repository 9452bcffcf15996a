"""Encoders of speech, faces and behaviour, and the transcription of speech.

Each encoder is made on first use. An error in one modality affects only that modality, which then
has a reason instead of a vector.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol

import numpy as np

from empathic_sdk.errors import (
    ConfigurationError,
    EmpathicError,
    InputError,
    MissingExtraError,
    ModelError,
    outline,
)
from empathic_sdk.options import MediaLimits
from empathic_sdk.runtime.processes import ForkLock
from empathic_sdk.types import Embedding, FeatureSequence, Modality, Utterance
from empathic_sdk.types.protocols import Encoder

log = logging.getLogger("empathic_sdk")


class Listener(Protocol):
    """Transcribes speech, as ``Transcriber`` does."""

    def __call__(self, audio: Any, /) -> Any:
        """Return a ``Transcript``, or anything with ``text``."""


def _speech(limits: MediaLimits) -> Encoder:
    from empathic_sdk.encoders.speech import SpeechEncoder

    return SpeechEncoder(limits=limits)


def _face(limits: MediaLimits) -> Encoder:
    from empathic_sdk.encoders.face import FaceEncoder

    return FaceEncoder(limits=limits)


def _behaviour(_: MediaLimits) -> Encoder:
    from empathic_sdk.encoders.behaviour import BehaviourEncoder

    return BehaviourEncoder()


def _listener(limits: MediaLimits) -> Listener:
    from empathic_sdk.encoders.transcription import Transcriber, at_hand

    for name in ("base", "small", "tiny"):
        if at_hand(name):
            return Transcriber(name, limits=limits)
    raise ModelError(
        "there are no Whisper weights on this machine, so the words of speech stay unknown and "
        "only its sound is used; Transcriber('base') fetches some"
    )


_MAKERS: Mapping[Modality, Callable[[MediaLimits], Encoder]] = {
    Modality.SPEECH: _speech,
    Modality.FACE: _face,
    Modality.BEHAVIOUR: _behaviour,
}


class ModalityEncoders:
    """The encoders of an :class:`EmotionRecognizer` beside its text encoder.

    Args:
        given: By modality: an encoder, ``None`` for the embedded one, or ``False`` for none.
        transcriber: Transcribes speech; ``None`` for Whisper, if its weights are on this machine,
            ``False`` for none.
        limits: How much of media the embedded ones read.

    Thread-safe.
    """

    def __init__(
        self,
        given: Mapping[Modality, Encoder | Literal[False] | None],
        transcriber: Listener | Literal[False] | None = None,
        limits: MediaLimits | None = None,
    ) -> None:
        if not (limits is None or isinstance(limits, MediaLimits)):
            raise ConfigurationError("limits= must be MediaLimits(...), or None")
        self._limits = limits or MediaLimits()
        for m, encoder in given.items():
            # A str has encode() as well, so look for a width.
            if encoder not in (None, False) and not isinstance(
                getattr(encoder, "width", None), int
            ):
                raise ConfigurationError(f"{m}= must be an encoder, None or False, not {encoder!r}")
        if transcriber not in (None, False) and not callable(transcriber):
            raise ConfigurationError("transcriber= must be a Transcriber, None or False")
        self._made: dict[str, Any] = {
            m: "it is switched off" if encoder is False else encoder
            for m, encoder in given.items()
            if encoder is not None
        }
        if transcriber is not None:
            self._made["words"] = "it is switched off" if transcriber is False else transcriber
        self._lock = ForkLock()

    def read(self, modality: Modality, utterance: Utterance) -> Embedding:
        """Encode one modality of an utterance; without a result, ``missing`` says why."""
        encoder = self._get(modality, _MAKERS[modality])
        if isinstance(encoder, str):
            return _nothing(modality, encoder)
        try:
            found: Embedding = encoder.encode([utterance.signal(modality)])[0]
            return found
        except EmpathicError as error:
            return _nothing(modality, str(error))
        except Exception as error:  # one broken channel must not affect the others
            log.error("the %s encoder failed: %s", modality, outline(error))
            return _nothing(modality, f"the encoder failed ({type(error).__name__})")

    def sequence(self, modality: Modality, utterance: Utterance) -> FeatureSequence | None:
        """Return features of one modality over time, in seconds since the utterance began.

        ``None`` if there is no such encoder, or it has no ``features``.

        Raises:
            InputError: The signal cannot be read.
        """
        encoder = self._get(modality, _MAKERS[modality])
        features = getattr(encoder, "features", None)
        if features is None:
            return None
        if modality is Modality.BEHAVIOUR:
            # Events are timed from the beginning of the dialogue.
            events = utterance.events
            whole: FeatureSequence = features(events)  # rejects invalid times
            began = min(e.at for e in events) if utterance.at is None else utterance.at
            moved = np.asarray(whole.times - began, np.float64)
            if not np.isfinite(moved).all() or (moved < 0).any():
                raise InputError("an event happened before its utterance began: see Utterance.at")
            return whole.model_copy(update={"times": moved})
        signal = utterance.audio if modality is Modality.SPEECH else utterance.frames
        return features(signal)  # type: ignore[no-any-return]

    def words(self, utterance: Utterance) -> str | None:
        """Return the transcript of an utterance's audio, or ``None`` if there is none."""
        listener = self._get("words", _listener)
        if isinstance(listener, str):
            return None
        try:
            text = str(listener(utterance.audio).text).strip()
        except ModelError as error:  # there are no weights: log it once, and use the voice only
            self._lose("words", str(error))
            return None
        except EmpathicError as error:
            log.info("the speech could not be transcribed: %s", type(error).__name__)
            return None
        except Exception as error:
            log.error("the transcriber failed: %s", outline(error))
            return None
        return text or None

    def _get(self, name: str, make: Callable[[MediaLimits], Any]) -> Any:
        with self._lock:
            if name not in self._made:
                try:
                    self._made[name] = make(self._limits)
                except (MissingExtraError, ModelError) as error:
                    self._lose(name, str(error))
            return self._made[name]

    def _lose(self, name: str, reason: str) -> None:
        log.warning("%s cannot be read: %s", name, reason)
        self._made[name] = reason


def _nothing(modality: Modality, reason: str) -> Embedding:
    return Embedding(modality=modality, vector=np.zeros(0, np.float32), missing=reason)
