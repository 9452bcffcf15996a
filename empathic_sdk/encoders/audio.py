"""Decodes common sound files to 16 kHz mono samples.

FFmpeg's libraries (through PyAV) read the containers and resample. Files are passed to them as
bytes and only in the formats named here: otherwise FFmpeg would follow playlists and names like
``http://``, and an upload must not be able to make this machine fetch anything.
"""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.errors import InputError, MissingExtraError
from empathic_sdk.options import MediaLimits
from empathic_sdk.types.utterance import Audio

RATE = 16_000
"""Sample rate of all output, in Hz."""

_FORMATS = "wav,w64,flac,mp3,ogg,aac,aiff,caf,au,mov,mp4,m4a,matroska,webm"
_RATES = (4_000, 768_000)
_LOUDEST = 8.0

log = logging.getLogger("empathic_sdk")
Samples = NDArray[np.float32]


def decode(
    audio: Audio, *, longest_s: float | None = None, limits: MediaLimits | None = None
) -> Samples:
    """Decode audio to float32 ``[n]`` mono samples at 16 kHz, in [-1, 1] unless clipped.

    Args:
        audio: A path, the bytes of a file (WAV, FLAC, MP3, Ogg, M4A, WebM, ...), or ``(samples,
            rate)``: float samples in [-1, 1] or integers over their whole range, ``[n]`` or
            ``[n, channels]``; channels are averaged.
        longest_s: Maximum seconds to read, in place of ``limits.seconds``.
        limits: How much is read; the rest is ignored, with a warning.

    Raises:
        InputError: The file is missing, too large or has no sound, or samples or rate are invalid.
        MissingExtraError: PyAV is not installed.

    Of a truncated or damaged file, the readable part is returned.
    """
    limits = limits or MediaLimits()
    longest_s = limits.seconds if longest_s is None else longest_s
    if isinstance(audio, tuple):
        sound, whole = _from_array(audio, longest_s)
    else:
        sound, whole = _from_file(audio, longest_s, limits)
    if not whole:
        log.warning("sound longer than %g s: only the first %g s are read", longest_s, longest_s)
    return sound


def _av() -> Any:
    try:
        import av
    except ImportError as error:
        raise MissingExtraError("speech", "reading sound") from error
    return av


def _from_array(audio: tuple[np.ndarray, int], longest_s: float) -> tuple[Samples, bool]:
    if len(audio) != 2:
        raise InputError(f"audio as a tuple is (samples, rate), not {len(audio)} things")
    samples, rate = np.asarray(audio[0]), audio[1]
    if isinstance(rate, bool) or not isinstance(rate, int | np.integer):
        raise InputError(f"the rate must be a whole number in Hz, not {rate!r}")
    if not _RATES[0] <= rate <= _RATES[1]:
        raise InputError(f"a rate of {rate} Hz; it must lie between {_RATES[0]} and {_RATES[1]}")
    if samples.ndim not in (1, 2) or (samples.ndim == 2 and not 1 <= samples.shape[1] <= 8):
        raise InputError(f"samples must be [n] or [n, 1 to 8 channels], not {samples.shape}")
    if len(samples) == 0:
        raise InputError("there are no samples in this audio")
    most = round(longest_s * rate)
    whole, samples = len(samples) <= most, samples[:most]
    mono = _scaled(samples)
    if mono.ndim == 2:
        mono = mono.mean(1, dtype=np.float32)
    return (mono if rate == RATE else _resampled(mono, int(rate))), whole


def _scaled(samples: np.ndarray) -> Samples:
    """Return samples as float32, integers over their whole range mapped to [-1, 1)."""
    kind = samples.dtype
    if kind == np.uint8:  # eight-bit sound has its zero in the middle
        return ((samples.astype(np.float32) - 128.0) / 128.0).astype(np.float32)
    if kind in (np.int16, np.int32):
        return (samples / -float(np.iinfo(kind).min)).astype(np.float32)
    if not np.issubdtype(kind, np.floating):
        raise InputError(f"samples must be float32, int16, int32 or uint8, not {kind}")
    if not np.isfinite(samples).all():
        raise InputError("the samples hold a NaN or an infinity")
    peak = float(np.abs(samples).max())
    if peak > _LOUDEST:
        raise InputError(
            f"float samples must lie in [-1, 1], and these reach {peak:g}; if they were int16, "
            "give them as int16 or divide by 32768"
        )
    return samples.astype(np.float32)


