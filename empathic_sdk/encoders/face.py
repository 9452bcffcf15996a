"""Encoder of faces: pictures to one vector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.encoders.face_detection import Detector, HaarDetector, cut_out, largest
from empathic_sdk.encoders.images import (
    Pixels,
    check_count,
    check_pixels,
    decode,
    equalise,
    grey,
)
from empathic_sdk.encoders.opening import described, is_file, open_network
from empathic_sdk.errors import ConfigurationError, InputError, MissingExtraError, ModelError
from empathic_sdk.options import MediaLimits
from empathic_sdk.runtime.batching import Batcher
from empathic_sdk.runtime.extras import needs
from empathic_sdk.runtime.networks import shipped
from empathic_sdk.types import Embedding, Emotion, FeatureSequence, Modality
from empathic_sdk.types.utterance import Frame

Vectors = NDArray[np.float32]

MARGIN = 0.036
"""Margin of a crop on every side of a detected face, as a share of its size.

The cascade finds the faces of FER2013, pasted onto larger pictures, at 0.933 of the crops' width
(median over a sample of its public test split): this margin frames a face as those crops do.
"""


class _Seen(NamedTuple):
    """Output for one face: float32 vector ``[width]``, and logits ``[7]`` with a head."""

    vector: Vectors
    logits: Vectors | None


class _Network(Protocol):
    width: int
    about: dict[str, Any]
    temperature: float

    def see(self, faces: Sequence[Pixels]) -> list[_Seen]: ...
    def weights(self, vectors: Vectors) -> Vectors: ...


class FaceEncoder:
    """Encodes faces with the embedded network, or with any Hugging Face image model.

    Of each frame, the largest face is cropped, equalised and encoded; the frames of an utterance
    are pooled by attention over time (PED, eq 39-41). Frames without a face are ignored.

    Args:
        model: ``None`` for the network that ships with this package; else an ``.onnx`` of
            ``empathic export onnx``, a checkpoint (``.safetensors``) of ``empathic train face``,
            which needs PyTorch, or the name or folder of a Hugging Face vision model (a name is
            looked up on the Hugging Face Hub).
        detector: Finds faces: any callable from a uint8 RGB picture to a list of ``Box``.
            Default: OpenCV's Haar cascade for frontal faces.
        margin: Margin of a crop on every side of a detected face, as a share of its size.
        most_frames: Maximum frames read per utterance, evenly spaced.
        limits: How many frames and pixels an utterance may have.

    Attributes:
        name: What was loaded.
        width: Length of a vector.
        path: The loaded file, or ``None`` for a Hugging Face model.
        about: Its description: sizes, calibration; empty for a Hugging Face model.
        embedded: Whether it is one of our networks.

    Raises:
        MissingExtraError: It is a model of ``transformers``, and the extra "encoders" is not
            installed.
        ModelError: The model cannot be loaded.
        ConfigurationError: A number is out of range.

    Thread-safe: simultaneous calls become one batch.
    """

    def __init__(
        self,
        model: str | Path | None = None,
        *,
        detector: Detector | None = None,
        margin: float = MARGIN,
        most_frames: int = 32,
        limits: MediaLimits | None = None,
    ) -> None:
        if not 0 <= margin <= 1 or most_frames < 1:
            raise ConfigurationError("margin must lie in [0, 1] and most_frames be 1 or more")
        self.name = "face-empathic" if model is None else str(model)
        self.path = (shipped("face") if model is None else Path(model)) if is_file(model) else None
        self.margin, self.most_frames = margin, most_frames
        self.limits = limits or MediaLimits()
        self._detector = detector
        self._network: _Network = _Embedded(self.path) if self.path else _Plugged(str(model))
        self.width = self._network.width
        self.about: dict[str, Any] = self._network.about
        self.embedded = self.path is not None
        self._batcher: Batcher[Pixels, _Seen] = Batcher(self._network.see)

    def encode(self, items: Sequence[Sequence[Frame]], *, cropped: bool = False) -> list[Embedding]:
        """Return one embedding per utterance.

        Args:
            items: The frames of each utterance: paths, bytes of picture files, or uint8 arrays
                ``[height, width, channel]`` RGB.
            cropped: The frames are face crops, as in FER2013: no face is searched for.

        Raises:
            InputError: No frame of an utterance is a readable picture, or they are more than the
                limits allow. Single broken frames count as frames without a face.
        """
        items = list(items)  # an iterator would be used up by the check
        for frames in items:
            check_count(frames, self.limits)
        faces = [self._faces(_spaced(frames, self.most_frames), cropped) for frames in items]
        seen = iter(self._batcher([f for row in faces for f in row if f is not None]))
        return [
            self._pooled([next(seen) for face in row if face is not None], len(row))
            for row in faces
        ]

    def encode_crops(self, crops: Sequence[Frame]) -> list[Embedding]:
        """Return one embedding per face crop, such as the 48 x 48 pixels of FER2013."""
        return self.encode([[crop] for crop in crops], cropped=True)

    def features(
        self, frames: Sequence[Frame], *, rate: float = 25.0, cropped: bool = False
    ) -> FeatureSequence:
        """Return one vector per frame; without a face, zeros under a ``False`` mask.

        Args:
            frames: Frames of one utterance; all are read.
            rate: Frames per second, for the times.
            cropped: As in :meth:`encode`.
        """
        if not rate > 0:
            raise ConfigurationError("rate must be above 0 frames a second")
        check_count(frames, self.limits)
        faces = self._faces(frames, cropped)
        mask = np.array([face is not None for face in faces], bool)
        values = np.zeros((len(faces), self.width), np.float32)
        if mask.any():
            values[mask] = [s.vector for s in self._batcher([f for f in faces if f is not None])]
        return FeatureSequence(
            modality=Modality.FACE, values=values, times=np.arange(len(faces)) / rate, mask=mask
        )

    def _faces(self, frames: Sequence[Frame], cropped: bool) -> list[Pixels | None]:
        """Return the face of each frame; a broken picture does not affect the others."""
        found: list[Pixels | None] = []
        broken: list[InputError] = []
        check_pixels(frames, self.limits)
        for frame in frames:
            try:
                found.append(self._face(frame, cropped))
            except InputError as error:
                broken.append(error)
                found.append(None)
        if broken and len(broken) == len(found):
            raise broken[0]
        return found

    def _face(self, frame: Frame, cropped: bool) -> Pixels | None:
        """Return the largest face of a frame, RGB; ``None`` without one."""
        image = decode(frame, limits=self.limits)
        if not cropped:
            if self._detector is None:
                self._detector = HaarDetector()
            box = largest(self._detector(image))
            if box is None:
                return None
            image = cut_out(image, box, margin=self.margin)
        return image if image.min() != image.max() else None

    def _pooled(self, seen: Sequence[_Seen], frames: int) -> Embedding:
        """Pool the frames with a face to one embedding."""
        if not seen:
            return Embedding(
                modality=Modality.FACE,
                vector=np.zeros(self.width, np.float32),
                missing="no frames" if not frames else f"no face found in {_count(frames)}",
            )
        vectors = np.stack([s.vector for s in seen])
        share = self._network.weights(vectors) if len(seen) > 1 else np.ones(1, np.float32)
        logits = [s.logits for s in seen if s.logits is not None]
        return Embedding(
            modality=Modality.FACE,
            vector=share @ vectors,
            probabilities=_softmax(share @ np.stack(logits) / self._network.temperature)
            if logits
            else None,
        )


class _Embedded:
    """One of our networks; its outputs for a picture and its mirror image are averaged."""

    size = 48

    def __init__(self, path: Path) -> None:
        self._network = open_network("face", path)
        self.about = self._network.about
        described("face", self._network, path, ("vectors", "logits", "weights"), self._describe)

    def _describe(self, about: Mapping[str, Any]) -> None:
        self.temperature = float(about["calibration"]["temperature"])
        self.width = int(about["width"])

    def see(self, faces: Sequence[Pixels]) -> list[_Seen]:
        x = np.stack([_input(face, self.size) for face in faces])[:, None]
        out = self._network(faces=x, frames=np.zeros((0, self.width), np.float32))
        return [_Seen(v, z) for v, z in zip(out["vectors"], out["logits"], strict=True)]

    def weights(self, vectors: Vectors) -> Vectors:
        none = np.zeros((0, 1, self.size, self.size), np.float32)
        return self._network(faces=none, frames=vectors)["weights"]


def _input(face: Pixels, size: int) -> Vectors:
    """Return a face as network input: grey, equalised, ``[size, size]`` in [-1, 1]."""
    if min(face.shape[:2]) > 8 * size:  # a large picture, at a bounded cost
        face = _cv2().resize(face, (4 * size, 4 * size), interpolation=_cv2().INTER_AREA)
    even = equalise(grey(face))
    if even.shape != (size, size):
        cv2 = _cv2()
        way = cv2.INTER_AREA if min(even.shape) > size else cv2.INTER_LINEAR
        even = cv2.resize(even, (size, size), interpolation=way)
    return even.astype(np.float32) / np.float32(127.5) - np.float32(1)


class _Plugged:
    """Any vision model of ``transformers``; a classifier's head is used where it names emotions."""

    temperature = 1.0

    def __init__(self, name: str) -> None:
        self.about: dict[str, Any] = {}
        with needs("encoders", "a vision model of transformers"):
            import transformers  # seconds to import

        try:
            processor: Any = transformers.AutoImageProcessor
            self._processor = processor.from_pretrained(name)
            config = transformers.AutoConfig.from_pretrained(name)
            classifies = any("ForImageClassification" in a for a in config.architectures or ())
            kind = transformers.AutoModelForImageClassification if classifies else (
                transformers.AutoModel
            )  # fmt: skip
            self._model = kind.from_pretrained(name, use_safetensors=True)  # never a pickle
            self._columns = _columns(config.id2label) if classifies else None
            self._model.eval()
            self.width = self._vectors(np.zeros((1, 32, 32, 3), np.uint8))[0].shape[1]
        except Exception as error:  # network, disk and config errors of many kinds
            raise ModelError(f"the vision model {name!r} cannot be loaded: {error}") from error

    def see(self, faces: Sequence[Pixels]) -> list[_Seen]:
        vectors, logits = self._vectors(faces)
        return [_Seen(v, None if logits is None else logits[i]) for i, v in enumerate(vectors)]

    def weights(self, vectors: Vectors) -> Vectors:
        return np.full(len(vectors), 1 / len(vectors), np.float32)

    def _vectors(self, faces: Any) -> tuple[Vectors, Vectors | None]:
        import torch

        inputs = self._processor(images=list(faces), return_tensors="pt")
        with torch.inference_mode():
            out = self._model(**inputs, output_hidden_states=True)
        last = out.hidden_states[-1]
        # Transformers put a summary first; convolutional models end in a map.
        vectors = last[:, 0] if last.ndim == 3 else last.mean((2, 3))
        logits = out.logits[:, self._columns].float().numpy() if self._columns else None
        return vectors.float().numpy(), logits


