"""Mel bands and MFCCs. Pure.

Slaney's mel scale and filters (Auditory Toolbox, 1998). librosa's compile at their first use in
every process (9 to 12 s of CPU), so the few lines needed are here.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

from shared.contracts.analysis import MFCC_COUNT

MEL_BANDS = 64
_BANDS_PER_GROUP = 8
_DYNAMIC_RANGE_DB = 80.0
_LINEAR_TO_HZ, _LINEAR_STEP_HZ, _LOG_STEP = 1_000.0, 200.0 / 3, np.log(6.4) / 27.0
"""Slaney's scale is linear up to 1 kHz, logarithmic above."""
Array = NDArray[np.float32]


@lru_cache(maxsize=2)
def mel_filters(rate_hz: int, frame: int) -> Array:
    """Triangular filters, area-normalised, (64, frame / 2 + 1).

    Args:
        rate_hz: sample rate.
        frame: length of the FFT in samples.
    """
    edges = _mel_to_hz(np.linspace(0.0, _hz_to_mel(rate_hz / 2), MEL_BANDS + 2))
    bins = np.fft.rfftfreq(frame, 1 / rate_hz)
    widths = np.diff(edges)
    ramps = edges[:, None] - bins[None, :]
    lower, upper = -ramps[:-2] / widths[:-1, None], ramps[2:] / widths[1:, None]
    triangles = np.maximum(0, np.minimum(lower, upper))
    return (triangles * (2.0 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)


@lru_cache(maxsize=2)
def mel_filter_groups(rate_hz: int, frame: int) -> list[tuple[slice, slice, Array]]:
    """The filters in groups of eight neighbours: their bands, their bins, and (bins, 8) weights.

    Most of a filter is zero: products with the groups' own bins are faster than with the whole.
    """
    filters, groups = mel_filters(rate_hz, frame), []
    for first in range(0, MEL_BANDS, _BANDS_PER_GROUP):
        group = filters[first : first + _BANDS_PER_GROUP]
        nonzero = np.flatnonzero(group.any(axis=0))
        bins = slice(int(nonzero[0]), int(nonzero[-1]) + 1)
        weights = np.ascontiguousarray(group[:, bins].T)
        groups.append((slice(first, first + _BANDS_PER_GROUP), bins, weights))
    return groups


def _hz_to_mel(frequency_hz: float) -> float:
    if frequency_hz < _LINEAR_TO_HZ:
        return frequency_hz / _LINEAR_STEP_HZ
    return float(_LINEAR_TO_HZ / _LINEAR_STEP_HZ + np.log(frequency_hz / _LINEAR_TO_HZ) / _LOG_STEP)


def _mel_to_hz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    knee = _LINEAR_TO_HZ / _LINEAR_STEP_HZ
    above = _LINEAR_TO_HZ * np.exp(_LOG_STEP * (mels - knee))
    return np.where(mels < knee, mels * _LINEAR_STEP_HZ, above)


def mel_db(mel_power: Array) -> Array:
    """Mel power in dB, (t, 64), raised to 80 dB below its maximum where it is lower."""
    level: Array = np.maximum(mel_power, np.float32(1e-10))
    np.log(level, out=level)  # far faster than log10
    level *= np.float32(10 / np.log(10))
    np.maximum(level, level.max() - np.float32(_DYNAMIC_RANGE_DB), out=level)
    return level


@lru_cache(maxsize=2)
def _dct_matrix(bands: int) -> Array:
    """The first 20 coefficients of the orthonormal DCT, (bands, 20)."""
    whole = dct(np.eye(bands, dtype=np.float32), axis=1, norm="ortho")
    return np.ascontiguousarray(whole[:, :MFCC_COUNT])


def mfcc_statistics(mel_db: Array) -> tuple[list[float], list[float]]:
    """Mean and standard deviation over time of 20 MFCCs (Davis and Mermelstein 1980).

    Args:
        mel_db: mel power in dB, (t, 64).
    """
    mfcc = mel_db @ _dct_matrix(mel_db.shape[1])
    return mfcc.mean(axis=0).tolist(), mfcc.std(axis=0).tolist()
