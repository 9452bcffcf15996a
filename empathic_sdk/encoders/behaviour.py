"""Encoder of interaction events: how a person types, waits, corrects and clicks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.encoders.opening import described, is_file, open_network
from empathic_sdk.errors import ConfigurationError, InputError
from empathic_sdk.runtime.networks import shipped
from empathic_sdk.types import BehaviourEvent, BehaviourKind, Embedding, FeatureSequence, Modality

KINDS = tuple(BehaviourKind)
"""Kinds with their own slot, in slot order; one more slot is for all others."""

MAX_EVENTS = 512
"""Maximum number of events read; of a longer log, the last ones."""

# Signed log1p of a value is clipped here: about 1e6 in its unit, beyond any real value.
_MAX_VALUE = 14.0
_BATCH = 64


class CodedEvents(NamedTuple):
    """One event log as arrays, in order of time.

    Attributes:
        kind: int64 ``[n]``: the slot of each.
        at: float64 ``[n]``: seconds, ascending.
        value: float32 ``[n]``: ``sign(v) * log1p(|v|)``, clipped at 14.
    """

    kind: np.ndarray
    at: np.ndarray
    value: np.ndarray

    @property
    def interval(self) -> np.ndarray:
        """Seconds since the previous event, float32 ``[n]``; 0 for the first, at most 1e6."""
        return np.minimum(np.diff(self.at, prepend=self.at[:1]), 1e6).astype(np.float32)


def code(events: Iterable[BehaviourEvent]) -> CodedEvents:
    """Check a log, sort it by time, and keep its last ``MAX_EVENTS`` events.

    Event listeners may report late, so events are sorted (stably). Two equal events are two events.

    Raises:
        InputError: A time is negative or not finite; a value is not finite, or negative where its
            kind cannot be (only ``scroll`` and unknown kinds can).
    """
    given = list(events)
    for i, event in enumerate(given):
        if not isinstance(event, BehaviourEvent):
            raise InputError(
                f"event {i} must be a BehaviourEvent(kind, at, value), not {type(event).__name__}"
            )
    at = np.array([e.at for e in given], np.float64)
    value = np.array([e.value for e in given], np.float64)
    slot = {k.value: i for i, k in enumerate(KINDS)}
    kind = np.array([slot.get(e.kind, len(KINDS)) for e in given], np.int64)
    signed = (kind == slot[BehaviourKind.SCROLL]) | (kind == len(KINDS))
    for wrong, says in (
        (~np.isfinite(at), "its time is not a finite number"),
        (at < 0, "its time is negative; times are seconds since the dialogue began"),
        (~np.isfinite(value), "its value is not a finite number"),
        ((value < 0) & ~signed, "its value is negative, which this kind cannot be"),
    ):
        if wrong.any():
            i = int(np.flatnonzero(wrong)[0])
            raise InputError(f"event {i} ({given[i].kind!r}) cannot be read: {says}")
    order = np.argsort(at, kind="stable")[-MAX_EVENTS:]
    size = np.minimum(np.log1p(np.abs(value[order])), _MAX_VALUE)
    return CodedEvents(kind[order], at[order], (np.sign(value[order]) * size).astype(np.float32))


def collate(logs: Sequence[CodedEvents]) -> dict[str, NDArray[Any]]:
    """Pad logs to one batch, at least one event wide: an empty log is a masked row.

    Returns:
        ``kind`` int64, ``interval`` and ``value`` float32 and ``mask`` bool, each ``[logs,
        events]``: the fields of :class:`~empathic_sdk.models.behaviour.BehaviourBatch`.
    """
    shape = len(logs), max((len(log.kind) for log in logs), default=0) or 1
    kind, mask = np.zeros(shape, np.int64), np.zeros(shape, bool)
    interval, value = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for i, log in enumerate(logs):
        n = len(log.kind)
        kind[i, :n], interval[i, :n], value[i, :n] = log.kind, log.interval, log.value
        mask[i, :n] = True
    return {"kind": kind, "interval": interval, "value": value, "mask": mask}


class BehaviourEncoder:
    """Encodes the interaction events of one utterance as one vector.

    Only the intervals between events count: a log shifted in time gives the same vector.

    Args:
        model: ``None`` for the network that ships; else an ``.onnx`` of ``empathic export onnx``,
            or a checkpoint (``.safetensors``) of ``empathic train behaviour``, which needs PyTorch.

    Attributes:
        name: What was loaded.
        width: Length of a vector.
        path: The file that was loaded.
        about: Its description: sizes, kinds, calibration.
        embedded: Always ``True``: it is one of our networks.

    Raises:
        ConfigurationError: ``model`` is neither an ``.onnx`` nor a ``.safetensors`` file.
        ModelError: The weights are missing, damaged or do not fit.

    The shipped weights were trained on simulated people, because no corpus of this kind is public:
    see ``weights/behaviour.md`` before using its probabilities. Thread-safe.
    """

    def __init__(self, model: str | Path | None = None) -> None:
        if not is_file(model):
            raise ConfigurationError(
                "a behaviour model is an .onnx of `empathic export onnx` or a .safetensors file of "
                f"`empathic train behaviour`, not {str(model)!r}"
            )
        self.path: Path = shipped("behaviour") if model is None else Path(model)
        self.embedded = True
        self._network = open_network("behaviour", self.path)
        self.about: dict[str, Any] = self._network.about
        outputs = ("states", "vector", "logits")
        described("behaviour", self._network, self.path, outputs, self._describe)

    def _describe(self, about: Mapping[str, Any]) -> None:
        sizes = about["behaviour"]
        self.width = int(sizes["width"])
        self._temperature = float(about["calibration"]["temperature"])
        if tuple(about["kinds"]) != KINDS or sizes["kinds"] != len(KINDS) + 1:
            raise ValueError(f"it knows the kinds {about['kinds']}")
        self.name = str(about["name"])

    def encode(self, items: Sequence[Sequence[BehaviourEvent]]) -> list[Embedding]:
        """Return one embedding per utterance, in order; without events it is missing.

        Of a log of more than 512 events the last 512 are read (all are checked).

        Raises:
            InputError: An event cannot be read (see :func:`code`); the message says which.
        """
        items = list(items)
        logs = [_named(i, len(items), events) for i, events in enumerate(items)]
        out: dict[int, Embedding] = {
            i: Embedding(
                modality=Modality.BEHAVIOUR,
                vector=np.zeros(self.width, np.float32),
                missing="no interaction events",
            )
            for i, log in enumerate(logs)
            if not len(log.kind)
        }
        # Similar lengths together: a short log would otherwise be mostly padding.
        order = sorted((i for i in range(len(logs)) if i not in out), key=lambda i: len(logs[i].at))
        for start in range(0, len(order), _BATCH):
            rows = order[start : start + _BATCH]
            found = self._network(**collate([logs[i] for i in rows]))
            for i, vector, logits in zip(rows, found["vector"], found["logits"], strict=True):
                out[i] = Embedding(
                    modality=Modality.BEHAVIOUR,
                    vector=vector.copy(),
                    probabilities=_softmax(logits / self._temperature),
                )
        return [out[i] for i in range(len(items))]

    def features(
        self, events: Sequence[BehaviourEvent], *, began: float | None = None
    ) -> FeatureSequence:
        """Return one row per event, float32 ``[events, width]``: its state, q_j of PED eq 44.

        A row depends only on its event and those before it.

        Args:
            events: Of one utterance.
            began: Start of the utterance, on the clock of the events; default: the first event.

        Raises:
            InputError: An event cannot be read, or one precedes ``began``.
        """
        log = code(events)
        began = float(log.at[0]) if began is None and len(log.at) else began or 0.0
        if len(log.at) and not log.at[0] >= began:
            raise InputError(
                f"the first event, at {log.at[0]:g} s, lies before the utterance, {began:g} s"
            )
        states = self._network(**collate([log]))["states"][0, : len(log.at)]
        return FeatureSequence(
            modality=Modality.BEHAVIOUR,
            values=states.copy(),
            times=log.at - began,
            mask=np.ones(len(log.at), bool),
        )


def _named(i: int, n: int, events: Sequence[BehaviourEvent]) -> CodedEvents:
    """Code one of several logs; an error names it."""
    try:
        return code(events)
    except InputError as error:
        raise InputError(f"utterance {i}: {error}" if n > 1 else str(error)) from error


def _softmax(logits: NDArray[np.floating]) -> NDArray[np.float32]:
    e = np.exp(logits.astype(np.float64) - float(logits.max()))
    return np.asarray(e / e.sum(), np.float32)