_WORDS: Mapping[str, Emotion] = {
    **{str(e): e for e in Emotion},
    "angry": Emotion.ANGER, "disgusted": Emotion.DISGUST, "fearful": Emotion.FEAR,
    "happy": Emotion.JOY, "happiness": Emotion.JOY, "sad": Emotion.SADNESS,
    "surprised": Emotion.SURPRISE,
}  # fmt: skip


def _columns(labels: Mapping[int, str]) -> list[int] | None:
    """Return the index of each emotion in a classifier's logits; ``None`` unless all are there."""
    at = {_WORDS[w.lower()]: int(k) for k, w in labels.items() if w.lower() in _WORDS}
    return [at[e] for e in Emotion] if len(at) == len(Emotion) else None


def _spaced(frames: Sequence[Frame], most: int) -> list[Frame]:
    """Return at most ``most`` of the frames, evenly spaced, including the first and last."""
    if len(frames) <= most:
        return list(frames)
    return [frames[i] for i in np.linspace(0, len(frames) - 1, most).round().astype(int)]


def _softmax(logits: NDArray[np.floating]) -> Vectors:
    e = np.exp(logits - logits.max())
    return np.asarray(e / e.sum(), np.float32)


def _count(frames: int) -> str:
    return "1 frame" if frames == 1 else f"{frames} frames"


def _cv2() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise MissingExtraError("face", "reading faces") from error
    return cv2
