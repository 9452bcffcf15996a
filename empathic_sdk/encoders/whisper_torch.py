"""Whisper through the package openai-whisper, in PyTorch. Needs the extra ``whisper``."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.errors import MissingExtraError, ModelError
from empathic_sdk.types.transcript import Written

_FORMAT = "whisper-1"

# Aliases of models, as openai-whisper defines them.
_FILES = {"large": "large-v3", "turbo": "large-v3-turbo"}


class TorchWhisper:
    """Whisper as its authors published it.

    Args:
        model: An official name, or a ``.safetensors`` written by :func:`save_whisper`. Any other
            file is refused: Whisper's own checkpoints are pickles.
        folder: Folder of official weights; default: Whisper's own cache.

    Raises:
        MissingExtraError: The extra "whisper" is not installed.
        ModelError: The weights are missing or damaged, and cannot be downloaded.
    """

    def __init__(self, model: str | Path, *, folder: str | Path | None = None) -> None:
        whisper = _whisper()
        from whisper.tokenizer import LANGUAGES

        if Path(model).suffix == ".safetensors":
            self._model: Any = load_whisper(model)
        else:
            self._model = _official(whisper, str(model), folder)
        self._model.eval()
        self.languages = tuple(LANGUAGES)
        self.multilingual = bool(self._model.is_multilingual)

    def write(self, samples: NDArray[np.float32], language: str | None) -> Written:
        """Transcribe ``[n]`` samples at 16 kHz."""
        import torch

        with torch.inference_mode():
            found = self._model.transcribe(
                samples,
                language=language,
                fp16=False,  # a CPU computes in float32
                word_timestamps=True,
                condition_on_previous_text=False,  # else one slip is repeated to the end
                verbose=None,
            )
        return Written(
            found["text"],
            found["language"],
            [
                (w["word"], w["start"], w["end"])
                for segment in found["segments"]
                for w in segment.get("words", ())
            ],
        )


def installed() -> bool:
    """Return whether openai-whisper is installed, without importing it."""
    return importlib.util.find_spec("whisper") is not None


def at_hand(name: str, folder: str | Path | None = None) -> bool:
    """Return whether openai-whisper is installed and has the weights of an official model.

    Only checks that the file exists; its SHA-256 is checked on loading.
    """
    if not installed():
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
    from safetensors.torch import save_file

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
    import torch
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise ModelError(f"there is no Whisper model at {path}")
    try:
        with safe_open(str(path), "pt") as f:
            about: Mapping[str, str] = f.metadata() or {}
            tensors: dict[str, torch.Tensor] = {
                k: f.get_tensor(k)
                for k in f.keys()  # noqa: SIM118
            }
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
        raise MissingExtraError("whisper", "this Whisper model") from error
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
