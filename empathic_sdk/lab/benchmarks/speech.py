"""How long three seconds of speech take, on one core, from the bytes of a file to an embedding."""

from __future__ import annotations

import io
import wave

import numpy as np
from scipy.signal import lfilter

from empathic_sdk.encoders.audio import RATE, decode
from empathic_sdk.encoders.speech import SpeechEncoder
from empathic_sdk.encoders.voice_activity import VoiceDetector
from empathic_sdk.lab.benchmarks.harness import once, timed

_FILE_RATE = 44_100
_FORMANTS = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480))


def vowels(seconds: float, *, hz: float = 130.0, seed: int = 0) -> np.ndarray:
    """Return something like a voice, float32 ``[n]`` at 16 kHz, in [-0.3, 0.3].

    A pulse train of wavering pitch through formants that change four times a second (source and
    filter; Fant 1960). Voice detectors take it for a voice, for some seconds at least.
    """
    draw = np.random.default_rng(seed)
    n = round(seconds * RATE)
    t = np.arange(n) / RATE
    pitch = hz * (1 + 0.12 * np.sin(2 * np.pi * 1.3 * t) + 0.05 * np.sin(2 * np.pi * 3.1 * t))
    source = np.diff(np.floor(np.cumsum(pitch) / RATE), prepend=0.0) + 0.01 * draw.normal(size=n)
    out = np.zeros(n)
    step, r = RATE // 4, np.exp(-np.pi * 90 / RATE)
    for k, start in enumerate(range(0, n, step)):
        piece = source[start : start + step]
        for f in _FORMANTS[k % len(_FORMANTS)]:
            piece = lfilter([1 - r], [1, -2 * r * np.cos(2 * np.pi * f / RATE), r * r], piece)
        swell = np.sin(np.pi * np.arange(len(piece)) / step) ** 0.5
        out[start : start + step] = piece / (np.abs(piece).max() + 1e-9) * swell
    return (0.3 * out).astype(np.float32)


def measure_speech(*, seconds: float = 3.0, runs: int = 40) -> dict[str, float | int]:
    """Time the shipped encoder on a WAV of 44.1 kHz; its networks use one thread.

    Returns:
        Milliseconds: ``speech_ms_p50`` and ``speech_ms_p95`` on the clock, ``speech_cpu_ms_p50`` of
        the processor's time (what the clock would say of an idle core), the parts of it, and what
        loading takes.
    """
    file = _wav(vowels(seconds))
    encoders: list[SpeechEncoder] = []
    load = once(lambda: encoders.append(SpeechEncoder()))
    detector, samples = VoiceDetector(), decode(file)
    whole = timed(lambda _: encoders[0].encode([file]), runs, warm_up=3)
    decoding = timed(lambda _: decode(file), runs, warm_up=3)
    voice = timed(lambda _: detector(samples), runs, warm_up=3)
    return {
        "speech_seconds": seconds,
        "speech_voiced_s": round(sum(s.end - s.start for s in detector(samples)) / RATE, 2),
        "speech_ms_p50": whole.p50,
        "speech_ms_p95": whole.p95,
        "speech_cpu_ms_p50": whole.cpu_p50,
        "speech_decode_cpu_ms_p50": decoding.cpu_p50,
        "speech_voice_cpu_ms_p50": voice.cpu_p50,
        "speech_load_ms": round(load.p50, 1),
        "runs": runs,
    }


def _wav(samples: np.ndarray) -> bytes:
    """Return a 16-bit WAV of 44.1 kHz."""
    n = round(len(samples) * _FILE_RATE / RATE)
    at = np.linspace(0, len(samples) - 1, n)
    resampled = np.interp(at, np.arange(len(samples)), samples)
    file = io.BytesIO()
    with wave.open(file, "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(_FILE_RATE)
        w.writeframes((resampled * 32767).astype("<i2").tobytes())
    return file.getvalue()
