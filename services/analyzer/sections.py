"""Sections: where what is played changes. Pure.

Foote's novelty ("Automatic audio segmentation using a measure of audio novelty", ICME 2000): a
checkerboard is moved along the diagonal of the track's similarity with itself.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

_STEP_S = 1.0
_HALF = 12
"""Steps on either side that are compared: sections shorter than that are not told apart."""
_SHORTEST_S = 8.0
_STANDS_OUT = 1.0
"""In deviations above the mean novelty."""
_LEAST = 0.05
"""A novelty of 1 were two halves that are each uniform and have nothing in common."""
_COEFFICIENTS = 16
Array = NDArray[np.float64]


def boundaries_s(level_db: NDArray[np.float32], frames_a_second: float, most: int) -> list[float]:
    """Seconds at which a section begins, rising, the track's own start aside; `most` at most.

    Args:
        level_db: mel power, 80 dB deep, (t, 64).
        frames_a_second: of them.
        most: the strongest ones, if there are more.
    """
    size = round(_STEP_S * frames_a_second)
    count = len(level_db) // size
    if count < 2 * _HALF:
        return []
    level = level_db[: count * size].reshape(count, size, -1).mean(axis=1)
    features = dct(level, axis=1, norm="ortho")[:, :_COEFFICIENTS].astype(np.float64)
    novelty = _novelty(_standard(features))
    limit = novelty.mean() + _STANDS_OUT * novelty.std()
    found: list[int] = []
    for place in np.argsort(novelty)[::-1]:
        if novelty[place] <= max(limit, _LEAST) or len(found) == most:
            break
        if all(abs(place - other) * _STEP_S >= _SHORTEST_S for other in found):
            found.append(int(place))
    return [place * size / frames_a_second for place in sorted(found)]


def _standard(features: Array) -> Array:
    spread = np.maximum(features.std(axis=0), 1e-3)
    standard: Array = (features - features.mean(axis=0)) / spread
    return standard


def _novelty(features: Array) -> Array:
    """How different what is behind each step is from what is before it, (count,)."""
    squares = (features**2).sum(axis=1)
    distances = squares[:, None] + squares - 2 * features @ features.T
    alike = np.exp(-np.maximum(distances, 0) / max(float(distances.mean()), 1e-9))
    taper = np.exp(-0.5 * ((np.arange(2 * _HALF) - _HALF + 0.5) / (0.5 * _HALF)) ** 2)
    sign = np.where(np.arange(2 * _HALF) < _HALF, -1.0, 1.0)
    board = np.outer(taper * sign, taper * sign) / taper.sum() ** 2
    windows = np.lib.stride_tricks.sliding_window_view(alike, (2 * _HALF, 2 * _HALF))
    novelty = np.zeros(len(features))
    middle = np.einsum("iiab,ab->i", windows, board)
    novelty[_HALF : _HALF + len(middle)] = np.maximum(middle, 0)
    return novelty