def _resampled(mono: Samples, rate: int) -> Samples:
    av = _av()

    def blocks() -> Iterator[Any]:
        for start in range(0, len(mono), rate):
            block = np.ascontiguousarray(mono[None, start : start + rate])
            frame = av.AudioFrame.from_ndarray(block, format="flt", layout="mono")
            frame.sample_rate = rate
            yield frame

    return _collect(av, blocks(), most=len(mono) * RATE // rate + RATE)[0]


def _collect(av: Any, frames: Iterator[Any], *, most: int) -> tuple[Samples, bool]:
    """Resample ``frames`` up to ``most`` samples; also return whether that was all."""
    parts: list[np.ndarray] = []
    total = 0
    for out in _resampled_frames(av, frames):
        # Channels are averaged here: FFmpeg's own downmix adds them up.
        parts.append(out.to_ndarray().mean(0))
        total += len(parts[-1])
        if total > most:
            break
    if not parts:
        return np.zeros(0, np.float32), True
    return np.concatenate(parts).astype(np.float32)[:most], total <= most


def _resampled_frames(av: Any, frames: Iterator[Any]) -> Iterator[Any]:
    """Resample frames; rate, channels and format may change between them, as in radio streams."""
    kind, begun = None, False
    resampler: Any = None
    for frame in frames:
        now = (frame.sample_rate, frame.layout.name, frame.format.name)
        if now != kind:
            if begun:
                yield from resampler.resample(None)
            kind, begun = now, False
            resampler = av.AudioResampler(format="fltp", rate=RATE)
        found = resampler.resample(frame)
        begun = begun or bool(found)
        yield from found
    if begun:
        yield from resampler.resample(None)


def _from_file(
    audio: str | Path | bytes, longest_s: float, limits: MediaLimits
) -> tuple[Samples, bool]:
    av = _av()
    if isinstance(audio, bytes):
        _check_bytes(len(audio), limits, "these bytes")
        return _decoded(av, io.BytesIO(audio), "these bytes", longest_s)
    if not isinstance(audio, str | Path):
        raise InputError(
            "audio must be a path, the bytes of a file, or (samples, rate), "
            f"not {type(audio).__name__}"
        )
    name = str(audio) if len(str(audio)) <= 200 else f"{str(audio)[:200]}..."
    if _waits(Path(audio)):
        raise InputError(f"{name} is not a regular file (a pipe, a socket or a device)")
    try:
        with Path(audio).expanduser().open("rb") as file:
            _check_bytes(os.fstat(file.fileno()).st_size, limits, name)
            return _decoded(av, file, name, longest_s)
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"there is no sound file {name}") from error
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: ~nobody
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{name} cannot be read: {reason}") from error


def _check_bytes(count: int, limits: MediaLimits, name: str) -> None:
    if count > limits.sound_bytes:
        raise InputError(
            f"{name}: this sound file is too large; {limits.sound_bytes:,} bytes are the most "
            "(MediaLimits.sound_bytes)"
        )


def _decoded(av: Any, file: BinaryIO, name: str, longest_s: float) -> tuple[Samples, bool]:
    try:
        with av.open(file, options={"format_whitelist": _FORMATS}) as container:
            if not container.streams.audio:
                raise InputError(f"{name}: there is no sound in this file")
            sound, whole = _collect(av, _frames(av, container), most=round(longest_s * RATE))
    except InputError:
        raise
    except (av.error.FFmpegError, ArithmeticError, LookupError, RuntimeError, ValueError) as error:
        raise InputError(f"{name}: this is not a readable sound file ({error})") from error
    if len(sound) == 0:
        raise InputError(f"{name}: no sound can be decoded from this file")
    if not np.isfinite(sound).all():  # a float WAV may hold anything
        raise InputError(f"{name}: the samples hold a NaN or an infinity")
    return sound, whole


def _frames(av: Any, container: Any) -> Iterator[Any]:
    """Yield decodable frames; skip damaged packets, stop at the end of a truncated file."""
    broken = 0
    packets = container.demux(container.streams.audio[0])
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            break
        except av.error.FFmpegError:
            broken += 1
            break
        try:
            yield from packet.decode()
        except av.error.FFmpegError:
            broken += 1
    if broken:
        log.warning("damaged sound: %d parts of it could not be decoded", broken)


def _waits(path: Path) -> bool:
    """Say whether opening this path might block for ever (a pipe, a socket)."""
    try:
        path = path.expanduser()
        return path.is_fifo() or path.is_socket() or path.is_char_device()
    except (OSError, ValueError, RuntimeError):  # opening it will report the error
        return False
