"""Spectral features, from one short-time Fourier transform (STFT) of the excerpt. Pure.

t counts all frames (1,024 samples, 512 apart), s the evenly spaced ones that features are taken of.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from services.analyzer.spectrum.mel import MEL_BANDS, mel_filter_groups

FRAME = 1_024
HOP = 512
_BATCH = 512  # frames at a time: their spectra stay in the cache
_ROLL_OFF = 0.85
_ROLL_OFF_GROUP = 27
_BRIGHT_HZ = 1_500.0
_FEATURE_INTERVAL = 16
"""Features of frames 372 ms apart: their mean over a track is the same within a percent."""
_MIN_FEATURE_FRAMES = 512
"""Of a short track more frames are taken, at least so many."""
_CONTRAST_EDGES_HZ = (0, 200, 400, 800, 1_600, 3_200, 6_400, 11_025)
_CONTRAST_SHARE = 0.02
"""Share of a band's bins that is its peak, or its valley."""
Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Mel power of all frames, and features of some frames.

    Attributes:
        mel: mel power, (t, 64).
        power: total power, (s,).
        centroid_hz: spectral centroid, (s,).
        bandwidth_hz: spectral bandwidth, the standard deviation around the centroid, (s,).
        rolloff_hz: spectral roll-off, 85% of the power is below, (s,).
        flatness: spectral flatness, 0 a tone, 1 noise, (s,).
        bright_share: share of the power above 1.5 kHz, 0..1, (s,).
        contrast_db: spectral contrast in seven bands, (s, 7).
    """

    mel: Array
    power: Array
    centroid_hz: Array
    bandwidth_hz: Array
    rolloff_hz: Array
    flatness: Array
    bright_share: Array
    contrast_db: Array


def frames_of(samples: Array, size: int, hop: int) -> Array:
    """Overlapping frames, (t, size), as a view; a shorter sound is padded to one frame."""
    if len(samples) < size:
        samples = np.pad(samples, (0, size - len(samples)))
    return np.lib.stride_tricks.sliding_window_view(samples, size)[::hop]


@lru_cache(maxsize=4)
def hann_window(size: int) -> Array:
    """The periodic Hann window, (size,)."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)).astype(np.float32)


@lru_cache(maxsize=2)
def _bin_frequencies(rate_hz: int) -> Array:
    """Centre frequencies of the bins in Hz, (513,)."""
    return np.fft.rfftfreq(FRAME, 1 / rate_hz).astype(np.float32)


def spectrum_of(samples: Array, rate_hz: int) -> Spectrum:
    """The spectrum of mono samples, float32, (n,)."""
    frames = frames_of(samples, FRAME, HOP)
    interval = _feature_interval(len(frames))
    mel = np.empty((len(frames), MEL_BANDS), np.float32)
    kept = np.empty((-(-len(frames) // interval), FRAME // 2 + 1), np.float32)
    groups = mel_filter_groups(rate_hz, FRAME)
    for start in range(0, len(frames), _BATCH):
        stft = rfft(frames[start : start + _BATCH] * hann_window(FRAME), axis=1)
        power = stft.real**2
        power += stft.imag**2
        for bands, bins, weights in groups:
            mel[start : start + _BATCH, bands] = power[:, bins] @ weights
        some = power[::interval]
        kept[start // interval : start // interval + len(some)] = some
    return _features(mel, kept, _bin_frequencies(rate_hz))


def _feature_interval(frames: int) -> int:
    """Features are taken of one frame in so many: a divisor of a batch."""
    return min(_FEATURE_INTERVAL, 1 << max(0, (frames // _MIN_FEATURE_FRAMES).bit_length() - 1))


def _features(mel: Array, power: Array, frequencies_hz: Array) -> Spectrum:
    """The features of power spectra, (s, 513)."""
    total = power.sum(axis=1) + 1e-12
    magnitude = np.sqrt(power)
    weight = magnitude.sum(axis=1) + 1e-12
    centroid = magnitude @ frequencies_hz / weight
    variance = magnitude @ (frequencies_hz**2) / weight - centroid**2
    floored = power + np.float32(1e-10)
    bright = power[:, int(np.searchsorted(frequencies_hz, _BRIGHT_HZ)) :].sum(axis=1) / total
    return Spectrum(
        mel=mel,
        power=total,
        centroid_hz=centroid,
        bandwidth_hz=np.sqrt(np.maximum(variance, 0)),
        rolloff_hz=frequencies_hz[_rolloff_bins(power)],
        flatness=np.minimum(np.exp(np.log(floored).mean(axis=1)) / floored.mean(axis=1), 1),
        bright_share=np.minimum(bright, 1),
        contrast_db=_contrast_db(power, frequencies_hz),
    )


def _rolloff_bins(power: Array) -> NDArray[np.intp]:
    """The bin up to which each frame has 85% of its power, (s,).

    Sums of groups of bins show which group it is in; the cumulative sum is computed in it alone.
    """
    grouped = power.reshape(len(power), -1, _ROLL_OFF_GROUP)  # 513 bins are 19 times 27
    cumulative = np.cumsum(grouped.sum(axis=2), axis=1)
    missing = _ROLL_OFF * cumulative[:, -1]
    group = (cumulative[:, :-1] < missing[:, None]).sum(axis=1)
    frames = np.arange(len(power))
    bins = grouped[frames, group]
    missing -= cumulative[frames, group] - bins.sum(axis=1)
    offset = (np.cumsum(bins, axis=1)[:, :-1] < missing[:, None]).sum(axis=1)
    return np.asarray(group * _ROLL_OFF_GROUP + offset)


def _contrast_db(power: Array, frequencies_hz: Array) -> Array:
    """Spectral contrast (Jiang et al. 2002): peak over valley in seven bands, (s, 7)."""
    columns = []
    for low_hz, high_hz in pairwise(_CONTRAST_EDGES_HZ):
        start = np.searchsorted(frequencies_hz, low_hz)
        end = np.searchsorted(frequencies_hz, high_hz, side="right")
        band = np.sort(power[:, start:end], axis=1)
        count = max(1, round(_CONTRAST_SHARE * band.shape[1]))
        valley, peak = band[:, :count].mean(axis=1), band[:, -count:].mean(axis=1)
        columns.append(10 * np.log10((peak + 1e-8) / (valley + 1e-8)))
    return np.stack(columns, axis=1)


def zero_crossing_rate(samples: Array) -> float:
    """Share of the samples at which the sign changes, 0..1."""
    if len(samples) < 2:
        return 0.0
    negative = np.signbit(samples)
    return int(np.count_nonzero(negative[1:] != negative[:-1])) / (len(samples) - 1)


def amplitude_weighted_mean(values: Array, power: Array) -> float:
    """The mean over frames, weighted by the square root of their power: silence hardly counts."""
    weights = np.sqrt(power.astype(np.float64))
    return float(np.sum(values * weights) / max(float(weights.sum()), 1e-12))
