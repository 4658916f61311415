"""Loudness of an album, from the loudness histograms of its tracks. Pure."""

import math
from collections.abc import Sequence

from shared.contracts.analysis import LOUDNESS_BIN_LU

_LOWEST_LUFS = -70.0
_RELATIVE_GATE_LU = 10.0
_REFERENCE_LUFS = -18.0


def integrated_lufs(histograms: Sequence[Sequence[int]]) -> float:
    """Integrated loudness by ITU-R BS.1770-4 of all these blocks, -70 for silence.

    A block counts as its bin's middle. A bin is half an LU wide, so that is within 0.1 LU for
    music, and within 0.25 for a steady tone. Blocks that would span two tracks are left out.
    """
    counts = [sum(column) for column in zip(*histograms, strict=True)]
    levels = [_LOWEST_LUFS + LOUDNESS_BIN_LU * (n + 0.5) for n in range(len(counts))]
    gate = _mean_lufs(levels, counts) - _RELATIVE_GATE_LU
    return _mean_lufs(
        levels, [n if level > gate else 0 for level, n in zip(levels, counts, strict=True)]
    )


def replaygain_db(lufs: float) -> float:
    """The gain in dB that brings it to -18 LUFS; 0 for silence."""
    return _REFERENCE_LUFS - lufs if lufs > _LOWEST_LUFS else 0.0


def _mean_lufs(levels: Sequence[float], counts: Sequence[int]) -> float:
    power = sum(n * 10 ** (level / 10) for level, n in zip(levels, counts, strict=True) if n)
    number = sum(counts)
    return 10 * math.log10(power / number) if number else _LOWEST_LUFS
