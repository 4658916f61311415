"""A file being decoded: what each decoder gives."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
MOST_CHANNELS = 8
_RATES_HZ = (4_000, 768_000)
"""Of music; what a damaged header tells may be anything, and a block be of all memory."""


@dataclass
class Audio:
    """A file being decoded.

    Attributes:
        rate_hz: its own sample rate.
        expected_s: length that its header tells, None where it tells none.
        blocks: samples as they come, float32, shape (channels, n), -1..1 and a little beyond.
        damaged: known when all blocks were taken: part of the file could not be decoded.
        broke_off: why the decoder ended before the end of the file.
    """

    rate_hz: int
    expected_s: float | None
    blocks: Iterator[Samples]
    damaged: bool = field(default=False)
    broke_off: Exception | None = None


def portion_of(rate_hz: int) -> int:
    """How many samples a block has but for the last one: 100 tenths of a second."""
    return 100 * max(1, round(rate_hz / 10))


def check_rate(rate_hz: int) -> None:
    """Pass what may be music.

    Raises:
        ValueError: it is no sample rate that music has.
    """
    lowest, highest = _RATES_HZ
    if not lowest <= rate_hz <= highest:
        raise ValueError(f"its header tells of {rate_hz:,} samples a second")
