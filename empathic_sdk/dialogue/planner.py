"""The learned planner: what human supporters most likely do next, from ESConv (Liu et al. 2021).

Inference is a matrix product or two in NumPy, without torch. The features are computed only here,
so that training and run time cannot drift apart.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.errors import ModelError
from empathic_sdk.runtime import checkpoints
from empathic_sdk.runtime.resources import weights_dir
from empathic_sdk.types import EmotionState, Strategy, Trend

log = logging.getLogger(__name__)

Floats = NDArray[np.float32]

STRATEGIES = tuple(Strategy)
"""The order of every distribution over strategies."""

CHECKPOINT = "strategy.safetensors"
FEELING = 15
"""Features of a state: 7 probabilities, valence, arousal, intensity, shift, 4 trends."""

PAST = 12
"""Number of past strategies that are used."""

MOODS = 21
"""Number of states that are used, including the present one."""

_TRENDS = tuple(Trend)
_DECAY = 0.7  # how much an older strategy counts beside the one after it


def feeling(state: EmotionState) -> Floats:
    """Return the features of a state, float32 ``[15]``; an unknown shift is 0."""
    row = np.zeros(FEELING, np.float32)
    row[:7] = list(state.probabilities.values())
    row[7:11] = state.valence, state.arousal, state.intensity, state.shift or 0.0
    row[11 + _TRENDS.index(state.trend)] = 1.0
    return row


def features(
    *,
    said: Floats | None,
    replied: Floats | None,
    feelings: Floats,
    used: Sequence[int],
    turn: int,
    again: bool,
    width: int,
) -> Floats:
    """Return the network's features of one moment, before the supporter's utterance.

    Args:
        said: Text vector ``[width]`` of the person's last utterance, if any.
        replied: The same for the supporter's last utterance.
        feelings: ``[k, 15]`` (:func:`feeling`) of the person's utterances, oldest first.
        used: Indices into :data:`STRATEGIES` of the supporter's past strategies, oldest first.
        turn: Number of the supporter's utterances so far.
        again: Whether the last utterance was the supporter's as well (never at run time).
        width: Length of a text vector.

    Returns:
        float32 ``[length(width)]``.
    """
    count = len(STRATEGIES)
    feelings, used = feelings[-MOODS:], list(used)[-PAST:]
    now = feelings[-1] if len(feelings) else np.zeros(FEELING, np.float32)
    before = feelings[-2] if len(feelings) > 1 else now
    recent = np.zeros((3, count), np.float32)
    decayed = np.zeros(count, np.float32)
    share = np.zeros(count, np.float32)
    for age, strategy in enumerate(reversed(used)):
        if age < len(recent):
            recent[age, strategy] = 1.0
        decayed[strategy] += _DECAY**age
        share[strategy] += 1.0 / len(used)
    moods = feelings[:, 7] if len(feelings) else np.zeros(1, np.float32)
    place = (min(turn / 10.0, 3.0), np.log1p(turn), turn == 0, turn < 3, turn < 7, again)
    return np.concatenate(
        [
            np.zeros(width, np.float32) if said is None else said,
            np.zeros(width, np.float32) if replied is None else replied,
            np.array([said is not None, replied is not None], np.float32),
            now,
            now[:10] - before[:10],
            np.array([now[7] - moods.mean(), moods.min(), moods.max()], np.float32),
            recent.ravel(),
            decayed,
            share,
            np.array(place, np.float32),
        ]
    ).astype(np.float32)


def length(width: int) -> int:
    """Return the length of a feature vector for text vectors of ``width``."""
    return 2 * width + 2 + FEELING + 10 + 3 + 5 * len(STRATEGIES) + 6


class Planner:
    """The learned planner: predicts the distribution of human supporters' strategies.

    Args:
        path: A checkpoint of ``empathic train strategy``; ``None`` for the shipped one.

    Attributes:
        about: Description: name, text encoder, figures on dev.
        width: Width of its input text vectors.

    Raises:
        ModelError: The file is missing, damaged, or not a planner.

    Thread-safe.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        """Read the weights."""
        path = weights_dir() / CHECKPOINT if path is None else Path(path)
        tensors, self.about = checkpoints.arrays(path)
        try:
            if tuple(self.about["strategies"]) != tuple(map(str, STRATEGIES)):
                raise ValueError(f"its strategies are {self.about['strategies']}")
            self.width = int(self.about["width"])
            self._mean, self._scale = tensors["mean"], tensors["scale"]
            self._layers = [
                (tensors[f"{name}.weight"].T.copy(), tensors[f"{name}.bias"])
                for name in ("up", "out")
                if f"{name}.weight" in tensors
            ]
            shapes = [weight.shape for weight, _ in self._layers]
            if (
                self._mean.shape != (length(self.width),)
                or shapes[0][0] != length(self.width)
                or shapes[-1][1] != len(STRATEGIES)
            ):
                raise ValueError(f"its layers have the shapes {shapes}")
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise ModelError(f"{path} holds no support planner that fits: {error}") from error

    def logits(self, x: Floats) -> Floats:
        """Return float32 ``[n, 8]`` for features ``[n, length(width)]`` (:func:`features`)."""
        x = (x - self._mean) * self._scale
        for number, (weight, bias) in enumerate(self._layers):
            x = x @ weight + bias
            if number + 1 < len(self._layers):
                x = np.maximum(x, 0.0)
        return np.asarray(x, np.float32)

    def distribution(self, x: Floats) -> Floats:
        """Return probabilities ``[n, 8]`` in the order of :data:`STRATEGIES`."""
        logits = self.logits(x)
        raised = np.exp(logits - logits.max(1, keepdims=True))
        return np.asarray(raised / raised.sum(1, keepdims=True), np.float32)


warned = threading.Event()
"""Set once missing weights were warned of; clear it to be warned again."""


def shipped_planner() -> Planner | None:
    """Return the shipped planner; without its weights, warn once and return ``None``."""
    try:
        return Planner()
    except ModelError as error:
        if not warned.is_set():
            warned.set()
            log.warning("no learned support planner, only the rules decide: %s", error)
        return None
