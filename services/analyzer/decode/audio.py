"""An open audio file, as each decoder returns it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
_HIGHEST_PCM_RATE_HZ = 192_000
"""Above, it is DSD, or was made from it: WavPack has DSD as 352.8 kHz."""
EXACT_TOLERANCE_S = 0.02
"""For formats that state the number of samples: shorter than any frame of theirs."""
MAX_CHANNELS = 8
_SAMPLE_RATES_HZ = (4_000, 768_000)
"""Lowest and highest rate of music. A damaged header may hold any number, and the size of a block
follows from it: an absurd rate would fill the memory."""

_DEFAULT_LAYOUTS: tuple[tuple[str, ...], ...] = (
    (), ("FC",), ("FL", "FR"), ("FL", "FR", "FC"), ("FL", "FR", "BL", "BR"),
    ("FL", "FR", "FC", "BL", "BR"), ("FL", "FR", "FC", "LFE", "BL", "BR"),
    ("FL", "FR", "FC", "LFE", "BC", "SL", "SR"),
    ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"),
)  # fmt: skip


class LeftToAnotherDecoder(Exception):
    """This decoder would read the file, but another one reads it better."""


@dataclass
class Audio:
    """An open audio file: its format, and its samples as they are decoded.

    Attributes:
        rate_hz: sample rate of the blocks: the file's own, or a lower one (`measured_rate_hz`).
        expected_s: duration by the header, None where it is not stated.
        blocks: decoded samples, float32, (channels, n), -1..1 and slightly beyond.
        damaged: a decoder complained; final once all blocks were taken.
        decode_error: the error that ended decoding before the end of the file.
        layout: FFmpeg's names of the channels ("FL", "LFE"), empty where they are not known.
        tolerance_s: an intact file may decode to so much less than `expected_s`, None by default
            half a second or 2%.
        longest_s: no file of this size plays longer; decoding ends there. None is no limit.
        first_s: where in the file the first block begins; final once that was taken.
    """

    rate_hz: int
    expected_s: float | None
    blocks: Iterator[Samples]
    damaged: bool = field(default=False)
    decode_error: Exception | None = None
    layout: tuple[str, ...] = ()
    tolerance_s: float | None = None
    longest_s: float | None = None
    first_s: float = 0.0

    def is_short(self, duration_s: float) -> bool:
        """Whether much less was decoded than is expected."""
        if self.expected_s is None:
            return False
        tolerance_s = self.tolerance_s
        if tolerance_s is None:
            tolerance_s = max(0.5, 0.02 * self.expected_s)
        return self.expected_s - duration_s > tolerance_s


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


def measured_rate_hz(rate_hz: int, *, is_dsd: bool = False) -> int:
    """The rate at which a file is measured: at most 96 kHz, and 48 kHz for DSD.

    DSD pushes its noise above some 22 kHz, where nobody hears it. At 352.8 kHz that noise is louder
    than quiet music, and every level would be the noise's.
    """
    highest = 48_000 if is_dsd or rate_hz > _HIGHEST_PCM_RATE_HZ else 96_000
    if rate_hz <= highest:
        return rate_hz
    return highest if rate_hz % 44_100 else highest * 147 // 160  # 44,100 or 88,200


def default_layout(channels: int) -> tuple[str, ...]:
    """FFmpeg's names of so many channels, where a file has none: FLAC's order (RFC 9639)."""
    return _DEFAULT_LAYOUTS[channels] if channels < len(_DEFAULT_LAYOUTS) else ()
