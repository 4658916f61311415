"""Loudness by ITU-R BS.1770-4 and EBU Tech 3342. Pure.

K-weighting's two filters for any sample rate: De Man, "Evaluation of implementations of the EBU
R128 loudness measurement" (AES 2018), the analogue prototypes through the bilinear transform.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft

from shared.contracts.analysis import LOUDNESS_BIN_LU, LOUDNESS_BINS

HOPS_A_SECOND = 10
SILENCE_LUFS = -70.0
_OFFSET_DB = -0.691
_BLOCK_HOPS = 4  # 400 ms, overlapping by 75%
_SHORT_TERM_HOPS = 30  # 3 s
_REFERENCE_LUFS = -18.0  # ReplayGain 2
_OVERLAP_S = 0.085
_SURROUND_WEIGHT = 1.41
Hops = NDArray[np.float64]
Samples = NDArray[np.float32]


class KWeighting:
    """The weighting of a stream: blocks in, weighted blocks out, across their seams.

    The filters are applied in the frequency domain (overlap-save): their response has fallen by
    170 dB after the 85 ms that windows overlap by, so that this is the standard's recursion to
    within rounding, at a quarter of its cost and without importing scipy.signal.
    """

    def __init__(self, rate_hz: int) -> None:
        self._overlap = max(16, round(rate_hz * _OVERLAP_S))
        self._size = 1 << (6 * self._overlap).bit_length()
        self._response = _k_response(rate_hz, self._size)
        self._before: Samples | None = None

    def __call__(self, block: Samples) -> Samples:
        """Weight a block, float32, shape (channels, n)."""
        channels, length = block.shape
        if self._before is None:
            self._before = np.zeros((channels, self._overlap), np.float32)
        fresh = self._size - self._overlap
        count = -(-length // fresh)
        joined = np.zeros((channels, self._overlap + count * fresh), np.float32)
        joined[:, : self._overlap] = self._before
        joined[:, self._overlap : self._overlap + length] = block
        self._before = joined[:, length : length + self._overlap].copy()
        windows = np.lib.stride_tricks.sliding_window_view(joined, self._size, axis=1)
        spectra = rfft(windows[:, ::fresh], axis=-1)
        spectra *= self._response
        weighted = irfft(spectra, self._size, axis=-1, overwrite_x=True)[..., self._overlap :]
        return np.asarray(weighted.reshape(channels, -1)[:, :length], np.float32)


@lru_cache(maxsize=8)
def _k_response(rate_hz: int, size: int) -> NDArray[np.complex64]:
    """Both filters' frequency response on the grid of an rfft of `size` samples."""
    delay = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)
    response = np.ones(len(delay), np.complex128)
    for b0, b1, b2, a0, a1, a2 in (_shelf(rate_hz), _high_pass(rate_hz)):
        response *= (b0 + b1 * delay + b2 * delay**2) / (a0 + a1 * delay + a2 * delay**2)
    return response.astype(np.complex64)


def channel_weights(channels: int) -> Samples:
    """BS.1770's weights, (channels,): surrounds 1.41, LFE none. Order: L R C LFE Ls Rs ..."""
    weights: Samples = np.ones(channels, np.float32)
    if channels == 5:
        weights[3:] = _SURROUND_WEIGHT
    elif channels > 5:
        weights[3] = 0.0
        weights[4:] = _SURROUND_WEIGHT
    return weights


def _shelf(rate_hz: int) -> list[float]:
    gain_db, f0, q = 3.999843853973347, 1681.974450955533, 0.7071752369554196
    k = math.tan(math.pi * f0 / rate_hz)
    high = 10 ** (gain_db / 20)
    mid = high**0.4996667741545416
    a0 = 1 + k / q + k * k
    return [
        (high + mid * k / q + k * k) / a0, 2 * (k * k - high) / a0,
        (high - mid * k / q + k * k) / a0,
        1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0,
    ]  # fmt: skip


def _high_pass(rate_hz: int) -> list[float]:
    f0, q = 38.13547087602444, 0.5003270373238773
    k = math.tan(math.pi * f0 / rate_hz)
    a0 = 1 + k / q + k * k
    return [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0]


def _lufs(power: Hops | float) -> Hops:
    return np.asarray(_OFFSET_DB + 10 * np.log10(np.maximum(power, 1e-15)))


def _windows(hop_power: Hops, hops: int) -> Hops:
    """Mean power of windows of so many hops, one beginning with each hop."""
    if len(hop_power) < hops:
        return np.array([hop_power.mean()]) if len(hop_power) else np.zeros(0)
    sums = np.concatenate([[0.0], np.cumsum(hop_power)])
    means: Hops = np.maximum((sums[hops:] - sums[:-hops]) / hops, 0.0)
    return means


def integrated_lufs(hop_power: Hops) -> float:
    """Integrated loudness, -70 for silence. `hop_power`: K-weighted, summed over channels, (h,)."""
    power = _windows(hop_power, _BLOCK_HOPS)
    loud = power[_lufs(power) > SILENCE_LUFS]
    if not len(loud):
        return SILENCE_LUFS
    gate = float(_lufs(float(loud.mean()))) - 10.0
    return float(_lufs(float(loud[_lufs(loud) > gate].mean())))


def range_lu(hop_power: Hops) -> float:
    """Loudness range: between the 10th and 95th percentile of the short-term loudness, gated."""
    levels = _lufs(_windows(hop_power, _SHORT_TERM_HOPS))
    levels = levels[levels > SILENCE_LUFS]
    if not len(levels):
        return 0.0
    gate = float(_lufs(float(np.mean(10 ** ((levels - _OFFSET_DB) / 10))))) - 20.0
    levels = levels[levels > gate]
    return float(np.subtract(*np.percentile(levels, [95, 10]))) if len(levels) else 0.0


def short_term_max_lufs(hop_power: Hops) -> float:
    """The loudest 3 s, -70 for silence (EBU Tech 3341)."""
    levels = _lufs(_windows(hop_power, _SHORT_TERM_HOPS))
    return float(levels.max(initial=SILENCE_LUFS))


def histogram(hop_power: Hops) -> list[int]:
    """How many blocks of 400 ms are how loud: bins as `LOUDNESS_BIN_LU` has them from -70 up.

    Several tracks' are added up for the loudness of an album, whose gate is its own.
    """
    levels = _lufs(_windows(hop_power, _BLOCK_HOPS))
    places = ((levels - SILENCE_LUFS) / LOUDNESS_BIN_LU).astype(int)
    inside = (levels > SILENCE_LUFS) & (places < LOUDNESS_BINS)
    counts: list[int] = np.bincount(places[inside], minlength=LOUDNESS_BINS).tolist()
    return counts


def replaygain_db(loudness_lufs: float) -> float:
    """ReplayGain 2 track gain: what brings a track to -18 LUFS; 0 for silence."""
    return _REFERENCE_LUFS - loudness_lufs if loudness_lufs > SILENCE_LUFS else 0.0


def dynamic_range_db(hop_square: Hops) -> float:
    """Between the 10th and 95th percentile of the level in windows of 3 s, silence aside."""
    levels = 10 * np.log10(np.maximum(_windows(hop_square, _SHORT_TERM_HOPS), 1e-15))
    levels = levels[levels > SILENCE_LUFS]
    return float(np.subtract(*np.percentile(levels, [95, 10]))) if len(levels) else 0.0
