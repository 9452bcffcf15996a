"""Tracks each speaker over a dialogue: adds change and trend to single readings."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.errors import InputError
from empathic_sdk.recognition.calibration import Calibration, personal, probabilities
from empathic_sdk.recognition.channels import fused as late
from empathic_sdk.types import Emotion, EmotionState, Modality, Trend
from empathic_sdk.types.emotion import MOOD

WINDOW = 6
SPEAKERS = 64
STEEP = 0.12
UNSTEADY = 0.45

# Pleasant minus unpleasant: the one number a trend is read from.
_MOOD = np.array([MOOD[e] for e in Emotion])


class StateTracker:
    """Keeps the past of every speaker of a dialogue, for comparison with the next state.

    Its size is bounded: the last six moods per speaker, and the 64 most recent speakers.
    """

    def __init__(self, calibration: Calibration) -> None:
        self._calibration = calibration
        self._speakers: OrderedDict[str, deque[NDArray[np.float64]]] = OrderedDict()

    def add(
        self,
        speaker: str,
        logits: NDArray[np.floating],
        affect: NDArray[np.floating],
        missing: Sequence[Modality],
        *,
        shift: float | None = None,
        contributions: Mapping[Modality, float] | None = None,
        unread: Mapping[Modality, str] | None = None,
        fused: bool = False,
        bias: Sequence[float] = (),
        caution: float = 0.0,
        apart: Mapping[Modality, Emotion] | None = None,
        odds: Sequence[NDArray[np.float64]] = (),
    ) -> EmotionState:
        """Return the state after one more utterance of ``speaker``.

        Args:
            speaker: Name of the speaker.
            logits: ``[7]`` emotion logits.
            affect: ``[2]`` valence and arousal, clipped to [-1, 1] here.
            missing: Modalities that played no part.
            shift: Output of a transfer module; without one it is computed from two distributions.
            contributions: Shares of the present modalities; default: text alone.
            unread: Why a given modality played no part.
            fused: Whether more than text was read.
            bias: Added to the log-probabilities, from this person's corrections; ``[7]`` or empty.
            caution: Added to the threshold of ``uncertain``, from their corrections.
            apart: Label of each modality alone.
            odds: Log-odds of channels that are fused after the logits, ``[7]`` each.
        """
        calibration = self._calibration.fused() if fused else self._calibration
        if fused and Modality.TEXT in missing:
            # The fused threshold holds for several modalities that agree. A single one
            # must be as sure as a text must be; behaviour, learned from simulated people, never is.
            behaviour = not odds and set(Modality) - set(missing) == {Modality.BEHAVIOUR}
            floor = 1.0 if behaviour else max(self._calibration.threshold, calibration.threshold)
            calibration = calibration.model_copy(update={"threshold": floor})
        p = probabilities(logits, calibration.temperature)
        if odds:
            p, alone = late(p, odds), p
            if calibration.affect:
                affect = np.add(affect, (p - alone) @ np.asarray(calibration.affect))
        general = None
        if any(bias):
            general = p
            p = personal(p, bias)
            if calibration.affect:
                # Valence and arousal move with the label, by the meaning of the labels.
                affect = np.add(affect, (p - general) @ np.asarray(calibration.affect))
        if caution:
            moved = float(np.clip(calibration.threshold + caution, 0.0, 1.0))
            calibration = calibration.model_copy(update={"threshold": moved})
        # Names are words as well, and a dump may be stored: only digests are kept.
        speaker = digest(speaker)
        past = self._speakers.setdefault(speaker, deque(maxlen=WINDOW))
        before = past[-1] if past else None
        past.append(p)
        self._speakers.move_to_end(speaker)
        if len(self._speakers) > SPEAKERS:
            self._speakers.popitem(last=False)
        state = build(
            p, affect, before, trend(past), calibration, missing, shift, contributions, unread
        )
        if general is None and not apart:
            return state
        names = None if general is None else dict(zip(Emotion, general.tolist(), strict=True))
        return state.model_copy(update={"general": names, "apart": dict(apart or {})})

    def dump(self) -> dict[str, Any]:
        """Return its content as JSON values (probabilities only, no words)."""
        return {s: [p.tolist() for p in past] for s, past in self._speakers.items()}

    def load(self, dumped: dict[str, Any]) -> None:
        """Continue from what :meth:`dump` returned."""
        restored: OrderedDict[str, deque[NDArray[np.float64]]] = OrderedDict()
        try:
            for speaker, past in list(dumped.items())[-SPEAKERS:]:
                rows = [np.asarray(p, np.float64) for p in past]
                if not all(map(_is_distribution, rows)):
                    raise ValueError("not probabilities")
                restored[speaker] = deque(rows, maxlen=WINDOW)
        except (AttributeError, TypeError, ValueError) as error:
            raise InputError(
                "this is not the state of a dialogue session of this version"
            ) from error
        self._speakers = restored


def digest(speaker: str) -> str:
    """Return a digest of a name that may be stored."""
    return blake2b(speaker.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def build(
    p: NDArray[np.float64],
    affect: NDArray[np.floating],
    before: NDArray[np.float64] | None,
    heading: Trend,
    calibration: Calibration,
    missing: Sequence[Modality],
    shift: float | None = None,
    contributions: Mapping[Modality, float] | None = None,
    unread: Mapping[Modality, str] | None = None,
) -> EmotionState:
    """Build one state from probabilities ``[7]`` now and before."""
    if before is None:
        shift = None
    elif shift is None:
        shift = distance(p, before)
    emotions = tuple(Emotion)
    confidence = float(p.max())
    valence, arousal = (float(np.clip(x, -1.0, 1.0)) for x in affect)
    return EmotionState(
        label=emotions[int(p.argmax())],
        probabilities=dict(zip(emotions, p.tolist(), strict=True)),
        confidence=confidence,
        uncertain=confidence < calibration.threshold,
        valence=valence,
        arousal=arousal,
        # Felt at all (not neutral), and how far from the calm middle of the affect plane.
        intensity=float(np.clip((1 - p[0]) * (0.5 + min(0.5, np.hypot(valence, arousal))), 0, 1)),
        shift=shift,
        change=None if before is None else dict(zip(emotions, (p - before).tolist(), strict=True)),
        trend=heading,
        contributions=dict(contributions or {Modality.TEXT: 1.0}),
        missing=tuple(missing),
        unread=dict(unread or {}),
    )


def distance(p: NDArray[np.float64], before: NDArray[np.float64]) -> float:
    """Return the probability that the emotion changed between two readings ``[7]``.

    Independent draws of two labels differ with probability ``1 - p @ before``, which is too high
    for readings that make the same mistake twice; maximally coupled draws differ with the total
    variation distance, which is too low. The mean of both has the lowest Brier score on MELD's
    dev split
    (docs/LOG.md).
    """
    independent = 1.0 - float(p @ before)
    alike = 1.0 - float(np.minimum(p, before).sum())
    return float(np.clip((independent + alike) / 2, 0.0, 1.0))


def _is_distribution(row: NDArray[np.float64]) -> bool:
    # NaN compares false, so it fails here as well.
    return row.shape == (len(Emotion),) and bool((row >= 0).all() and abs(row.sum() - 1) < 1e-6)


def trend(past: Sequence[NDArray[np.float64]]) -> Trend:
    """Return the trend of one speaker from their last probabilities, oldest first.

    Mood is the probability of joy minus that of the four unpleasant emotions. With three or more
    utterances: a least-squares slope beyond 0.12 per utterance is improving or worsening; without
    one, a standard deviation beyond 0.45 is volatile; anything else is steady.
    """
    if len(past) < 3:
        return Trend.STEADY
    mood = np.stack(list(past)) @ _MOOD
    slope = float(np.polyfit(np.arange(len(mood)), mood, 1)[0])
    if abs(slope) > STEEP:
        return Trend.IMPROVING if slope > 0 else Trend.WORSENING
    return Trend.VOLATILE if float(mood.std()) > UNSTEADY else Trend.STEADY
