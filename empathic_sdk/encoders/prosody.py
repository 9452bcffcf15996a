"""Prosody: statistics of pitch, loudness, rhythm and timbre of a whole utterance.

They describe what a network does not learn from the spectra of a thousand clips: height and
variation of the pitch, changes of the level, brightness of the loud parts. ``models/prosody.py``
is the same in PyTorch, for training; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.encoders.acoustics import (
    FRAME,
    Floats,
    dct_matrix,
    deltas,
    frames,
    in_blocks,
    mel_filters,
    power_spectrum,
    squared,
)

_LAGS = (27, 267)
"""Range of pitch periods, in samples at 16 kHz: 593 Hz down to 60 Hz."""

_VOICED = 0.5
_CEPSTRA = 20
_BANDS = 26
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)

WIDTH = 289
"""Numbers in the row of :func:`statistics`."""


def pitch(samples: Floats) -> tuple[Floats, Floats]:
    """Return height and strength of the pitch per frame (autocorrelation; Boersma 1993).

    The autocorrelation of a windowed frame is divided by that of its window; of the periods
    within 90 % of the best, the shortest wins, which avoids octave errors.

    Args:
        samples: ``[n]`` at 16 kHz.

    Returns:
        Semitones above 100 Hz ``[time]`` (meaningless for unvoiced frames) and strength
        ``[time]``, about 1 for a pure tone and 0 for noise.
    """
    r = in_blocks(_autocorrelation, frames(samples))
    best = np.maximum(r.max(-1, keepdims=True), np.float32(1e-3))
    lag = (r > np.float32(0.9) * best).argmax(-1)
    for _ in range(8):  # from the flank of that peak to its top
        further = np.minimum(lag + 1, r.shape[-1] - 1)
        lag = np.where(_at(r, further) > _at(r, lag), further, lag)
    height = 12 * np.log2(np.float32(16_000 / 100) / (lag + _LAGS[0]).astype(np.float32))
    return height, _at(r, lag)


def statistics(samples: Floats) -> Floats:
    """Return a row of statistics ``[289]`` of voiced ``[n]`` samples at one level (``level``).

    Mean, deviation and five quantiles of 20 cepstra, of pitch, of its slope, of its strength, of
    the level and of its slope; mean of the cepstra and of 26 bands, and deviation of the bands, in
    the louder frames; deviations of the cepstra's slopes; share of voiced frames; seconds.
    """
    filters = np.concatenate([mel_filters(_BANDS), mel_filters(40)], 1)
    power = in_blocks(lambda part: power_spectrum(part) @ filters, frames(samples))
    bands = np.log(power[:, :_BANDS] + np.float32(1e-3))
    cepstra = np.log(power[:, _BANDS:] + np.float32(1e-5)) @ dct_matrix(40, _CEPSTRA)
    slopes = deltas(cepstra)
    loudness = bands.mean(1, keepdims=True)
    loud = loudness[:, 0] >= _quantiles(loudness, (0.6,))[0, 0]
    height, strength = pitch(samples)
    voiced = strength > _VOICED
    if voiced.sum() < 5:  # whispered: use the heights of all frames
        voiced = np.ones_like(voiced)
    rise = height[1:] - height[:-1]
    # A jump of more than three semitones in 10 ms is an octave error.
    rise = rise[voiced[1:] & voiced[:-1] & (np.abs(rise) < 3)]
    if len(rise) < 2:
        rise = np.zeros(2, np.float32)
    return np.concatenate(
        [
            _spread(cepstra),
            cepstra[loud].mean(0),
            slopes.std(0),
            deltas(slopes).std(0),
            _spread(height[voiced, None]),
            _spread(rise[:, None]),
            _spread(strength[:, None]),
            _spread(loudness),
            _spread(deltas(loudness)),
            np.array([(strength > _VOICED).mean(), len(samples) / 16_000], np.float32),
            bands[loud].mean(0),
            bands[loud].std(0),
        ]
    )


def _autocorrelation(framed: Floats) -> Floats:
    """Return it for the lags of a pitch, 1 at lag 0: ``[time, size]`` to ``[time, lags]``."""
    size = 1 << (FRAME + _LAGS[1]).bit_length()
    window = np.hanning(FRAME)
    own = _cosines(squared(np.fft.rfft(window, size)))
    framed = framed - framed.mean(-1, keepdims=True)
    r = _cosines(squared(np.fft.rfft(framed * window, size))).astype(np.float32)
    r = r / np.maximum(r[..., :1], np.float32(1e-9)) / (own / own[0]).astype(np.float32)
    return np.asarray(r[..., _LAGS[0] :])


def _cosines(power: Floats) -> NDArray[np.float64]:
    """Return the inverse transform of a power spectrum ``[..., n/2 + 1]``, up to the last lag.

    A power spectrum is even, so the forward transform of a whole period gives the same; in NumPy
    that takes a third of the time.
    """
    whole = np.concatenate([power, power[..., -2:0:-1]], -1).astype(np.float64)
    return np.asarray(np.fft.rfft(whole).real[..., : _LAGS[1] + 1] / whole.shape[-1])


def _spread(x: Floats) -> Floats:
    """Return mean, deviation and five quantiles over time of ``[time, width]``: ``[7 width]``."""
    return np.concatenate([x.mean(0), x.std(0), _quantiles(x, _QUANTILES).ravel()])


def _quantiles(x: Floats, marks: Sequence[float]) -> Floats:
    """Return quantiles over time of ``[time, width]``, interpolated: ``[marks, width]``.

    Places are computed in float32, as PyTorch does: elsewhere a rounding may pick another frame.
    """
    ranked = np.sort(x, 0)
    place = np.array(marks, np.float32) * np.float32(len(x) - 1)
    below = np.floor(place).astype(int)
    low, high = ranked[below], ranked[np.ceil(place).astype(int)]
    return np.asarray(low + (high - low) * (place - below.astype(np.float32))[:, None])


def _at(r: Floats, lag: NDArray[np.intp]) -> Floats:
    return np.take_along_axis(r, lag[..., None], -1)[..., 0]
