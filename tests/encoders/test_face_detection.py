from __future__ import annotations

import sys
import threading

import numpy as np
import pytest

from empathic_sdk.encoders.face_detection import Box, HaarDetector, cut_out, largest
from empathic_sdk.errors import ConfigurationError, InputError, MissingExtraError
from tests.encoders.drawn import drawn_face, scene


def test_a_drawn_face_is_found_where_it_is() -> None:
    face = drawn_face(200)
    found = HaarDetector()(scene(face, (480, 640), (120, 220)))
    box = largest(found)
    assert box is not None
    assert abs(box.x + box.width / 2 - 320) < 25
    assert abs(box.y + box.height / 2 - 220) < 40
    assert 110 < box.width < 230


def test_large_pictures_are_scaled_down_and_boxes_back() -> None:
    face = drawn_face(200)
    small = scene(face, (480, 640), (120, 220))
    large = small.repeat(3, 0).repeat(3, 1)
    one, three = largest(HaarDetector()(small)), largest(HaarDetector()(large))
    assert one is not None and three is not None
    assert three.x == pytest.approx(3 * one.x, abs=30)
    assert three.width == pytest.approx(3 * one.width, abs=60)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((480, 640, 3), np.uint8),
        np.full((480, 640, 3), 255, np.uint8),
        np.zeros((8, 8, 3), np.uint8),
        np.zeros((1, 2000, 3), np.uint8),
    ],
    ids=["black", "white", "tiny", "a line"],
)
def test_nothing_is_found_where_nothing_is(image: np.ndarray) -> None:
    assert HaarDetector()(image) == []


def test_threads_do_not_disturb_each_other() -> None:
    detector = HaarDetector()
    images = [scene(drawn_face(160 + 20 * k), (480, 640), (100, 60 * k)) for k in range(4)]
    alone = [detector(i) for i in images]
    together: list[list[Box] | None] = [None] * 4

    def work(k: int) -> None:
        for _ in range(3):
            together[k] = detector(images[k])

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert together == alone


def test_largest() -> None:
    boxes = [Box(x=0, y=0, width=w, height=h) for w, h in ((2, 9), (4, 5), (1, 1))]
    assert largest(boxes) == boxes[1]
    assert largest([]) is None
    with pytest.raises(InputError, match="Box"):
        largest([(0, 0, 1, 1)])  # type: ignore[list-item]
    with pytest.raises(InputError, match="width"):
        Box(x=0, y=0, width=0, height=1)


def test_cut_out_is_square_and_repeats_the_edge() -> None:
    image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    box = Box(x=1, y=1, width=2, height=2)
    np.testing.assert_array_equal(cut_out(image, box, margin=0), image[1:3, 1:3])
    np.testing.assert_array_equal(cut_out(image, box, margin=0.5), image)
    corner = cut_out(image, Box(x=-1, y=-1, width=2, height=1), margin=0)
    assert corner.shape == (2, 2, 3)
    assert (corner == image[0, 0]).all()
    vast = cut_out(image, Box(x=-1e9, y=0, width=2e9, height=1), margin=1)
    assert vast.shape == (8, 8, 3)
    with pytest.raises(InputError, match="x:"):
        Box(x=float("nan"), y=0, width=1, height=1)


def test_the_detector_checks_its_numbers() -> None:
    for given in ({"quick": 4}, {"close": 100}, {"neighbours": 0}):
        with pytest.raises(ConfigurationError):
            HaarDetector(**given)  # type: ignore[arg-type]


def test_without_opencv_the_install_line_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(MissingExtraError, match=r'pip install "empathic-sdk\[face\]"'):
        HaarDetector()
