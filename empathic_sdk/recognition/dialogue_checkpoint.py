"""Loads checkpoints of the dialogue model: the shipped one, or one trained like it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import torch

from empathic_sdk.encoders.text import TextEncoder
from empathic_sdk.errors import ConfigurationError, ModelError
from empathic_sdk.models.mdget import MDGET, MDGETConfig
from empathic_sdk.recognition.calibration import Calibration
from empathic_sdk.runtime import checkpoints
from empathic_sdk.types import Emotion, Modality


class LoadedDialogue(NamedTuple):
    """A network in evaluation mode, its calibration and its description."""

    network: MDGET
    calibration: Calibration
    about: dict[str, Any]


def load_dialogue(path: Path, text: TextEncoder) -> LoadedDialogue:
    """Load a causal dialogue checkpoint for a text encoder.

    Raises:
        ModelError: The file is not one, does not match the encoder, or is not causal.
    """
    tensors, about = checkpoints.load(path)
    try:
        config = MDGETConfig.from_dict(about["configuration"])
        with torch.device("meta"):
            network = MDGET(config)
        network.load_state_dict(tensors, assign=True)
        calibration = Calibration(**about["calibration"])
    except (KeyError, TypeError, ValueError, RuntimeError, ConfigurationError) as error:
        raise ModelError(f"{path} holds no dialogue model that fits: {error}") from error
    if config.timing:
        raise ModelError(
            f"the dialogue model at {path} reads the timing of utterances, which a session "
            "does not give it: train one without --timing"
        )
    if not config.causal:
        raise ModelError(
            f"the dialogue model at {path} reads the future; an agent cannot: give one that "
            "was trained with causal=True"
        )
    if config.inputs.get(Modality.TEXT) != text.width or config.classes != len(Emotion):
        raise ModelError(
            f"the dialogue model at {path} wants {dict(config.inputs)} and gives "
            f"{config.classes} classes; this recogniser has text vectors of "
            f"{text.width} and {len(Emotion)} emotions"
        )
    wants = about.get("text_sha256")
    if wants and (text.path is None or text.fingerprint != wants):
        raise ModelError(
            f"the dialogue model at {path} was trained with another text encoder than "
            f"{text.name!r}: its vectors mean nothing to it"
        )
    return LoadedDialogue(network.eval(), calibration, about)
