"""True peak by ITU-R BS.1770-4, Annex 2: the peak of the signal between the samples. Pure.

Fourfold oversampling by a polyphase filter, but only around samples that are nearly as loud as the
loudest one: the true peak cannot be elsewhere.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Samples = NDArray[np.float32]

_OVERSAMPLING = 4
_REACH = 16
"""Samples before and after a point that its interpolation takes in."""
_HOPS_PER_BLOCK = 16
"""Of the 100 hops of a block, only the loudest are searched."""
_CANDIDATE_SHARE = 0.75
"""Samples below this share of the highest peak so far (-2.5 dB) are not searched."""
_MAX_CANDIDATES = 2_048
"""Samples searched in one block."""


def _polyphase_filter() -> Samples:
    """A Kaiser-windowed sinc at 1/4, 1/2 and 3/4 of the way to the next sample, (32, 3)."""
    taps = np.arange(1 - _REACH, _REACH + 1)[:, None] - np.arange(1, _OVERSAMPLING) / _OVERSAMPLING
    inside = np.sqrt(np.maximum(0, 1 - (taps / _REACH) ** 2))
    phases = np.sinc(taps) * np.i0(8.0 * inside) / np.i0(8.0)
    return np.asarray(phases / phases.sum(axis=0), np.float32)


_PHASES = _polyphase_filter()


class TruePeak:
    """Follows the true peak of a stream.

    Attributes:
        value: the highest true peak so far, 1 is full scale.
    """

    def __init__(self) -> None:
        self.value = 0.0

    def add(self, block: Samples, peaks: NDArray[np.float64], hop: int) -> None:
        """Add the next block.

        Args:
            block: (channels, n).
            peaks: largest absolute sample of each hop, (h,).
            hop: length of a hop in samples.
        """
        self.value = max(self.value, float(peaks.max()))
        last_window = block.shape[1] - 2 * _REACH
        loudest = np.argsort(peaks)[-_HOPS_PER_BLOCK:]
        starts = loudest[peaks[loudest] > _CANDIDATE_SHARE * self.value] * hop
        starts = starts[starts <= block.shape[1] - hop]  # the last hop of a track may be shorter
        if last_window < 0 or not len(starts):
            return
        hops = np.stack([block[:, start : start + hop] for start in starts.tolist()])
        candidates = self._candidates(np.abs(hops).ravel())
        hop_numbers, channels, offsets = np.unravel_index(candidates, hops.shape)
        windows = np.clip(starts[hop_numbers] + offsets - _REACH, 0, last_window)
        # The gap before each candidate and the gap after it; neighbours share one, taken once.
        gaps = np.concatenate([windows, np.minimum(windows + 1, last_window)])
        gaps += np.tile(channels, 2) * block.shape[1]
        samples = sliding_window_view(block.ravel(), 2 * _REACH)[np.unique(gaps)]
        between = samples @ _PHASES
        self.value = max(self.value, float(between.max(initial=0)), -float(between.min(initial=0)))

    def _candidates(self, levels: Samples) -> NDArray[np.intp]:
        """Indices of the loudest samples."""
        indices = np.flatnonzero(levels > _CANDIDATE_SHARE * self.value)
        if len(indices) > _MAX_CANDIDATES:
            indices = indices[np.argpartition(levels[indices], -_MAX_CANDIDATES)[-_MAX_CANDIDATES:]]
        return indices
