"""The embedded sentence network as the runtime computes it: a table of word vectors and a trunk.

The word vectors are half of the network and only looked up, so they stay outside the ONNX file, as
small as they are stored, and networks with the same vocabulary share one table.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.runtime import checkpoints
from empathic_sdk.runtime.checkpoints import Table

WORDS = "encoder.word.weight"
"""Name of the word vectors in a text checkpoint."""


@lru_cache(maxsize=4)
def _table(path: Path, stamp: tuple[int, int]) -> Table:
    return checkpoints.table(path, WORDS)


def word_table(path: str | Path) -> Table:
    """Return the word vectors of a text checkpoint, ``[vocabulary, width]``, loaded once.

    Raises:
        ModelError: There are none.
    """
    path = Path(path)
    if not path.is_file():
        return checkpoints.table(path, WORDS)  # says what is missing
    found = path.stat()
    return _table(path.resolve(), (found.st_mtime_ns, found.st_size))


def mean_over_windows(
    vectors: NDArray[np.float32], lengths: NDArray[Any], owner: NDArray[Any], n: int
) -> NDArray[np.float32]:
    """Average the vectors of each text's windows, weighted by their lengths: ``[n, width]``."""
    out = np.zeros((n, vectors.shape[1]), np.float32)
    weight = np.zeros((n, 1), np.float32)
    np.add.at(out, owner, vectors * lengths[:, None])
    np.add.at(weight, owner, lengths[:, None].astype(np.float32))
    return out / weight
