"""Configuration of the network: sizes and switches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from empathic_sdk.errors import ConfigurationError

GATES = ("gue", "acme", "fusion", "classifier", "eetm")


@dataclass(frozen=True, kw_only=True)
class MDGETConfig:
    """Sizes and switches of :class:`MDGET`.

    Attributes:
        inputs: Feature width of each modality, by name. Cross-modal attention is only
            between the first one (text in the paper) and each of the others.
        classes: Number of emotions.
        width: d of the paper; a multiple of ``heads``.
        heads: Heads of every multi-head attention (8 in the paper).
        gue_layers: Layers of the gated unimodal encoder.
        acme_layers: Layers of the gated cross-modal encoder.
        feedforward: Inner width of FF in eq 5 and 21; 0 means ``width``.
        gue_dropout: Dropout in eq 5.
        acme_dropout: Dropout in eq 6, 10, 11, 15, 18, 21.
        dropout: Dropout on the projected inputs, and in eq 28 and 36.
        causal: One-directional recurrence, and attention that looks back only.
        window: Causal: an utterance attends to itself and the ``window - 1`` before it.
        speakers: Slots of the speaker embedding, by order of appearance (later speakers share the
            last); 0 switches the embedding and the attention's same-speaker bias off.
        own_past: Add a recurrence over each speaker's own utterances.
        timing: Width of the timing input (see ``lab.corpora.dialogues.timing``); 0 without.
        gue: Ablation: ``False`` hands the projected inputs to the cross-modal encoder.
        acme: Ablation: ``False`` fuses the unimodal encoder's output.
        eetm: Ablation: ``False`` leaves the emotion transfer module out.
        gates: Gates in use; the others are replaced by 1 (a plain residual sum).
        weights: Weight of a modality relative to the others, if not 1 (see ``ModalFusion``); the
            weights of a batch multiply these.
    """

    inputs: Mapping[str, int]
    classes: int
    width: int = 128
    heads: int = 8
    gue_layers: int = 2
    acme_layers: int = 2
    feedforward: int = 0
    gue_dropout: float = 0.1
    acme_dropout: float = 0.3
    dropout: float = 0.3
    causal: bool = True
    window: int = 32
    speakers: int = 8
    own_past: bool = True
    timing: int = 0
    gue: bool = True
    acme: bool = True
    eetm: bool = True
    gates: tuple[str, ...] = GATES
    weights: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.inputs or min(self.inputs.values()) < 1:
            raise ConfigurationError("inputs must name at least one modality, each of width >= 1")
        if self.classes < 2:
            raise ConfigurationError(f"classes must be at least 2, not {self.classes}")
        if min(self.width, self.heads) < 1 or self.width % self.heads or self.width % 2:
            raise ConfigurationError(
                f"width {self.width} must be even and a multiple of heads {self.heads}"
            )
        if min(self.gue_layers, self.acme_layers) < 1 or self.window < 2:
            raise ConfigurationError("gue_layers, acme_layers >= 1 and window >= 2")
        if min(self.feedforward, self.speakers, self.timing) < 0:
            raise ConfigurationError("feedforward, speakers and timing must not be negative")
        unknown = set(self.gates) - set(GATES)
        if unknown:
            raise ConfigurationError(f"no gate is named {sorted(unknown)}; there are {GATES}")
        if set(self.weights) - set(self.inputs) or any(w < 0 for w in self.weights.values()):
            raise ConfigurationError("weights must name inputs and be at least 0")
        for name in ("gue_dropout", "acme_dropout", "dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigurationError(f"{name} must lie in [0, 1)")

    @property
    def modalities(self) -> tuple[str, ...]:
        """Names of the modalities, in the order of ``inputs``."""
        return tuple(self.inputs)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values; :meth:`from_dict` reads them back."""
        # A list keeps the order of the inputs even if something sorts the keys.
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {**values, "inputs": [list(i) for i in self.inputs.items()],
                "gates": list(self.gates), "weights": dict(self.weights)}  # fmt: skip

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> MDGETConfig:
        """Make a configuration from :meth:`as_dict` values.

        Raises:
            ConfigurationError: A value is missing, unknown or out of range.
        """
        try:
            return cls(
                **{**values, "inputs": dict(values["inputs"]), "gates": tuple(values["gates"])}
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigurationError(f"this is no configuration of the network: {error}") from error
