"""Pictures of any kind to one kind of array, and the light evened out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


def equalise(grey: Pixels) -> Pixels:
    """Spread grey levels evenly (adaptive paper, eq 1): uint8 ``[height, width]``, same shape.

    A picture of one level comes back as it is: there is nothing to spread.
    """
    counts = np.bincount(grey.ravel(), minlength=256)
    cdf = counts.cumsum()
    lowest = cdf[np.flatnonzero(counts)[0]]
    if lowest == grey.size:
        return grey
    table = np.round((cdf - lowest) / (grey.size - lowest) * 255).clip(0, 255)
    return table.astype(np.uint8)[grey]
