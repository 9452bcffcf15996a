"""The learned planner: what human supporters most likely do next, from ESConv (Liu et al. 2021).

What ships is computed by ONNX Runtime, a checkpoint of a training by NumPy, neither by PyTorch. The
features are computed only here, so that training and run time cannot drift apart.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.errors import ModelError
from empathic_sdk.runtime import checkpoints
from empathic_sdk.runtime.networks import SUFFIX, Network
from empathic_sdk.runtime.resources import weights_dir
from empathic_sdk.types import EmotionState, Strategy, Trend

log = logging.getLogger(__name__)

Floats = NDArray[np.float32]

STRATEGIES = tuple(Strategy)
"""The order of every distribution over strategies."""

CHECKPOINT = "strategy.safetensors"
"""What training writes."""

SHIPPED = "strategy.onnx"
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
        path: A network of ``empathic export onnx``, or a checkpoint of ``empathic train strategy``;
            ``None`` for the network that ships.

    Attributes:
        about: Description: name, text encoder, figures on dev.
        width: Width of its input text vectors.

    Raises:
        ModelError: The file is missing, damaged, or not a planner.

    Thread-safe.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        """Read the weights."""
        path = weights_dir() / SHIPPED if path is None else Path(path)
        compute, self.about = (_exported if path.suffix == SUFFIX else _trained)(path)
        self._compute = compute
        try:
            if tuple(self.about["strategies"]) != tuple(map(str, STRATEGIES)):
                raise ValueError(f"its strategies are {self.about['strategies']}")
            self.width = int(self.about["width"])
            shape = compute(np.zeros((1, length(self.width)), np.float32)).shape
            if shape != (1, len(STRATEGIES)):
                raise ValueError(f"its output has the shape {shape}")
        except (KeyError, TypeError, ValueError, IndexError, ModelError) as error:
            raise ModelError(f"{path} holds no support planner that fits: {error}") from error

    def logits(self, x: Floats) -> Floats:
        """Return float32 ``[n, 8]`` for features ``[n, length(width)]`` (:func:`features`)."""
        return self._compute(x)

    def distribution(self, x: Floats) -> Floats:
        """Return probabilities ``[n, 8]`` in the order of :data:`STRATEGIES`."""
        logits = self.logits(x)
        raised = np.exp(logits - logits.max(1, keepdims=True))
        return np.asarray(raised / raised.sum(1, keepdims=True), np.float32)


def _exported(path: Path) -> tuple[Callable[[Floats], Floats], dict[str, Any]]:
    """Return what a network of ``empathic export onnx`` computes, and its description."""
    network = Network(path)
    return lambda x: network(features=x)["logits"], network.about


def _trained(path: Path) -> tuple[Callable[[Floats], Floats], dict[str, Any]]:
    """Return what a checkpoint's one or two layers compute, and its description."""
    tensors, about = checkpoints.arrays(path)

    def logits(x: Floats) -> Floats:
        x = (x - tensors["mean"]) * tensors["scale"]
        if "up.weight" in tensors:
            x = np.maximum(x @ tensors["up.weight"].T + tensors["up.bias"], 0.0)
        return np.asarray(x @ tensors["out.weight"].T + tensors["out.bias"], np.float32)

    return logits, about


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
