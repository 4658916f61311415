"""The excerpt: mono samples at 22,050 Hz that the later steps analyse, of bounded length."""

import numpy as np
import soxr
from numpy.typing import NDArray

from services.analyzer.acoustid.fingerprint import FINGERPRINT_RATE_HZ
from services.analyzer.decode.audio import Samples
from shared.contracts.analysis import MOST_HEARD_S

RATE_HZ = 22_050
FINGERPRINT_S = 120
"""As much of the start of a track as is fingerprinted."""
_SLICES = 10
_DEFAULT_DURATION_S = 300.0
"""Expected where the header states no duration."""


class Resampler:
    """Resamples a stream of mono blocks."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32", quality="MQ")

    def __call__(self, block: Samples, *, last: bool = False) -> Samples:
        """The output for the next block, (m,); with `last`, all that is left."""
        out: Samples = self._stream.resample_chunk(block, last=last)
        return out


class Excerpt:
    """Collects a whole track, or ten evenly spaced slices of a long one.

    Args:
        expected_s: duration by the file's header, None where it states none.
        max_s: longest excerpt.

    Attributes:
        slice_starts_s: for each slice its start within the excerpt and within the track.
    """

    def __init__(self, expected_s: float | None, max_s: float = MOST_HEARD_S) -> None:
        self._max_s = max_s
        self._period_s = max(max_s, expected_s or 0.0) / _SLICES
        self._slice_s = max_s / _SLICES
        # One preallocated array: a list of blocks, joined at the end, takes twice the memory, which
        # the system then has to supply page by page, again for each track.
        length_s = min(expected_s or _DEFAULT_DURATION_S, max_s)
        self._samples: Samples = np.empty(round((length_s + 1) * RATE_HZ), np.float32)
        self._count = 0
        self._beginning: list[Samples] = []
        self._last_block_s = 0.0
        self.slice_starts_s: list[tuple[float, float]] = [(0.0, 0.0)]

    def add(self, block: Samples, start_s: float) -> None:
        """Add the next block, (m,) at 22,050 Hz, which starts at `start_s` of the track."""
        if self._is_sliced() and start_s <= FINGERPRINT_S:
            self._beginning.append(block)
        if start_s % self._period_s < self._slice_s and self._count < self._max_s * RATE_HZ:
            if start_s - self._last_block_s > self._slice_s / 2:  # blocks before it were left out
                self.slice_starts_s.append((self._count / RATE_HZ, start_s))
            self._last_block_s = start_s
            end = self._count + len(block)
            if end > len(self._samples):
                self._samples = np.concatenate([self._samples, np.empty(end, np.float32)])
            self._samples[self._count : end] = block
            self._count = end

    def _is_sliced(self) -> bool:
        return self._period_s > self._slice_s

    def samples(self) -> Samples:
        """The excerpt, its slices joined, float32, (n,)."""
        return self._samples[: self._count]

    def fingerprint_pcm(self) -> NDArray[np.int16]:
        """The first 120 s of the track, resampled to 11,025 Hz for Chromaprint, int16, (n,)."""
        beginning = np.concatenate(self._beginning) if self._beginning else self.samples()
        beginning = beginning[: FINGERPRINT_S * RATE_HZ]
        resampled: Samples = soxr.resample(beginning, RATE_HZ, FINGERPRINT_RATE_HZ, quality="MQ")
        resampled *= np.float32(32_767)
        return np.clip(resampled, -32_767, 32_767, out=resampled).astype(np.int16)
