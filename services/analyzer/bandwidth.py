"""Real bandwidth: up to where there is sound, and what cut it off there. Pure.

A lossy codec cuts off everything above a frequency that its bit rate decides, a resampler
everything above half of the lower rate: either leaves a cliff in the spectrum that music does not
have. So a "lossless" file that was made from a lossy one, or upsampled, is known.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

Samples = NDArray[np.float32]
Kind = Literal["natural", "resampled", "lossy"]

_SIZE = 4_096
_SILENT = 1e-4
_FLOOR_DB = -105.0
_BELOW_LOUDEST_DB = 100.0
_CLIFF_DB, _CLIFF_HZ = 20.0, 700.0
"""A fall of so much within so little is no instrument's."""
_EDGE_DB = 10.0
"""Where a cliff is this far down is its edge."""
_NEAR = 0.04
"""A cliff this near below half of a usual rate is a resampler's."""
_RATES_HZ = (16_000, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000)
"""Lower ones are passed over: there the music itself may end."""
_LOSSY_HZ = (10_000.0, 20_600.0)
_WHOLE = 0.955
"""A cliff from this share of half the own rate on is the own converter's."""


class Bandwidth:
    """Collects the spectrum of a stream from a few of its loudest places."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._window = np.hanning(_SIZE).astype(np.float32)
        self._sum = np.zeros(_SIZE // 2 + 1)
        self._count = 0

    def hear(self, block: Samples, peaks: NDArray[np.float64], hop: int) -> None:
        """Hear a block: its samples (channels, n), the peak of each hop (h,), a hop's length."""
        loudest = int(peaks.argmax())
        start = max(0, min(loudest * hop, block.shape[1] - _SIZE))
        piece = block[:2, start : start + _SIZE]
        if piece.shape[1] == _SIZE and peaks[loudest] > _SILENT:
            spectrum = rfft(piece * self._window, axis=1)
            self._sum += (spectrum.real**2 + spectrum.imag**2).mean(axis=0)
            self._count += 1

    def found(self) -> tuple[float, Kind]:
        """The highest frequency in Hz that has sound (0 for silence), and what limits it."""
        if not self._count:
            return 0.0, "natural"
        scale = self._count * float(self._window.sum()) ** 2 / 4
        width = max(1, round(100.0 * _SIZE / self._rate_hz))
        smooth = np.convolve(self._sum / scale, np.ones(width) / width, mode="same")
        level = 10 * np.log10(np.maximum(smooth, 1e-20))
        floor = max(_FLOOR_DB, float(level.max()) - _BELOW_LOUDEST_DB)
        sounding = np.flatnonzero(level > floor)
        if not len(sounding):
            return 0.0, "natural"
        half_hz = self._rate_hz / 2
        edge = self._cliff(level)
        if edge is None:
            return min(half_hz, float(sounding[-1]) * self._rate_hz / _SIZE), "natural"
        return edge, self._kind(edge)

    def _cliff(self, level: NDArray[np.float64]) -> float | None:
        """Where the spectrum falls off for good, in Hz, if it does so abruptly."""
        step = max(2, round(_CLIFF_HZ * _SIZE / self._rate_hz))
        falls = level[:-step] - level[step:]
        # From the highest down: what lies above a real cliff never comes up to its foot's level.
        above = np.maximum.accumulate(level[::-1])[::-1][step:]
        cliffs = np.flatnonzero((falls > _CLIFF_DB) & (level[:-step] - above > _CLIFF_DB))
        if not len(cliffs):
            return None
        last = int(cliffs[-1])
        near = level[max(0, last - step) : last + step]
        edge_bin = max(0, last - step) + int(np.flatnonzero(near > near.max() - _EDGE_DB)[-1])
        edge = edge_bin * self._rate_hz / _SIZE
        return edge if edge < _WHOLE * self._rate_hz / 2 else None

    def _kind(self, edge_hz: float) -> Kind:
        lower = [rate for rate in _RATES_HZ if rate < 0.95 * self._rate_hz]
        is_old_rate = any(1 - 2 * _NEAR < edge_hz / (rate / 2) < 1 + _NEAR for rate in lower)
        is_codecs = _LOSSY_HZ[0] <= edge_hz <= _LOSSY_HZ[1]
        if is_codecs and not (self._rate_hz > 50_000 and is_old_rate):
            return "lossy"
        return "resampled" if is_old_rate else "natural"
