"""Loudness of K-weighted power by ITU-R BS.1770-4 and EBU R 128. Pure.

A hop is 100 ms, h counts hops. Momentary loudness is that of 400 ms, short-term loudness of 3 s.
"""

import numpy as np
from numpy.typing import NDArray

from shared.contracts.analysis import LOUDNESS_BIN_LU, LOUDNESS_BINS

SILENCE_LUFS = -70.0
"""The absolute gate of BS.1770: quieter windows are ignored, and silence is given this loudness."""
_OFFSET_DB = -0.691
_MOMENTARY_HOPS = 4
"""400 ms. Windows begin with each hop, so they overlap by 75% as the standard wants."""
_SHORT_TERM_HOPS = 30
_REPLAYGAIN_REFERENCE_LUFS = -18.0
Hops = NDArray[np.float64]


def _lufs(power: Hops | float) -> Hops:
    return np.asarray(_OFFSET_DB + 10 * np.log10(np.maximum(power, 1e-15)))


def _window_means(power: Hops, hops: int) -> Hops:
    """Mean power of windows of this many hops, one beginning with each hop; one if it is short."""
    if len(power) < hops:
        return np.array([power.mean()]) if len(power) else np.zeros(0)
    sums = np.concatenate([[0.0], np.cumsum(power)])
    means: Hops = np.maximum((sums[hops:] - sums[:-hops]) / hops, 0.0)
    return means


def integrated_lufs(k_power: Hops) -> float:
    """Integrated loudness in LUFS, with both gates of BS.1770-4; -70 for silence.

    Args:
        k_power: K-weighted power of each hop, summed over channels, (h,).
    """
    power = _window_means(k_power, _MOMENTARY_HOPS)
    audible = power[_lufs(power) > SILENCE_LUFS]
    if not len(audible):
        return SILENCE_LUFS
    relative_gate = float(_lufs(float(audible.mean()))) - 10.0
    return float(_lufs(float(audible[_lufs(audible) > relative_gate].mean())))


def loudness_range_lu(k_power: Hops) -> float:
    """Loudness range in LU by EBU Tech 3342; 0 for silence.

    The 10th to the 95th percentile of the short-term loudness, with both gates.
    """
    levels = _lufs(_window_means(k_power, _SHORT_TERM_HOPS))
    levels = levels[levels > SILENCE_LUFS]
    if not len(levels):
        return 0.0
    mean_power = float(np.mean(10 ** ((levels - _OFFSET_DB) / 10)))
    relative_gate = float(_lufs(mean_power)) - 20.0
    levels = levels[levels > relative_gate]
    return float(np.subtract(*np.percentile(levels, [95, 10]))) if len(levels) else 0.0


def max_short_term_lufs(k_power: Hops) -> float:
    """Maximum short-term loudness in LUFS by EBU Tech 3341; -70 for silence."""
    levels = _lufs(_window_means(k_power, _SHORT_TERM_HOPS))
    return float(levels.max(initial=SILENCE_LUFS))


def momentary_histogram(k_power: Hops) -> tuple[list[int], list[float]]:
    """Momentary windows by loudness, in bins of `LOUDNESS_BIN_LU` from -70 LUFS up.

    The histograms of an album's tracks add up to the album's, from which its loudness follows: it
    cannot follow from the tracks' loudness, since the album's relative gate is another one. The
    middle of a bin would be up to a quarter of an LU off, hence the means.

    Returns the number of windows in each bin, and the mean loudness of these, 0 without any.
    """
    power = _window_means(k_power, _MOMENTARY_HOPS)
    levels = _lufs(power)
    bins = ((levels - SILENCE_LUFS) / LOUDNESS_BIN_LU).astype(int)
    counted = (levels > SILENCE_LUFS) & (bins < LOUDNESS_BINS)
    counts = np.bincount(bins[counted], minlength=LOUDNESS_BINS)
    sums = np.bincount(bins[counted], weights=power[counted], minlength=LOUDNESS_BINS)
    means = np.where(counts > 0, _lufs(sums / np.maximum(counts, 1)), 0.0)
    return counts.tolist(), np.clip(means.round(3), SILENCE_LUFS, 10).tolist()


def replaygain_db(loudness_lufs: float) -> float:
    """ReplayGain 2 track gain in dB, the gain to -18 LUFS; 0 for silence."""
    return _REPLAYGAIN_REFERENCE_LUFS - loudness_lufs if loudness_lufs > SILENCE_LUFS else 0.0


def dynamic_range_db(mean_square: Hops) -> float:
    """The 10th to the 95th percentile of the unweighted level of 3 s, in dB; silence is ignored.

    Args:
        mean_square: unweighted mean square of each hop, (h,).
    """
    levels = 10 * np.log10(np.maximum(_window_means(mean_square, _SHORT_TERM_HOPS), 1e-15))
    levels = levels[levels > SILENCE_LUFS]
    return float(np.subtract(*np.percentile(levels, [95, 10]))) if len(levels) else 0.0
