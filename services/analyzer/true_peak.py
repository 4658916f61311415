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
            for channel in block:
                self._look(channel, int(number) * hop, hop, float(peaks[number]))

    def _look(self, channel: Samples, start: int, hop: int, peak: float) -> None:
        """Between the loudest samples of a hop and their neighbours."""
        level = np.abs(channel[start : start + hop])
        places = np.flatnonzero(level > _LEAST * peak)
        if len(places) > _MOST_PLACES:
            places = places[np.argpartition(level[places], -_MOST_PLACES)[-_MOST_PLACES:]]
        for before in (1, 0):  # the gap before a sample, and the one behind it
            first = places + start - before - (_REACH - 1)
            whole = first[(first >= 0) & (first + 2 * _REACH <= len(channel))]
            if len(whole):
                between = channel[whole[:, None] + np.arange(2 * _REACH)] @ _PHASES
                self.value = max(self.value, float(np.abs(between).max()))
