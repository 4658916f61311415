"""True peak by ITU-R BS.1770-4, Annex 2: what a converter makes of the samples between them. Pure.

Fourfold oversampling by a polyphase filter, but only around the samples that are nearly as loud as
the loudest: elsewhere no peak can be.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Samples = NDArray[np.float32]

_TIMES = 4
_REACH = 16
"""Samples before and behind that the interpolation sees."""
_HOPS = 16
"""Of a block of 10 s so many of its loudest tenths of a second are looked at."""
_LEAST = 0.75
"""What is this much below the highest peak so far is not looked at: 2.5 dB."""
_MOST_PLACES = 2_048
"""Of a block."""


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
        last = block.shape[1] - 2 * _REACH
        loudest = np.argsort(peaks)[-_HOPS:]
        starts = loudest[peaks[loudest] > _LEAST * self.value] * hop
        starts = starts[starts <= block.shape[1] - hop]  # the end of a track may be no whole hop
        if last < 0 or not len(starts):
            return
        parts = np.stack([block[:, start : start + hop] for start in starts.tolist()])
        places = self._loud_places(np.abs(parts).ravel())
        numbers, channels, ats = np.unravel_index(places, parts.shape)
        before = np.clip(starts[numbers] + ats - _REACH, 0, last)
        # The gap before each sample, and the one behind it, each once.
        gaps = np.concatenate([before, np.minimum(before + 1, last)])
        gaps += np.tile(channels, 2) * block.shape[1]
        around = sliding_window_view(block.ravel(), 2 * _REACH)[np.unique(gaps)]
        between = around @ _PHASES
        self.value = max(self.value, float(between.max(initial=0)), -float(between.min(initial=0)))

    def _loud_places(self, levels: Samples) -> NDArray[np.intp]:
        """Where the loudest samples are."""
        places = np.flatnonzero(levels > _LEAST * self.value)
        if len(places) > _MOST_PLACES:
            places = places[np.argpartition(levels[places], -_MOST_PLACES)[-_MOST_PLACES:]]
        return places
