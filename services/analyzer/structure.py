"""Silence and fades at the ends, and the waveform's preview. Pure; a value is 100 ms."""

import numpy as np
from numpy.typing import NDArray

from shared.contracts.analysis import WAVEFORM_POINTS

_SILENCE_DBFS = -60.0
_HOP_S = 0.1
_FULL_DB = 6.0
"""A fade ends where the level is this near to what is usual in the track."""
_FADE_DB, _STRAIGHT = 15.0, 0.8
"""A fade has at least this depth, and falls this evenly (the correlation of level and time)."""
_FADE_S = 1.5
_USUAL_S = 60
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
    """1,000 peaks, evenly spaced, 255 is full scale; of a short track neighbours are equal."""
    edges = np.linspace(0, len(hop_peak), WAVEFORM_POINTS + 1)
    starts = np.minimum(edges[:-1].astype(int), len(hop_peak) - 1)
    ends = np.maximum(np.ceil(edges[1:]).astype(int), starts + 1)
    # Pairs of bounds, of which each second one is between the points; its end is padded.
    bounds = np.stack([starts, ends], axis=1).ravel()
    highest = np.maximum.reduceat(np.append(hop_peak, 0.0), bounds)[::2]
    points: list[int] = np.minimum(255, np.round(highest * 255)).astype(int).tolist()
    return points


def fades_s(hop_square: Hops) -> tuple[float, float]:
    """How long the track fades in, and out, in seconds; 0 where it begins or ends otherwise."""
    level = 10 * np.log10(np.maximum(_smooth(hop_square), 1e-12))
    sounding = np.flatnonzero(hop_square > 10 ** (_SILENCE_DBFS / 10))
    if not len(sounding):
        return 0.0, 0.0
    level = level[sounding[0] : sounding[-1] + 1]
    return _fade_s(level), _fade_s(level[::-1])


def _smooth(hop_square: Hops) -> Hops:
    """Over half a second: notes are not to interrupt a fade."""
    if len(hop_square) < 6:
        return hop_square
    return np.convolve(hop_square, np.full(5, 0.2), mode="same")


def _fade_s(level: Hops) -> float:
    """Of a level in dB: how long it rises from its start on, evenly and far enough."""
    near = level[: round(_USUAL_S / _HOP_S)]
    usual = float(np.percentile(near, 75))
    length = int(np.argmax(level >= usual - _FULL_DB))
    if length * _HOP_S < _FADE_S or usual - level[: max(1, length // 10)].mean() < _FADE_DB:
        return 0.0
    rising = level[:length]
    even = float(np.corrcoef(rising, np.arange(length))[0, 1])
    return length * _HOP_S if even > _STRAIGHT else 0.0
