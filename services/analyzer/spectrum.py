"""The shared spectrum: one short-time Fourier transform, what is needed of each frame. Pure.

librosa's parts for this compile at their first use in every process (9-12 s of CPU), so the few
lines that are needed stand here: Slaney's mel scale and filters (Auditory Toolbox, 1998) and
spectral contrast (Jiang et al. 2002).
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

FRAME = 1_024
HOP = 512
MELS = 64
_PORTION = 512  # frames at a time: their spectra stay in the cache
_MELS_AT_ONCE = 8
_ROLL_OFF = 0.85
_GROUP = 27
_BRIGHT_HZ = 1_500.0
_SHAPE_EVERY = 16  # 372 ms apart: the mean over a track is the same within a percent ...
_LEAST_SHAPES = 512  # ... but not over a few seconds, of which at least so many frames count
_CONTRAST_EDGES_HZ = (0, 200, 400, 800, 1_600, 3_200, 6_400, 11_025)
_CONTRAST_SHARE = 0.02
Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Of t frames: `mel` power (t, 64); of some of them, evenly spaced, power and shapes, (s,)."""

    mel: Array
    power: Array
    centroid_hz: Array
    bandwidth_hz: Array
    rolloff_hz: Array
    flatness: Array
    bright_share: Array
    contrast_db: Array
    """(s, 7)."""


def frames_of(sound: Array, size: int, hop: int) -> Array:
    """Overlapping frames, (t, size), a view; at least one, padded with silence."""
    if len(sound) < size:
        sound = np.pad(sound, (0, size - len(sound)))
    return np.lib.stride_tricks.sliding_window_view(sound, size)[::hop]


@lru_cache(maxsize=4)
def window(size: int) -> Array:
    """Hann's."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)).astype(np.float32)


@lru_cache(maxsize=2)
def bin_frequencies(rate_hz: int) -> Array:
    """The middles of the bins in Hz, (513,)."""
    return np.fft.rfftfreq(FRAME, 1 / rate_hz).astype(np.float32)


@lru_cache(maxsize=2)
def mel_filters(rate_hz: int) -> Array:
    """Triangles on Slaney's mel scale, area-normalised, (64, bins)."""
    edges = _mel_to_hz(np.linspace(0.0, _hz_to_mel(rate_hz / 2), MELS + 2))
    bins = np.fft.rfftfreq(FRAME, 1 / rate_hz)
    widths = np.diff(edges)
    ramps = edges[:, None] - bins[None, :]
    lower, upper = -ramps[:-2] / widths[:-1, None], ramps[2:] / widths[1:, None]
    triangles = np.maximum(0, np.minimum(lower, upper))
    return (triangles * (2.0 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)


@lru_cache(maxsize=2)
def _mel_groups(rate_hz: int) -> list[tuple[slice, slice, Array]]:
    """The filters by eights: which they are, the bins that they have, and their part of these."""
    filters, groups = mel_filters(rate_hz), []
    for first in range(0, MELS, _MELS_AT_ONCE):
        some = filters[first : first + _MELS_AT_ONCE]
        bins = np.flatnonzero(some.any(axis=0))
        seen = slice(int(bins[0]), int(bins[-1]) + 1)
        part = np.ascontiguousarray(some[:, seen].T)
        groups.append((slice(first, first + _MELS_AT_ONCE), seen, part))
    return groups


_LINEAR_TO_HZ, _LINEAR_STEP_HZ, _LOG_STEP = 1_000.0, 200.0 / 3, np.log(6.4) / 27.0


def _hz_to_mel(frequency_hz: float) -> float:
    if frequency_hz < _LINEAR_TO_HZ:
        return frequency_hz / _LINEAR_STEP_HZ
    return float(_LINEAR_TO_HZ / _LINEAR_STEP_HZ + np.log(frequency_hz / _LINEAR_TO_HZ) / _LOG_STEP)


def _mel_to_hz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    knee = _LINEAR_TO_HZ / _LINEAR_STEP_HZ
    above = _LINEAR_TO_HZ * np.exp(_LOG_STEP * (mels - knee))
    return np.where(mels < knee, mels * _LINEAR_STEP_HZ, above)


def spectrum_of(sound: Array, rate_hz: int) -> Spectrum:
    """The spectrum of mono samples, float32, (n,)."""
    frames = frames_of(sound, FRAME, HOP)
    every = _step(len(frames))
    mel = np.empty((len(frames), MELS), np.float32)
    coarse = np.empty((-(-len(frames) // every), FRAME // 2 + 1), np.float32)
    groups = _mel_groups(rate_hz)
    for start in range(0, len(frames), _PORTION):
        spectra = rfft(frames[start : start + _PORTION] * window(FRAME), axis=1)
        power = spectra.real**2
        power += spectra.imag**2
        for bands, bins, filters in groups:
            mel[start : start + _PORTION, bands] = power[:, bins] @ filters
        some = power[::every]
        coarse[start // every : start // every + len(some)] = some
    return _shapes(mel, coarse, bin_frequencies(rate_hz))


def _step(frames: int) -> int:
    """Of so many frames the shapes of each such one count: a divisor of a portion."""
    return min(_SHAPE_EVERY, 1 << max(0, (frames // _LEAST_SHAPES).bit_length() - 1))


def _shapes(mel: Array, coarse: Array, bins: Array) -> Spectrum:
    total = coarse.sum(axis=1) + 1e-12
    magnitude = np.sqrt(coarse)
    weight = magnitude.sum(axis=1) + 1e-12
    centroid = magnitude @ bins / weight
    spread = magnitude @ (bins**2) / weight - centroid**2
    floored = coarse + np.float32(1e-10)
    bright = coarse[:, int(np.searchsorted(bins, _BRIGHT_HZ)) :].sum(axis=1) / total
    return Spectrum(
        mel=mel,
        power=total,
        centroid_hz=centroid,
        bandwidth_hz=np.sqrt(np.maximum(spread, 0)),
        rolloff_hz=bins[_rolloff(coarse)],
        flatness=np.minimum(np.exp(np.log(floored).mean(axis=1)) / floored.mean(axis=1), 1),
        bright_share=np.minimum(bright, 1),
        contrast_db=_contrast(coarse, bins),
    )


def _rolloff(power: Array) -> NDArray[np.intp]:
    """The bin up to which a frame has 85% of its power, (s,).

    Sums of groups of bins tell which group it is in, and only this one is looked at.
    """
    grouped = power.reshape(len(power), -1, _GROUP)  # 513 is 19 times 27
    running = np.cumsum(grouped.sum(axis=2), axis=1)
    wanted = _ROLL_OFF * running[:, -1]
    group = (running[:, :-1] < wanted[:, None]).sum(axis=1)
    frames = np.arange(len(power))
    within = grouped[frames, group]
    wanted -= running[frames, group] - within.sum(axis=1)
    place = (np.cumsum(within, axis=1)[:, :-1] < wanted[:, None]).sum(axis=1)
    return np.asarray(group * _GROUP + place)


def _contrast(power: Array, bins: Array) -> Array:
    """Peaks over valleys, in dB, of seven bands."""
    columns = []
    for low, high in pairwise(_CONTRAST_EDGES_HZ):
        first, behind = np.searchsorted(bins, low), np.searchsorted(bins, high, side="right")
        band = np.sort(power[:, first:behind], axis=1)
        count = max(1, round(_CONTRAST_SHARE * band.shape[1]))
        valley, peak = band[:, :count].mean(axis=1), band[:, -count:].mean(axis=1)
        columns.append(10 * np.log10((peak + 1e-8) / (valley + 1e-8)))
    return np.stack(columns, axis=1)
