from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from empathic_sdk.encoders.audio import RATE
from empathic_sdk.encoders.voice_activity import CHUNK, Segment, VoiceDetector, segments, voiced
from empathic_sdk.runtime.networks import Network
from tests.encoders.sounds import NOISES, vowels


@pytest.fixture(scope="module")
def detector() -> VoiceDetector:
    return VoiceDetector()


def test_it_finds_what_the_package_finds(detector: VoiceDetector) -> None:
    """The reference is the loop of the package that carries the network."""
    from faster_whisper.vad import get_vad_model

    sound = np.concatenate([vowels(1.0), np.zeros(RATE // 2, np.float32), vowels(1.3, hz=210.0)])
    sound = sound * (0.05 / np.abs(sound).max())  # the level to which ours brings every sound
    # One piece more, which is dropped: it overwrites the end of the last one.
    whole = np.pad(sound, (0, -len(sound) % CHUNK + CHUNK))
    expected = get_vad_model()(whole).ravel()[:-1]
    got = detector.probabilities(sound)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected, atol=1e-4)
    assert max(expected) - min(expected) > 0.3  # not all alike


@pytest.mark.parametrize("name", sorted(NOISES))
def test_noise_tones_and_silence_are_no_voice(detector: VoiceDetector, name: str) -> None:
    assert detector(NOISES[name]) == []


def test_a_voice_between_silences_is_found_where_it_is(detector: VoiceDetector) -> None:
    quiet = np.zeros(RATE, np.float32)
    sound = np.concatenate([quiet, vowels(1.5), quiet])
    (found,) = detector(sound)
    assert found.start / RATE == pytest.approx(1.0, abs=0.25)
    assert found.end / RATE == pytest.approx(2.5, abs=0.25)


def test_loudness_plays_no_part(detector: VoiceDetector) -> None:
    sound = np.concatenate([np.zeros(RATE, np.float32), vowels(1.5)])
    loud = detector.probabilities(sound)
    np.testing.assert_allclose(detector.probabilities(0.01 * sound), loud, atol=1e-3)


def test_nothing_gives_nothing(detector: VoiceDetector) -> None:
    assert detector(np.zeros(0, np.float32)) == []
    assert detector(np.zeros(1, np.float32)) == []


def chunks(*pairs: tuple[float, int]) -> np.ndarray:
    return np.concatenate([np.full(n, p, np.float32) for p, n in pairs])


def test_segments_by_hand() -> None:
    # 20 chunks (0.64 s) of voice between 10 and 10 of silence, padded by 0.1 s on both sides.
    p = chunks((0.0, 10), (0.9, 20), (0.0, 10))
    assert segments(p, 40 * CHUNK) == [Segment(10 * CHUNK - 1600, 30 * CHUNK + 1600)]
    # Below "on" nothing begins; between "off" and "on" it goes on.
    assert segments(chunks((0.3, 40)), 40 * CHUNK) == []
    p = chunks((0.9, 5), (0.3, 10), (0.9, 5))
    assert segments(p, 20 * CHUNK) == [Segment(0, 20 * CHUNK)]
    # 5 chunks (0.16 s) are a click; a pause of 5 chunks does not divide, one of 12 does.
    assert segments(chunks((0.0, 9), (0.9, 5), (0.0, 9)), 23 * CHUNK) == []
    short, long = ((0.9, 10), (0.0, 5), (0.9, 10)), ((0.9, 10), (0.0, 12), (0.9, 10))
    assert len(segments(chunks(*short), 25 * CHUNK)) == 1
    assert len(segments(chunks(*long), 32 * CHUNK)) == 2


def test_voiced_puts_the_stretches_together() -> None:
    x = np.arange(10, dtype=np.float32)
    assert voiced(x, [Segment(1, 3), Segment(7, 9)]).tolist() == [1, 2, 7, 8]
    assert len(voiced(x, [])) == 0


def test_the_process_keeps_its_threads() -> None:
    """Neither PyTorch nor the package that carries the network is imported."""
    code = (
        "import sys, numpy as np; "
        "from empathic_sdk.encoders.voice_activity import VoiceDetector; "
        "VoiceDetector()(np.ones(16000, np.float32)); "
        "print([m for m in ('torch', 'faster_whisper', 'ctranslate2') if m in sys.modules]); "
        "import torch; torch.set_num_threads(3); VoiceDetector(); print(torch.get_num_threads())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[]", "3"]


def test_long_sounds_are_read_as_if_by_one_call(detector: VoiceDetector) -> None:
    """Half a minute is read at a time; the reference reads 40 s at once."""
    (folder,) = importlib.util.find_spec("faster_whisper").submodule_search_locations
    whole = Network(Path(folder) / "assets" / "silero_vad_v6.onnx", foreign=True)
    sound = np.concatenate([vowels(2.0, seed=s) for s in range(20)])
    sound = (sound * (0.05 / np.abs(sound).max()))[: 1250 * CHUNK]
    padded = np.pad(sound, (64, 0))
    chunks = np.stack([padded[i : i + 64 + CHUNK] for i in range(0, len(sound), CHUNK)])
    state = np.zeros((1, 1, 128), np.float32)
    expected = whole(input=chunks, h=state, c=state)["speech_probs"]
    assert len(expected) == 1250
    np.testing.assert_allclose(detector.probabilities(sound), expected, atol=1e-4)
