from __future__ import annotations

import io
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from empathic_sdk import FaceEncoder
from empathic_sdk.encoders.face_detection import Box
from empathic_sdk.errors import ConfigurationError, InputError, ModelError
from empathic_sdk.models.face import FaceConfig, FaceNet, FramePool, TableFiveCNN
from empathic_sdk.options import MediaLimits
from empathic_sdk.runtime import checkpoints
from empathic_sdk.types import Emotion, Modality
from tests.encoders.drawn import drawn_face, scene

SIZES = FaceConfig(stem=4, widths=(4, 8), blocks=(1, 1))


def write(path: Path, *, cnn: bool = False, temperature: float = 2.0) -> Path:
    """Write a checkpoint of random weights whose attention has an opinion."""
    torch.manual_seed(0)
    net = TableFiveCNN() if cnn else FaceNet(SIZES)
    pool = FramePool(net.width)
    torch.nn.init.normal_(pool.query.weight)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean, -0.2, 0.2)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
    tensors = {f"net.{n}": t for n, t in net.state_dict().items() if t.is_floating_point()}
    tensors |= {f"pool.{n}": t for n, t in pool.state_dict().items()}
    about = {
        "name": "tiny", "width": net.width, "face": None if cnn else SIZES._asdict(),
        "calibration": {"temperature": temperature},
    }  # fmt: skip
    checkpoints.save(path, tensors, about)
    return path


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("face") / "face.safetensors")


@pytest.fixture(scope="module")
def encoder(path: Path) -> FaceEncoder:
    return FaceEncoder(path)


@pytest.fixture
def crops() -> np.ndarray:
    """Five gratings, each with a pitch and a direction of its own."""
    y, x = np.mgrid[:48, :48]
    waves = [np.sin((x * np.cos(k) + y * np.sin(k)) * (0.1 + 0.2 * k)) for k in range(5)]
    return (127 + 100 * np.stack(waves)).astype(np.uint8)


def fixed(*boxes: Box) -> object:
    return lambda image: list(boxes)


def test_one_crop(encoder: FaceEncoder, crops: np.ndarray) -> None:
    (one,) = encoder.encode_crops(crops[:1])
    assert one.modality is Modality.FACE
    assert one.present
    assert one.vector.shape == (encoder.width,) == (8,)
    assert one.probabilities is not None
    assert one.probabilities.dtype == np.float32
    assert one.probabilities.shape == (len(Emotion),)
    assert one.probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert encoder.embedded and encoder.path is not None
    assert encoder.name == str(encoder.path)


def test_what_a_crop_gives_is_the_networks_mean_over_its_mirror(
    path: Path, encoder: FaceEncoder
) -> None:
    """An independent reading: the network called directly, on an equalised crop."""
    ramp = np.tile(np.repeat(np.arange(0, 256, 16, dtype=np.uint8), 3), (48, 1))
    # Sixteen levels of equal count: eq 1 puts the k-th at round(255 k / 15).
    even = np.tile(np.repeat(np.round(np.arange(16) * 17.0), 3), (48, 1))
    tensors, _ = checkpoints.load(path)
    net = FaceNet(SIZES)
    net.load_state_dict(checkpoints.part(tensors, "net"), strict=False)
    net.eval()
    x = torch.from_numpy(even).float()[None, None] / 127.5 - 1
    with torch.no_grad():
        vector = (net(x).vectors + net(x.flip(3)).vectors)[0] / 2
        p = torch.softmax(net.head(vector) / 2.0, -1)
    (one,) = encoder.encode_crops([ramp])
    np.testing.assert_allclose(one.vector, vector.numpy(), atol=1e-5)
    np.testing.assert_allclose(one.probabilities, p.numpy(), atol=1e-5)
    (mirror,) = encoder.encode_crops([ramp[:, ::-1].copy()])
    np.testing.assert_allclose(mirror.vector, one.vector, atol=1e-5)


def test_an_iterator_is_read_whole(encoder: FaceEncoder, crops: np.ndarray) -> None:
    given: Any = ([crop] for crop in crops[:2])
    found = encoder.encode(given, cropped=True)
    assert [len(found), *(e.missing for e in found)] == [2, None, None]


def test_size_hardly_matters(encoder: FaceEncoder, crops: np.ndarray) -> None:
    (small,) = encoder.encode_crops([crops[1]])
    for times in (2, 5, 12):
        (large,) = encoder.encode_crops([crops[1].repeat(times, 0).repeat(times, 1)])
        np.testing.assert_allclose(large.vector, small.vector, atol=2e-3)


