"""The bandwidth of a recording: the highest frequency in it, and what limits it. Pure.

A lossy codec removes everything above a frequency that depends on its bit rate, a resampler
everything above half of the lower rate. Either leaves a cliff in the spectrum, which music does not
have. It shows that a "lossless" file was made from a lossy one, or upsampled.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

Samples = NDArray[np.float32]
BandwidthKind = Literal["natural", "resampled", "lossy"]

_FRAME = 4_096
_SILENCE = 1e-4
_FLOOR_DB = -105.0
_FLOOR_BELOW_MAX_DB = 100.0
_CLIFF_DB, _CLIFF_HZ = 20.0, 700.0
"""No instrument's spectrum falls this much within so little."""
_EDGE_DB = 10.0
"""The edge of a cliff is where the level has fallen this much."""
_NYQUIST_TOLERANCE = 0.04
"""A cliff this near below half of a common sample rate is a resampler's."""
_COMMON_RATES_HZ = (16_000, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000)
"""Lower rates are left out: at half of these, music itself may end."""
_LOSSY_HZ = (10_000.0, 20_600.0)
_CONVERTER_SHARE = 0.955
"""A cliff above this share of the file's own Nyquist frequency is its own converter's."""


class Bandwidth:
    """Averages the spectrum of a stream at the loudest place of each block."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._window = np.hanning(_FRAME).astype(np.float32)
        self._sum = np.zeros(_FRAME // 2 + 1)
        self._count = 0

    def add(self, block: Samples, peaks: NDArray[np.float64], hop: int) -> None:
        """Add the next block.

        Args:
            block: (channels, n); the first two channels count.
            peaks: largest absolute sample of each hop, (h,).
            hop: length of a hop in samples.
        """
        loudest = int(peaks.argmax())
        start = max(0, min(loudest * hop, block.shape[1] - _FRAME))
        frame = block[:2, start : start + _FRAME]
        if frame.shape[1] == _FRAME and peaks[loudest] > _SILENCE:
            spectrum = rfft(frame * self._window, axis=1)
            self._sum += (spectrum.real**2 + spectrum.imag**2).mean(axis=0)
            self._count += 1

    def result(self) -> tuple[float, BandwidthKind]:
        """The highest frequency in Hz (0 for silence), and what limits it."""
        if not self._count:
            return 0.0, "natural"
        scale = self._count * float(self._window.sum()) ** 2 / 4
        width = max(1, round(100.0 * _FRAME / self._rate_hz))
        smooth = np.convolve(self._sum / scale, np.ones(width) / width, mode="same")
        level_db = 10 * np.log10(np.maximum(smooth, 1e-20))
        floor_db = max(_FLOOR_DB, float(level_db.max()) - _FLOOR_BELOW_MAX_DB)
        audible = np.flatnonzero(level_db > floor_db)
        if not len(audible):
            return 0.0, "natural"
        nyquist_hz = self._rate_hz / 2
        edge_hz = self._cliff_hz(level_db)
        if edge_hz is None:
            return min(nyquist_hz, float(audible[-1]) * self._rate_hz / _FRAME), "natural"
        return edge_hz, self._kind(edge_hz)

    def _cliff_hz(self, level_db: NDArray[np.float64]) -> float | None:
        """The frequency where the spectrum falls abruptly and for good, if it does."""
        step = max(2, round(_CLIFF_HZ * _FRAME / self._rate_hz))
        falls = level_db[:-step] - level_db[step:]
        # The maximum of all that is above: after a real cliff the level stays low up to the top.
        above = np.maximum.accumulate(level_db[::-1])[::-1][step:]
        cliffs = np.flatnonzero((falls > _CLIFF_DB) & (level_db[:-step] - above > _CLIFF_DB))
        if not len(cliffs):
            return None
        last = int(cliffs[-1])
        near = level_db[max(0, last - step) : last + step]
        edge_bin = max(0, last - step) + int(np.flatnonzero(near > near.max() - _EDGE_DB)[-1])
        edge_hz = edge_bin * self._rate_hz / _FRAME
        return edge_hz if edge_hz < _CONVERTER_SHARE * self._rate_hz / 2 else None

    def _kind(self, edge_hz: float) -> BandwidthKind:
        lower_rates_hz = [rate for rate in _COMMON_RATES_HZ if rate < 0.95 * self._rate_hz]
        is_nyquist_of_lower_rate = any(
            1 - 2 * _NYQUIST_TOLERANCE < edge_hz / (rate / 2) < 1 + _NYQUIST_TOLERANCE
            for rate in lower_rates_hz
        )
        is_in_codec_range = _LOSSY_HZ[0] <= edge_hz <= _LOSSY_HZ[1]
        # Both may fit: then a high-resolution file is taken to be resampled, any other to be lossy.
        if is_in_codec_range and not (self._rate_hz > 50_000 and is_nyquist_of_lower_rate):
            return "lossy"
        return "resampled" if is_nyquist_of_lower_rate else "natural"
