"""Unweighted levels of a stream: peak and mean square by hop, clipping, DC offset, side. Pure."""

import numpy as np
from numpy.typing import NDArray

_FULL_SCALE = 0.9999
_MAX_LEVEL = 8.0
"""+18 dBFS: lossy codecs overshoot by 1 or 2 dB, damaged files by anything."""
Samples = NDArray[np.float32]
Hops = NDArray[np.float64]


def limit(block: Samples, hop: int) -> tuple[Samples, Samples]:
    """The block, (channels, n), without NaN, infinity and absurd levels, and its `hop_peaks`.

    A block that has none of these, as nearly all, is returned as it is.
    """
    peaks = hop_peaks(block, hop)
    if peaks.max() <= _MAX_LEVEL:  # false for NaN
        return block, peaks
    samples = np.clip(np.nan_to_num(block, nan=0.0), -_MAX_LEVEL, _MAX_LEVEL)
    return samples, hop_peaks(samples, hop)


def hop_peaks(samples: Samples, hop: int) -> Samples:
    """Largest absolute sample of each channel's hops, from (channels, n) to (channels, h)."""
    parts = [np.maximum(part.max(axis=2), -part.min(axis=2)) for part in _split(samples, hop)]
    return np.concatenate(parts, axis=1)


def hop_mean_squares(samples: Samples, hop: int) -> Hops:
    """Mean square of each channel's hops, from (channels, n) to (channels, h)."""
    parts = [np.vecdot(part, part) / part.shape[2] for part in _split(samples, hop)]
    return np.concatenate(parts, axis=1).astype(np.float64)


def _split(samples: Samples, hop: int) -> list[Samples]:
    """The whole hops, (channels, h, hop), and the rest at the end, (channels, 1, n), if any."""
    channels, length = samples.shape
    whole = length // hop * hop
    parts = [samples[:, :whole].reshape(channels, -1, hop), samples[:, None, whole:]]
    return [part for part in parts if part.size]


def downmix(samples: Samples) -> Samples:
    """The mean of the channels, from (channels, n) to (n,)."""
    if len(samples) == 1:
        only: Samples = samples[0]
        return only
    if len(samples) == 2:  # far faster than a mean over the short axis
        mid: Samples = samples[0] + samples[1]
        mid *= np.float32(0.5)
        return mid
    return np.asarray(samples.mean(axis=0, dtype=np.float32))


class StereoBalance:
    """Accumulates the DC offset of a stream, and how much its channels differ."""

    def __init__(self) -> None:
        self._sums: NDArray[np.float64] | float = 0.0
        self._power = self._mid_power = 0.0

    def add(self, samples: Samples, mid: Samples, squares: Hops, hop: int) -> None:
        """Add a block.

        Args:
            samples: (channels, n).
            mid: its `downmix`, (n,).
            squares: mean square of each hop over all channels, (h,).
            hop: length of a hop in samples.
        """
        ones = np.ones(hop, np.float32)  # a dot product is faster than a sum
        parts = [part @ ones[: part.shape[2]] for part in _split(samples, hop)]
        self._sums = self._sums + np.concatenate(parts, axis=1).sum(axis=1, dtype=np.float64)
        lengths = np.full(len(squares), float(hop))
        lengths[-1] = samples.shape[1] - hop * (len(squares) - 1)
        self._power += float(squares @ lengths)
        self._mid_power += float(mid @ mid)

    def result(self, samples: int) -> tuple[float, float]:
        """DC offset, -1..1, and the side's share of the power, 0..1.

        Args:
            samples: length of the stream in samples.
        """
        means = np.atleast_1d(self._sums) / max(1, samples)
        offset = float(means[np.argmax(np.abs(means))])
        side = 1 - self._mid_power / self._power if self._power > 0 else 0.0
        return float(np.clip(offset, -1, 1)), float(np.clip(side, 0, 1))


def clipped_samples(samples: Samples, peaks: Samples, hop: int) -> int:
    """Number of samples in runs of three and more at full scale.

    A run through the boundary of two blocks is counted as two.

    Args:
        samples: a block, (channels, n).
        peaks: its `hop_peaks`, (channels, h): only hops with a peak at full scale are searched.
        hop: length of a hop in samples.
    """
    count = 0
    for channel, channel_peaks in zip(samples, peaks, strict=True):
        hops = np.flatnonzero(channel_peaks >= _FULL_SCALE)
        if not len(hops):
            continue
        indices = np.concatenate(
            [start + np.flatnonzero(np.abs(channel[start : start + hop]) >= _FULL_SCALE)
             for start in (hops * hop).tolist()]
        )  # fmt: skip
        run_starts = np.flatnonzero(np.diff(indices) > 1) + 1
        runs = np.diff(run_starts, prepend=0, append=len(indices))
        count += int(runs[runs >= 3].sum())
    return count
