from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from empathic_sdk.encoders.images import check_pixels, decode, equalise, grey
from empathic_sdk.errors import InputError
from empathic_sdk.options import MediaLimits


def file(image: Image.Image, kind: str = "PNG", **given: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **given)
    return buffer.getvalue()


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (6, 4, 3), dtype=np.uint8)


def test_path_bytes_and_array_agree(picture: np.ndarray, tmp_path: Path) -> None:
    data = file(Image.fromarray(picture))
    (tmp_path / "face.png").write_bytes(data)
    for frame in (picture, data, tmp_path / "face.png", str(tmp_path / "face.png")):
        np.testing.assert_array_equal(decode(frame), picture)


def test_every_kind_becomes_rgb(picture: np.ndarray) -> None:
    level = np.full((3, 5), 200, np.uint8)
    for frame in (level, level[:, :, None], file(Image.fromarray(level))):
        np.testing.assert_array_equal(decode(frame), np.full((3, 5, 3), 200))
    opaque = np.dstack([picture, np.full((6, 4), 255, np.uint8)])
    np.testing.assert_array_equal(decode(opaque), picture)
    clear = np.dstack([picture, np.zeros((6, 4), np.uint8)])
    np.testing.assert_array_equal(decode(clear), np.full((6, 4, 3), 128))
    np.testing.assert_array_equal(decode(file(Image.fromarray(clear))), np.full((6, 4, 3), 128))
    palette = Image.fromarray(level).convert("P")
    np.testing.assert_array_equal(decode(file(palette, "GIF")), np.full((3, 5, 3), 200))


def test_sixteen_bits_become_eight() -> None:
    deep = Image.fromarray(np.array([[0, 257, 65535]], np.uint16))
    np.testing.assert_array_equal(decode(file(deep))[0, :, 0], [0, 1, 255])


