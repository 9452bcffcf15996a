"""The streaming state of the dialogue model in one dialogue."""

from __future__ import annotations

import base64
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from copy import copy
from hashlib import sha256
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from empathic_sdk.errors import InputError
from empathic_sdk.models.dialogue import DialogueBatch
from empathic_sdk.models.mdget import MDGET, MDGETConfig
from empathic_sdk.recognition.calibration import Calibration, probabilities
from empathic_sdk.recognition.contributions import shapley, shares
from empathic_sdk.recognition.dialogue_model import DialogueReading
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


class DialogueMemory:
    """The causal dialogue model with its streaming state, bounded for any dialogue length."""

    def __init__(self, network: MDGET, calibration: Calibration) -> None:
        self._network, self._calibration = network, calibration
        self._weights = _fingerprint(network)
        self._state: dict[str, Tensor] = {}
        self._speakers: OrderedDict[str, tuple[int, Tensor]] = OrderedDict()
        self._count = 0
        self._vectors: deque[Tensor] = deque(maxlen=_COMPARED)

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
        if n > 1 and (np.sum(list(present.values()), axis=0) > 1).any():
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
        numbers = []
        for s in speakers:  # numbered by first appearance
            if s not in self._speakers:
                self._speakers[s] = (self._count, torch.empty(0))
                self._count += 1
            self._speakers.move_to_end(s)
            # Here, not after the piece: a forgotten speaker who returns within it is new.
            if len(self._speakers) > _SPEAKERS:
                self._speakers.popitem(last=False)
            numbers.append(self._speakers[s][0])
        batch = DialogueBatch(
            features={m: torch.from_numpy(x)[None] for m, x in features.items()},
            present={m: torch.from_numpy(p)[None] for m, p in present.items()},
            mask=torch.ones(1, n, dtype=torch.bool),
            speaker=torch.tensor([numbers]),
            weights={m: torch.full((1, n), w) for m, w in weights.items()} if weights else None,
        )
        with torch.inference_mode():
            before = self._state
            out = self._network(batch, before)
            self._state = out.state
            shift: list[float | None] = []
            for i, s in enumerate(speakers):
                number, last = self._speakers[s]
                shift.append(self._change(out.vectors[0, i], last) if last.numel() else None)
                self._speakers[s] = (number, out.vectors[0, i].clone())
                self._vectors.append(out.vectors[0, i].clone())
            logits: NDArray[np.float32] = out.logits[0].numpy()
            shared, apart = self._contributions(batch, before, logits, present)
        return DialogueReading(logits, shift, shared, apart)

    def _change(self, now: Tensor, before: Tensor) -> float | None:
        if self._network.transfer is None:
            return None
        raw = torch.softmax(self._network.transfer.between(now, before), -1)[1]
        return self._calibration.shift(float(raw))

    def transfers(self) -> NDArray[np.float32] | None:
        """Return float32 ``[n, n]`` for the last ``n`` utterances read, at most 32.

        Row i, column j < i: the calibrated probability that the emotions of utterances i and j
        differ (eq 34-37). NaN elsewhere: an utterance is compared only with earlier ones.
        ``None`` if the network has no transfer module.
        """
        transfer = self._network.transfer
        if transfer is None:
            return None
        n = len(self._vectors)
        found = np.full((n, n), np.nan, np.float32)
        if n > 1:
            h = torch.stack(list(self._vectors))
            with torch.inference_mode():
                raw = torch.softmax(transfer.between(h[:, None], h[None]), -1)[..., 1]
            for i in range(n):
                for j in range(i):
                    found[i, j] = self._calibration.shift(float(raw[i, j]))
        return found

    def _contributions(
        self,
        batch: DialogueBatch,
        state: dict[str, Tensor],
        logits: NDArray[np.float32],
        present: dict[str, NDArray[np.bool_]],
    ) -> tuple[list[dict[Modality, float]], list[dict[Modality, Emotion]]]:
        """Return Shapley shares in the label's probability, and the label of each modality alone.

        Both are given the same past; the shares need the single modalities anyway.
        """
        out: list[dict[Modality, float]] = []
        apart: list[dict[Modality, Emotion]] = []
        emotions = tuple(Emotion)
        known: dict[frozenset[str], NDArray[np.float64]] = {}
        label = logits.argmax(1)
        for i in range(len(logits)):
            there = [m for m, p in present.items() if p[i]]
            if len(there) == 1:
                out.append({Modality(there[0]): 1.0})
                apart.append({})
                continue

            def value(some: frozenset[str], i: int = i) -> float:
                if some not in known:
                    found = self._network(batch.only(tuple(some)), state).logits[0].numpy()
                    known[some] = probabilities(found, self._calibration.fused().temperature)
                return float(known[some][i, label[i]])

            found = shares(shapley(value, there))
            out.append({Modality(m): v for m, v in found.items()})
            alone = {m: int(known[frozenset({m})][i].argmax()) for m in there}
            apart.append({Modality(m): emotions[k] for m, k in alone.items()})
        return out, apart

    def blank(self) -> DialogueMemory:
        """Return an empty memory of the same model."""
        new = copy(self)
        new._state, new._speakers, new._count = {}, OrderedDict(), 0
        new._vectors = deque(maxlen=_COMPARED)
        return new

    def dump(self) -> dict[str, Any]:
        """Return everything it remembers as JSON values."""
        silent = self._caches_without_evidence(self._state)
        tensors = {f"state.{k}": t.contiguous() for k, t in self._state.items() if k not in silent}
        if self._speakers:
            tensors["last"] = torch.stack([v for _, v in self._speakers.values()])
        return {
            "configuration": self._network.config.as_dict(),
            "weights": self._weights,
            "speakers": [[s, number] for s, (number, _) in self._speakers.items()],
            "count": self._count,
            "tensors": base64.b64encode(save_tensors(tensors)).decode("ascii"),
        }

    def _caches_without_evidence(self, state: Mapping[str, Tensor]) -> set[str]:
        """Name the caches of modalities absent from the window: equal in any dialogue."""
        if not state:
            return set()
        present = state["past.present"].flatten(1).any(1).tolist()
        _, *others = zip(self._network.config.modalities, present, strict=True)
        return {
            f"acme.{k}.{way}.{m}"
            for k in range(len(self._network.acme))
            for way in ("self", "to")
            for m, there in others
            if not there
        }

    def load(self, dumped: dict[str, Any]) -> None:
        """Continue from what :meth:`dump` returned.

        Raises:
            InputError: It is damaged, or belongs to a model of another configuration.
        """
        try:
            theirs = MDGETConfig.from_dict(dumped["configuration"])
            if theirs.as_dict() != self._network.config.as_dict():
                raise InputError(
                    "this session state belongs to a dialogue model of another configuration; "
                    "continue it with that model, or start a new session"
                )
            if dumped["weights"] != self._weights:
                raise InputError(
                    "this session state belongs to a dialogue model with other weights; "
                    "continue it with that model, or start a new session"
                )
            tensors = load_tensors(base64.b64decode(dumped["tensors"], validate=True))
            speakers = [(str(s), _whole(number)) for s, number in dumped["speakers"]]
            count = _whole(dumped["count"])
            last = tensors.pop("last", torch.empty(0, self._network.config.width))
            state = {k.removeprefix("state."): t for k, t in tensors.items()}
            self._check(speakers, count, last, state)
        except InputError:
            raise
        except (AttributeError, IndexError, KeyError, OverflowError, RuntimeError, TypeError,
                ValueError, SafetensorError) as error:  # fmt: skip
            raise InputError(
                f"this is not the state of a dialogue session of this version: {error}"
            ) from error
        self._state, self._count = state, count
        self._speakers = OrderedDict(
            (s, (number, row.clone())) for (s, number), row in zip(speakers, last, strict=True)
        )

    def _check(
        self, speakers: list[tuple[str, int]], count: int, last: Tensor, state: dict[str, Tensor]
    ) -> None:
        """Raise ValueError unless :meth:`dump` can have produced this state."""
        config = self._network.config
        numbers = [number for _, number in speakers]
        fits = (
            len({s for s, _ in speakers}) == len(set(numbers)) == len(speakers) <= _SPEAKERS
            and all(n < count for n in numbers)
            and last.shape == (len(speakers), config.width)
            and last.dtype == torch.float32
        )
        length = state["past.speaker"].shape[1] if state else 0
        if not fits or bool(state) != bool(count) or length > config.window - 1:
            raise ValueError("the speakers do not fit")
        if not state:
            return
        # A dialogue of this length leaves tensors of the same names, shapes and dtypes.
        like = self._silence(length, None)[1]
        state |= {k: like[k] for k in self._caches_without_evidence(state) if k not in state}
        if {k: (t.shape, t.dtype) for k, t in like.items()} != {
            k: (t.shape, t.dtype) for k, t in state.items()
        }:
            raise ValueError("the tensors do not fit")
        for t in (last, *state.values()):
            if t.is_floating_point() and not bool((t.abs() < 1e6).all()):  # NaN compares false
                raise ValueError("the tensors hold no plausible numbers")
        if not bool(torch.isfinite(self._silence(2, state)[0]).all()):
            raise ValueError("the tensors lead nowhere")

    def _silence(self, n: int, state: dict[str, Tensor] | None) -> tuple[Tensor, dict[str, Tensor]]:
        """Return logits and state after ``n`` more utterances without any modality."""
        hub = self._network.config.modalities[0]
        here = torch.ones(1, n, dtype=torch.bool)
        batch = DialogueBatch(
            features={hub: torch.zeros(1, n, self._network.config.inputs[hub])},
            present={hub: here},
            mask=here,
            speaker=torch.zeros(1, n, dtype=torch.long),
        )
        with torch.inference_mode():
            out = self._network(batch, state)
        return out.logits, out.state


def _whole(value: object) -> int:
    """Return ``value`` if it can number speakers; raise ValueError otherwise."""
    if type(value) is not int or not 0 <= value < 2**31:
        raise ValueError(f"{value!r} is no count of speakers")
    return value


_FINGERPRINTS: WeakKeyDictionary[MDGET, str] = WeakKeyDictionary()


def _fingerprint(network: MDGET) -> str:
    """Return a fingerprint of the weights, independent of their file."""
    if network in _FINGERPRINTS:
        return _FINGERPRINTS[network]
    h = sha256()
    for name, tensor in sorted(network.state_dict().items()):
        h.update(name.encode())
        h.update(tensor.contiguous().numpy().tobytes())
    return _FINGERPRINTS.setdefault(network, h.hexdigest()[:16])
