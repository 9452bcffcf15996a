"""Prosody: statistics of pitch, loudness, rhythm and timbre of a whole utterance.

They describe what a network does not learn from the spectra of a thousand clips: height and
variation of the pitch, changes of the level, brightness of the loud parts.
"""

from __future__ import annotations

import torch
from torch import Tensor

from empathic_sdk.encoders.acoustics import (
    FRAME,
    dct_matrix,
    deltas,
    frames,
    mel_filters,
    power_spectrum,
)

_LAGS = (27, 267)
"""Range of pitch periods, in samples at 16 kHz: 593 Hz down to 60 Hz."""

_VOICED = 0.5
_CEPSTRA = 20
_BANDS = 26

WIDTH = 289
"""Numbers in the row of :func:`statistics`."""


def pitch(samples: Tensor) -> tuple[Tensor, Tensor]:
    """Return height and strength of the pitch per frame (autocorrelation; Boersma 1993).

    The autocorrelation of a windowed frame is divided by that of its window; of the periods
    within 90 % of the best, the shortest wins, which avoids octave errors.

    Args:
        samples: ``[n]`` at 16 kHz.

    Returns:
        Semitones above 100 Hz ``[time]`` (meaningless for unvoiced frames) and strength
        ``[time]``, about 1 for a pure tone and 0 for noise.
    """
    framed = frames(samples)
    framed = framed - framed.mean(-1, keepdim=True)
    window = torch.hann_window(FRAME, periodic=False)
    size = 1 << (FRAME + _LAGS[1]).bit_length()
    own = torch.fft.irfft(torch.fft.rfft(window, size).abs().square(), size)[: _LAGS[1] + 1]
    spectrum = torch.fft.rfft(framed * window, size)
    power = spectrum.real.square() + spectrum.imag.square()
    r = torch.fft.irfft(power, size)[..., : _LAGS[1] + 1]
    r = r / r[..., :1].clamp(min=1e-9) / (own / own[0])
    r = r[..., _LAGS[0] :]
    lag = (r > 0.9 * r.amax(-1, keepdim=True).clamp(min=1e-3)).to(torch.int8).argmax(-1)
    for _ in range(8):  # from the flank of that peak to its top
        further = (lag + 1).clamp(max=r.shape[-1] - 1)
        lag = torch.where(_at(r, further) > _at(r, lag), further, lag)
    return 12 * torch.log2(16_000 / 100 / (lag + _LAGS[0])), _at(r, lag)


def statistics(samples: Tensor) -> Tensor:
    """Return a row of statistics ``[289]`` of voiced ``[n]`` samples at one level (:func:`level`).

    Mean, deviation and five quantiles of 20 cepstra, of pitch, of its slope, of its strength, of
    the level and of its slope; mean of the cepstra and of 26 bands, and deviation of the bands, in
    the louder frames; deviations of the cepstra's slopes; share of voiced frames; seconds.
    """
    power = power_spectrum(frames(samples))
    bands = torch.log(power @ mel_filters(_BANDS) + 1e-3)
    cepstra = torch.log(power @ mel_filters(40) + 1e-5) @ dct_matrix(40, _CEPSTRA)
    slopes = deltas(cepstra)
    loudness = bands.mean(1, keepdim=True)
    loud = loudness[:, 0] >= torch.quantile(loudness[:, 0], 0.6)
    height, strength = pitch(samples)
    voiced = strength > _VOICED
    if voiced.sum() < 5:  # whispered: use the heights of all frames
        voiced = torch.ones_like(voiced)
    rise = height[1:] - height[:-1]
    # A jump of more than three semitones in 10 ms is an octave error.
    rise = rise[voiced[1:] & voiced[:-1] & (rise.abs() < 3)]
    if len(rise) < 2:
        rise = torch.zeros(2)
    return torch.cat(
        [
            _spread(cepstra),
            cepstra[loud].mean(0),
            slopes.std(0, correction=0),
            deltas(slopes).std(0, correction=0),
            _spread(height[voiced, None]),
            _spread(rise[:, None]),
            _spread(strength[:, None]),
            _spread(loudness),
            _spread(deltas(loudness)),
            (strength > _VOICED).float().mean()[None],
            torch.tensor([len(samples) / 16_000]),
            bands[loud].mean(0),
            bands[loud].std(0, correction=0),
        ]
    )


def _spread(x: Tensor) -> Tensor:
    """Return mean, deviation and five quantiles over time of ``[time, width]``: ``[7 width]``."""
    marks = torch.quantile(x, torch.tensor([0.05, 0.25, 0.5, 0.75, 0.95]), dim=0)
    return torch.cat([x.mean(0), x.std(0, correction=0), marks.flatten()])


def _at(r: Tensor, lag: Tensor) -> Tensor:
    return r.gather(-1, lag[..., None])[..., 0]
