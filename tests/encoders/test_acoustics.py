"""The features that the encoders compute, held to their PyTorch counterparts."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from empathic_sdk.encoders import acoustics, prosody, speech_features
from empathic_sdk.models import acoustics as torch_acoustics
from empathic_sdk.models import prosody as torch_prosody
from empathic_sdk.models import speech_features as torch_features
from tests.encoders.sounds import NOISES, vowels

SOUNDS = {
    "a voice": vowels(1.5), "a high voice": vowels(1.2, hz=230.0, seed=3),
    "a syllable": vowels(0.3), "ten samples": vowels(0.2)[:10], **NOISES,
}  # fmt: skip


def leveled(name: str) -> np.ndarray:
    return acoustics.level(SOUNDS[name])


@pytest.mark.parametrize("name", sorted(SOUNDS))
def test_spectra_and_cepstra(name: str) -> None:
    x = leveled(name)
    for bands, hop in ((80, 160), (26, 320)):
        got = acoustics.log_mel(x, bands=bands, hop=hop)
        expected = torch_acoustics.log_mel(torch.from_numpy(x), bands=bands, hop=hop)
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, expected.numpy(), atol=1e-4)
    got = acoustics.deltas(acoustics.mfcc(x))
    expected = torch_acoustics.deltas(torch_acoustics.mfcc(torch.from_numpy(x)))
    np.testing.assert_allclose(got, expected.numpy(), atol=1e-4)


@pytest.mark.parametrize("name", sorted(SOUNDS))
def test_level(name: str) -> None:
    expected = torch_acoustics.level(torch.from_numpy(SOUNDS[name])).numpy()
    np.testing.assert_allclose(leveled(name), expected, atol=1e-6)


def test_the_constants_are_those_of_training_and_nobody_can_change_them() -> None:
    for mine, theirs in (
        (acoustics.mel_filters(80), torch_acoustics.mel_filters(80)),
        (acoustics.dct_matrix(40, 20), torch_acoustics.dct_matrix(40, 20)),
    ):
        np.testing.assert_allclose(mine, theirs.numpy(), atol=1e-6)
        with pytest.raises(ValueError, match="read-only"):
            mine[0, 0] = 1.0
    for name in ("FRAME", "HOP", "FFT"):
        assert getattr(acoustics, name) == getattr(torch_acoustics, name)
    assert prosody.WIDTH == torch_prosody.WIDTH


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 3000), st.integers(1, 700), st.integers(1, 300))
def test_frames(n: int, size: int, hop: int) -> None:
    x = np.random.default_rng(n).normal(size=(2, n)).astype(np.float32)
    expected = torch_acoustics.frames(torch.from_numpy(x), size=size, hop=hop).numpy()
    assert np.array_equal(acoustics.frames(x, size=size, hop=hop), expected)


def test_long_sounds_are_read_in_blocks_that_leave_no_seam() -> None:
    x = np.random.default_rng(0).normal(size=16_000 * 7).astype(np.float32)
    whole = acoustics.log_mel(x, bands=40)
    assert whole.shape == (697, 40)
    for first in (200, 255, 256, 500):
        alone = acoustics.log_mel(x[first * 160 : first * 160 + 640], bands=40)
        np.testing.assert_allclose(alone[0], whole[first], atol=1e-5)


def test_pre_emphasis_leaves_what_it_is_given() -> None:
    x = np.ones(3, np.float32)
    assert acoustics.pre_emphasis(x).tolist() == pytest.approx([1.0, 0.05, 0.05])
    assert x.tolist() == [1.0, 1.0, 1.0]


def test_cmvn() -> None:
    x = np.random.default_rng(0).normal(size=(2, 30, 13)).astype(np.float32) * 4 + 3
    expected = torch_acoustics.cmvn(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(acoustics.cmvn(x), expected, atol=1e-5)
    assert np.abs(acoustics.cmvn(np.full((4, 2), 7.0, np.float32))).max() < 1e-3


@pytest.mark.parametrize("name", ["a voice", "a high voice", "a syllable", "white noise"])
def test_pitch_and_statistics(name: str) -> None:
    x = leveled(name)
    for got, expected in zip(
        prosody.pitch(x), torch_prosody.pitch(torch.from_numpy(x)), strict=True
    ):
        np.testing.assert_allclose(got, expected.numpy(), atol=1e-4)
    row = prosody.statistics(x)
    assert row.shape == (prosody.WIDTH,)
    assert row.dtype == np.float32
    expected = torch_prosody.statistics(torch.from_numpy(x))
    np.testing.assert_allclose(row, expected.numpy(), atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("name", sorted(SOUNDS))
def test_statistics_are_always_finite(name: str) -> None:
    assert np.isfinite(prosody.statistics(leveled(name))).all()


def test_the_front_of_the_lstm_does_what_it_does_in_training() -> None:
    front, reference = (
        f.Front(kind="mfcc") for f in (speech_features, torch_features)
    )  # fmt: skip
    x = vowels(1.0)
    np.testing.assert_allclose(front(x), reference(torch.from_numpy(x)).numpy(), atol=1e-4)
    assert front.seconds(3) == reference.seconds(3)
    with pytest.raises(ValueError, match="log-mel or mfcc"):
        speech_features.Front(kind="wavelets")


def test_the_front_of_the_shipped_network_stops_before_the_standardisation() -> None:
    front, reference = (
        f.Front(kind="log-mel", bands=40) for f in (speech_features, torch_features)
    )
    x = vowels(1.0)
    expected = reference.raw(torch_acoustics.level(torch.from_numpy(x))).numpy()
    np.testing.assert_allclose(front(x), expected, atol=1e-4)
    np.testing.assert_allclose(front(0.03 * x), front(x), atol=1e-3)


def test_pad() -> None:
    x, mask = speech_features.pad([np.ones((2, 3), np.float32), np.ones((4, 3), np.float32)])
    assert x.shape == (2, 4, 3)
    assert x.dtype == np.float32
    assert mask.tolist() == [[True, True, False, False], [True] * 4]
    assert not x[0, 2:].any()
