"""Whisper through the package faster-whisper: in CTranslate2, without PyTorch, numba and Triton.

The same weights in another file format (``model.bin``, not a pickle), multiplied in int8.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.errors import MissingExtraError, ModelError
from empathic_sdk.types.transcript import Written

WEIGHTS = "model.bin"
"""The file by which a folder is known as a Whisper model of CTranslate2."""


class CT2Whisper:
    """Whisper in CTranslate2.

    Args:
        model: An official name, looked for in the cache of the Hugging Face Hub and else
            downloaded from there; or a folder with ``model.bin``, ``config.json`` and
            ``tokenizer.json``.
        folder: Folder of official weights; default: the cache of the Hub.

    Raises:
        MissingExtraError: The extra "speech" is not installed.
        ModelError: The weights are missing or damaged, and cannot be downloaded.
    """

    def __init__(self, model: str | Path, *, folder: str | Path | None = None) -> None:
        try:
            import faster_whisper
        except ImportError as error:
            raise MissingExtraError("speech", "transcribing speech") from error
        if not is_converted(model):
            model = _official(faster_whisper, str(model), folder)
        elif not (Path(model) / "tokenizer.json").is_file():  # it would be fetched from the Hub
            raise ModelError(f"{model} has no tokenizer.json beside its {WEIGHTS}")
        try:
            self._model: Any = faster_whisper.WhisperModel(
                str(model), device="cpu", compute_type="int8", local_files_only=True
            )
            self.languages = tuple(self._model.supported_languages)
            self.multilingual = bool(self._model.model.is_multilingual)
        except Exception as error:  # whatever CTranslate2 and tokenizers say of a damaged file
            raise ModelError(f"the Whisper model at {model} is damaged: {error}") from error

    def write(self, samples: NDArray[np.float32], language: str | None) -> Written:
        """Transcribe ``[n]`` samples at 16 kHz."""
        segments, about = self._model.transcribe(
            samples,
            language=language,
            word_timestamps=True,
            condition_on_previous_text=False,  # else one slip is repeated to the end
        )
        found = list(segments)
        return Written(
            "".join(s.text for s in found),
            about.language,
            [(w.word, w.start, w.end) for s in found for w in s.words or ()],
        )


def installed() -> bool:
    """Return whether faster-whisper is installed, without importing it."""
    return importlib.util.find_spec("faster_whisper") is not None


def is_converted(model: str | Path) -> bool:
    """Return whether ``model`` is a folder with a Whisper model of CTranslate2."""
    return (Path(model) / WEIGHTS).is_file()


def at_hand(name: str, folder: str | Path | None = None) -> bool:
    """Return whether faster-whisper is installed and has the weights of an official model."""
    if not installed():
        return False
    import faster_whisper

    if name not in faster_whisper.available_models():
        return False
    try:
        cache = None if folder is None else str(folder)
        found = faster_whisper.download_model(name, local_files_only=True, cache_dir=cache)
    except Exception:  # the Hub's client has many ways to say that it found nothing
        return False
    return is_converted(found)


def _official(package: Any, name: str, folder: str | Path | None) -> str:
    names = package.available_models()
    if name not in names:
        raise ModelError(
            f"{name!r} is neither an official Whisper model ({', '.join(names)}), a folder with "
            f"{WEIGHTS}, nor a .safetensors; other files are not loaded, since Whisper's "
            "checkpoints are pickles: see save_whisper"
        )
    try:
        cache = None if folder is None else str(folder)
        return str(package.download_model(name, cache_dir=cache))
    except Exception as error:  # no network, a full disk, a broken download, ...
        why = str(error).partition("\n")[0]
        raise ModelError(
            f"the weights of Whisper {name!r} are not in its cache and could not be downloaded "
            f"({type(error).__name__}: {why}); give a folder with {WEIGHTS}, a .safetensors, or "
            "use the voice alone"
        ) from error
