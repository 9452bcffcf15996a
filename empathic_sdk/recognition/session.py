"""A recogniser's session: the dialogue model's memory and each speaker's past."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.errors import InputError
from empathic_sdk.recognition.calibration import probabilities
from empathic_sdk.recognition.channels import contributions
from empathic_sdk.recognition.dialogue_model import DialogueReading
from empathic_sdk.recognition.dialogue_state import check_finite
from empathic_sdk.recognition.perception import Perceiver, Perception
from empathic_sdk.recognition.tracker import StateTracker, digest
from empathic_sdk.types import AGENT, Emotion, EmotionState, Modality, UserContext, Utterance
from empathic_sdk.types.utterance import utterances_of

_STATE_VERSION = 2
# Utterances that go through the dialogue model in one call; a longer dialogue takes several.
_PIECE = 64


class Transfers(NamedTuple):
    """How the utterances of a dialogue compare with each other.

    Attributes:
        speakers: Speakers of the last ``n`` utterances, oldest first, at most 32.
        changed: float32 ``[n, n]``; row i, column j < i is the probability that utterances i
            and j show different emotions, NaN elsewhere.
    """

    speakers: tuple[str, ...]
    changed: NDArray[np.float32]


def _pieces(seen: Perception, n: int) -> Iterator[range]:
    """Yield runs of at most 64 utterances: the dialogue model reads all of a run, or none."""
    start = 0
    for i in range(1, n + 1):
        ends = i == n or bool(seen.read(i)) != bool(seen.read(start))
        if ends or i - start == _PIECE:
            yield range(start, i)
            start = i


class DialogueSession:
    """One dialogue, read utterance by utterance at a constant cost per utterance.

    Made by :meth:`EmotionRecognizer.session`. Not thread-safe.

    Attributes:
        text_vectors: float32 ``[n, width]`` of the ``n`` utterances read last, zeros if one had
            no text; ``None`` before the first. Not part of :meth:`state`: words could be
            recovered from them.
    """

    def __init__(self, recognizer: Perceiver, user: UserContext) -> None:
        self.text_vectors: NDArray[np.float32] | None = None
        self._recognizer = recognizer
        self.user = user
        self._tracker = StateTracker(recognizer.calibration)
        self._memory = recognizer.memory()
        self._spoke: deque[str] = deque(maxlen=64)

    def add(self, utterance: Utterance | str) -> EmotionState:
        """Return the state of this utterance, given those before it; errors as `recognize`."""
        return self.extend([utterance])[0]

    async def aadd(self, utterance: Utterance | str) -> EmotionState:
        """:meth:`add` for event loops; await it before the next one."""
        return await asyncio.to_thread(self.add, utterance)

    def extend(
        self, utterances: Sequence[Utterance | str], *, listen: bool = True
    ) -> list[EmotionState]:
        """Return what :meth:`add` would return for each in turn, in fewer calls of the network.

        Either all of them are read or none.

        Args:
            utterances: The next utterances of the dialogue.
            listen: Transcribe audio without text; ``False`` if that was tried already.
        """
        said = utterances_of(utterances)
        if not said:
            return []
        if listen:
            said = [self._recognizer.listen(u, self.user) for u in said]
        seen = self._recognizer.perceive(said, self.user)
        check_finite(seen.features, seen.present)
        out = []
        for piece in _pieces(seen, len(said)):
            reading = self._read(said, seen, piece) if seen.read(piece[0]) else None
            if reading is not None:
                self._spoke.extend(said[i].speaker for i in piece)
            for k, i in enumerate(piece):
                out.append(self._state_of(said[i].speaker, seen, i, reading, k))
        self.text_vectors = seen.features[Modality.TEXT]
        return out

    def transfers(self) -> Transfers | None:
        """Return which utterances differ in emotion, by the dialogue model's transfer module.

        Covers what this session has read since it was opened or restored: the compared vectors
        are not part of :meth:`state`. ``None`` without a dialogue model that compares.
        """
        changed = None if self._memory is None else self._memory.transfers()
        if changed is None:
            return None
        n = len(changed)
        return Transfers(tuple(self._spoke)[len(self._spoke) - n :], changed)

    def _read(
        self, said: Sequence[Utterance], seen: Perception, rows: range
    ) -> DialogueReading | None:
        memory = self._memory
        if memory is None:
            return None
        part = slice(rows.start, rows.stop)
        # A modality that is nowhere in the piece need not be looked at.
        there = [m for m, p in seen.present.items() if m is Modality.TEXT or p[part].any()]
        return memory.read(
            [digest(said[i].speaker) for i in rows],
            {m: seen.features[m][part] for m in there},
            {m: seen.present[m][part] for m in there},
            {m: w for m, w in self.user.weights.items() if w > 0},
        )

    def _state_of(
        self, speaker: str, seen: Perception, i: int, reading: DialogueReading | None, k: int
    ) -> EmotionState:
        """Return the state of utterance ``i``, the ``k``-th of the piece that was read."""
        present, odds = seen.read(i), seen.odds[i]
        alone = present == [Modality.TEXT]
        theirs = speaker != AGENT  # the agent is not the person whose context this is
        logits = seen.emotion[i]
        if reading is not None:
            logits = reading.logits[k] * (seen.legible[i] if alone else 1.0)
        affect = seen.affect[i] if alone or not present else self._affect(seen, i, logits)
        shared = None if reading is None else reading.contributions[k]
        apart = None if reading is None else reading.apart[k]
        if odds:
            shared, apart = self._with_channels(present, odds, logits, shared, apart)
        possible = dict.fromkeys((*Modality, *self._recognizer.channels))
        return self._tracker.add(
            speaker,
            logits,
            affect,
            [m for m in possible if m not in present and m not in odds],
            shift=None if reading is None or odds else reading.shift[k],
            contributions=shared,
            unread=seen.unread[i],
            fused=not alone,
            bias=self.user.bias if theirs else (),
            caution=self.user.threshold if theirs else 0.0,
            apart=apart,
            odds=list(odds.values()),
        )

    def _with_channels(
        self,
        present: Sequence[Modality],
        odds: Mapping[Modality, NDArray[np.float64]],
        logits: NDArray[np.floating],
        inside: Mapping[Modality, float] | None,
        apart: Mapping[Modality, Emotion] | None,
    ) -> tuple[dict[Modality, float], dict[Modality, Emotion]]:
        """Return contributions and each modality's own label when channels take part."""
        calibration = self._recognizer.calibration
        if present != [Modality.TEXT]:
            calibration = calibration.fused()
        p = probabilities(logits, calibration.temperature) if present else None
        emotions = tuple(Emotion)
        said = {m: emotions[int(x.argmax())] for m, x in odds.items()}
        if p is not None:
            said = {**(apart or {present[0]: emotions[int(p.argmax())]}), **said}
        shared = contributions(p, odds, inside or dict.fromkeys(present[:1], 1.0))
        return shared, said if len(said) > 1 else {}

    def _affect(
        self, seen: Perception, i: int, logits: NDArray[np.floating]
    ) -> NDArray[np.floating]:
        """Return valence and arousal when more than text was read.

        Without text: the values of the emotion. With text: the output of its heads, shifted by
        as much as the other modalities shifted the emotion.
        """
        calibration = self._recognizer.calibration.fused()
        by_words: NDArray[np.floating] = seen.affect[i]
        if not calibration.affect:
            return by_words
        means = np.asarray(calibration.affect)
        now: NDArray[np.float64] = probabilities(logits, calibration.temperature) @ means
        if not seen.present[Modality.TEXT][i]:
            return now
        by_text = probabilities(seen.emotion[i], self._recognizer.text_temperature) @ means
        moved: NDArray[np.float64] = np.add(by_words, now - by_text, dtype=np.float64)
        return moved

    def state(self) -> bytes:
        """Return everything that the next ``add`` depends on: derived values, never words."""
        memory = None if self._memory is None else self._memory.dump()
        state = {"version": _STATE_VERSION, "speakers": self._tracker.dump(), "memory": memory}
        return json.dumps(state).encode()

    def restore(self, state: bytes) -> None:
        """Continue a dialogue from what :meth:`state` returned, in this process or another.

        Raises:
            InputError: The bytes are not such a state, or are from another version or another
                dialogue model.
        """
        try:
            loaded = json.loads(state)
            version, speakers = loaded["version"], loaded["speakers"]
            memory = loaded.get("memory")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InputError("these bytes are not the state of a dialogue session") from error
        if type(version) is not int or version not in (1, _STATE_VERSION):
            raise InputError(
                f"this session state has version {version!r}; this package reads 1 and "
                f"{_STATE_VERSION}"
            )
        if version != 1 and (memory is None) != (self._memory is None):
            raise InputError(
                "this session state was written by a recogniser "
                f"{'without' if memory is None else 'with'} a dialogue model; "
                "continue it with one like that, or start a new session"
            )
        # Version 1 held only each speaker's past: the dialogue model starts empty.
        fresh = StateTracker(self._recognizer.calibration)
        fresh.load(speakers)
        begun = None
        if self._memory is not None:
            begun = self._memory.blank()
            if version != 1:
                begun.load(memory)
        self._tracker, self._memory = fresh, begun
        self._spoke.clear()
