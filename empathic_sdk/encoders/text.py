"""Encoder of text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.encoders.tokens import TextTokenizer, pad, windows
from empathic_sdk.encoders.trunk import mean_over_windows, word_table
from empathic_sdk.errors import InputError, ModelError
from empathic_sdk.runtime import checkpoints
from empathic_sdk.runtime.batching import Batcher
from empathic_sdk.runtime.checkpoints import Table
from empathic_sdk.runtime.extras import needs
from empathic_sdk.runtime.networks import SUFFIX, Network, exported
from empathic_sdk.runtime.resources import weights_dir
from empathic_sdk.types import FeatureSequence, Modality

Vectors = NDArray[np.float32]
Pooled = Callable[[Vectors, NDArray[np.bool_]], Vectors]
_TOGETHER = 32


class _Network(Protocol):
    width: int

    def encode(self, texts: Sequence[str]) -> Vectors: ...


class TextEncoder:
    """Encodes text with the embedded network, or with any sentence-transformers model.

    Args:
        model: ``None`` for the network that ships with this package; else the name or folder of
            a sentence-transformers model (looked up on the Hugging Face Hub), or a checkpoint
            (``.safetensors``) written by ``empathic train text``.

    Attributes:
        name: What was loaded.
        width: Length of a vector.
        path: The loaded checkpoint, or ``None`` for a sentence-transformers model.
        fingerprint: SHA-256 of the checkpoint that it was made from, or ``None``.
        embedded: Whether it is one of our networks (English; Latin script).

    Raises:
        MissingExtraError: It is a sentence-transformers model, and the extra "encoders" is not
            installed.
        ModelError: The model cannot be loaded.

    Thread-safe: simultaneous calls become one batch.
    """

    def __init__(self, model: str | Path | None = None) -> None:
        own = model is None or Path(model).suffix == ".safetensors"
        self.name = "minilm-empathic" if model is None else str(model)
        self.path = (
            (weights_dir() / "text.safetensors" if model is None else Path(model)) if own else None
        )
        self._network: _Network = _Embedded(self.path) if self.path else _Plugged(str(model))
        self.width = self._network.width
        self.embedded = self.path is not None
        self.fingerprint = None if self.path is None else checkpoints.fingerprint(self.path)
        self._batcher: Batcher[str, Vectors] = Batcher(self._encode_now)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return float32 ``[len(texts), width]``.

        A text longer than one window (254 word pieces) is read in windows whose vectors are
        averaged by length; of a text longer than eight windows, the first and last four are read.

        Raises:
            InputError: They are no strings.
        """
        if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
            raise InputError(f"texts must be a list of str, not {type(texts).__name__}")
        texts = list(texts)
        if wrong := [t for t in texts if not isinstance(t, str)]:
            raise InputError(f"texts must be a list of str, not of {type(wrong[0]).__name__}")
        if not texts:
            return np.zeros((0, self.width), np.float32)
        return np.stack(self._batcher(texts))

    @property
    def words(self) -> Table | None:
        """Word vectors ``[vocabulary, width]`` of the embedded network; otherwise ``None``."""
        return self._network.words if isinstance(self._network, _Embedded) else None

    def features(self, text: str) -> FeatureSequence:
        """Return the vector of one text as a sequence of length 1."""
        return FeatureSequence(
            modality=Modality.TEXT,
            values=self.encode([text]),
            times=np.zeros(1),
            mask=np.ones(1, bool),
        )

    def _encode_now(self, texts: list[str]) -> list[Vectors]:
        return list(self._network.encode(texts))


class _Embedded:
    """The embedded sentence network with our weights."""

    def __init__(self, path: Path) -> None:
        self.words = word_table(path)
        self.width = self.words.shape[1]
        about = checkpoints.about(path)
        try:
            self._tokenizer = TextTokenizer(path.with_name(about["tokenizer"]))
        except (KeyError, TypeError) as error:
            raise ModelError(f"{path} holds no text network that fits: {error}") from error
        network = exported(path)
        if network is None and checkpoints.FINGERPRINT in about:
            raise ModelError(
                f"{path} is the part of a checkpoint that is read beside "
                f"{path.with_suffix(SUFFIX).name}, which is not there: put both side by side, or "
                "give the whole checkpoint"
            )
        self._pooled: Pooled = _of_checkpoint(path) if network is None else _of_network(network)

    def encode(self, texts: Sequence[str]) -> Vectors:
        pieces, owner = [], []
        for i, row in enumerate(self._tokenizer(texts)):
            for window in windows(row):
                pieces.append(window)
                owner.append(i)
        found = np.zeros((len(pieces), self.width), np.float32)
        for rows in _alike([len(piece) for piece in pieces]):
            ids, mask = pad([pieces[r] for r in rows])
            found[rows] = self._pooled(self.words[ids], mask)
        lengths = np.array([len(piece) for piece in pieces], np.float32)
        return mean_over_windows(found, lengths, np.array(owner), len(texts))


def _alike(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield the places of similar lengths together: padding costs as much as words do."""
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) == _TOGETHER or lengths[place] > 1.25 * lengths[batch[0]] + 2):
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def _of_network(network: Network) -> Pooled:
    """Return what reads word vectors and a mask with an ONNX network."""

    def pooled(words: Vectors, mask: NDArray[np.bool_]) -> Vectors:
        return network(words=words, mask=mask)["pooled"]

    return pooled


def _of_checkpoint(path: Path) -> Pooled:
    """Return the same for a checkpoint that was not exported yet, in PyTorch."""
    with needs("torch", f"the checkpoint {path.name}, which was not exported to ONNX,"):
        from empathic_sdk.models.minilm import pooled_by
    return pooled_by(path)


class _Plugged:
    """Any sentence-transformers model."""

    def __init__(self, name: str) -> None:
        with needs("encoders", "a sentence-transformers model"):
            from sentence_transformers import SentenceTransformer  # seconds to import

        try:
            self._model = SentenceTransformer(name, device="cpu")
        except Exception as error:  # network, disk and config errors of many kinds
            raise ModelError(
                f"the sentence-transformers model {name!r} cannot be loaded: {error}"
            ) from error
        self.width = int(self._model.get_embedding_dimension() or 0)

    def encode(self, texts: Sequence[str]) -> Vectors:
        vectors = self._model.encode(
            list(texts), convert_to_numpy=True, show_progress_bar=False, batch_size=32
        )
        return np.asarray(vectors, np.float32)
