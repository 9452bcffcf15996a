"""Utterances in, emotion states out, one at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from empathic_sdk import checkpoints
from empathic_sdk.encoders.batching import Batcher
from empathic_sdk.encoders.normalize import legible
from empathic_sdk.encoders.text import TextEncoder
from empathic_sdk.errors import ConfigurationError, InputError, ModelError
from empathic_sdk.models.mdget import MDGET, MDGETConfig
from empathic_sdk.models.utterance import UtteranceClassifier
from empathic_sdk.policy import Deployment, allowed
from empathic_sdk.session import DialogueSession
from empathic_sdk.state import Calibration
from empathic_sdk.types import Emotion, EmotionState, Modality, UserContext, Utterance

DIALOGUE = "dialogue.safetensors"
Result = TypeVar("Result")


class Reading(NamedTuple):
    """What the heads say of a batch of texts: float32 ``[n, 7]``, ``[n, 7]`` and ``[n, 2]``."""

    emotion: NDArray[np.float32]
    present: NDArray[np.float32]
    affect: NDArray[np.float32]


class TextReading(NamedTuple):
    """What one pass over ``n`` texts gives.

    Attributes:
        vectors: float32 ``[n, width]``: what the dialogue model reads.
        emotion: float32 ``[n, 7]`` logits of the utterance heads.
        affect: float32 ``[n, 2]``.
        legible: float32 ``[n]``: share of a text in a script that the network knows.
    """

    vectors: NDArray[np.float32]
    emotion: NDArray[np.float32]
    affect: NDArray[np.float32]
    legible: NDArray[np.float32]


class EmotionRecognizer:
    """Recognises emotion, utterance by utterance, each in the light of those before it.

    Args:
        text: The text encoder; by default the one that ships with this package.
        heads: A checkpoint of ``empathic train text`` with heads for that encoder; by default
            the checkpoint of the encoder itself.
        dialogue: A causal dialogue checkpoint for that encoder (``empathic train joint``); by
            default the one that lies beside the encoder's own checkpoint, if there is one.
            ``False`` reads every utterance alone, and so does an encoder without a dialogue model.
        deployment: Where this runs; decides which modalities may be read. Default: text only.

    Raises:
        ModelError: No heads fit the encoder.

    Thread-safe.
    """

    def __init__(
        self,
        *,
        text: TextEncoder | None = None,
        heads: str | Path | None = None,
        dialogue: str | Path | Literal[False] | None = None,
        deployment: Deployment | None = None,
    ) -> None:
        self.text = text or TextEncoder()
        self.deployment = deployment or Deployment()
        path = Path(heads) if heads else self.text.path
        if path is None:
            raise ModelError(
                f"the encoder {self.text.name!r} comes without emotion heads: train them with "
                "`empathic train text --encoder NAME` and hand them over as heads=PATH"
            )
        tensors, about = checkpoints.load(path)
        try:
            self._heads = UtteranceClassifier(width=about["width"], corpora=about["corpora"])
            self._heads.load_state_dict(checkpoints.part(tensors, "heads"))
            self.calibration = Calibration(**about["calibration"])
        except (KeyError, TypeError, RuntimeError) as error:
            raise ModelError(f"{path} holds no emotion heads that fit: {error}") from error
        if about["width"] != self.text.width:
            raise ModelError(
                f"the heads at {path} want vectors of {about['width']}, "
                f"the encoder {self.text.name!r} gives {self.text.width}"
            )
        self.about = about
        self._heads.eval()
        if dialogue not in (None, False) and not (isinstance(dialogue, str | Path) and dialogue):
            raise ConfigurationError(
                f"dialogue must be the path of a checkpoint, False or None, not {dialogue!r}"
            )
        self.dialogue: MDGET | None = None
        self._turns: Batcher[Callable[[], Any], tuple[Any, BaseException | None]] = Batcher(_each)
        beside = None if self.text.path is None else self.text.path.with_name(DIALOGUE)
        if dialogue is None and beside is not None and beside.is_file():
            dialogue = beside
        if dialogue:
            self._load_dialogue(Path(dialogue))

    def _load_dialogue(self, path: Path) -> None:
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
        if config.inputs.get(Modality.TEXT) != self.text.width or config.classes != len(Emotion):
            raise ModelError(
                f"the dialogue model at {path} wants {dict(config.inputs)} and gives "
                f"{config.classes} classes; this recogniser has text vectors of "
                f"{self.text.width} and {len(Emotion)} emotions"
            )
        wants = about.get("text_sha256")
        if wants and (self.text.path is None or _sha256(self.text.path) != wants):
            raise ModelError(
                f"the dialogue model at {path} was trained with another text encoder than "
                f"{self.text.name!r}: its vectors mean nothing to it"
            )
        self.dialogue = network.eval()
        self.dialogue_about = about
        self.calibration = calibration.model_copy(update={"present": self.calibration.present})

    def recognize(self, utterance: Utterance | str) -> EmotionState:
        """Return what one utterance shows on its own.

        Raises:
            InputError: It is empty, no utterance at all, or holds nothing this can read.
            PolicyError: Nothing in it may be processed here.
        """
        return self.session().add(utterance)

    def recognize_dialogue(self, utterances: Iterable[Utterance | str]) -> list[EmotionState]:
        """Return a state an utterance, each in the light of the ones before it, never after."""
        return self.session().extend(list(utterances))

    def session(self, user: UserContext | None = None) -> DialogueSession:
        """Open a dialogue that takes one utterance at a time."""
        return DialogueSession(self, user or UserContext())

    def read(self, texts: Sequence[str], corpus: str | None = None) -> Reading:
        """Return raw logits for many texts (uncalibrated; for evaluation and tools).

        The embedded network reads Latin script; what it says of other scripts is scaled down
        towards "anything is possible", so that such a text comes out as uncertain.

        Args:
            texts: Any strings.
            corpus: Whose annotators' label frequencies to assume; default as at run time.
        """
        vectors = self.text.encode(texts)
        with torch.inference_mode():
            out = self._heads(torch.from_numpy(vectors), corpus)
        share = self._legible(texts)[:, None]
        return Reading(out.emotion.numpy() * share, out.present.numpy(), out.affect.numpy() * share)

    def read_all(self, texts: Sequence[str]) -> TextReading:
        """Return what a session needs of texts: vectors for the dialogue model, and affect."""
        vectors = self.text.encode(texts)
        with torch.inference_mode():
            out = self._heads(torch.from_numpy(vectors))
        share = self._legible(texts)
        return TextReading(
            vectors, out.emotion.numpy() * share[:, None], out.affect.numpy() * share[:, None],
            share,
        )  # fmt: skip

    def _legible(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if not self.text.embedded:
            return np.ones(len(texts), np.float32)
        return np.array([legible(t) for t in texts], np.float32)

    def one_by_one(self, work: Callable[[], Result]) -> Result:
        """Run a step of the dialogue model in the one thread that all sessions share.

        PyTorch keeps a pool of helpers for every thread that calls it (see ``Batcher``).
        """
        found, error = self._turns([work])[0]
        if error is not None:
            raise error
        return found  # type: ignore[no-any-return]

    def readable(self, utterance: Utterance) -> str:
        """Return the part of an utterance that may be read here.

        Raises:
            InputError: There is none.
            PolicyError: None of it may be processed here.
        """
        may = allowed(utterance.modalities, self.deployment)
        if Modality.TEXT not in may or utterance.text is None:
            raise InputError(
                f"this utterance holds only {' and '.join(may)}; "
                "this recogniser reads text: give it a text"
            )
        return utterance.text


def _each(
    steps: list[Callable[[], Any]],
) -> list[tuple[Any, BaseException | None]]:
    out: list[tuple[Any, BaseException | None]] = []
    for step in steps:
        try:
            out.append((step(), None))
        except Exception as error:  # each caller gets their own, and no other's
            out.append((None, error))
    return out


def _sha256(path: Path) -> str:
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()
