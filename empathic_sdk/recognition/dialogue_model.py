"""Plugging in a dialogue model of your own: registration, calibration, memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.errors import ConfigurationError, InputError, ModelError
from empathic_sdk.recognition.calibration import Calibration, probabilities
from empathic_sdk.recognition.contributions import shapley, shares
from empathic_sdk.types import DialogueStep, Emotion, Modality
from empathic_sdk.types.protocols import DialogueModel, DialogueState

Factory = Callable[[], DialogueModel]
_REGISTERED: dict[str, Factory] = {}


def register_dialogue_model(name: str, make: Factory) -> None:
    """Register a dialogue model under a name for ``EmotionRecognizer(dialogue=name)``.

    Args:
        name: Any name; an earlier registration is replaced.
        make: Returns the model; called once per recogniser.

    Raises:
        ConfigurationError: The name is empty, or ``make`` cannot be called.
    """
    if not name or not callable(make):
        raise ConfigurationError("a dialogue model needs a name, and a function that makes it")
    _REGISTERED[name] = make


def registered_dialogue_models() -> tuple[str, ...]:
    """Return the names of all registered dialogue models."""
    return tuple(_REGISTERED)


def made(name: str) -> DialogueModel | None:
    """Make a new model of those registered as ``name``; ``None`` if there is none."""
    return _REGISTERED[name]() if name in _REGISTERED else None


def calibration_of(model: DialogueModel) -> Calibration:
    """Return a model's calibration, or the default."""
    found = getattr(model, "calibration", None)
    return found if isinstance(found, Calibration) else Calibration()


class DialogueReading(NamedTuple):
    """Output of the dialogue model for ``n`` consecutive utterances.

    Attributes:
        logits: float32 ``[n, 7]``.
        shift: One per utterance: the probability of a change since this speaker's last one, or
            ``None`` on their first.
        contributions: One per utterance: shares of the present modalities.
        apart: One per utterance: the label from each modality alone; empty if only one is present.
    """

    logits: NDArray[np.float32]
    shift: list[float | None]
    contributions: list[dict[Modality, float]]
    apart: list[dict[Modality, Emotion]]


class Memory(Protocol):
    """The memory of one dialogue, as a session uses it, for any dialogue model."""

    def read(
        self,
        speakers: Sequence[str],
        features: dict[str, NDArray[np.float32]],
        present: dict[str, NDArray[np.bool_]],
        weights: Mapping[str, float] | None = None,
    ) -> DialogueReading:
        """Read the next utterances."""
        ...

    def transfers(self) -> NDArray[np.float32] | None:
        """Return the pairwise comparison of the last utterances, if the model has one."""
        ...

    def blank(self) -> Memory:
        """Return an empty memory of the same model."""
        ...

    def dump(self) -> dict[str, Any]:
        """Return everything it remembers as JSON values."""
        ...

    def load(self, dumped: dict[str, Any]) -> None:
        """Continue from what :meth:`dump` returned; raise ``InputError`` for anything else."""
        ...


class SteppedMemory:
    """The memory of a plugged-in dialogue model.

    Contributions and the label of each modality alone are found by running the model again with
    modalities left out, from the same past: up to 2 ** n - 1 steps for n present modalities.
    """

    def __init__(self, model: DialogueModel) -> None:
        self._model = model
        self._temperature = calibration_of(model).fused().temperature
        self._state = model.start()

    def read(
        self,
        speakers: Sequence[str],
        features: dict[str, NDArray[np.float32]],
        present: dict[str, NDArray[np.bool_]],
        weights: Mapping[str, float] | None = None,
    ) -> DialogueReading:
        """Read the next utterances, one after the other."""
        logits = np.zeros((len(speakers), len(Emotion)), np.float32)
        reading = DialogueReading(logits, [], [], [])
        for i, speaker in enumerate(speakers):
            there = {str(m): x[i] for m, x in features.items() if present[m][i]}
            before = self._state.dump() if len(there) > 1 else None
            step = self._step(self._state, speaker, there, weights)
            logits[i] = step.logits
            reading.shift.append(None if step.shift is None else float(np.clip(step.shift, 0, 1)))
            label = int(np.argmax(logits[i]))
            shared, apart = self._alone(before, speaker, there, weights, label, logits[i])
            reading.contributions.append(shared)
            reading.apart.append(apart)
        return reading

    def _step(
        self,
        state: DialogueState,
        speaker: str,
        features: Mapping[str, NDArray[np.float32]],
        weights: Mapping[str, float] | None,
    ) -> DialogueStep:
        step = state.step(speaker, features, weights or {})
        logits = np.asarray(step.logits, np.float32)
        if logits.shape != (len(Emotion),) or not np.isfinite(logits).all():
            raise ModelError(
                f"the dialogue model {self._model.name!r} must give {len(Emotion)} finite logits, "
                f"not {logits.shape}"
            )
        return DialogueStep(logits, step.shift)

    def _alone(
        self,
        before: Any,
        speaker: str,
        features: Mapping[str, NDArray[np.float32]],
        weights: Mapping[str, float] | None,
        label: int,
        logits: NDArray[np.float32],
    ) -> tuple[dict[Modality, float], dict[Modality, Emotion]]:
        there = list(features)
        if len(there) == 1:
            return {Modality(there[0]): 1.0}, {}
        known = {frozenset(there): probabilities(logits, self._temperature)}
        known[frozenset()] = np.full(len(Emotion), 1 / len(Emotion))

        def p(some: frozenset[str]) -> NDArray[np.float64]:
            if some not in known:
                probe = self._model.start()
                probe.load(before)
                part = {m: features[m] for m in there if m in some}
                step = self._step(probe, speaker, part, weights)
                known[some] = probabilities(step.logits, self._temperature)
            return known[some]

        found = shares(shapley(lambda some: float(p(some)[label]), there))
        emotions = tuple(Emotion)
        return (
            {Modality(m): share for m, share in found.items()},
            {Modality(m): emotions[int(p(frozenset({m})).argmax())] for m in there},
        )

    def transfers(self) -> None:
        """Return ``None``: only the shipped network compares utterances with each other."""
        return

    def blank(self) -> SteppedMemory:
        """Return an empty memory of the same model."""
        return SteppedMemory(self._model)

    def dump(self) -> dict[str, Any]:
        """Return everything it remembers as JSON values."""
        return {"model": self._model.name, "state": self._state.dump()}

    def load(self, dumped: dict[str, Any]) -> None:
        """Continue from what :meth:`dump` returned.

        Raises:
            InputError: It is damaged, or belongs to another model.
        """
        name = dumped.get("model") if isinstance(dumped, dict) else None
        if name != self._model.name:
            raise InputError(
                f"this session state belongs to the dialogue model {name!r}, not to "
                f"{self._model.name!r}; continue it with that model, or start a new session"
            )
        fresh = self._model.start()
        try:
            fresh.load(dumped["state"])
        except Exception as error:  # a plugged-in model may raise anything
            raise InputError(f"this is not the state of a dialogue of {name!r}: {error}") from error
        self._state = fresh
