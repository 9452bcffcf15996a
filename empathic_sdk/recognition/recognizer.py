"""The emotion recogniser: utterances to emotion states."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.encoders.alignment import align
from empathic_sdk.encoders.normalize import legible
from empathic_sdk.encoders.text import TextEncoder
from empathic_sdk.errors import ConfigurationError, InputError, ModelError
from empathic_sdk.llm.extras import needs_langchain
from empathic_sdk.options import MediaLimits
from empathic_sdk.policy import Deployment, agreed, allowed, announce, refusal
from empathic_sdk.recognition.calibration import Calibration
from empathic_sdk.recognition.channels import Channel, evidence
from empathic_sdk.recognition.channels import channels as checked
from empathic_sdk.recognition.dialogue_checkpoint import load_dialogue
from empathic_sdk.recognition.dialogue_model import (
    Memory,
    SteppedMemory,
    calibration_of,
    made,
)
from empathic_sdk.recognition.dialogue_network import DialogueNetwork
from empathic_sdk.recognition.dialogue_state import DialogueMemory
from empathic_sdk.recognition.modalities import Listener, ModalityEncoders
from empathic_sdk.recognition.perception import Perception
from empathic_sdk.recognition.session import DialogueSession
from empathic_sdk.recognition.text_heads import TextHeads, TextReading
from empathic_sdk.runtime.processes import StaysHere
from empathic_sdk.types import (
    AlignedWindows,
    Emotion,
    EmotionState,
    Modality,
    UserContext,
    Utterance,
)
from empathic_sdk.types.protocols import DialogueModel, Encoder, ProbabilityEncoder
from empathic_sdk.types.utterance import utterances_of

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable

# Beside the text encoder's checkpoint: as it is exported, or as training leaves it.
DIALOGUES = ("dialogue.onnx", "dialogue.safetensors")
# A text with a lower legible share is ignored beside a voice or a face.
_LEGIBLE = 0.5


class EmotionRecognizer(StaysHere):
    """Recognises the emotion of each utterance, given those before it.

    Args:
        text: The text encoder; by default the one that ships with this package.
        heads: A checkpoint of ``empathic train text`` with heads for that encoder; by default
            the checkpoint of the encoder itself.
        dialogue: A causal dialogue checkpoint for that encoder (``empathic train joint``); by
            default the one beside the encoder's own checkpoint, if there is one: exported, or as
            training wrote it, which needs PyTorch. With ``False``, or an encoder without a dialogue
            model, each utterance is read in isolation. A model of your own is an object that fits
            :class:`~empathic_sdk.types.protocols.DialogueModel`, or the name under
            which one was registered.
        deployment: Where this runs; decides which modalities may be read. Default: text only.
        speech: A ``SpeechEncoder``; ``None`` is the embedded one, made when it is first needed,
            ``False`` none. It must be the one that the dialogue model was trained with.
        face: A ``FaceEncoder``, in the same way.
        behaviour: A ``BehaviourEncoder``, in the same way.
        transcriber: Transcribes speech if an utterance has no text; ``None`` is Whisper, if its
            weights are on this machine; ``False``: only the voice is used.
        channels: Encoders that the dialogue model does not read, by modality: their own
            probabilities are fused with its output
            (:class:`~empathic_sdk.recognition.channels.Channel`). For a modality of your own
            (``register_modality``), or one of ours in place of its encoder.
        limits: How much of media the embedded encoders read.

    Attributes:
        dialogue: The dialogue model: a network, the object given, or ``None``.
        widths: Width of its input vectors, by modality; empty without a dialogue model.

    Raises:
        ConfigurationError: An argument is invalid.
        ModelError: The heads or the dialogue model do not match the encoders.

    Thread-safe.
    """

    def __init__(
        self,
        *,
        text: TextEncoder | None = None,
        heads: str | Path | None = None,
        dialogue: str | Path | DialogueModel | Literal[False] | None = None,
        deployment: Deployment | None = None,
        speech: Encoder | Literal[False] | None = None,
        face: Encoder | Literal[False] | None = None,
        behaviour: Encoder | Literal[False] | None = None,
        transcriber: Listener | Literal[False] | None = None,
        channels: Mapping[Modality | str, Channel | ProbabilityEncoder] | None = None,
        limits: MediaLimits | None = None,
    ) -> None:
        self.channels = checked(channels)
        self.modality_encoders = ModalityEncoders(
            {Modality.SPEECH: speech, Modality.FACE: face, Modality.BEHAVIOUR: behaviour},
            transcriber,
            limits,
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
        self._heads = TextHeads(path)
        self.calibration, self.about = self._heads.calibration, self._heads.about
        self.text_temperature = self.calibration.temperature
        if self._heads.width != self.text.width:
            raise ModelError(
                f"the heads at {path} want vectors of {self._heads.width}, "
                f"the encoder {self.text.name!r} gives {self.text.width}"
            )
        self.dialogue: Any = None
        self.widths: dict[str, int] = {}
        if dialogue is None and self.text.path is not None:
            beside = (self.text.path.with_name(name) for name in DIALOGUES)
            dialogue = next((p for p in beside if p.is_file()), None)
        if isinstance(dialogue, str) and (named := made(dialogue)) is not None:
            dialogue = named
        if isinstance(dialogue, str | Path) and dialogue:
            found = load_dialogue(Path(dialogue), self.text)
            self.dialogue, self.dialogue_about = found.network, found.about
            self.widths = dict(found.network.inputs)
            self._calibrate(found.calibration)
        elif isinstance(dialogue, DialogueModel):
            self._plug_in(dialogue)
        elif dialogue not in (None, False):
            raise ConfigurationError(
                "dialogue must be the path of a checkpoint, a dialogue model (name, widths and "
                f"start()), the name of a registered one, False or None, not {dialogue!r}"
            )
        for m in self.channels:  # read by them alone
            self.widths.pop(m, None)
        given = {Modality.SPEECH: speech, Modality.FACE: face, Modality.BEHAVIOUR: behaviour}
        for m, encoder in given.items():
            wants = self.widths.get(m)
            if encoder and wants not in (None, encoder.width):
                raise ModelError(
                    f"the dialogue model wants {m} vectors of {wants}, the encoder given gives "
                    f"{encoder.width}: train one with it (`empathic train fusion`)"
                )

    def _plug_in(self, model: DialogueModel) -> None:
        if model.widths.get(Modality.TEXT) != self.text.width:
            raise ModelError(
                f"the dialogue model {model.name!r} wants {dict(model.widths)}; this recogniser "
                f"has text vectors of {self.text.width}"
            )
        self.dialogue, self.dialogue_about = model, {"name": model.name}
        self.widths = {str(m): int(width) for m, width in model.widths.items()}
        self._calibrate(calibration_of(model))

    def _calibrate(self, calibration: Calibration) -> None:
        """Adopt the calibration of the dialogue model, which has no multi-label head."""
        self.calibration = calibration.model_copy(update={"present": self.calibration.present})

    def memory(self) -> Memory | None:
        """Open a memory of the dialogue model; ``None`` if utterances are read in isolation."""
        if self.dialogue is None:
            return None
        if isinstance(self.dialogue, DialogueNetwork):
            return DialogueMemory(self.dialogue, self.calibration)
        return SteppedMemory(self.dialogue)

    def recognize(
        self, utterance: Utterance | str, *, user: UserContext | None = None
    ) -> EmotionState:
        """Return the state of one utterance without context.

        Args:
            utterance: A text, or anything with speech, faces or events in it.
            user: The person; ``UserContext(consents={...})`` holds their consents.

        Raises:
            InputError: It is empty, not an utterance, or nothing in it can be read; or the user is
                no ``UserContext``.
            PolicyError: Nothing in it may be processed here.
        """
        return self.session(user).add(utterance)

    def recognize_dialogue(
        self, utterances: Iterable[Utterance | str], *, user: UserContext | None = None
    ) -> list[EmotionState]:
        """Return one state per utterance, each given only those before it."""
        return self.session(user).extend(utterances_of(utterances))

    async def arecognize(
        self, utterance: Utterance | str, *, user: UserContext | None = None
    ) -> EmotionState:
        """:meth:`recognize` for event loops; it runs in a thread."""
        return await asyncio.to_thread(self.recognize, utterance, user=user)

    async def arecognize_dialogue(
        self, utterances: Iterable[Utterance | str], *, user: UserContext | None = None
    ) -> list[EmotionState]:
        """:meth:`recognize_dialogue` for event loops."""
        return await asyncio.to_thread(self.recognize_dialogue, utterances, user=user)

    def session(self, user: UserContext | None = None) -> DialogueSession:
        """Open a dialogue that takes one utterance at a time."""
        return DialogueSession(self, _person(user))

    def read(self, texts: Sequence[str], corpus: str | None = None) -> TextReading:
        """Return raw logits for many texts (uncalibrated; for evaluation and tools).

        The embedded network reads Latin script; its logits for other scripts are scaled towards
        zero, so that such a text comes out as uncertain.

        Args:
            texts: Any strings.
            corpus: Corpus whose label frequencies to assume; default as at run time.

        Raises:
            InputError: They are no strings, or the heads know no such corpus.
        """
        known = self._heads.corpora
        if not (corpus is None or (isinstance(corpus, str) and corpus in known)):
            raise InputError(f"corpus must be one that the heads know: {', '.join(known)}")
        vectors = self.text.encode(texts)
        out = self._heads.read(vectors, corpus)
        share = self._legible(texts)[:, None]
        return TextReading(out.emotion * share, out.present, out.affect * share)

    def timeline(
        self, utterance: Utterance | str, *, window_s: float = 1.0, user: UserContext | None = None
    ) -> AlignedWindows:
        """Return the encoders' features of one utterance in windows on one clock.

        For inspecting a recording; the dialogue model reads one vector per utterance. The text
        is in the first window. Windows are causal.

        Args:
            utterance: With speech, frames (taken as 25 per second) or events.
            window_s: Length of a window in seconds.
            user: The person, with their consents.

        Raises:
            InputError: A signal cannot be read, or an event precedes the utterance.
            MissingExtraError: A package is missing for one of its signals.
            PolicyError: Nothing in it may be processed here.
        """
        utterance = Utterance.of(utterance)
        consented = agreed(_person(user), self.deployment)
        sequences = []
        for m in allowed(utterance.modalities, self.deployment, consented):
            if m is Modality.TEXT:
                sequences.append(self.text.features(utterance.text or ""))
            elif (
                m not in utterance.signals
                and (found := self.modality_encoders.sequence(m, utterance)) is not None
            ):
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

        Returned unchanged if there is no audio, if speech may not be processed, or if nothing
        can be transcribed.
        """
        utterance, user = Utterance.of(utterance), _person(user)
        there = utterance.modalities
        if Modality.SPEECH not in there or Modality.TEXT in there:
            return utterance
        consented = agreed(user, self.deployment)
        if refusal(Modality.SPEECH, self.deployment, consented) is not None:
            return utterance
        words = self.modality_encoders.words(utterance)
        return utterance if words is None else utterance.model_copy(update={"text": words})

    def perceive(self, said: Sequence[Utterance], user: UserContext) -> Perception:
        """Encode utterances.

        A broken, refused or unreadable modality is left out, with a reason, as long as another
        is left.

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
            out = self._heads.read(vectors)
            share = self._legible(texts)
            features[Modality.TEXT][rows], present[Modality.TEXT][rows] = vectors, True
            emotion[rows] = out.emotion * share[:, None]
            affect[rows], known[rows] = out.affect * share[:, None], share
        for m in (Modality.SPEECH, Modality.FACE, Modality.BEHAVIOUR):
            if m not in self.channels and any(m in left for left in may):
                features[m], present[m] = self._encoded(m, said, may, unread)
        odds = [self._odds(u, may[i], unread[i], user) for i, u in enumerate(said)]
        found = Perception(features, present, emotion, affect, known, unread, odds)
        for i in range(n):
            self._leave_out(found, i, user, n)
        return found

    def _odds(
        self,
        utterance: Utterance,
        may: Sequence[Modality],
        unread: dict[Modality, str],
        user: UserContext,
    ) -> dict[Modality, NDArray[np.float64]]:
        """Return the log-odds of channels for one utterance, by modality."""
        found = {}
        for m in may:
            if m in self.channels:
                said = evidence(self.channels[m], m, utterance)
                if isinstance(said, str):
                    unread[m] = said
                else:
                    found[m] = said * (user.weights.get(m, 1.0) or 1.0)
            elif m in utterance.signals:
                unread[m] = f"no encoder is plugged in for {m}: give one as channels="
        return found

    def _encoded(
        self,
        modality: Modality,
        said: Sequence[Utterance],
        may: Sequence[Sequence[Modality]],
        unread: list[dict[Modality, str]],
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return one modality's vectors ``[n, width]`` and where they are real."""
        width = self.widths.get(modality)
        features = np.zeros((len(said), width or 1), np.float32)
        present = np.zeros(len(said), bool)
        for i, utterance in enumerate(said):
            if modality not in may[i]:
                continue
            if width is None:
                unread[i][modality] = f"no dialogue model is loaded that reads {modality}"
                continue
            read = self.modality_encoders.read(modality, utterance)
            if read.missing is None and len(read.vector) != width:
                unread[i][modality] = (
                    f"the encoder gives vectors of {len(read.vector)}, the dialogue model "
                    f"wants {width}"
                )
            elif read.missing is None:
                features[i], present[i] = read.vector, True
            else:
                unread[i][modality] = read.missing
        return features, present

    def _leave_out(self, found: Perception, i: int, user: UserContext, n: int) -> None:
        """Drop modalities without evidence; raise if an utterance has nothing left."""
        there = [*found.read(i), *found.odds[i]]
        if not there:
            raise InputError(
                f"nothing in utterance {i + 1} of {n} can be read: "
                + "; ".join(f"{m}: {why}" for m, why in found.unread[i].items())
            )
        mute = [m for m in there if user.weights.get(m, 1.0) == 0.0]
        if 0 < len(mute) < len(there):
            for m in mute:
                if found.odds[i].pop(m, None) is None:
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


def _person(user: UserContext | None) -> UserContext:
    if not (user is None or isinstance(user, UserContext)):
        raise InputError(
            "user= of a recogniser is a UserContext, such as UserContext(consents={'speech'}), or "
            f"None, not {type(user).__name__}"
        )
    return user or UserContext()
