"""The output of a dialogue model."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class DialogueStep(NamedTuple):
    """Output of a dialogue model for one utterance.

    Attributes:
        logits: float ``[7]`` in the order of ``Emotion``.
        shift: Probability that the emotion changed since this speaker's last utterance; ``None``:
            it is read off the two distributions.
    """

    logits: NDArray[np.floating]
    shift: float | None = None
