"""Timbre: mel cepstrum and summaries of the spectrum. Pure."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

from shared.contracts.analysis import MFCC_COUNT

_FLOOR_DB = 80.0
Array = NDArray[np.float32]


def level_db(mel: Array) -> Array:
    """Mel power in dB, what is 80 dB below the largest raised to that, (t, 64)."""
    level: Array = np.maximum(mel, np.float32(1e-10))
    np.log(level, out=level)  # far quicker than log10
    level *= np.float32(10 / np.log(10))
    np.maximum(level, level.max() - np.float32(_FLOOR_DB), out=level)
    return level


@lru_cache(maxsize=2)
def _cosines(bands: int) -> Array:
    """The orthonormal cosine transform's first coefficients, (bands, 20)."""
    every = dct(np.eye(bands, dtype=np.float32), axis=1, norm="ortho")
    return np.ascontiguousarray(every[:, :MFCC_COUNT])


def mfcc_summary(level_db: Array) -> tuple[list[float], list[float]]:
    """Means and deviations of 20 cepstral coefficients (Davis and Mermelstein 1980).

    From `level_db`, (t, 64).
    """
    coefficients = level_db @ _cosines(level_db.shape[1])
    return coefficients.mean(axis=0).tolist(), coefficients.std(axis=0).tolist()


def zero_crossing_rate(sound: Array) -> float:
    """Share of samples at which the sign changes."""
    if len(sound) < 2:
        return 0.0
    negative = np.signbit(sound)
    return int(np.count_nonzero(negative[1:] != negative[:-1])) / (len(sound) - 1)


def weighted_mean(values: Array, power: Array) -> float:
    """The mean over frames, by the square root of their power: silence hardly counts."""
    weights = np.sqrt(power.astype(np.float64))
    return float(np.sum(values * weights) / max(float(weights.sum()), 1e-12))
