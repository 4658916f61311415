"""What is kept of a stream for later steps: at another rate, and no more than a bound."""

import numpy as np
import soxr
from numpy.typing import NDArray

from services.analyzer.decoding import Samples
from services.analyzer.fingerprint import FINGERPRINT_RATE_HZ

RATE_HZ = 22_050
FINGERPRINT_S = 120
LONGEST_WHOLE_S = 600.0
"""Longer tracks are heard in slices for what needs the spectrum; loudness hears everything."""
_SLICES = 10


class Resampled:
    """A stream at another rate."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32", quality="MQ")
        self._kept: list[Samples] = []

    def __call__(self, block: Samples, *, last: bool = False) -> Samples:
        """What comes out for the next block; with the last one all that is left."""
        out: Samples = self._stream.resample_chunk(block, last=last)
        return out

    def keep(self, block: Samples) -> None:
        """Keep the next block for `pcm`."""
        self._kept.append(self(block))

    def pcm(self) -> NDArray[np.int16]:
        """What was kept, as the fingerprint takes it."""
        self._kept.append(self(np.zeros(0, np.float32), last=True))
        sound = np.concatenate(self._kept)[: FINGERPRINT_S * FINGERPRINT_RATE_HZ]
        return (np.clip(sound, -1, 1) * 32767).astype(np.int16)


class Keeper:
    """Keeps a bounded amount: all of a track, or evenly spaced slices of a long one.

    `starts_s` tells of each slice where it begins in what is kept, and where in the track.
    """

    def __init__(self, expected_s: float | None) -> None:
        self._period_s = max(LONGEST_WHOLE_S, expected_s or 0.0) / _SLICES
        self._slice_s = LONGEST_WHOLE_S / _SLICES
        self._kept: list[Samples] = []
        self._count = 0
        self._last_s = 0.0
        self.starts_s: list[tuple[float, float]] = [(0.0, 0.0)]

    def add(self, block: Samples, at_s: float) -> None:
        """A block that begins at `at_s` of the track."""
        if at_s % self._period_s < self._slice_s and self._count < LONGEST_WHOLE_S * RATE_HZ:
            if at_s - self._last_s > self._slice_s / 2:  # something was left out before it
                self.starts_s.append((self._count / RATE_HZ, at_s))
            self._last_s = at_s
            self._kept.append(block)
            self._count += len(block)

    def kept(self) -> Samples:
        """All of it, one after another, (n,)."""
        return np.concatenate(self._kept) if self._kept else np.zeros(0, np.float32)
