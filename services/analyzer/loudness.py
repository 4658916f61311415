"""Loudness by ITU-R BS.1770-4 and EBU Tech 3342. Pure.

K-weighting's two filters for any sample rate: De Man, "Evaluation of implementations of the EBU
R128 loudness measurement" (AES 2018), the analogue prototypes through the bilinear transform.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.signal import sosfilt

HOPS_A_SECOND = 10
SILENCE_LUFS = -70.0
_OFFSET_DB = -0.691
_BLOCK_HOPS = 4  # 400 ms, overlapping by 75%
_SHORT_TERM_HOPS = 30  # 3 s
_REFERENCE_LUFS = -18.0  # ReplayGain 2
Hops = NDArray[np.float64]


class KWeighting:
    """The weighting of a stream: blocks in, weighted blocks out, the filters' state kept."""

    def __init__(self, rate_hz: int) -> None:
        self._sections = np.array([_shelf(rate_hz), _high_pass(rate_hz)])
        self._state: NDArray[np.float64] | None = None

    def __call__(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        """Weight a block, shape (n, channels)."""
        if self._state is None:
            self._state = np.zeros((2, 2, block.shape[1]))
        out, self._state = sosfilt(self._sections, block, axis=0, zi=self._state)
        weighted: NDArray[np.float32] = out
        return weighted


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


def replaygain_db(loudness_lufs: float) -> float:
    """ReplayGain 2 track gain: what brings a track to -18 LUFS."""
    return _REFERENCE_LUFS - loudness_lufs


def dynamic_range_db(hop_square: Hops) -> float:
    """Between the 10th and 95th percentile of the level in windows of 3 s, silence aside."""
    levels = 10 * np.log10(np.maximum(_windows(hop_square, _SHORT_TERM_HOPS), 1e-15))
    levels = levels[levels > SILENCE_LUFS]
    return float(np.subtract(*np.percentile(levels, [95, 10]))) if len(levels) else 0.0
