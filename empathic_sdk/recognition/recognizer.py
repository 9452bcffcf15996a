"""Utterances in, emotion states out, one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from empathic_sdk.encoders.alignment import align
from empathic_sdk.encoders.normalize import legible
from empathic_sdk.encoders.text import TextEncoder
from empathic_sdk.errors import ConfigurationError, InputError, ModelError
from empathic_sdk.llm.extras import needs_langchain
from empathic_sdk.models.mdget import MDGET, MDGETConfig
from empathic_sdk.models.utterance import UtteranceClassifier
from empathic_sdk.policy import Deployment, agreed, allowed, announce, refusal
from empathic_sdk.recognition.calibration import Calibration
from empathic_sdk.recognition.modalities import Listener, Sense, Senses
from empathic_sdk.recognition.perception import Perception
from empathic_sdk.recognition.session import DialogueSession
from empathic_sdk.runtime import checkpoints
from empathic_sdk.runtime.batching import Batcher
from empathic_sdk.types import (
    AlignedWindows,
    Emotion,
    EmotionState,
    Modality,
    UserContext,
    Utterance,
)

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable

DIALOGUE = "dialogue.safetensors"
# A text that is legible to a lesser share says nothing beside a voice or a face.
_LEGIBLE = 0.5
Result = TypeVar("Result")


class Reading(NamedTuple):
    """What the heads say of a batch of texts: float32 ``[n, 7]``, ``[n, 7]`` and ``[n, 2]``."""

    emotion: NDArray[np.float32]
    present: NDArray[np.float32]
    affect: NDArray[np.float32]


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
        speech: A ``SpeechEncoder``; ``None`` is the embedded one, made when it is first needed,
            ``False`` none. It must be the one that the dialogue model was trained with.
        face: A ``FaceEncoder``, in the same way.
        behaviour: A ``BehaviourEncoder``, in the same way.
        transcriber: What turns speech into words where an utterance has no text; ``None`` is
            Whisper, if its weights are on this machine. ``False``: the voice alone.

    Raises:
        ModelError: No heads fit the encoder, or a dialogue model fits its encoders not.

    Thread-safe.
    """

    def __init__(
        self,
        *,
        text: TextEncoder | None = None,
        heads: str | Path | None = None,
        dialogue: str | Path | Literal[False] | None = None,
        deployment: Deployment | None = None,
        speech: Sense | Literal[False] | None = None,
        face: Sense | Literal[False] | None = None,
        behaviour: Sense | Literal[False] | None = None,
        transcriber: Listener | Literal[False] | None = None,
    ) -> None:
        self.senses = Senses(
            {Modality.SPEECH: speech, Modality.FACE: face, Modality.BEHAVIOUR: behaviour},
            transcriber,
        )
        self.text = text or TextEncoder()
        self.deployment = deployment or Deployment()
        announce(self.deployment)
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
            self.text_temperature = self.calibration.temperature
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
        given = {Modality.SPEECH: speech, Modality.FACE: face, Modality.BEHAVIOUR: behaviour}
        for m, sense in given.items():
            wants = self._wants(m)
            if sense and wants not in (None, sense.width):
                raise ModelError(
                    f"the dialogue model wants {m} vectors of {wants}, the encoder given gives "
                    f"{sense.width}: train one with it (`empathic train fusion`)"
                )

    def _wants(self, modality: Modality) -> int | None:
        """Return the length of the vectors that are read of a modality; ``None``: it is not."""
        return None if self.dialogue is None else self.dialogue.config.inputs.get(modality)

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
        if wants and (self.text.path is None or checkpoints.sha256(self.text.path) != wants):
            raise ModelError(
                f"the dialogue model at {path} was trained with another text encoder than "
                f"{self.text.name!r}: its vectors mean nothing to it"
            )
        self.dialogue = network.eval()
        self.dialogue_about = about
        self.calibration = calibration.model_copy(update={"present": self.calibration.present})

    def recognize(
        self, utterance: Utterance | str, *, user: UserContext | None = None
    ) -> EmotionState:
        """Return what one utterance shows on its own.

        Args:
            utterance: A text, or anything with speech, faces or events in it.
            user: Whose it is: ``UserContext(consents={...})`` says what they let be processed.

        Raises:
            InputError: It is empty, no utterance at all, or holds nothing that can be read.
            PolicyError: Nothing in it may be processed here.
        """
        return self.session(user).add(utterance)

    def recognize_dialogue(
        self, utterances: Iterable[Utterance | str], *, user: UserContext | None = None
    ) -> list[EmotionState]:
        """Return a state an utterance, each in the light of the ones before it, never after."""
        return self.session(user).extend(list(utterances))

    async def arecognize(
        self, utterance: Utterance | str, *, user: UserContext | None = None
    ) -> EmotionState:
        """:meth:`recognize` for event loops; the reading is done in a thread."""
        return await asyncio.to_thread(self.recognize, utterance, user=user)

    async def arecognize_dialogue(
        self, utterances: Iterable[Utterance | str], *, user: UserContext | None = None
    ) -> list[EmotionState]:
        """:meth:`recognize_dialogue` for event loops."""
        return await asyncio.to_thread(self.recognize_dialogue, utterances, user=user)

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

    def timeline(
        self, utterance: Utterance | str, *, window_s: float = 1.0, user: UserContext | None = None
    ) -> AlignedWindows:
        """Return what the encoders make of one utterance, window by window on one clock.

        For looking at how a recording goes; the dialogue model reads one vector an utterance. The
        text stands in the first window. No window knows what comes after it.

        Args:
            utterance: With speech, frames (taken as 25 a second) or events.
            window_s: Length of a window in seconds.
            user: Whose it is, and what they let be processed.

        Raises:
            InputError: A signal cannot be read, or an event lies before the utterance.
            MissingExtraError: A package is missing for one of its signals.
            PolicyError: Nothing in it may be processed here.
        """
        utterance = Utterance.of(utterance)
        consented = agreed(user or UserContext(), self.deployment)
        sequences = []
        for m in allowed(utterance.modalities, self.deployment, consented):
            if m is Modality.TEXT:
                sequences.append(self.text.features(utterance.text or ""))
            elif (found := self.senses.sequence(m, utterance)) is not None:
                sequences.append(found)
        return align(sequences, window_s=window_s)

    def as_runnable(self) -> Runnable[Any, EmotionState]:
        """Return a LangChain runnable from what was said to its :class:`EmotionState`.

        Its input is a str, an ``Utterance``, a message with text, sounds or pictures in it, or a
        list of messages, whose human ones are read in order: the state of the last comes out.

        Raises:
            MissingExtraError: LangChain is not installed.
        """
        with needs_langchain():
            from empathic_sdk.llm.runnables import recognizer_runnable

        return recognizer_runnable(lambda: self)

    def listen(self, utterance: Utterance, user: UserContext) -> Utterance:
        """Return an utterance with the words of its audio as its text, where it has none.

        It comes back as it is where there is nothing to listen to, where the speech may not be
        processed, and where nobody can tell the words.
        """
        there = utterance.modalities
        if Modality.SPEECH not in there or Modality.TEXT in there:
            return utterance
        consented = agreed(user, self.deployment)
        if refusal(Modality.SPEECH, self.deployment, consented) is not None:
            return utterance
        words = self.senses.words(utterance)
        return utterance if words is None else utterance.model_copy(update={"text": words})

    def perceive(self, said: Sequence[Utterance], user: UserContext) -> Perception:
        """Return what the encoders make of utterances.

        What is broken, refused or unreadable in one modality is left out with a reason, as long
        as another is left.

        Raises:
            InputError: Nothing in one of the utterances can be read.
            PolicyError: Nothing in one of them may be processed here.
        """
        n = len(said)
        consented = agreed(user, self.deployment)
        may = [allowed(u.modalities, self.deployment, consented) for u in said]
        unread: list[dict[Modality, str]] = [
            {m: str(refusal(m, self.deployment, consented)) for m in u.modalities if m not in left}
            for u, left in zip(said, may, strict=True)
        ]
        rows = [i for i in range(n) if Modality.TEXT in may[i]]
        texts = [said[i].text or "" for i in rows]
        width = self.text.width
        features = {Modality.TEXT: np.zeros((n, width), np.float32)}
        present = {Modality.TEXT: np.zeros(n, bool)}
        emotion, affect = np.zeros((n, len(Emotion)), np.float32), np.zeros((n, 2), np.float32)
        known = np.ones(n, np.float32)
        if rows:
            vectors = self.text.encode(texts)
            with torch.inference_mode():
                out = self._heads(torch.from_numpy(vectors))
            share = self._legible(texts)
            features[Modality.TEXT][rows], present[Modality.TEXT][rows] = vectors, True
            emotion[rows] = out.emotion.numpy() * share[:, None]
            affect[rows], known[rows] = out.affect.numpy() * share[:, None], share
        for m in (Modality.SPEECH, Modality.FACE, Modality.BEHAVIOUR):
            if any(m in left for left in may):
                features[m], present[m] = self._sense(m, said, may, unread)
        found = Perception(features, present, emotion, affect, known, unread)
        for i in range(n):
            self._leave_out(found, i, user, n)
        return found

    def _sense(
        self,
        modality: Modality,
        said: Sequence[Utterance],
        may: Sequence[Sequence[Modality]],
        unread: list[dict[Modality, str]],
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return one modality's vectors ``[n, width]`` and where they are real."""
        width = self._wants(modality)
        features = np.zeros((len(said), width or 1), np.float32)
        present = np.zeros(len(said), bool)
        for i, utterance in enumerate(said):
            if modality not in may[i]:
                continue
            if width is None:
                unread[i][modality] = f"no dialogue model is loaded that reads {modality}"
                continue
            made = self.senses.read(modality, utterance)
            if made.missing is None and len(made.vector) != width:
                unread[i][modality] = (
                    f"the encoder gives vectors of {len(made.vector)}, the dialogue model "
                    f"wants {width}"
                )
            elif made.missing is None:
                features[i], present[i] = made.vector, True
            else:
                unread[i][modality] = made.missing
        return features, present

    def _leave_out(self, found: Perception, i: int, user: UserContext, n: int) -> None:
        """Take out what says nothing beside what does; refuse an utterance with nothing left."""
        there = [m for m, p in found.present.items() if p[i]]
        if not there:
            raise InputError(
                f"nothing in utterance {i + 1} of {n} can be read: "
                + "; ".join(f"{m}: {why}" for m, why in found.unread[i].items())
            )
        mute = [m for m in there if user.weights.get(m, 1.0) == 0.0]
        if 0 < len(mute) < len(there):
            for m in mute:
                found.present[m][i] = False
                found.unread[i][m] = "this person's own weights leave it out"
            there = [m for m in there if m not in mute]
        if len(there) > 1 and Modality.TEXT in there and found.legible[i] < _LEGIBLE:
            found.present[Modality.TEXT][i] = False
            found.unread[i][Modality.TEXT] = "it is in a script that the text encoder cannot read"

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
