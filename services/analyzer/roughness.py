"""Roughness: how much partials beat against each other. Pure.

Plomp and Levelt's curve of the dissonance of two pure tones (1965), as Sethares gives it ("Local
consonance and the relationship between timbre and scale", JASA 1993), over all pairs of the
strongest spectral peaks of a frame.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

_EVERY = 12  # frames are 372 ms apart: one in 4.5 s is enough for a mean
_PARTIALS = 12
_CURVE = (3.5, 5.75)
_HIGHEST = 0.1808
"""The curve's maximum: so that the roughest pair of equal tones counts 1."""
Array = NDArray[np.float64]


def roughness_of(frequencies_hz: Array, strengths: Array, frames: NDArray[np.int64]) -> float:
    """0..1: the mean dissonance of pairs of partials, weighted by the product of their strengths.

    Args:
        frequencies_hz: of all spectral peaks, (n,).
        strengths: square roots of their magnitudes.
        frames: which frame each is of, rising.
    """
    edges = np.flatnonzero(np.diff(frames, prepend=-1))
    rough, weight = 0.0, 0.0
    for start, end in list(zip(edges, [*edges[1:], len(frames)], strict=True))[::_EVERY]:
        strongest = start + np.argsort(strengths[start:end])[-_PARTIALS:]
        one, two = _pairs(len(strongest))
        f, a = frequencies_hz[strongest], strengths[strongest] ** 2
        lower = np.minimum(f[one], f[two])
        apart = 0.24 * np.abs(f[one] - f[two]) / (0.0207 * lower + 18.96)
        dissonance = np.exp(-_CURVE[0] * apart) - np.exp(-_CURVE[1] * apart)
        products = a[one] * a[two]
        rough += float(products @ dissonance)
        weight += float(products.sum())
    return float(np.clip(rough / max(weight, 1e-12) / _HIGHEST, 0, 1))


@cache
def _pairs(count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Each two of so many, at most 12."""
    one, two = np.triu_indices(count, 1)
    return one, two
