"""Decodes pictures to arrays, and equalises their brightness."""

from __future__ import annotations

import io
from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.errors import InputError, MissingExtraError
from empathic_sdk.options import MediaLimits
from empathic_sdk.types.utterance import Frame

Pixels = NDArray[np.uint8]

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
"""Kinds of picture files that are read. Not all that Pillow knows: for some it starts programs."""


class _SpentError(InputError):
    """The frames of an utterance have too many pixels together."""


class _Budget:
    """Pixels that may still be decoded of one utterance."""

    def __init__(self, limits: MediaLimits) -> None:
        self.limits = limits
        self._spent = 0

    def spend(self, width: int, height: int, what: str) -> None:
        """Count a picture before it is decoded."""
        if width < 1 or height < 1:
            raise InputError(f"{what} has no pixels ({width} x {height})")
        if width * height > self.limits.pixels:
            raise InputError(
                f"{what} has {width} x {height} pixels; {_number(self.limits.pixels)} are the most "
                "(MediaLimits.pixels)"
            )
        self._spent += width * height
        if self._spent > self.limits.all_pixels:
            raise _SpentError(
                f"the frames of this utterance have more than {_number(self.limits.all_pixels)} "
                "pixels together: give fewer or smaller ones, or raise MediaLimits.all_pixels"
            )


def decode(frame: Frame, *, limits: MediaLimits | None = None) -> Pixels:
    """Return a frame as uint8 ``[height, width, 3]``, RGB, upright.

    Files may be of the kinds in :data:`FORMATS`. The EXIF orientation is applied, 16 bits become 8,
    transparent pixels become grey, and of an animation the first frame is taken.

    Args:
        frame: A path, the bytes of a file, or a uint8 array ``[height, width]`` (grey) or
            ``[height, width, channel]`` with 1 (grey), 3 (RGB) or 4 (RGBA) channels.
        limits: How large it may be.

    Raises:
        InputError: It is none of these, damaged, empty, or larger than the limits.
        MissingExtraError: A file is given and Pillow is not installed.
    """
    read = _open(frame, _Budget(limits or MediaLimits()))
    next(read)
    return cast("Pixels", next(read))


def check_count(frames: Sequence[Frame], limits: MediaLimits) -> None:
    """Raise where an utterance has too many frames.

    Raises:
        InputError: It has.
    """
    if len(frames) > limits.frames:
        raise InputError(
            f"{_number(len(frames))} frames; {_number(limits.frames)} are the most of one "
            "utterance: give fewer, or raise MediaLimits.frames"
        )


def check_pixels(frames: Sequence[Frame], limits: MediaLimits) -> None:
    """Raise where all frames of an utterance have too many pixels together.

    Reads headers alone; frames that cannot be read do not count.

    Raises:
        InputError: They have.
        MissingExtraError: A file is given and Pillow is not installed.
    """
    budget = _Budget(limits)
    for frame in frames:
        try:
            with closing(_open(frame, budget)) as read:
                next(read)
        except _SpentError:
            raise
        except InputError:
            continue


def _open(frame: Frame, budget: _Budget) -> Generator[Pixels | None, None, None]:
    """Yield ``None`` when the size is known and within the budget, then the picture."""
    if isinstance(frame, np.ndarray):
        _check_array(frame)
        budget.spend(frame.shape[1], frame.shape[0], "a frame's array")
        yield None
        yield _from_array(frame)
        return
    if isinstance(frame, str | Path):
        what = f"the picture {_short(str(frame))!r}"
        yield from _from_file(_path(frame, budget.limits, what), what, budget)
        return
    if isinstance(frame, bytes | bytearray | memoryview):
        what = f"the picture of {len(frame)} bytes"
        _check_bytes(len(frame), budget.limits, what)
        yield from _from_file(io.BytesIO(frame), what, budget)
        return
    raise InputError(
        "a frame must be a path, the bytes of a picture file, or a uint8 array "
        f"[height, width, channel], not {type(frame).__name__}"
    )


