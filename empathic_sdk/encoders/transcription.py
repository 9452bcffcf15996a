"""Speech to text with Whisper (Radford et al. 2022), through the package openai-whisper."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from empathic_sdk.encoders.audio import RATE, decode
from empathic_sdk.encoders.voice_activity import VoiceDetector
from empathic_sdk.errors import ConfigurationError, MissingExtraError, ModelError
from empathic_sdk.options import MediaLimits
from empathic_sdk.runtime.processes import ForkLock
from empathic_sdk.types.transcript import Transcript, Word
from empathic_sdk.types.utterance import Audio

_FORMAT = "whisper-1"

# Aliases of models, as openai-whisper defines them.
_FILES = {"large": "large-v3", "turbo": "large-v3-turbo"}


class Transcriber:
    """Transcribes recordings.

    Args:
        model: An official name (``tiny``, ``base``, ``small``, ``turbo``, ...; with ``.en`` for
            English alone), which is looked for in Whisper's cache and else downloaded by that
            package, checked by its SHA-256; or a ``.safetensors`` written by :func:`save_whisper`.
            Any other file is refused: Whisper's own checkpoints are pickles.
        language: Code of the spoken language (``en``); ``None``: detect it for each recording.
        folder: Folder of official weights; default: Whisper's own cache.
        limits: How much of a recording is read.

    Raises:
        MissingExtraError: The extra "speech" is not installed.
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
        whisper = _whisper()
        from whisper.tokenizer import LANGUAGES

        if language is not None and language not in LANGUAGES:
            raise ConfigurationError(
                f"Whisper knows no language {language!r}; give a code like 'en' or 'de'"
            )
        self.name = str(model)
        self.language = language
        self.limits = limits or MediaLimits()
        self._detector = VoiceDetector()
        self._lock = ForkLock()
        if Path(model).suffix == ".safetensors":
            self._model: Any = load_whisper(model)
        else:
            self._model = _official(whisper, str(model), folder)
        if not self._model.is_multilingual:
            if language not in (None, "en"):
                raise ConfigurationError(f"{self.name} knows English only, not {language!r}")
            self.language = "en"
        self._model.eval()

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
        with self._lock, torch.inference_mode():
            found = self._model.transcribe(
                samples,
                language=self.language,
                fp16=False,  # a CPU computes in float32
                word_timestamps=True,
                condition_on_previous_text=False,  # else one slip is repeated to the end
                verbose=None,
            )
        words = tuple(
            Word(
                text=w["word"].strip(),
                start=max(0.0, w["start"]),
                end=max(w["start"], w["end"], 0.0),
            )
            for segment in found["segments"]
            for w in segment.get("words", ())
            if w["word"].strip()
        )
        return Transcript(
            text=found["text"].strip(), language=found["language"], words=words, seconds=seconds
        )


def at_hand(name: str, *, folder: str | Path | None = None) -> bool:
    """Return whether the weights of an official model are present on this machine.

    Args:
        name: As for :class:`Transcriber`.
        folder: Where they are kept; default: Whisper's own cache.

    Only checks that the file exists; its SHA-256 is checked on loading. ``False`` if
    openai-whisper is not installed.
    """
    if importlib.util.find_spec("whisper") is None:
        return False
    if folder is None:
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folder = Path(cache) / "whisper"
    return (Path(folder) / f"{_FILES.get(name, name)}.pt").is_file()


def save_whisper(model: Any, path: str | Path) -> None:
    """Write a Whisper model (an object of ``whisper.Whisper``) as safetensors.

    The description holds its dimensions and its alignment heads (for word times), which a plain
    checkpoint of Whisper lacks.
    """
    heads = model.alignment_heads.to_dense().tolist()
    about = {"format": _FORMAT, "dims": json.dumps(asdict(model.dims)), "heads": json.dumps(heads)}
    tensors = {k: v.detach().cpu().contiguous() for k, v in model.state_dict().items()}
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    save_file(tensors, part, about)
    part.replace(path)


def load_whisper(path: str | Path) -> Any:
    """Read what :func:`save_whisper` wrote.

    Raises:
        ModelError: The file is missing, damaged, or holds something else.
    """
    path = Path(path)
    if not path.is_file():
        raise ModelError(f"there is no Whisper model at {path}")
    try:
        with safe_open(str(path), "pt") as f:
            about: Mapping[str, str] = f.metadata() or {}
            tensors: dict[str, Tensor] = {k: f.get_tensor(k) for k in f.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ModelError(f"the Whisper model at {path} is damaged: {error}") from error
    if about.get("format") != _FORMAT:
        raise ModelError(f"{path} was not written by save_whisper")
    _whisper()
    from whisper.model import ModelDimensions, Whisper

    try:
        model = Whisper(ModelDimensions(**json.loads(about["dims"])))
        model.load_state_dict({k: v.float() for k, v in tensors.items()})
        heads = torch.tensor(json.loads(about["heads"]), dtype=torch.bool)
        model.register_buffer("alignment_heads", heads.to_sparse(), persistent=False)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(f"{path} holds no Whisper model that fits: {error}") from error
    return model.eval()


def _whisper() -> Any:
    try:
        import whisper  # numba and triton come with it: seconds
    except ImportError as error:
        raise MissingExtraError("speech", "transcribing speech") from error
    return whisper


def _official(whisper: Any, name: str, folder: str | Path | None) -> Any:
    names = whisper.available_models()
    if name not in names:
        raise ModelError(
            f"{name!r} is neither an official Whisper model ({', '.join(names)}) nor a "
            ".safetensors; other files are not loaded, since Whisper's checkpoints are pickles: "
            "see save_whisper"
        )
    try:
        root = None if folder is None else str(folder)
        return whisper.load_model(name, device="cpu", download_root=root)
    except Exception as error:  # no network, a full disk, a broken download, ...
        raise ModelError(
            f"the weights of Whisper {name!r} are not in its cache and could not be downloaded "
            f"({type(error).__name__}: {error}); give a .safetensors, or use the voice alone"
        ) from error
