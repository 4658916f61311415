"""Silence at the ends, and the waveform's preview. Pure; a value is 100 ms."""

import numpy as np
from numpy.typing import NDArray

from shared.contracts.analysis import WAVEFORM_POINTS

_SILENCE_DBFS = -60.0
_HOP_S = 0.1
Hops = NDArray[np.float64]


def silence(hop_square: Hops, duration_s: float) -> tuple[float, float, float]:
    """Seconds of silence at the start and the end, and the share of all that is silent."""
    sounding = hop_square > 10 ** (_SILENCE_DBFS / 10)
    if not sounding.any():
        return duration_s, 0.0, 1.0
    first = int(np.argmax(sounding))
    last = len(sounding) - int(np.argmax(sounding[::-1]))
    start_s = first * _HOP_S
    end_s = max(0.0, duration_s - last * _HOP_S)
    return start_s, end_s, float(1 - sounding.mean())


def waveform(hop_peak: Hops) -> list[int]:
    """400 peaks, evenly spaced, 255 is full scale."""
    edges = np.linspace(0, len(hop_peak), WAVEFORM_POINTS + 1)
    starts = np.minimum(edges[:-1].astype(int), len(hop_peak) - 1)
    ends = np.maximum(np.ceil(edges[1:]).astype(int), starts + 1)
    highest = [hop_peak[start:end].max() for start, end in zip(starts, ends, strict=True)]
    return [min(255, round(float(value) * 255)) for value in highest]
