from __future__ import annotations

import base64
import contextlib
import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from empathic_sdk.demo.media import (
    MOST_PAYLOAD,
    MOST_PICTURE,
    MOST_SOUND,
    Given,
    picture_size,
    unpack,
)
from empathic_sdk.errors import EmptyUtteranceError, InputError


def drawn(kind: str, width: int = 8, height: int = 6) -> bytes:
    """Return a picture file as Pillow writes it."""
    image = pytest.importorskip("PIL.Image")
    held = io.BytesIO()
    image.new("RGB", (width, height)).save(held, kind)
    return held.getvalue()


# The shortest beginning of a JPEG that says how large it is: 8 x 6.
JPEG = bytes.fromhex("ffd8ffc0001108000600080301220002110103110100")


def packed(**found: Any) -> str:
    for name in ("sound", "picture"):
        if isinstance(found.get(name), bytes):
            found[name] = base64.b64encode(found[name]).decode()
    return json.dumps(found)


def test_nothing_came_along() -> None:
    for nothing in (None, "", "{}", packed(sound=None, picture=None, events=[])):
        assert unpack(nothing) == Given()
    with pytest.raises(EmptyUtteranceError):
        Given().utterance("")


def test_all_that_can_come_along() -> None:
    event = {"kind": "typing", "at": 1.5, "value": 4.0}
    found = unpack(packed(sound=b"RIFF", seconds=3.4, picture=JPEG, events=[event]))
    assert found.sound == b"RIFF" and found.picture == JPEG
    assert found.words == "voice message, 3 s and one picture from the camera"
    said = found.utterance("hi", at=2.0)
    assert said.text == "hi" and said.audio == b"RIFF" and said.frames == (JPEG,)
    assert said.events[0].kind == "typing" and said.at == 2.0
    assert unpack(packed(sound=b"x")).words == "sound file"


@pytest.mark.parametrize(
    "payload",
    [
        "not json", "[]", "3", '"text"', "null", packed(sound="not base64!"), packed(sound=5),
        packed(events=[{"kind": "typing"}]), packed(events=5), packed(seconds="long"),
        packed(events=[{"kind": "typing", "at": -1, "value": 1}]),
        '{"events": [{"kind": "typing", "at": 1, "value": NaN}]}', "[" * 100_000,
    ],
)  # fmt: skip
def test_what_the_page_never_makes_is_refused_in_plain_words(payload: str) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        unpack(payload)


def test_limits() -> None:
    assert unpack(packed(sound=b"x" * MOST_SOUND)).sound is not None
    for payload, why in (
        (packed(sound=b"x" * (MOST_SOUND + 1)), "larger than 8 MB"),
        (packed(picture=JPEG + b"x" * MOST_PICTURE), "picture cannot be read"),
        (packed(picture=b"<svg onload=alert(1)>"), "picture cannot be read"),
        ("x" * (MOST_PAYLOAD + 1), "too large"),
    ):
        with pytest.raises(InputError, match=why):
            unpack(payload)
    assert unpack(packed(sound=b"x", seconds=1e12)).seconds == 0.0


@settings(max_examples=40, deadline=None)
@given(st.recursive(st.none() | st.floats() | st.text() | st.booleans(), lambda inner: st.lists(
    inner) | st.dictionaries(st.sampled_from(["sound", "picture", "seconds", "events", "x"]), inner)
))  # fmt: skip
def test_any_json_is_understood_or_refused(found: Any) -> None:
    with contextlib.suppress(InputError):
        assert isinstance(unpack(json.dumps(found)), Given)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_the_size_of_a_picture_is_read_off_its_header(kind: str) -> None:
    assert picture_size(drawn(kind, 31, 17)) == (31, 17)
    assert unpack(packed(picture=drawn(kind))).picture == drawn(kind)
    for cut in range(20):
        assert picture_size(drawn(kind)[:cut]) is None


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "WEBP", "EPS", "ICO", "PCX", "PDF"])
def test_pictures_of_other_kinds_are_opened_by_nobody(kind: str) -> None:
    picture = drawn(kind, 32, 32)
    assert picture_size(picture) is None
    for disguised in (picture, b"\xff\xd8\xff" + picture, b"\x89PNG\r\n\x1a\n" + picture):
        with pytest.raises(InputError, match="picture cannot be read"):
            unpack(packed(picture=disguised))


def test_a_small_file_that_says_it_is_huge_is_refused() -> None:
    bomb = bytearray(drawn("PNG"))
    bomb[16:24] = (60_000).to_bytes(4) * 2
    with pytest.raises(InputError, match="picture cannot be read"):
        unpack(packed(picture=bytes(bomb)))


def test_a_picture_of_endless_markers_costs_nothing() -> None:
    assert picture_size(b"\xff\xd8" + b"\xff\xe0\x00\x02" * 300_000) is None
    assert picture_size(b"\xff\xd8" + b"\xff" * 1_200_000) is None
