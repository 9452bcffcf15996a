"""Speech to text with Whisper (Radford et al. 2022).

Two packages can run it: faster-whisper, which the extra "speech" brings, and openai-whisper, in an
extra of its own ("whisper") because it brings a gigabyte of Triton and numba.
"""

from __future__ import annotations

from pathlib import Path

from empathic_sdk.encoders import whisper_ct2, whisper_torch
from empathic_sdk.encoders.audio import RATE, decode
from empathic_sdk.encoders.voice_activity import VoiceDetector
from empathic_sdk.encoders.whisper_ct2 import CT2Whisper
from empathic_sdk.encoders.whisper_torch import TorchWhisper, load_whisper, save_whisper
from empathic_sdk.errors import ConfigurationError
from empathic_sdk.options import MediaLimits
from empathic_sdk.runtime.processes import ForkLock
from empathic_sdk.types.transcript import Transcript, Whisper, Word
from empathic_sdk.types.utterance import Audio

__all__ = ["Transcriber", "at_hand", "load_whisper", "save_whisper"]


class Transcriber:
    """Transcribes recordings.

    Args:
        model: An official name (``tiny``, ``base``, ``small``, ``turbo``, ...; with ``.en`` for
            English alone): weights that are on this machine are used, with faster-whisper or with
            openai-whisper; otherwise the package that is installed downloads them, faster-whisper
            if both are. Or a folder with a model converted for CTranslate2 (``model.bin``), or a
            ``.safetensors`` written by :func:`save_whisper`, which openai-whisper runs. Any other
            file is refused: Whisper's own checkpoints are pickles.
        language: Code of the spoken language (``en``); ``None``: detect it for each recording.
        folder: Folder of official weights; default: the cache of the package that reads them.
        limits: How much of a recording is read.

    Raises:
        MissingExtraError: The extra "speech" (for a ``.safetensors``: "whisper") is not installed.
        ConfigurationError: The language is unknown.
        ModelError: The weights are missing and cannot be downloaded; the voice can still be used
            without words.

    Thread-safe: one recording at a time, because the network keeps state while decoding. It
    does not run on recordings without a voice, for which it invents words.
    """

    def __init__(
        self,
        model: str | Path = "base",
        *,
        language: str | None = None,
        folder: str | Path | None = None,
        limits: MediaLimits | None = None,
    ) -> None:
        self.name = str(model)
        self.language = language
        self.limits = limits or MediaLimits()
        self._whisper: Whisper = _load(model, folder)
        if not self._whisper.multilingual:
            if language not in (None, "en"):
                raise ConfigurationError(f"{self.name} knows English only, not {language!r}")
            self.language = "en"
        elif language is not None and language not in self._whisper.languages:
            raise ConfigurationError(
                f"Whisper knows no language {language!r}; give a code like 'en' or 'de'"
            )
        self._detector = VoiceDetector()
        self._lock = ForkLock()

    def __call__(self, audio: Audio) -> Transcript:
        """Transcribe ``audio``.

        Raises:
            InputError: It cannot be read.
        """
        samples = decode(audio, limits=self.limits)
        seconds = len(samples) / RATE
        if not self._detector(samples):
            return Transcript(
                text="", language=None, seconds=seconds,
                missing=f"no voice in {seconds:.1f} s of audio",
            )  # fmt: skip
        with self._lock:
            found = self._whisper.write(samples, self.language)
        words = tuple(
            Word(text=text.strip(), start=max(0.0, start), end=max(start, end, 0.0))
            for text, start, end in found.words
            if text.strip()
        )
        return Transcript(
            text=found.text.strip(), language=found.language, words=words, seconds=seconds
        )


def at_hand(name: str, *, folder: str | Path | None = None) -> bool:
    """Return whether the weights of an official model are present on this machine.

    Args:
        name: As for :class:`Transcriber`.
        folder: Where they are kept; default: the caches of both packages.

    Only checks that the file exists. ``False`` if the package that reads it is not installed.
    """
    return whisper_torch.at_hand(name, folder) or whisper_ct2.at_hand(name, folder)


def _load(model: str | Path, folder: str | Path | None) -> Whisper:
    if Path(model).suffix == ".safetensors":
        return TorchWhisper(model)
    if whisper_ct2.is_converted(model):
        return CT2Whisper(model)
    name = str(model)
    only_there = whisper_torch.at_hand(name, folder) and not whisper_ct2.at_hand(name, folder)
    if only_there or (whisper_torch.installed() and not whisper_ct2.installed()):
        return TorchWhisper(name, folder=folder)
    return CT2Whisper(name, folder=folder)
