"""An open audio file, as each decoder returns it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
MAX_CHANNELS = 8
_SAMPLE_RATES_HZ = (4_000, 768_000)
"""Lowest and highest rate of music. A damaged header may hold any number, and the size of a block
follows from it: an absurd rate would fill the memory."""


@dataclass
class Audio:
    """An open audio file: its format, and its samples as they are decoded.

    Attributes:
        rate_hz: sample rate of the file.
        expected_s: duration by the header, None where it is not stated.
        blocks: decoded samples, float32, (channels, n), -1..1 and slightly beyond.
        damaged: part of the file could not be decoded; final once all blocks were taken.
        decode_error: the error that ended decoding before the end of the file.
    """

    rate_hz: int
    expected_s: float | None
    blocks: Iterator[Samples]
    damaged: bool = field(default=False)
    decode_error: Exception | None = None


def block_size(rate_hz: int) -> int:
    """Samples per block, except for the last one: 100 hops of 100 ms."""
    return 100 * max(1, round(rate_hz / 10))


def check_sample_rate(rate_hz: int) -> None:
    """Check that a sample rate is one of music.

    Raises:
        ValueError: it is not within 4 to 768 kHz.
    """
    lowest, highest = _SAMPLE_RATES_HZ
    if not lowest <= rate_hz <= highest:
        raise ValueError(f"its header states {rate_hz:,} samples a second")
