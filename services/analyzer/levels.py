"""Plain levels of a stream, a value each hop of it, and how its channels differ. Pure."""

import numpy as np
from numpy.typing import NDArray

_CLIPPED = 0.9999
_LOUDEST = 8.0
"""+18 dBFS: lossy codecs overshoot by 1 or 2 dB, damaged files by anything."""
Samples = NDArray[np.float32]
Hops = NDArray[np.float64]


def bounded(block: Samples, hop: int) -> tuple[Samples, Samples]:
    """The block as it is, unless it has what is no sound: NaN, infinity, absurd levels.

    Also the peaks of its hops, as `peaks_of` tells.
    """
    peaks = peaks_of(block, hop)
    if peaks.max() <= _LOUDEST:  # not so of NaN
        return block, peaks
    sound = np.clip(np.nan_to_num(block, nan=0.0), -_LOUDEST, _LOUDEST)
    return sound, peaks_of(sound, hop)


def peaks_of(sound: Samples, hop: int) -> Samples:
    """The largest absolute sample of each hop, from (channels, n) to (channels, h)."""
    parts = [np.maximum(part.max(axis=2), -part.min(axis=2)) for part in _cut(sound, hop)]
    return np.concatenate(parts, axis=1)


def squares_of(sound: Samples, hop: int) -> Hops:
    """The mean square of each channel's hops, from (channels, n) to (channels, h)."""
    parts = [np.vecdot(part, part) / part.shape[2] for part in _cut(sound, hop)]
    return np.concatenate(parts, axis=1).astype(np.float64)


def _cut(sound: Samples, hop: int) -> list[Samples]:
    """Hops, (channels, h, hop), and the shorter one at the end, (channels, 1, n), if any."""
    channels, length = sound.shape
    whole = length // hop * hop
    parts = [sound[:, :whole].reshape(channels, -1, hop), sound[:, None, whole:]]
    return [part for part in parts if part.size]


def middle_of(sound: Samples) -> Samples:
    """The mean of the channels, (n,)."""
    if len(sound) == 1:
        only: Samples = sound[0]
        return only
    if len(sound) == 2:  # far quicker than a mean over the short axis
        middle: Samples = sound[0] + sound[1]
        middle *= np.float32(0.5)
        return middle
    return np.asarray(sound.mean(axis=0, dtype=np.float32))


class Balance:
    """Sums over a stream that tell its offset and how far its channels differ."""

    def __init__(self) -> None:
        self._sums: NDArray[np.float64] | float = 0.0
        self._power = self._middle_power = 0.0

    def hear(self, sound: Samples, middle: Samples, square: NDArray[np.float64], hop: int) -> None:
        """A block, its channels' mean, and the mean square of each of its hops."""
        ones = np.ones(hop, np.float32)  # a product is quicker than a sum
        parts = [part @ ones[: part.shape[2]] for part in _cut(sound, hop)]
        self._sums = self._sums + np.concatenate(parts, axis=1).sum(axis=1, dtype=np.float64)
        widths = np.full(len(square), float(hop))
        widths[-1] = sound.shape[1] - hop * (len(square) - 1)
        self._power += float(square @ widths)
        self._middle_power += float(middle @ middle)

    def found(self, samples: int) -> tuple[float, float]:
        """The offset, -1..1, and the side's share of the power, 0..1, of so many samples."""
        means = np.atleast_1d(self._sums) / max(1, samples)
        offset = float(means[np.argmax(np.abs(means))])
        side = 1 - self._middle_power / self._power if self._power > 0 else 0.0
        return float(np.clip(offset, -1, 1)), float(np.clip(side, 0, 1))


def clipped_in(sound: Samples, by_channel: Samples, hop: int) -> int:
    """Samples in runs of three and more at full scale, those of a run through the seam apart.

    Only hops whose peak, (channels, h), is that high are looked at.
    """
    count = 0
    for channel, peaks in zip(sound, by_channel, strict=True):
        hops = np.flatnonzero(peaks >= _CLIPPED)
        if not len(hops):
            continue
        places = np.concatenate(
            [start + np.flatnonzero(np.abs(channel[start : start + hop]) >= _CLIPPED)
             for start in (hops * hop).tolist()]
        )  # fmt: skip
        edges = np.flatnonzero(np.diff(places) > 1) + 1
        runs = np.diff(edges, prepend=0, append=len(places))
        count += int(runs[runs >= 3].sum())
    return count
