from __future__ import annotations

import io
import logging
import os
import wave
from pathlib import Path

import av
import numpy as np
import pytest

from empathic_sdk.encoders.audio import RATE, decode
from empathic_sdk.errors import InputError
from empathic_sdk.options import MediaLimits


def tone(seconds: float = 1.0, rate: int = RATE, hz: float = 440.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)).astype(
        np.float32
    )


def wav(samples: np.ndarray, rate: int) -> bytes:
    """Sixteen-bit WAV of ``[n]`` or ``[n, channels]`` floats, by the standard library."""
    file = io.BytesIO()
    with wave.open(file, "wb") as w:
        w.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
        w.setsampwidth(2)
        w.setframerate(rate)
        w.writeframes((samples * 32767).astype("<i2").tobytes())
    return file.getvalue()


def encoded(samples: np.ndarray, rate: int, container: str, codec: str, layout: str) -> bytes:
    """A file as FFmpeg writes it; ``[n]`` floats, the same on every channel."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        stream = out.add_stream(codec, rate=rate, layout=layout)
        convert = av.AudioResampler(
            format=stream.format.name,
            layout=layout,
            rate=rate,
            frame_size=stream.frame_size or 1024,
        )
        frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
        frame.sample_rate = rate
        for piece in [*convert.resample(frame), *convert.resample(None)]:
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return file.getvalue()


def pitch_of(samples: np.ndarray) -> float:
    return float(np.abs(np.fft.rfft(samples)).argmax() * RATE / len(samples))


@pytest.mark.parametrize(
    ("container", "codec", "rate", "layout"),
    [
        ("wav", "pcm_s16le", 44_100, "stereo"),
        ("flac", "flac", 48_000, "mono"),
        ("mp3", "libmp3lame", 8_000, "stereo"),
        ("ogg", "libopus", 48_000, "mono"),
        ("ipod", "aac", 44_100, "stereo"),
        ("webm", "libopus", 48_000, "mono"),
    ],
)
def test_every_common_format_gives_the_same_tone(
    container: str, codec: str, rate: int, layout: str
) -> None:
    sound = decode(encoded(tone(2.0, rate), rate, container, codec, layout))
    assert sound.dtype == np.float32
    assert sound.ndim == 1
    assert len(sound) / RATE == pytest.approx(2.0, abs=0.15)  # coders pad
    assert pitch_of(sound) == pytest.approx(440, abs=2)
    middle = sound[RATE // 2 : -RATE // 2]
    # Going from one channel to two, FFmpeg keeps the power: each has 0.71 of the amplitude.
    amplitude = 0.5 / (2**0.5 if layout == "stereo" else 1)
    assert np.abs(middle).max() == pytest.approx(amplitude, rel=0.1)


def test_a_path_bytes_and_samples_agree(tmp_path: Path) -> None:
    file = tmp_path / "a.wav"
    file.write_bytes(wav(tone(), RATE))
    by_path, by_bytes, by_array = decode(file), decode(file.read_bytes()), decode((tone(), RATE))
    assert len(by_path) == RATE
    np.testing.assert_array_equal(by_path, by_bytes)
    np.testing.assert_array_equal(decode(str(file)), by_path)
    np.testing.assert_allclose(by_path, by_array, atol=1e-4)


def test_channels_are_averaged() -> None:
    left, right = tone(hz=300), np.zeros(RATE, np.float32)
    both = np.stack([left, right], 1)
    np.testing.assert_allclose(decode((both, RATE)), left / 2, atol=1e-6)
    np.testing.assert_allclose(decode(wav(both, RATE)), left / 2, atol=1e-3)


@pytest.mark.parametrize("rate", [8_000, 22_050, 48_000])
def test_samples_at_other_rates_are_resampled(rate: int) -> None:
    sound = decode((tone(1.0, rate), rate))
    assert len(sound) == pytest.approx(RATE, abs=40)
    assert pitch_of(sound) == pytest.approx(440, abs=2)


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        (np.array([0, 16384, -32768], np.int16), [0, 0.5, -1]),
        (np.array([0, 2**30, -(2**31)], np.int32), [0, 0.5, -1]),
        (np.array([128, 192, 0], np.uint8), [0, 0.5, -1]),
        (np.array([0, 0.5, -1], np.float64), [0, 0.5, -1]),
    ],
)
def test_integers_are_scaled(samples: np.ndarray, expected: list[float]) -> None:
    np.testing.assert_allclose(decode((samples, RATE)), expected, atol=1e-7)


@pytest.mark.parametrize(
    ("audio", "says"),
    [
        ((np.array([0.0, np.nan], np.float32), RATE), "NaN"),
        ((np.array([0.0, np.inf], np.float32), RATE), "NaN or an infinity"),
        ((np.zeros(0, np.float32), RATE), "no samples"),
        ((np.zeros(9, np.float32), 0), "a rate of 0 Hz"),
        ((np.zeros(9, np.float32), -1), "a rate of -1 Hz"),
        ((np.zeros(9, np.float32), 16_000.5), "whole number"),
        ((np.zeros(9, np.float32), True), "whole number"),
        ((np.zeros((3, 3, 3), np.float32), RATE), r"\[n\] or"),
        ((np.zeros((2, 16_000), np.float32), RATE), "channels"),
        ((np.array([0.0, 12_000.0], np.float32), RATE), "divide by 32768"),
        ((np.zeros(9, np.complex64), RATE), "complex64"),
        ((np.zeros(9, bool), RATE), "bool"),
        (b"", "these bytes"),
        (b"RIFF", "these bytes"),
        (b"this is a text, and no sound at all" * 50, "these bytes"),
        ("/no/such/file.wav", "there is no sound file"),
        ("/", "cannot be read"),
        (42, "not int"),
        ((np.zeros(9, np.float32), RATE, "x"), "3 things"),
    ],
)  # fmt: skip
def test_what_is_no_sound_is_named(audio: object, says: str) -> None:
    with pytest.raises(InputError, match=says):
        decode(audio)  # type: ignore[arg-type]


def test_a_text_file_named_wav_is_named(tmp_path: Path) -> None:
    file = tmp_path / "notes.wav"
    file.write_text("Dear diary")
    with pytest.raises(InputError, match=r"notes\.wav"):
        decode(file)


def test_a_truncated_file_gives_what_is_there() -> None:
    whole = wav(tone(2.0), RATE)
    half = decode(whole[: len(whole) // 2])
    assert len(half) / RATE == pytest.approx(1.0, abs=0.01)
    assert pitch_of(half) == pytest.approx(440, abs=2)
    with pytest.raises(InputError, match="these bytes"):
        decode(whole[:44])  # a header, and nothing after it


def test_a_damaged_mp3_gives_what_can_be_read() -> None:
    whole = bytearray(encoded(tone(3.0, 44_100), 44_100, "mp3", "libmp3lame", "mono"))
    middle = len(whole) // 2
    whole[middle : middle + 300] = bytes(300)
    sound = decode(bytes(whole))
    assert len(sound) / RATE > 2.0


def test_a_film_without_sound_is_refused() -> None:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        stream = out.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        for _ in range(3):
            out.mux(stream.encode(av.VideoFrame(32, 32, "yuv420p")))
        out.mux(stream.encode(None))
    with pytest.raises(InputError, match="no sound in this file"):
        decode(file.getvalue())


def test_a_playlist_is_not_followed(tmp_path: Path) -> None:
    """FFmpeg would open what a playlist names: another file, or an address."""
    target = tmp_path / "secret.wav"
    target.write_bytes(wav(tone(), RATE))
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:1,\n{target}\n#EXT-X-ENDLIST\n"
    concat = f"ffconcat version 1.0\nfile {target}\n"
    for text in (playlist, concat):
        with pytest.raises(InputError):
            decode(text.encode())
        bait = tmp_path / "bait.wav"
        bait.write_text(text)
        with pytest.raises(InputError):
            decode(bait)
    with pytest.raises(InputError, match="there is no sound file"):
        decode(f"concat:{target}")
    with pytest.raises(InputError, match="there is no sound file"):
        decode("http://127.0.0.1:1/a.wav")


def test_long_sound_is_cut_and_the_cut_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="empathic_sdk"):
        assert len(decode((tone(3.0), RATE), longest_s=2.0)) == 2 * RATE
        assert len(decode(wav(tone(3.0), RATE), longest_s=2.0)) == 2 * RATE
        assert len(decode((tone(3.0, 8_000), 8_000), longest_s=2.0)) == pytest.approx(
            2 * RATE, abs=40
        )
    assert len(caplog.records) == 3
    caplog.clear()
    assert len(decode(wav(tone(2.0), RATE), longest_s=2.0)) == 2 * RATE
    assert not caplog.records


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(InputError, match="not a regular file"):
        decode(tmp_path / "pipe.wav")


@pytest.mark.parametrize(("container", "codec"), [("adts", "aac"), ("mp3", "libmp3lame")])
def test_rate_and_channels_may_change_in_the_middle(container: str, codec: str) -> None:
    first = encoded(tone(1.0, 44_100), 44_100, container, codec, "stereo")
    second = encoded(tone(1.0, 22_050), 22_050, container, codec, "mono")
    third = encoded(tone(1.0, 48_000), 48_000, container, codec, "stereo")
    sound = decode(first + second + third)
    assert len(sound) == pytest.approx(3 * RATE, rel=0.1)
    for part in np.array_split(sound, 3):
        middle = part[len(part) // 4 : -len(part) // 4]
        assert pitch_of(middle) == pytest.approx(440, abs=5)
        assert 0.3 < np.abs(middle).max() < 0.7


@pytest.mark.parametrize(
    "path",
    ["a" * 5000 + ".wav", "/".join(["b" * 200] * 40), "~nobody-of-this-name/x.wav", "nul\0.wav"],
)
def test_a_path_that_cannot_be_one(path: str) -> None:
    for given in (path, Path(path)):
        with pytest.raises(InputError) as caught:
            decode(given)
        assert len(str(caught.value)) < 500


def test_a_device_is_not_read() -> None:
    if not Path("/dev/zero").exists():
        pytest.skip("no /dev/zero here")
    with pytest.raises(InputError, match="not a regular file"):
        decode("/dev/zero")


def test_limits_of_your_own(tmp_path: Path) -> None:
    data = wav(tone(2.0), RATE)
    assert len(decode(data, limits=MediaLimits(seconds=1.0))) == RATE
    path = tmp_path / "tone.wav"
    path.write_bytes(data)
    small = MediaLimits(sound_bytes=len(data) - 1)
    for given in (data, path):
        with pytest.raises(InputError, match=r"too large; .* bytes are the most"):
            decode(given, limits=small)
        assert len(decode(given, limits=MediaLimits(sound_bytes=len(data)))) == 2 * RATE
