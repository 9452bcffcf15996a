"""Word-piece tokenizer: texts to ids, and ids to padded batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from empathic_sdk.encoders.normalize import normalize
from empathic_sdk.errors import ModelError
from empathic_sdk.runtime.digests import check_shipped


class TextTokenizer:
    """The word-piece tokenizer of a checkpoint (``tokenizer.json``).

    Args:
        path: The file.
        rewrite: What is done to a text before.

    Raises:
        ModelError: The file is missing or damaged.
    """

    def __init__(self, path: str | Path, *, rewrite: Callable[[str], str] = normalize) -> None:
        self._rewrite = rewrite
        if not Path(path).is_file():
            raise ModelError(f"there is no tokenizer at {path}; it belongs beside the checkpoint")
        check_shipped(path)
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare Exception
            raise ModelError(f"the tokenizer at {path} is damaged: {error}") from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

    def __call__(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the ids of each text, ``[CLS]`` first and ``[SEP]`` last, whatever the length."""
        encoded = self._tokenizer.encode_batch([self._rewrite(t) for t in texts])
        return [e.ids for e in encoded]


def truncate(ids: Sequence[int], limit: int) -> list[int]:
    """Cut to ``limit`` ids, keeping the closing ``[SEP]``."""
    return list(ids) if len(ids) <= limit else [*ids[: limit - 1], ids[-1]]


def in_context(
    own: Sequence[int], before: Sequence[tuple[bool, Sequence[int]]], *, context: int
) -> tuple[list[int], list[int]]:
    """Join an utterance's ids with those of the turns before it.

    Args:
        own: ``[CLS] ... [SEP]`` of the utterance.
        before: Of each turn, oldest first, whether the same person spoke, and its ids.
        context: Ids of earlier turns at most; the newest are kept.

    Returns:
        The ids, the utterance first, and the role of each: 0 the utterance itself, 1 an earlier
        turn of the same person, 2 one of somebody else.
    """
    earlier: list[int] = []
    roles: list[int] = []
    for same, ids in before:
        earlier += ids[1:]
        roles += [1 if same else 2] * (len(ids) - 1)
    cut = max(0, len(earlier) - context)
    return [*own, *earlier[cut:]], [*([0] * len(own)), *roles[cut:]]


def pad(rows: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return ids int64 ``[batch, time]`` and a bool mask of the same shape, ``True`` = real."""
    longest = max((len(r) for r in rows), default=1)
    ids = np.zeros((len(rows), longest), np.int64)
    mask = np.zeros((len(rows), longest), np.bool_)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
        mask[i, : len(row)] = True
    return ids, mask


def windows(ids: Sequence[int], *, size: int = 256, most: int = 8) -> list[list[int]]:
    """Cut ``[CLS] ... [SEP]`` into windows of at most ``size`` ids, each with both marks.

    Of more than ``most`` windows, the first and the last ``most / 2`` are kept: beginning and end
    of a message are the most informative, and the cost stays bounded.
    """
    if len(ids) <= size:
        return [list(ids)]
    first, last, body = ids[0], ids[-1], ids[1:-1]
    cut = [[first, *body[i : i + size - 2], last] for i in range(0, len(body), size - 2)]
    return cut if len(cut) <= most else cut[: most // 2] + cut[-(most // 2) :]
