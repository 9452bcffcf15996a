"""The streaming state of the dialogue model in one dialogue."""

from __future__ import annotations

import base64
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from copy import copy
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from empathic_sdk.errors import InputError
from empathic_sdk.recognition.calibration import Calibration, probabilities
from empathic_sdk.recognition.contributions import shapley, shares
from empathic_sdk.recognition.dialogue_model import DialogueReading
from empathic_sdk.recognition.dialogue_network import Arrays, DialogueNetwork
from empathic_sdk.types import Emotion, Modality

_SPEAKERS = 64
# Number of utterances whose vectors are kept for pairwise comparison.
_COMPARED = 32


def check_finite(
    features: Mapping[Any, NDArray[np.float32]], present: Mapping[Any, NDArray[np.bool_]]
) -> None:
    """Raise if a vector of a present modality is not finite.

    Args:
        features: ``[n, width]`` by modality.
        present: bool ``[n]`` by modality: whether it is present.

    Raises:
        InputError: A vector holds a NaN or an infinity; the message names modality and position.
    """
    for m, rows in features.items():
        bad = np.flatnonzero(~np.isfinite(rows).all(1) & present[m])
        if len(bad):
            raise InputError(
                f"the {m} vector of utterance {bad[0] + 1} of {len(rows)} is not finite (it "
                "holds a NaN or an infinity); check the encoder that made it"
            )


class _Speaker(NamedTuple):
    """One speaker of a dialogue.

    Attributes:
        number: Speakers are numbered by first appearance.
        last: The vector ``[d]`` of their last utterance; ``None`` before it is read.
    """

    number: int
    last: NDArray[np.float32] | None


class _Read(NamedTuple):
    """One utterance that was read, for comparison with later ones.

    Attributes:
        vector: ``[d]``.
        changed: ``[k]``: raw probability that the emotion of each of the ``k`` utterances before
            it was another, oldest first.
    """

    vector: NDArray[np.float32]
    changed: NDArray[np.float64]


