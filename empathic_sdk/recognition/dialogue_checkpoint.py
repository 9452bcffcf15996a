"""Loads the dialogue model: the shipped one, or one trained like it."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from empathic_sdk.errors import ConfigurationError, MissingExtraError, ModelError
from empathic_sdk.recognition.calibration import Calibration
from empathic_sdk.recognition.dialogue_network import DialogueNetwork
from empathic_sdk.runtime import checkpoints
from empathic_sdk.runtime.networks import SUFFIX, Network
from empathic_sdk.types import Emotion

if TYPE_CHECKING:
    from empathic_sdk.encoders.text import TextEncoder


class LoadedDialogue(NamedTuple):
    """A network, its calibration and its description."""

    network: DialogueNetwork
    calibration: Calibration
    about: dict[str, Any]


def load_dialogue(path: Path, text: TextEncoder) -> LoadedDialogue:
    """Load a causal dialogue model for a text encoder.

    Args:
        path: A network of ``empathic export onnx``, or the checkpoint of a training, which needs
            PyTorch.
        text: The text encoder.

    Raises:
        MissingExtraError: It is a checkpoint, and PyTorch is not installed.
        ModelError: The file is not one, does not match the encoder, or is not causal.
    """
    try:
        network = _exported(path) if path.suffix == SUFFIX else _trained(path)
        about = network.about
        calibration = Calibration(**about["calibration"])
    except MissingExtraError:
        raise
    except (KeyError, TypeError, ValueError, RuntimeError, ConfigurationError) as error:
        raise ModelError(f"{path} holds no dialogue model that fits: {error}") from error
    if network.timing:
        raise ModelError(
            f"the dialogue model at {path} reads the timing of utterances, which a session "
            "does not give it: train one without --timing"
        )
    if not network.causal:
        raise ModelError(
            f"the dialogue model at {path} reads the future; an agent cannot: give one that "
            "was trained with causal=True"
        )
    if not network.fits(text.width):
        raise ModelError(
            f"the dialogue model at {path} wants {network.inputs} and gives "
            f"{network.classes} classes; this recogniser has text vectors of "
            f"{text.width} and {len(Emotion)} emotions"
        )
    wants = about.get("text_sha256")
    if wants and (text.path is None or text.fingerprint != wants):
        raise ModelError(
            f"the dialogue model at {path} was trained with another text encoder than "
            f"{text.name!r}: its vectors mean nothing to it"
        )
    return LoadedDialogue(network, calibration, about)


def _exported(path: Path) -> DialogueNetwork:
    network = Network(path)
    return DialogueNetwork(network.compute, network.about, checkpoints.sha256(path)[:16], path)


def _trained(path: Path) -> DialogueNetwork:
    arrays, about = checkpoints.arrays(path)
    try:
        import torch

        from empathic_sdk.models.mdget import MDGET, MDGETConfig
        from empathic_sdk.models.mdget.step import Step, about_step
    except ImportError as error:
        raise MissingExtraError("train", f"reading the checkpoint {path.name}") from error
    config = MDGETConfig.from_dict(about["configuration"])
    with torch.device("meta"):
        network = MDGET(config)
    network.load_state_dict({k: torch.from_numpy(x) for k, x in arrays.items()}, assign=True)
    about = {**about, "configuration": config.as_dict(), "step": about_step(config)}
    mark = sha256()  # of the weights: files of the same ones differ in the order of metadata
    for name, array in sorted(arrays.items()):
        mark.update(name.encode())
        mark.update(array.tobytes())
    return DialogueNetwork(Step(network.eval()).compute, about, mark.hexdigest()[:16], path)