def test_exif_orientation_is_followed() -> None:
    lying = np.zeros((2, 3, 3), np.uint8)
    lying[0, 0] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise to see it upright
    upright = decode(file(Image.fromarray(lying), exif=exif))
    assert upright.shape == (3, 2, 3)
    assert upright[0, 1, 0] == 255  # what was top left is top right
    assert upright.sum() == 3 * 255


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (np.zeros((4, 4, 3), np.float32), "must be uint8"),
        (np.full((4, 4, 3), np.nan), "must be uint8"),
        (np.zeros((4, 4, 3), np.uint16), "must be uint8"),
        (np.zeros((3, 40, 40), np.uint8), "height, width, channel"),
        (np.zeros((4, 4, 2), np.uint8), "height, width, channel"),
        (np.zeros(16, np.uint8), "height, width, channel"),
        (np.zeros((2, 4, 4, 3), np.uint8), "height, width, channel"),
        (np.zeros((0, 4, 3), np.uint8), "no pixels"),
        (np.broadcast_to(np.uint8(0), (10_000, 10_000)), "50 million"),
        (b"", "not a readable picture"),
        (b"a text, whatever its name says", "not a readable picture"),
        ("nowhere.png", "no file"),
        (Path("/"), "no file"),
        (None, "must be a path"),
        (3.0, "must be a path"),
    ],
)
def test_what_is_no_picture_is_refused(frame: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        decode(frame)  # type: ignore[arg-type]


def test_a_text_with_a_pictures_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "face.png").write_text("not a readable picture", encoding="utf-8")
    with pytest.raises(InputError, match="not a readable picture"):
        decode(tmp_path / "face.png")


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_file_cut_off_is_refused(kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = file(Image.fromarray(noise), kind)
    with pytest.raises(InputError, match="cut off"):
        decode(data[: len(data) // 2])


def test_a_huge_file_is_refused_before_it_is_decoded() -> None:
    data = file(Image.new("1", (8000, 8000)))
    assert len(data) < 20_000
    with pytest.raises(InputError, match="8000 x 8000"):
        decode(data)


@pytest.mark.filterwarnings("error")
def test_a_bomb_is_refused() -> None:
    data = file(Image.new("1", (30_000, 30_000)))
    with pytest.raises(InputError):
        decode(data)


def test_grey_is_luma() -> None:
    rgb = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
    np.testing.assert_array_equal(grey(rgb), [[76, 150, 29, 255]])


def test_equalise_by_hand() -> None:
    # Eight pixels; cdf(52) = 3, cdf(55) = 4, cdf(61) = 8: (cdf - 3) / 5 * 255.
    picture = np.array([[52, 55, 61, 61], [52, 52, 61, 61]], np.uint8)
    np.testing.assert_array_equal(equalise(picture), [[0, 51, 255, 255], [0, 0, 255, 255]])
    flat = np.full((3, 3), 7, np.uint8)
    np.testing.assert_array_equal(equalise(flat), flat)


@given(
    arrays.arrays(
        np.uint8,
        arrays.array_shapes(min_dims=2, max_dims=2, max_side=12),
        elements=st.integers(0, 255),
    )
)
def test_equalise_keeps_the_order_and_needs_no_second_time(picture: np.ndarray) -> None:
    once = equalise(picture)
    levels = np.unique(picture)
    mapped = [once[picture == v] for v in levels]
    assert all(len(np.unique(m)) == 1 for m in mapped)
    firsts = [int(m[0]) for m in mapped]
    assert firsts == sorted(firsts)
    if len(levels) > 1:
        assert (once.min(), once.max()) == (0, 255)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_the_kinds_of_files_that_are_read(kind: str, tmp_path: Path) -> None:
    level = Image.fromarray(np.full((6, 4, 3), 128, np.uint8))
    data = file(level, kind)
    assert decode(data).shape == (6, 4, 3)
    (tmp_path / "picture").write_bytes(data)
    np.testing.assert_allclose(decode(tmp_path / "picture"), 128, atol=2)


@pytest.mark.parametrize("kind", ["EPS", "PPM", "ICO", "TGA", "PCX", "PDF"])
def test_other_kinds_are_refused_and_start_no_program(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def started(*_: object, **__: object) -> None:
        raise AssertionError("a program was started")

    monkeypatch.setattr("subprocess.Popen", started)
    monkeypatch.setattr("os.posix_spawn", started)
    data = file(Image.fromarray(np.full((16, 16, 3), 128, np.uint8)), kind)
    with pytest.raises(InputError, match=r"not a readable picture \(one of JPEG, PNG, WEBP"):
        decode(data)


@pytest.mark.parametrize(
    "path", ["a" * 5000 + ".png", "~nobody-of-this-name/x.png", "nul\0.png", "/dev/zero"]
)
def test_a_path_that_cannot_be_one(path: str) -> None:
    for frame in (path, Path(path)):
        with pytest.raises(InputError) as caught:
            decode(frame)
        assert len(str(caught.value)) < 500


def test_limits_of_your_own(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (20, 10, 3), dtype=np.uint8)
    data = file(Image.fromarray(picture))
    path = tmp_path / "picture.png"
    path.write_bytes(data)
    for frame in (picture, data, path):
        with pytest.raises(InputError, match=r"10 x 20 pixels; 199 are the most"):
            decode(frame, limits=MediaLimits(pixels=199))
        assert decode(frame, limits=MediaLimits(pixels=200)).shape == (20, 10, 3)
    for frame in (data, path):
        with pytest.raises(InputError, match="bytes are the most"):
            decode(frame, limits=MediaLimits(picture_bytes=len(data) - 1))


def test_the_pixels_of_all_pictures_count_together_before_they_are_decoded() -> None:
    limits = MediaLimits(all_pixels=450)
    whole = file(Image.fromarray(np.zeros((20, 10, 3), np.uint8)))
    cut = whole[:45]  # the header alone
    check_pixels([whole, cut], limits)
    with pytest.raises(InputError, match="more than 450 pixels together"):
        check_pixels([whole, cut, np.zeros((20, 10), np.uint8)], limits)
    check_pixels([whole, cut, b"no picture", "/nowhere.png"], limits)
