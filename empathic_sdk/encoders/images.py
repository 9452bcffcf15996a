"""Decodes pictures to arrays, and equalises their brightness."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.errors import InputError, MissingExtraError
from empathic_sdk.types.utterance import Frame

Pixels = NDArray[np.uint8]

LARGEST = 50_000_000
"""Maximum pixels of a frame: well above cameras, well below exhausting memory."""


def decode(frame: Frame) -> Pixels:
    """Return a frame as uint8 ``[height, width, 3]``, RGB, upright.

    Files may be of any kind that Pillow reads. The EXIF orientation is applied, 16 bits become 8,
    transparent pixels become grey, and of an animation the first frame is taken.

    Args:
        frame: A path, the bytes of a file, or a uint8 array ``[height, width]`` (grey) or
            ``[height, width, channel]`` with 1 (grey), 3 (RGB) or 4 (RGBA) channels.

    Raises:
        InputError: It is none of these, damaged, empty, or larger than 50 million pixels.
        MissingExtraError: A file is given and Pillow is not installed.
    """
    if isinstance(frame, np.ndarray):
        return _from_array(frame)
    if isinstance(frame, str | Path):
        return _from_file(Path(frame).expanduser(), f"the picture {str(frame)!r}")
    if isinstance(frame, bytes | bytearray | memoryview):
        return _from_file(io.BytesIO(frame), f"the picture of {len(frame)} bytes")
    raise InputError(
        "a frame must be a path, the bytes of a picture file, or a uint8 array "
        f"[height, width, channel], not {type(frame).__name__}"
    )


def _from_array(array: np.ndarray) -> Pixels:
    if array.dtype != np.uint8:
        raise InputError(
            f"a frame's array must be uint8 in [0, 255], not {array.dtype}; "
            "scale it and convert it with .astype('uint8')"
        )
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        raise InputError(
            "a frame's array must be [height, width, channel] with 1, 3 or 4 channels, not "
            f"{list(array.shape)}"
        )
    _check_size(array.shape[1], array.shape[0], "a frame's array")
    if array.shape[2] == 1:
        return np.repeat(array, 3, axis=2)
    if array.shape[2] == 4:
        alpha = array[:, :, 3:].astype(np.uint16)
        mixed = array[:, :, :3] * alpha + 128 * (255 - alpha)
        return (mixed // 255).astype(np.uint8)
    return np.ascontiguousarray(array)


def _from_file(source: Path | io.BytesIO, what: str) -> Pixels:
    try:
        from PIL import Image, ImageOps, UnidentifiedImageError
    except ImportError as error:
        raise MissingExtraError("face", "reading picture files") from error
    if isinstance(source, Path) and (source.is_fifo() or source.is_socket()):
        raise InputError(f"{what} is not a regular file (a pipe or socket)")
    try:
        with Image.open(source) as image:
            _check_size(*image.size, what)  # the header alone: nothing is decoded yet
            image.load()
            upright = ImageOps.exif_transpose(image)
            if upright.mode in ("I", "F") or upright.mode.startswith("I;16"):
                return _from_array(_eight_bits(np.asarray(upright), what))
            through = "A" in upright.getbands() or "transparency" in upright.info
            return _from_array(np.array(upright.convert("RGBA" if through else "RGB")))
    except UnidentifiedImageError as error:
        raise InputError(f"{what} is not a readable picture") from error
    except (FileNotFoundError, IsADirectoryError) as error:
        raise InputError(f"there is no file for {what}") from error
    except InputError:
        raise
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        # Pillow raises these for truncated or damaged files.
        raise InputError(f"{what} is damaged or cut off: {error}") from error


def _eight_bits(values: np.ndarray, what: str) -> Pixels:
    """Map a picture of more than 8 bits to 8; integers are taken as 16 bits."""
    if values.dtype.kind == "f":
        raise InputError(f"{what} holds floats of unknown range; save it with 8 bits")
    levels: Pixels = (np.clip(values, 0, 65535) // 257).astype(np.uint8)
    return levels


def _check_size(width: int, height: int, what: str) -> None:
    if width < 1 or height < 1:
        raise InputError(f"{what} has no pixels ({width} x {height})")
    if width * height > LARGEST:
        raise InputError(
            f"{what} has {width} x {height} pixels; {LARGEST // 10**6} million are the most"
        )


def grey(rgb: Pixels) -> Pixels:
    """Return the luma (ITU-R BT.601) of ``[height, width, 3]`` as ``[height, width]``."""
    luma = rgb @ np.array([0.299, 0.587, 0.114], np.float32)
    levels: Pixels = np.round(luma).astype(np.uint8)
    return levels


def equalise(picture: Pixels) -> Pixels:
    """Equalise the histogram (adaptive paper, eq 1): uint8 ``[height, width]``, same shape.

    A picture of a single level is returned unchanged.
    """
    counts = np.bincount(picture.ravel(), minlength=256)
    cdf = counts.cumsum()
    lowest = cdf[np.flatnonzero(counts)[0]]
    if lowest == picture.size:
        return picture
    table = np.round((cdf - lowest) / (picture.size - lowest) * 255).clip(0, 255)
    levels: Pixels = table.astype(np.uint8)
    return levels[picture]