class DialogueMemory:
    """The causal dialogue model with its streaming state, bounded for any dialogue length."""

    def __init__(self, network: DialogueNetwork, calibration: Calibration) -> None:
        self._network, self._calibration = network, calibration
        self._state = network.state()
        self._speakers: OrderedDict[str, _Speaker] = OrderedDict()
        self._count = 0
        self._lately: deque[_Read] = deque(maxlen=_COMPARED)

    def read(
        self,
        speakers: Sequence[str],
        features: dict[str, NDArray[np.float32]],
        present: dict[str, NDArray[np.bool_]],
        weights: Mapping[str, float] | None = None,
    ) -> DialogueReading:
        """Process the next utterances.

        Args:
            speakers: Digests of the speakers.
            features: ``[n, width]`` by modality.
            present: bool ``[n]`` by modality, ``True`` = real.
            weights: Weight of a modality relative to the others, if not 1.

        Raises:
            InputError: A vector holds a NaN or an infinity. The state stays as it was.
        """
        check_finite(features, present)
        n = len(speakers)
        here = np.zeros((len(self._network.inputs), n), bool)
        for i, m in enumerate(self._network.inputs):
            if m in features:
                here[i] = present[m]
        if n > 1 and (here.sum(0) > 1).any():
            # Contributions remove modalities from one utterance, given the same past.
            singly = [
                self.read(
                    [who],
                    {m: x[i : i + 1] for m, x in features.items()},
                    {m: p[i : i + 1] for m, p in present.items()},
                    weights,
                )
                for i, who in enumerate(speakers)
            ]
            return DialogueReading(
                np.concatenate([h.logits for h in singly]),
                [h.shift[0] for h in singly],
                [h.contributions[0] for h in singly],
                [h.apart[0] for h in singly],
            )
        numbers = self._numbered(speakers)
        others = [r.vector for r in self._lately]
        columns: dict[str, int] = {}  # where each speaker's last utterance is among those compared
        for s in speakers:
            last = self._speakers[s].last
            if last is not None and s not in columns:
                columns[s] = len(others)
                others.append(last)
        ways = _ways(here) if n == 1 else here[None]
        found, self._state = self._network.step(
            features=features,
            present=ways,
            speaker=np.array(numbers, np.int64),
            state=self._state,
            weights=weights,
            others=np.stack(others) if others else None,
        )
        shift = self._shift(speakers, columns, len(others), found)
        shared, apart = self._contributions(here, ways, found["logits"])
        return DialogueReading(found["logits"][0], shift, shared, apart)

    def _numbered(self, speakers: Sequence[str]) -> list[int]:
        """Return the speakers' numbers, by first appearance."""
        numbers = []
        for s in speakers:
            if s not in self._speakers:
                self._speakers[s] = _Speaker(self._count, None)
                self._count += 1
            self._speakers.move_to_end(s)
            # Here, not after the piece: a forgotten speaker who returns within it is new.
            if len(self._speakers) > _SPEAKERS:
                self._speakers.popitem(last=False)
            numbers.append(self._speakers[s].number)
        return numbers

    def _shift(
        self, speakers: Sequence[str], columns: dict[str, int], q: int, found: Arrays
    ) -> list[float | None]:
        """Return each one's probability of a change since their last; remember what was read.

        Args:
            speakers: Of the utterances.
            columns: Column of each speaker's last utterance in ``pairs``.
            q: Number of earlier utterances there; those read lately come first.
            found: The network's output.
        """
        z = found["pairs"].astype(np.float64)
        raw = 1.0 / (1.0 + np.exp(np.clip(z[..., 0] - z[..., 1], -60.0, 60.0)))
        before = list(range(len(self._lately)))
        shift: list[float | None] = []
        for i, s in enumerate(speakers):
            known = self._network.compares and s in columns
            shift.append(self._calibration.shift(float(raw[i, columns[s]])) if known else None)
            vector = found["vectors"][i].copy()
            self._lately.append(_Read(vector, raw[i, before[-(_COMPARED - 1) :]]))
            self._speakers[s] = _Speaker(self._speakers[s].number, vector)
            columns[s] = q + i
            before.append(q + i)
        return shift

    def transfers(self) -> NDArray[np.float32] | None:
        """Return float32 ``[n, n]`` for the last ``n`` utterances read, at most 32.

        Row i, column j < i: the calibrated probability that the emotions of utterances i and j
        differ (eq 34-37). NaN elsewhere: an utterance is compared only with earlier ones.
        ``None`` if the network has no transfer module.
        """
        if not self._network.compares:
            return None
        n = len(self._lately)
        found = np.full((n, n), np.nan, np.float32)
        for i, row in enumerate(self._lately):
            for j, raw in enumerate(row.changed[len(row.changed) - i :]):
                found[i, j] = self._calibration.shift(float(raw))
        return found

    def _contributions(
        self, here: NDArray[np.bool_], ways: NDArray[np.bool_], logits: NDArray[np.float32]
    ) -> tuple[list[dict[Modality, float]], list[dict[Modality, Emotion]]]:
        """Return Shapley shares in the label's probability, and the label of each modality alone.

        Both are given the same past; the shares need the single modalities anyway.

        Args:
            here: ``[M, n]``: what is present.
            ways: ``[k, M, n]``: what was present in each way of reading, the first time everything.
            logits: ``[k, n, 7]``.
        """
        names, emotions = tuple(self._network.inputs), tuple(Emotion)
        if len(ways) == 1:
            single = [[Modality(m) for m, p in zip(names, row, strict=True) if p] for row in here.T]
            return [dict.fromkeys(some, 1.0) for some in single], [{} for _ in single]
        p = probabilities(logits[:, 0], self._calibration.fused().temperature)
        known = {
            frozenset(m for m, taken in zip(names, way[:, 0], strict=True) if taken): row
            for way, row in zip(ways, p, strict=True)
        }
        there = [m for m, taken in zip(names, here[:, 0], strict=True) if taken]
        label = int(logits[0, 0].argmax())
        found = shares(shapley(lambda some: float(known[some][label]), there))
        return (
            [{Modality(m): v for m, v in found.items()}],
            [{Modality(m): emotions[int(known[frozenset({m})].argmax())] for m in there}],
        )

    def blank(self) -> DialogueMemory:
        """Return an empty memory of the same model."""
        new = copy(self)
        new._state, new._speakers, new._count = self._network.state(), OrderedDict(), 0
        new._lately = deque(maxlen=_COMPARED)
        return new

    def dump(self) -> dict[str, Any]:
        """Return everything it remembers as JSON values."""
        arrays: dict[str, NDArray[Any]] = {}
        if self._count:
            arrays = {f"state.{k}": np.ascontiguousarray(x) for k, x in self._state.items()}
            said = self._with_evidence(self._state)
            arrays["state.cache"] = np.ascontiguousarray(self._state["cache"][said])
            arrays["last"] = np.stack(
                [k.last for k in self._speakers.values() if k.last is not None]
            )
        return {
            "configuration": self._network.configuration,
            "weights": self._network.mark,
            "speakers": [[s, known.number] for s, known in self._speakers.items()],
            "count": self._count,
            "tensors": base64.b64encode(save_arrays(arrays)).decode("ascii"),
        }

    def _with_evidence(self, state: Arrays) -> NDArray[np.bool_]:
        """Return which rows of the caches are about a modality that was there in the window.

        The others are never read.
        """
        there = np.logical_or.reduce(state["past.present"], axis=1)
        present = dict(zip(self._network.inputs, there, strict=True))
        return np.array([bool(present[m]) for m in self._network.sources], bool)

    def load(self, dumped: dict[str, Any]) -> None:
        """Continue from what :meth:`dump` returned.

        Raises:
            InputError: It is damaged, or belongs to a model of another configuration.
        """
        try:
            if dict(dumped["configuration"]) != self._network.configuration:
                raise InputError(
                    "this session state belongs to a dialogue model of another configuration; "
                    "continue it with that model, or start a new session"
                )
            if dumped["weights"] != self._network.mark:
                raise InputError(
                    "this session state belongs to a dialogue model with other weights; "
                    "continue it with that model, or start a new session"
                )
            arrays = load_arrays(base64.b64decode(dumped["tensors"], validate=True))
            speakers = [(str(s), _whole(number)) for s, number in dumped["speakers"]]
            count = _whole(dumped["count"])
            last = arrays.pop("last", np.zeros((0, self._network.width), np.float32))
            state = {k.removeprefix("state."): x for k, x in arrays.items()}
            state = self._checked(speakers, count, last, state)
        except InputError:
            raise
        except (AttributeError, IndexError, KeyError, OverflowError, RuntimeError, TypeError,
                ValueError, SafetensorError) as error:  # fmt: skip
            raise InputError(
                f"this is not the state of a dialogue session of this version: {error}"
            ) from error
        self._state, self._count = state, count
        self._speakers = OrderedDict(
            (s, _Speaker(number, row.copy()))
            for (s, number), row in zip(speakers, last, strict=True)
        )

    def _checked(
        self,
        speakers: list[tuple[str, int]],
        count: int,
        last: NDArray[np.float32],
        state: Arrays,
    ) -> Arrays:
        """Return the whole state; raise ValueError unless :meth:`dump` can have written this."""
        network = self._network
        numbers = [number for _, number in speakers]
        fits = (
            len({s for s, _ in speakers}) == len(set(numbers)) == len(speakers) <= _SPEAKERS
            and all(n < count for n in numbers)
            and last.shape == (len(speakers), network.width)
            and last.dtype == np.float32
        )
        length = state["past.speaker"].shape[0] if state else 0
        if not fits or bool(state) != bool(count) or length > network.window - 1:
            raise ValueError("the speakers do not fit")
        whole = network.state(length)
        if not state:
            return whole
        # A dialogue of this length leaves arrays of the same names, shapes and kinds.
        there = state["past.present"]
        if there.shape != whole["past.present"].shape or there.dtype != bool:
            raise ValueError("the tensors do not fit")
        said = self._with_evidence(state)
        like = {**whole, "cache": whole["cache"][said]}
        if {k: (x.shape, x.dtype) for k, x in like.items()} != {
            k: (x.shape, x.dtype) for k, x in state.items()
        }:
            raise ValueError("the tensors do not fit")
        for x in (last, *state.values()):
            if x.dtype == np.float32 and not (np.abs(x) < 1e6).all():  # NaN compares false
                raise ValueError("the tensors hold no plausible numbers")
        whole["cache"][said] = state["cache"]
        whole = {k: whole[k] if k == "cache" else x.copy() for k, x in state.items()}
        silence = np.zeros((1, len(network.inputs), 2), bool)
        silence[:, 0] = True
        speaker = np.zeros(2, np.int64)
        found, _ = network.step(features={}, present=silence, speaker=speaker, state=whole)
        if not np.isfinite(found["logits"]).all():
            raise ValueError("the tensors lead nowhere")
        return whole


def _ways(here: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return every part of the modalities ``[M, 1]`` of one utterance, first all of them.

    ``[2 ** k, M, 1]`` for ``k`` of them, or ``[1, M, 1]`` for one, whose share is known.
    """
    there = np.flatnonzero(here)
    if len(there) < 2:
        return here[None]
    sets = [some for size in range(len(there), -1, -1) for some in combinations(there, size)]
    ways = np.zeros((len(sets), *here.shape), bool)
    for way, some in zip(ways, sets, strict=True):
        way[list(some)] = True
    return ways


def _whole(value: object) -> int:
    """Return ``value`` if it can number speakers; raise ValueError otherwise."""
    if type(value) is not int or not 0 <= value < 2**31:
        raise ValueError(f"{value!r} is no count of speakers")
    return value
