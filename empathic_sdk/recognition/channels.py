"""Late fusion of your own encoders' probabilities with the dialogue model.

A dialogue model reads only the vectors that it was trained with. A new signal (or another encoder
for a known one) is therefore fused after it: with p the calibrated
distribution of the dialogue model and p_m that of channel m over the same seven emotions,

    fused  ∝  p · Π_m (p_m / prior_m) ** weight_m

which is Bayes' rule if the channels are independent given the emotion. They never quite are, so
``weight`` (chosen on dev data) discounts evidence that is counted twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.errors import ConfigurationError, EmpathicError, outline
from empathic_sdk.recognition.contributions import shapley, shares
from empathic_sdk.types import Emotion, Modality, Utterance
from empathic_sdk.types.protocols import ProbabilityEncoder

Distribution = NDArray[np.float64]
_LEAST = 1e-6


@dataclass(frozen=True)
class Channel:
    """An encoder whose own probabilities take part in the fusion.

    Attributes:
        encoder: Encodes the signal.
        weight: Weight of its evidence, above 0 and at most 1, chosen on dev data; 1 treats it as
            independent evidence.
        prior: Shares ``[7]`` of the emotions in its calibration data; empty if all were equally
            frequent.
    """

    encoder: ProbabilityEncoder
    weight: float = 1.0
    prior: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ConfigurationError: ``encoder`` is not one, or a number is out of range.
        """
        if isinstance(self.encoder, str) or not callable(getattr(self.encoder, "encode", None)):
            raise ConfigurationError(
                f"a channel takes an object with encode(), not {self.encoder!r}"
            )
        if not 0.0 < self.weight <= 1.0:
            raise ConfigurationError(
                f"the weight of a channel must be in (0, 1], not {self.weight!r}"
            )
        if self.prior and not _is_distribution(np.asarray(self.prior, np.float64)):
            raise ConfigurationError("the prior of a channel must be seven shares that sum to 1")


def channels(
    given: Mapping[Modality | str, Channel | ProbabilityEncoder] | None,
) -> dict[Modality, Channel]:
    """Return channels by modality; a bare encoder becomes one.

    Raises:
        ConfigurationError: A name is not a modality or is ``text``, or an encoder is not one.
    """
    found: dict[Modality, Channel] = {}
    for name, channel in (given or {}).items():
        try:
            modality = Modality(name)
        except ValueError:
            raise ConfigurationError(
                f"{name!r} is not a modality; register_modality({name!r}) makes it one"
            ) from None
        if modality is Modality.TEXT:
            raise ConfigurationError("text is read by the text encoder: give it as text=")
        found[modality] = channel if isinstance(channel, Channel) else Channel(channel)
    return found


def evidence(channel: Channel, modality: Modality, utterance: Utterance) -> Distribution | str:
    """Return a channel's log-odds ``[7]`` for an utterance, or why there are none."""
    try:
        made = channel.encoder.encode([utterance.signal(modality)])[0]
    except EmpathicError as error:
        return str(error)
    except Exception as error:  # one broken channel must not affect the others
        return f"the encoder failed ({outline(error)})"
    if made.missing is not None:
        return made.missing
    p = np.asarray([] if made.probabilities is None else made.probabilities, np.float64)
    if not _is_distribution(p):
        return "the encoder did not return seven probabilities that sum to 1"
    odds: Distribution = np.log(np.maximum(p, _LEAST))
    if channel.prior:
        odds = odds - np.log(np.maximum(np.asarray(channel.prior), _LEAST))
    return channel.weight * odds


def fused(p: Distribution, odds: Sequence[Distribution]) -> Distribution:
    """Fuse a distribution ``[7]`` with the log-odds of channels."""
    z = np.log(np.maximum(p, _LEAST)) + np.sum(odds, axis=0)
    e = np.exp(z - z.max())
    return np.asarray(e / e.sum())


def contributions(
    p: Distribution | None,
    odds: Mapping[Modality, Distribution],
    inside: Mapping[Modality, float],
) -> dict[Modality, float]:
    """Return each modality's share in the fused label.

    Shapley values over the dialogue model and the channels; the share of the dialogue model is
    divided as it was among the modalities that it read.

    Args:
        p: Output of the dialogue model; ``None`` if it had nothing to read.
        odds: Log-odds of the channels.
        inside: Shares of the modalities in ``p``.
    """
    even = np.full(len(Emotion), 1 / len(Emotion))
    base = even if p is None else p
    label = int(fused(base, list(odds.values())).argmax())

    def value(some: frozenset[str]) -> float:
        said = [x for m, x in odds.items() if m in some]
        start = base if "dialogue" in some else even
        return float((fused(start, said) if said else start)[label])

    players = [*map(str, odds), *([] if p is None else ["dialogue"])]
    found = shares(shapley(value, players))
    block = found.pop("dialogue", 0.0)
    return {
        **{m: block * share for m, share in inside.items() if p is not None},
        **{m: found[str(m)] for m in odds},
    }


def _is_distribution(p: Distribution) -> bool:
    # NaN compares false, so it fails here as well.
    return p.shape == (len(Emotion),) and bool((p >= 0).all() and abs(p.sum() - 1) < 1e-3)