def _check_array(array: np.ndarray) -> None:
    if array.dtype != np.uint8:
        raise InputError(
            f"a frame's array must be uint8 in [0, 255], not {array.dtype}; "
            "scale it and convert it with .astype('uint8')"
        )
    if array.ndim != 2 and (array.ndim != 3 or array.shape[2] not in (1, 3, 4)):
        raise InputError(
            "a frame's array must be [height, width, channel] with 1, 3 or 4 channels, not "
            f"{list(array.shape)}"
        )


def _from_array(array: np.ndarray) -> Pixels:
    if array.ndim == 2:
        array = array[:, :, None]
    if array.shape[2] == 1:
        return np.repeat(array, 3, axis=2)
    if array.shape[2] == 4:
        alpha = array[:, :, 3:].astype(np.uint16)
        mixed = array[:, :, :3] * alpha + 128 * (255 - alpha)
        return (mixed // 255).astype(np.uint8)
    return np.ascontiguousarray(array)


def _path(frame: str | Path, limits: MediaLimits, what: str) -> Path:
    """Return the path of a regular file, or of what is reported when it is opened."""
    try:
        path = Path(frame).expanduser()
        if path.is_fifo() or path.is_socket() or path.is_char_device():
            raise InputError(f"{what} is not a regular file (a pipe, a socket or a device)")
        if path.is_file():
            _check_bytes(path.stat().st_size, limits, what)
    except (OSError, RuntimeError, UnicodeError) as error:  # too long; nobody's home; not a name
        raise InputError(f"{what} cannot be read: {_reason(error)}") from error
    return path


def _check_bytes(count: int, limits: MediaLimits, what: str) -> None:
    if count > limits.picture_bytes:
        raise InputError(
            f"{what} is too large: {_number(limits.picture_bytes)} bytes are the most "
            "(MediaLimits.picture_bytes)"
        )


def _from_file(
    source: Path | io.BytesIO, what: str, budget: _Budget
) -> Generator[Pixels | None, None, None]:
    try:
        from PIL import Image, ImageOps, UnidentifiedImageError
    except ImportError as error:
        raise MissingExtraError("face", "reading picture files") from error
    Image.init()
    known = [kind for kind in FORMATS if kind in Image.OPEN]
    try:
        with Image.open(source, formats=known) as image:
            budget.spend(*image.size, what)  # the header alone: nothing is decoded yet
            yield None
            image.load()
            upright = ImageOps.exif_transpose(image)
            if upright.mode in ("I", "F") or upright.mode.startswith("I;16"):
                yield _from_array(_eight_bits(np.asarray(upright), what))
                return
            through = "A" in upright.getbands() or "transparency" in upright.info
            yield _from_array(np.array(upright.convert("RGBA" if through else "RGB")))
    except UnidentifiedImageError as error:
        raise InputError(f"{what} is not a readable picture (one of {', '.join(known)})") from error
    except (FileNotFoundError, IsADirectoryError) as error:
        raise InputError(f"there is no file for {what}") from error
    except InputError:
        raise
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        # Pillow raises these for truncated or damaged files.
        raise InputError(f"{what} is damaged or cut off: {_reason(error)}") from error


def _eight_bits(values: np.ndarray, what: str) -> Pixels:
    """Map a picture of more than 8 bits to 8; integers are taken as 16 bits."""
    if values.dtype.kind == "f":
        raise InputError(f"{what} holds floats of unknown range; save it with 8 bits")
    levels: Pixels = (np.clip(values, 0, 65535) // 257).astype(np.uint8)
    return levels


def _number(count: int) -> str:
    millions, rest = divmod(count, 10**6)
    return f"{count:,}" if rest or not millions else f"{millions} million"


def _short(name: str) -> str:
    return name if len(name) <= 200 else f"{name[:200]}..."


def _reason(error: Exception) -> str:
    """Say what was wrong; the system's own words name the path again, however long."""
    return str(getattr(error, "strerror", None) or error)


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
