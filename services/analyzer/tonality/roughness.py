"""Roughness: how much partials beat against each other. Pure.

The dissonance curve of two pure tones by Plomp and Levelt (1965), with Sethares' formula ("Local
consonance and the relationship between timbre and scale", JASA 1993), over all pairs of the
strongest spectral peaks of a frame.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from services.analyzer.tonality.chroma import SpectralPeaks

_FRAME_INTERVAL = 12  # frames are 372 ms apart: one every 4.5 s is enough for a mean
_PARTIALS = 12
_DECAYS = (3.5, 5.75)
_MAX_DISSONANCE = 0.1808
"""The maximum of the curve: divided by it, the roughest pair of equal tones has 1."""


def roughness_of(peaks: SpectralPeaks) -> float:
    """The mean dissonance of pairs of partials, weighted by the product of their magnitudes, 0..1.

    Args:
        peaks: at least one.
    """
    frequencies_hz, strengths, frames = peaks
    starts = np.flatnonzero(np.diff(frames, prepend=-1))
    total, weight = 0.0, 0.0
    bounds = list(zip(starts, [*starts[1:], len(frames)], strict=True))
    for start, end in bounds[::_FRAME_INTERVAL]:
        strongest = start + np.argsort(strengths[start:end])[-_PARTIALS:]
        one, two = _pairs(len(strongest))
        f, a = frequencies_hz[strongest], strengths[strongest] ** 2
        lower = np.minimum(f[one], f[two])
        distance = 0.24 * np.abs(f[one] - f[two]) / (0.0207 * lower + 18.96)
        dissonance = np.exp(-_DECAYS[0] * distance) - np.exp(-_DECAYS[1] * distance)
        products = a[one] * a[two]
        total += float(products @ dissonance)
        weight += float(products.sum())
    return float(np.clip(total / max(weight, 1e-12) / _MAX_DISSONANCE, 0, 1))


@cache
def _pairs(count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The indices of all pairs of so many partials, at most 12."""
    one, two = np.triu_indices(count, 1)
    return one, two
