"""What is kept of a stream for later steps: at another rate, and no more than a bound."""

import numpy as np
import soxr
from numpy.typing import NDArray

from services.analyzer.audio import Samples
from services.analyzer.fingerprint import FINGERPRINT_RATE_HZ
from shared.contracts.analysis import MOST_HEARD_S

RATE_HZ = 22_050
FINGERPRINT_S = 120
_SLICES = 10
_USUAL_S = 300.0
"""Where no length is told."""


class Resampled:
    """A stream at another rate."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32", quality="MQ")

    def __call__(self, block: Samples, *, last: bool = False) -> Samples:
        """What comes out for the next block; with the last one all that is left."""
        out: Samples = self._stream.resample_chunk(block, last=last)
        return out


class Keeper:
    """Keeps a bounded amount: all of a track, or evenly spaced slices of a long one.

    `starts_s` tells of each slice where it begins in what is kept, and where in the track.

    Args:
        expected_s: length that the track is said to have.
        heard_s: so much of it is kept.
    """

    def __init__(self, expected_s: float | None, heard_s: float = MOST_HEARD_S) -> None:
        self._heard_s = heard_s
        self._period_s = max(heard_s, expected_s or 0.0) / _SLICES
        self._slice_s = heard_s / _SLICES
        # One array that is filled: parts, and what joins them, were twice the memory, which the
        # system then hands out page by page for each track anew.
        length_s = min(expected_s or _USUAL_S, heard_s)
        self._kept: Samples = np.empty(round((length_s + 1) * RATE_HZ), np.float32)
        self._count = 0
        self._beginning: list[Samples] = []
        self._last_s = 0.0
        self.starts_s: list[tuple[float, float]] = [(0.0, 0.0)]

    def add(self, block: Samples, at_s: float) -> None:
        """A block that begins at `at_s` of the track."""
        if self._is_sliced() and at_s <= FINGERPRINT_S:
            self._beginning.append(block)
        if at_s % self._period_s < self._slice_s and self._count < self._heard_s * RATE_HZ:
            if at_s - self._last_s > self._slice_s / 2:  # something was left out before it
                self.starts_s.append((self._count / RATE_HZ, at_s))
            self._last_s = at_s
            behind = self._count + len(block)
            if behind > len(self._kept):
                self._kept = np.concatenate([self._kept, np.empty(behind, np.float32)])
            self._kept[self._count : behind] = block
            self._count = behind

    def _is_sliced(self) -> bool:
        return self._period_s > self._slice_s

    def kept(self) -> Samples:
        """All of it, one after another, (n,)."""
        return self._kept[: self._count]

    def beginning(self) -> NDArray[np.int16]:
        """The first 120 s as the fingerprint takes them: at 11,025 Hz, (n,)."""
        sound = np.concatenate(self._beginning) if self._beginning else self.kept()
        sound = sound[: FINGERPRINT_S * RATE_HZ]
        halved: Samples = soxr.resample(sound, RATE_HZ, FINGERPRINT_RATE_HZ, quality="MQ")
        halved *= np.float32(32_767)
        return np.clip(halved, -32_767, 32_767, out=halved).astype(np.int16)