def test_light_does_not_matter(encoder: FaceEncoder, crops: np.ndarray) -> None:
    dark = crops[0] // 2  # fewer levels, the same order
    bright = dark + 100
    one, other = encoder.encode_crops([dark, bright])
    np.testing.assert_allclose(one.vector, other.vector, atol=1e-6)


def test_frames_are_pooled_by_attention(
    path: Path, encoder: FaceEncoder, crops: np.ndarray
) -> None:
    single = encoder.encode_crops(crops)
    (pooled,) = encoder.encode([list(crops)], cropped=True)
    rows = np.stack([e.vector for e in single])
    tensors, _ = checkpoints.load(path)
    pool = FramePool(8).eval()
    pool.load_state_dict(checkpoints.part(tensors, "pool"))
    with torch.no_grad():
        weights = pool.weights(torch.from_numpy(rows)[None], torch.ones(1, 5, dtype=torch.bool))[0]
    assert weights.std() > 0.01  # not a plain mean
    np.testing.assert_allclose(pooled.vector, weights.numpy() @ rows, atol=1e-5)
    (again,) = encoder.encode([[crops[0]]], cropped=True)
    np.testing.assert_allclose(again.vector, single[0].vector, atol=1e-6)
    (twice,) = encoder.encode([[crops[0], crops[0]]], cropped=True)
    np.testing.assert_allclose(twice.vector, single[0].vector, atol=1e-5)


def test_frames_without_a_face_do_not_count(encoder: FaceEncoder, crops: np.ndarray) -> None:
    flat = np.zeros((48, 48), np.uint8)
    (with_flat,) = encoder.encode([[flat, crops[0], flat, crops[1]]], cropped=True)
    (without,) = encoder.encode([[crops[0], crops[1]]], cropped=True)
    np.testing.assert_allclose(with_flat.vector, without.vector, atol=1e-6)


def test_nothing_to_be_seen(encoder: FaceEncoder) -> None:
    black = np.zeros((480, 640, 3), np.uint8)
    tiny = np.zeros((4, 4, 3), np.uint8)
    no_frames, one, several, small = encoder.encode([[], [black], [black, black], [tiny]])
    assert no_frames.missing == "no frames"
    assert one.missing == small.missing == "no face found in 1 frame"
    assert several.missing == "no face found in 2 frames"
    for e in (no_frames, one, several):
        assert not e.present and e.probabilities is None and not e.vector.any()
    assert encoder.encode([]) == []


def test_a_drawn_face_in_a_scene(encoder: FaceEncoder) -> None:
    picture = scene(drawn_face(200), (480, 640), (120, 220))
    for frame in (picture, np.dstack([picture, np.full((480, 640), 255, np.uint8)])):
        (found,) = encoder.encode([[frame]])
        assert found.present
    (grey,) = encoder.encode([[picture[:, :, 0].copy()]])
    np.testing.assert_allclose(grey.vector, found.vector, atol=1e-5)


def test_the_largest_of_three_faces_counts(path: Path, crops: np.ndarray) -> None:
    image = np.full((200, 300, 3), 128, np.uint8)
    places = [(0, 0), (100, 0), (100, 100)]
    for (x, y), crop in zip(places, crops, strict=False):
        image[y : y + 48, x : x + 48] = crop[:, :, None]
    boxes = [
        Box(x=x, y=y, width=w, height=w) for (x, y), w in zip(places, (40, 48, 44), strict=True)
    ]
    (found,) = FaceEncoder(path, detector=fixed(*boxes), margin=0.0).encode([[image]])
    (alone,) = FaceEncoder(path).encode_crops([crops[1]])
    np.testing.assert_allclose(found.vector, alone.vector, atol=1e-6)


def test_the_detector_sees_an_upright_rgb_picture(path: Path) -> None:
    seen: list[np.ndarray] = []

    def look(image: np.ndarray) -> Sequence[Box]:
        seen.append(image)
        return []

    FaceEncoder(path, detector=look).encode([[np.zeros((7, 9), np.uint8)]])
    assert seen[0].shape == (7, 9, 3) and seen[0].dtype == np.uint8


def test_of_many_frames_some_are_read(path: Path, crops: np.ndarray) -> None:
    seen: list[int] = []

    def look(image: np.ndarray) -> Sequence[Box]:
        seen.append(int(image[0, 0, 0]))
        return []

    frames = [np.full((30, 30, 3), k, np.uint8) for k in range(100)]
    FaceEncoder(path, detector=look, most_frames=4).encode([frames])
    assert seen == [0, 33, 66, 99]


