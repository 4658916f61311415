"""Loudness of an album, from the loudness histograms of its tracks. Pure."""

import math
from collections.abc import Sequence

_LOWEST_LUFS = -70.0
_RELATIVE_GATE_LU = 10.0
_REFERENCE_LUFS = -18.0


def integrated_lufs(
    histograms: Sequence[Sequence[int]], means_lufs: Sequence[Sequence[float]]
) -> float:
    """Integrated loudness by ITU-R BS.1770-4 of all these blocks, -70 for silence.

    Only the relative gate is off, by less than a bin. Blocks that would span two tracks are left
    out.

    Args:
        histograms: for each track the number of blocks in each bin.
        means_lufs: for each track the mean loudness of the blocks in each bin.
    """
    blocks = [
        (mean_lufs, count)
        for counts, means in zip(histograms, means_lufs, strict=True)
        for count, mean_lufs in zip(counts, means, strict=True)
        if count
    ]
    gate = _mean_lufs(blocks) - _RELATIVE_GATE_LU
    return _mean_lufs([block for block in blocks if block[0] > gate])


def replaygain_db(lufs: float) -> float:
    """The gain in dB that brings it to -18 LUFS; 0 for silence."""
    return _REFERENCE_LUFS - lufs if lufs > _LOWEST_LUFS else 0.0


def _mean_lufs(blocks: Sequence[tuple[float, int]]) -> float:
    """The mean loudness of blocks, given as loudness and number."""
    power = sum(number * 10 ** (lufs / 10) for lufs, number in blocks)
    count = sum(number for _, number in blocks)
    return 10 * math.log10(power / count) if count else _LOWEST_LUFS
