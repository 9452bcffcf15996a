"""The shipped kind of dialogue model as a session uses it: one step of one dialogue, in arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.types import Emotion, Modality

Arrays = dict[str, NDArray[Any]]
_KINDS: Mapping[str, type[np.generic]] = {"past.present": np.bool_, "past.speaker": np.int64}


class DialogueNetwork:
    """A causal dialogue network, which computes one step at a time.

    Args:
        compute: Maps arrays by name to arrays by name (``models/mdget/step.py`` says which): a
            :class:`~empathic_sdk.runtime.networks.Network`'s method, or PyTorch's.
        about: Its description: ``configuration``, and in ``step`` the shapes of its state.
        mark: Identifies the weights: a state can be continued only with the same.
        path: The file that it was read from, if any.

    Attributes:
        about: The description.
        configuration: Sizes and switches of the network.
        inputs: Width of the input vectors by modality; the first is the main one.
        compares: Whether it compares utterances with each other.
        sources: The modality that each row of the caches is about.

    Raises:
        KeyError, TypeError, ValueError: The description is incomplete.

    Thread-safe.
    """

    def __init__(
        self,
        compute: Callable[[Mapping[str, NDArray[Any]]], Arrays],
        about: Mapping[str, Any],
        mark: str,
        path: Path | None = None,
    ) -> None:
        self._compute, self.path = compute, path
        self.about, self.mark = dict(about), mark
        self.configuration: dict[str, Any] = dict(about["configuration"])
        self.inputs = {str(m): int(w) for m, w in self.configuration["inputs"]}
        self.width, self.window = (
            int(self.configuration["width"]),
            int(self.configuration["window"]),
        )
        self.classes = int(self.configuration["classes"])
        self.causal, self.timing = self.configuration["causal"], self.configuration["timing"]
        self.compares = bool(self.configuration["eetm"])
        self.sources = tuple(map(str, about["step"]["sources"]))
        self._shapes = {str(k): tuple(map(int, s)) for k, s in about["step"]["state"].items()}

    def fits(self, text_width: int) -> bool:
        """Whether it reads text vectors of this width and gives this package's emotions."""
        return self.inputs.get(Modality.TEXT) == text_width and self.classes == len(Emotion)

    def state(self, length: int = 0) -> Arrays:
        """Return a state after ``length`` utterances, filled with zeros: empty if there is none."""
        return {
            name: np.zeros([length if s < 0 else s for s in shape], _KINDS.get(name, np.float32))
            for name, shape in self._shapes.items()
        }

    def step(
        self,
        *,
        features: Mapping[str, NDArray[np.float32]],
        present: NDArray[np.bool_],
        speaker: NDArray[np.int64],
        state: Arrays,
        weights: Mapping[str, float] | None = None,
        others: NDArray[np.float32] | None = None,
    ) -> tuple[Arrays, Arrays]:
        """Read the next ``n`` utterances, in one or several ways.

        Args:
            features: ``[n, width]`` by modality; missing ones are absent. Finite where present.
            present: ``[ways, M, n]``.
            speaker: ``[n]``.
            state: From before.
            weights: Weight of a modality relative to the others, if not 1.
            others: ``[q, d]``: vectors to compare these utterances with.

        Returns:
            ``logits`` ``[ways, n, classes]``, and of the first way ``vectors`` ``[n, d]`` and
            ``pairs`` ``[n, q + n, 2]``; and the first way's new state.
        """
        n, some = present.shape[2], np.logical_or.reduce(present, axis=0)
        given: Arrays = {"present": present, "speaker": speaker, **state}
        for i, (m, width) in enumerate(self.inputs.items()):
            rows = np.zeros((n, width), np.float32)
            if m in features:  # what is absent may hold anything, and is not to spread
                rows[some[i]] = features[m][some[i]]
            given[f"features.{m}"] = rows
        own = weights or {}
        given["weights"] = np.array([own.get(m, 1.0) for m in self.inputs], np.float32)
        given["others"] = np.zeros((0, self.width), np.float32) if others is None else others
        found = self._compute(given)
        return found, {name: found.pop(f"new.{name}") for name in self._shapes}
