"""A loudness meter of the demo's own, so that its truth does not depend on the analyzer.

ITU-R BS.1770-4: K-weighting, mean square in blocks of 400 ms that overlap by 75%, absolute gate at
-70 LUFS, relative gate 10 LU below. The weighting is applied to the spectrum, with the response of
the standard's two filters (annex 1, as analogue prototypes of De Man 2014).
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_ABSOLUTE_GATE_LUFS = -70.0
_RELATIVE_GATE_LU = 10.0
_OFFSET_DB = -0.691


@lru_cache(maxsize=4)
def _weighting(size: int, sample_rate_hz: int) -> NDArray[np.float64]:
    """The amplitude response of K-weighting, at the frequencies of a spectrum of `size` samples."""
    s = 1j * np.maximum(np.fft.rfftfreq(size, 1 / sample_rate_hz), 1e-6)
    # High shelf: +4 dB above some 1.7 kHz.
    f0, gain_db, q = 1681.974450955533, 3.999843853973347, 0.7071752369554196
    high = 10 ** (gain_db / 20)
    mid = high**0.4996667741545416
    x = s / f0
    shelf = (high * x**2 + mid / q * x + 1) / (x**2 + x / q + 1)
    # High pass at 38 Hz.
    f1, q1 = 38.13547087602444, 0.5003270373238773
    y = s / f1
    low = y**2 / (y**2 + y / q1 + 1)
    response: NDArray[np.float64] = np.abs(shelf * low)
    return response


def integrated_lufs(samples: NDArray[np.float64], sample_rate_hz: int) -> float:
    """Integrated loudness of samples, shape (n, channels), -1..1."""
    size = len(samples)
    padded = 1 << (size - 1).bit_length()  # a power of two is fast to transform
    amplitude = _weighting(padded, sample_rate_hz)
    weighted = np.fft.irfft(np.fft.rfft(samples.T, padded) * amplitude, padded)[:, :size].T
    block, hop = round(0.4 * sample_rate_hz), round(0.1 * sample_rate_hz)
    sums = np.concatenate([[0.0], np.cumsum((weighted**2).sum(axis=1))])
    starts = np.arange(0, size - block + 1, hop)
    power = (sums[starts + block] - sums[starts]) / block
    loud = power[_lufs(power) > _ABSOLUTE_GATE_LUFS]
    if not len(loud):
        return _ABSOLUTE_GATE_LUFS
    gate = _lufs(loud.mean()) - _RELATIVE_GATE_LU
    return float(_lufs(loud[_lufs(loud) > gate].mean()))


def _lufs(power: NDArray[np.float64] | np.floating) -> NDArray[np.float64]:
    return np.asarray(_OFFSET_DB + 10 * np.log10(np.maximum(power, 1e-12)))
