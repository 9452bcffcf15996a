from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.fft import dct
from scipy.signal import get_window, lfilter

from empathic_sdk.models import acoustics as a
from empathic_sdk.models.prosody import WIDTH, pitch, statistics
from empathic_sdk.models.speech_features import Front, pad
from tests.encoders.sounds import vowels

RATE = 16_000


def noise(n: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=n).astype(np.float32))


def mel_matrix(bands: int, fft: int, low: float, high: float) -> np.ndarray:
    """Triangles in mel, one entry at a time (HTK book, sec. 5.4)."""
    mel = lambda f: 2595 * np.log10(1 + f / 700)  # noqa: E731
    edges = np.linspace(mel(low), mel(high), bands + 2)
    out = np.zeros((fft // 2 + 1, bands))
    for line in range(fft // 2 + 1):
        m = mel(line * RATE / fft)
        for b in range(bands):
            left, centre, right = edges[b : b + 3]
            if left <= m <= centre:
                out[line, b] = (m - left) / (centre - left)
            elif centre < m <= right:
                out[line, b] = (right - m) / (right - centre)
    return out


def test_pre_emphasis_is_the_filter_of_eq_2() -> None:
    x = noise(1000)
    expected = lfilter([1, -0.95], [1], x.numpy())
    np.testing.assert_allclose(a.pre_emphasis(x).numpy(), expected, atol=1e-6)
    assert a.pre_emphasis(torch.tensor([1.0, 1.0]), 0.97).tolist() == pytest.approx([1.0, 0.03])


def test_frames_by_hand() -> None:
    assert a.frames(torch.arange(7.0), size=4, hop=2).tolist() == [[0, 1, 2, 3], [2, 3, 4, 5]]
    assert a.frames(torch.arange(2.0), size=4, hop=2).tolist() == [[0, 1, 0, 0]]
    assert a.frames(torch.zeros(3, 16_000)).shape == (3, 97, 640)


def test_power_spectrum_against_numpy() -> None:
    x = noise(640)
    expected = np.abs(np.fft.rfft(x.numpy() * get_window("hamming", 640, fftbins=False), 1024)) ** 2
    np.testing.assert_allclose(a.power_spectrum(x).numpy(), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("bands", [26, 64, 80])
def test_mel_filters_against_a_loop(bands: int) -> None:
    filters = a.mel_filters(bands).numpy()
    np.testing.assert_allclose(filters, mel_matrix(bands, 1024, 50.0, 8000.0), atol=1e-6)
    assert (filters.max(0) > 0).all()  # no band without a line


def test_a_line_is_shared_between_two_bands() -> None:
    filters = a.mel_filters(40)
    centre = filters.argmax(0)
    inner = filters[int(centre[0]) + 1 : int(centre[-1])]
    torch.testing.assert_close(inner.sum(1), torch.ones(len(inner)), atol=1e-5, rtol=0)


def test_log_mel_and_mfcc_against_scipy() -> None:
    x = noise(4000, seed=3)
    window = get_window("hamming", 640, fftbins=False)

    def mel(signal: np.ndarray, bands: int, floor: float) -> np.ndarray:
        rows = [signal[i : i + 640] * window for i in range(0, 4000 - 640 + 1, 160)]
        power = np.abs(np.fft.rfft(np.stack(rows), 1024)) ** 2
        return np.asarray(np.log(power @ mel_matrix(bands, 1024, 50.0, 8000.0) + floor))

    np.testing.assert_allclose(
        a.log_mel(x, bands=40).numpy(), mel(x.numpy(), 40, 1e-3), rtol=1e-3, atol=1e-3
    )
    emphasised = lfilter([1, -0.95], [1], x.numpy())
    expected = dct(mel(emphasised, 26, 1e-5), type=2, norm="ortho", axis=-1)[:, :13]
    np.testing.assert_allclose(a.mfcc(x).numpy(), expected, rtol=1e-3, atol=2e-3)


def test_dct_matrix_is_orthonormal() -> None:
    m = a.dct_matrix(26, 26)
    torch.testing.assert_close(m.T @ m, torch.eye(26), atol=1e-5, rtol=0)


def test_deltas_by_hand() -> None:
    ramp = torch.arange(6.0)[:, None] * 3
    # Inside, the slope of a ramp; at the first frame (1*(3-0) + 2*(6-0)) / 10 with its repeats.
    assert a.deltas(ramp)[2:4, 0].tolist() == [3.0, 3.0]
    assert float(a.deltas(ramp)[0, 0]) == pytest.approx(1.5)
    assert a.deltas(torch.ones(5, 2)).abs().max() == 0
    assert a.deltas(torch.ones(1, 2)).shape == (1, 2)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 40), st.integers(0, 10), st.integers(0, 99))
def test_cmvn_ignores_padding(real: int, extra: int, seed: int) -> None:
    x = noise(5 * (real + extra), seed).reshape(-1, 5) * 3 + 2
    mask = torch.arange(real + extra) < real
    out = a.cmvn(x, mask)
    torch.testing.assert_close(out[:real], a.cmvn(x[:real]), atol=1e-4, rtol=1e-4)
    assert (out[real:] == 0).all()
    torch.testing.assert_close(out[:real].mean(0), torch.zeros(5), atol=1e-4, rtol=0)
    torch.testing.assert_close(out[:real].std(0, correction=0), torch.ones(5), atol=2e-2, rtol=0)


def test_cmvn_of_what_does_not_vary_or_is_not_there() -> None:
    assert a.cmvn(torch.full((4, 2), 7.0)).abs().max() < 1e-3
    assert (a.cmvn(torch.randn(3, 2), torch.zeros(3, dtype=torch.bool)) == 0).all()


def test_level() -> None:
    x = noise(8000)
    assert float(a.level(x).square().mean().sqrt()) == pytest.approx(0.1, rel=1e-4)
    torch.testing.assert_close(a.level(x * 0.01), a.level(x))
    assert (a.level(torch.zeros(100)) == 0).all()


@pytest.mark.parametrize("kind", ["log-mel", "mfcc"])
def test_the_front_does_not_hear_how_loud_it_is(kind: str) -> None:
    front = Front(kind=kind)
    x = torch.from_numpy(vowels(1.0))
    torch.testing.assert_close(front(x * 0.05), front(x), atol=1e-3, rtol=1e-3)
    assert front(x).shape == ((97, 80) if kind == "log-mel" else (49, 13))


def test_the_front_standardises_by_what_it_was_fitted_on() -> None:
    front = Front(kind="log-mel", bands=40)
    clips = [front.raw(a.level(noise(16_000, s))) for s in range(3)]
    front.fit(clips)
    together = torch.cat([front.normalised(c) for c in clips])
    torch.testing.assert_close(together.mean(0), torch.zeros(40), atol=1e-3, rtol=0)
    torch.testing.assert_close(together.std(0), torch.ones(40), atol=1e-3, rtol=0)
    with pytest.raises(ValueError, match="log-mel or mfcc"):
        Front(kind="wavelets")


def test_pad() -> None:
    x, mask = pad([torch.ones(2, 3), torch.ones(4, 3)])
    assert x.shape == (2, 4, 3)
    assert mask.tolist() == [[True, True, False, False], [True] * 4]
    assert x[0, 2:].abs().sum() == 0


@pytest.mark.parametrize("hz", [70.0, 110.0, 220.0, 440.0])
def test_pitch_of_a_harmonic_tone(hz: float) -> None:
    t = torch.arange(16_000) / RATE
    tone = sum(torch.sin(2 * torch.pi * hz * k * t) / k for k in range(1, 6))
    assert isinstance(tone, torch.Tensor)
    height, strength = pitch(tone)
    assert float(strength.median()) == pytest.approx(1.0, abs=0.05)
    assert float(height.median()) == pytest.approx(12 * np.log2(hz / 100), abs=0.35)


def test_noise_has_no_pitch() -> None:
    assert float(pitch(noise(16_000))[1].median()) < 0.35


@pytest.mark.parametrize(
    "sound",
    [torch.zeros(16_000), torch.zeros(10), noise(700), torch.from_numpy(vowels(0.4))],
    ids=["silence", "ten samples", "one frame", "a syllable"],
)
def test_statistics_are_always_finite(sound: torch.Tensor) -> None:
    row = statistics(a.level(sound))
    assert row.shape == (WIDTH,)
    assert torch.isfinite(row).all()


def test_statistics_know_high_from_low() -> None:
    low, high = (statistics(a.level(torch.from_numpy(vowels(1.5, hz=h)))) for h in (110.0, 220.0))
    height = 20 * 7 + 20 + 20 + 20  # where the mean of the pitch stands, in semitones
    assert float(high[height] - low[height]) == pytest.approx(12.0, abs=1.5)