def test_more_frames_than_the_limit_are_refused(path: Path, crops: np.ndarray) -> None:
    encoder = FaceEncoder(path, limits=MediaLimits(frames=3))
    assert len(encoder.encode([list(crops[:3])], cropped=True)) == 1
    for read in (lambda f: encoder.encode([f], cropped=True), encoder.features):
        with pytest.raises(InputError, match="4 frames; 3 are the most"):
            read([crops[0]] * 4)
    with pytest.raises(InputError, match=r"3,001 frames; 3,000 are the most"):
        FaceEncoder(path).features([crops[0]] * 3001)


def test_the_pixels_of_an_utterance_are_limited_together(path: Path, crops: np.ndarray) -> None:
    encoder = FaceEncoder(path, limits=MediaLimits(all_pixels=3 * 48 * 48))
    assert encoder.encode([[crops[0]] * 3] * 2, cropped=True)[1].missing is None
    with pytest.raises(InputError, match="pixels together"):
        encoder.encode([[crops[0]] * 4], cropped=True)


def test_a_set_of_huge_frames_is_refused_before_it_costs_anything(path: Path) -> None:
    buffer = io.BytesIO()
    Image.new("1", (7000, 7000)).save(buffer, "PNG")
    frames = [buffer.getvalue()] * 32
    encoder = FaceEncoder(path, detector=lambda _: [])
    start = time.monotonic()
    with pytest.raises(InputError, match="200 million pixels together"):
        encoder.encode([frames])
    assert time.monotonic() - start < 3  # no picture was decoded


def test_features(encoder: FaceEncoder, crops: np.ndarray) -> None:
    flat = np.zeros((48, 48), np.uint8)
    sequence = encoder.features([crops[0], flat, crops[1]], rate=10.0, cropped=True)
    assert sequence.modality is Modality.FACE
    assert sequence.mask.tolist() == [True, False, True]
    assert sequence.times.tolist() == [0.0, 0.1, 0.2]
    assert not sequence.values[1].any()
    for row, e in zip((0, 2), encoder.encode_crops(crops[:2]), strict=True):
        np.testing.assert_allclose(sequence.values[row], e.vector, atol=1e-6)
    assert encoder.features([]).values.shape == (0, encoder.width)
    with pytest.raises(ConfigurationError, match="rate"):
        encoder.features([], rate=0)


def test_threads_get_their_own_answers(encoder: FaceEncoder, crops: np.ndarray) -> None:
    alone = [e.vector for e in encoder.encode_crops(crops)]
    wrong: list[int] = []

    def work(k: int) -> None:
        for _ in range(5):
            if not np.allclose(encoder.encode_crops([crops[k]])[0].vector, alone[k], atol=1e-5):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(5)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert wrong == []


@pytest.mark.parametrize(
    "frame", [np.zeros((48, 48, 3), np.float32), b"\xff\xd8\xff\xe0 cut off", "nowhere.png"]
)
def test_bad_frames_are_errors(encoder: FaceEncoder, frame: object) -> None:
    with pytest.raises(InputError):
        encoder.encode([[frame]])  # type: ignore[list-item]


def test_bad_checkpoints_are_errors(tmp_path: Path, path: Path) -> None:
    with pytest.raises(ModelError, match="no weights"):
        FaceEncoder(tmp_path / "none.safetensors")
    (tmp_path / "text.safetensors").write_bytes(b"no")
    with pytest.raises(ModelError, match="damaged"):
        FaceEncoder(tmp_path / "text.safetensors")
    tensors, about = checkpoints.load(path)
    checkpoints.save(tmp_path / "less.safetensors", dict(list(tensors.items())[3:]), about)
    with pytest.raises(ModelError, match="fits"):
        FaceEncoder(tmp_path / "less.safetensors")
    checkpoints.save(tmp_path / "other.safetensors", tensors, {"name": "other"})
    with pytest.raises(ModelError, match="fits"):
        FaceEncoder(tmp_path / "other.safetensors")
    for given in ({"margin": -1.0}, {"most_frames": 0}):
        with pytest.raises(ConfigurationError):
            FaceEncoder(path, **given)  # type: ignore[arg-type]


def test_the_papers_network_loads_too(tmp_path: Path, crops: np.ndarray) -> None:
    encoder = FaceEncoder(write(tmp_path / "cnn.safetensors", cnn=True))
    (one,) = encoder.encode_crops(crops[:1])
    assert one.vector.shape == (256,)


# -- models of transformers -----------------------------------------------------------------


