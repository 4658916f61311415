"""True peak by ITU-R BS.1770-4, Annex 2: what a converter makes of the samples between them. Pure.

Fourfold oversampling by a polyphase filter, but only around the samples that are nearly as loud as
the loudest: elsewhere no peak can be.
"""

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

_TIMES = 4
_REACH = 16
"""Samples before and behind that the interpolation sees."""
_HOPS = 4
"""Of a block of 5 s so many of its loudest tenths of a second are looked at."""
_LEAST = 0.75
"""What is this much below the highest peak so far is not looked at: 2.5 dB."""
_MOST_PLACES = 256
_AROUND = np.arange(2 * _REACH)


def _phases() -> Samples:
    """A sinc in Kaiser's window, at 1/4, 1/2 and 3/4 of the way to the next sample, (32, 3)."""
    taps = np.arange(1 - _REACH, _REACH + 1)[:, None] - np.arange(1, _TIMES) / _TIMES
    inside = np.sqrt(np.maximum(0, 1 - (taps / _REACH) ** 2))
    phases = np.sinc(taps) * np.i0(8.0 * inside) / np.i0(8.0)
    return np.asarray(phases / phases.sum(axis=0), np.float32)


_PHASES = _phases()


class TruePeak:
    """The highest true peak of a stream; `value` is in the samples' own scale, 1 is full scale."""

    def __init__(self) -> None:
        self.value = 0.0

    def hear(self, block: Samples, peaks: NDArray[np.float64], hop: int) -> None:
        """Hear a block.

        Args:
            block: (channels, n), -1..1 and beyond.
            peaks: the largest absolute sample of each hop of it, (h,).
            hop: how many samples a hop has.
        """
        self.value = max(self.value, float(peaks.max()))
        loudest = np.argsort(peaks)[-_HOPS:]
        for number in loudest[peaks[loudest] > _LEAST * self.value]:
            start = int(number) * hop
            levels = np.abs(block[:, start : start + hop])
            for channel, level in zip(block, levels, strict=True):
                self._look(channel, level, start, float(peaks[number]))

    def _look(self, channel: Samples, level: Samples, start: int, peak: float) -> None:
        """Between the loudest samples of a hop, of which `level` tells, and their neighbours."""
        places = np.flatnonzero(level > _LEAST * max(peak, self.value))
        if len(places) > _MOST_PLACES:
            places = places[np.argpartition(level[places], -_MOST_PLACES)[-_MOST_PLACES:]]
        if not len(places) or len(channel) < 2 * _REACH:
            return
        # The gap before each sample, and the one behind it, each once.
        is_asked = np.zeros(len(level) + 1, bool)
        is_asked[places] = is_asked[places + 1] = True
        first = np.flatnonzero(is_asked) + (start - _REACH)
        first = first[(first >= 0) & (first <= len(channel) - 2 * _REACH)]
        between = channel[first[:, None] + _AROUND] @ _PHASES
        self.value = max(self.value, float(between.max(initial=0)), -float(between.min(initial=0)))
