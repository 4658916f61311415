"""Timbre: mel cepstrum and summaries of the spectrum. Pure."""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

from shared.contracts.analysis import MFCC_COUNT

_FLOOR_DB = 80.0


def mfcc_summary(mel: NDArray[np.float32]) -> tuple[list[float], list[float]]:
    """Means and deviations of 20 cepstral coefficients (Davis and Mermelstein 1980), mel in dB."""
    level = 10 * np.log10(np.maximum(mel, 1e-10))
    level = np.maximum(level, level.max() - _FLOOR_DB)
    coefficients = dct(level, axis=1, norm="ortho")[:, :MFCC_COUNT]
    return coefficients.mean(axis=0).tolist(), coefficients.std(axis=0).tolist()


def zero_crossing_rate(sound: NDArray[np.float32]) -> float:
    """Share of samples at which the sign changes."""
    if len(sound) < 2:
        return 0.0
    return float(np.mean(np.signbit(sound[1:]) != np.signbit(sound[:-1])))


def weighted_mean(values: NDArray[np.float32], power: NDArray[np.float32]) -> float:
    """The mean over frames, by the square root of their power: silence hardly counts."""
    weights = np.sqrt(power.astype(np.float64))
    return float(np.sum(values * weights) / max(float(weights.sum()), 1e-12))