def vit(folder: Path, labels: Sequence[str] | None) -> str:
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor, ViTModel

    torch.manual_seed(0)
    config = ViTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        image_size=32, patch_size=16,
        **({"id2label": dict(enumerate(labels))} if labels else {}),
    )  # fmt: skip
    kind = ViTForImageClassification if labels else ViTModel
    kind(config).save_pretrained(folder)
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return str(folder)


FER = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


@pytest.mark.parametrize("labels", [None, FER, ("cat", "dog")])
def test_a_vision_model_of_transformers(
    tmp_path: Path, labels: Sequence[str] | None, crops: np.ndarray
) -> None:
    encoder = FaceEncoder(vit(tmp_path, labels))
    assert (encoder.width, encoder.path, encoder.embedded) == (16, None, False)
    one, other = encoder.encode_crops(crops[:2])
    assert one.vector.shape == (16,)
    (both,) = encoder.encode([list(crops[:2])], cropped=True)
    np.testing.assert_allclose(both.vector, (one.vector + other.vector) / 2, atol=1e-6)
    if labels != FER:
        assert one.probabilities is None
        return
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    model = AutoModelForImageClassification.from_pretrained(tmp_path)
    rgb = np.repeat(crops[0][:, :, None], 3, 2)
    inputs = AutoImageProcessor.from_pretrained(tmp_path)(images=rgb, return_tensors="pt")
    with torch.no_grad():
        p = torch.softmax(model.eval()(**inputs).logits[0], -1).numpy()
    order = ("neutral", "happy", "sad", "angry", "surprise", "fear", "disgust")
    expected = [p[FER.index(name)] for name in order]
    np.testing.assert_allclose(one.probabilities, expected, atol=1e-5)


def test_an_unknown_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be loaded"):
        FaceEncoder(tmp_path / "nothing")


# -- what ships -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped() -> FaceEncoder:
    return FaceEncoder()


def test_what_ships_is_small_and_loads_fast(shipped: FaceEncoder) -> None:
    assert shipped.path is not None
    assert shipped.path.stat().st_size < 6_000_000
    seconds = []
    for _ in range(3):
        began = time.process_time()
        FaceEncoder()
        seconds.append(time.process_time() - began)
    assert min(seconds) < 0.3


def test_what_ships_reads_a_smile_from_a_frown() -> None:
    """Two drawn faces, alike but for the mouth: the smile has more joy, by far."""
    import cv2

    def mouth(up: bool) -> np.ndarray:
        face = drawn_face(200)
        cv2.ellipse(face, (100, 158), (34, 20), 0, 0, 360, 205, -1)  # skin over the mouth
        arc = (20, 160) if up else (200, 340)
        cv2.ellipse(face, (100, 145 if up else 170), (32, 20), 0, *arc, 40, 7)
        return cv2.GaussianBlur(face, (0, 0), 2)

    smile, frown = FaceEncoder().encode_crops([mouth(True), mouth(False)])
    joy = list(Emotion).index(Emotion.JOY)
    assert smile.probabilities is not None and frown.probabilities is not None
    assert smile.probabilities[joy] > 2 * frown.probabilities[joy]


@pytest.mark.data
def test_faces_of_fer2013_on_a_canvas(shipped: FaceEncoder) -> None:
    import os

    import cv2

    from empathic_sdk.lab.corpora.faces import read_faces

    faces = read_faces(Path(os.environ["EMPATHIC_DATA"]), "dev").take(np.arange(0, 3589, 60))
    right = 0
    found = []
    for image, label in zip(faces.images, faces.labels, strict=True):
        face = cv2.resize(image, (240, 240), interpolation=cv2.INTER_CUBIC)
        (e,) = shipped.encode([[scene(face, (480, 640), (120, 200))]])
        found.append(e.present)
        right += e.probabilities is not None and int(e.probabilities.argmax()) == label
    assert np.mean(found) > 0.6
    assert right / sum(found) > 0.5


def test_a_broken_picture_among_others_is_one_without_a_face(encoder: FaceEncoder) -> None:
    crop = np.tile(np.arange(48, dtype=np.uint8)[:, None] * 5, (1, 48))
    whole = encoder.encode([[crop, crop]], cropped=True)[0]
    mixed = encoder.encode([[crop, b"no picture", crop]], cropped=True)[0]
    assert mixed.present and np.allclose(mixed.vector, whole.vector, atol=1e-6)
    assert encoder.features([crop, b"no picture"], cropped=True).mask.tolist() == [True, False]
    with pytest.raises(InputError):
        encoder.encode([[b"no picture", b"nor this"]], cropped=True)
