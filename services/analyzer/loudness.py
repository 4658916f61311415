"""Loudness by ITU-R BS.1770-4 and EBU Tech 3342, of K-weighted power. Pure."""

import numpy as np
from numpy.typing import NDArray

from shared.contracts.analysis import LOUDNESS_BIN_LU, LOUDNESS_BINS

HOPS_A_SECOND = 10
SILENCE_LUFS = -70.0
_OFFSET_DB = -0.691
_BLOCK_HOPS = 4  # 400 ms, overlapping by 75%
_SHORT_TERM_HOPS = 30  # 3 s
_REFERENCE_LUFS = -18.0  # ReplayGain 2
Hops = NDArray[np.float64]


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
