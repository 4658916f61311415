"""The audio vector: what an analysis measured, made comparable. Pure.

Each measured value is standardised by its mean and deviation over reference music
(`reference.py`), bounded, weighted by what it is worth, and the whole is scaled to unit length, so
that the cosine of two vectors tells how alike two tracks sound. Chroma is left out: it tells the
key, and two tracks of one key do not sound alike for that.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.vectorizer.reference import DEVIATIONS, MEANS
from shared.gateway.client import JSON

MODEL = "soniquebay-descriptor"
VERSION = "1"
_BOUND = 4.0
# A group's weight counts for all its values together, so that 20 MFCCs don't drown the tempo.
_GROUPS: tuple[tuple[str, int, float], ...] = (
    ("mfcc mean", 20, 2.0),
    ("mfcc deviation", 20, 1.2),
    ("contrast", 7, 1.2),
    ("spectrum", 6, 1.2),
    ("rhythm", 4, 1.2),
    ("level", 5, 1.0),
)
DIMENSIONS = sum(count for _, count, _ in _GROUPS)
_WEIGHTS = np.concatenate(
    [np.full(count, weight / math.sqrt(count)) for _, count, weight in _GROUPS]
)


def descriptor(analysis: JSON) -> NDArray[np.float64]:
    """The measured values in one row, shape (62,), each in its own unit; frequencies in octaves."""
    values: Sequence[float] = [
        *analysis["mfccMean"],
        *analysis["mfccStd"],
        *analysis["spectralContrastDb"],
        _octaves(analysis["spectralCentroidHz"]),
        _octaves(analysis["spectralBandwidthHz"]),
        _octaves(analysis["spectralRolloffHz"]),
        math.log10(analysis["spectralFlatness"] + 1e-6),
        analysis["brightness"],
        math.sqrt(analysis["zeroCrossingRate"]),
        _octaves(analysis["tempoBpm"]),
        analysis["tempoConfidence"],
        analysis["onsetRateHz"],
        analysis["danceability"],
        analysis["energy"],
        analysis["loudnessLufs"],
        analysis["loudnessRangeLu"],
        analysis["dynamicRangeDb"],
        analysis["crestDb"],
    ]
    return np.asarray(values, dtype=np.float64)


def audio_vector(analysis: JSON) -> NDArray[np.float32]:
    """The vector of an analysis as the gateway tells it, shape (62,), unit length."""
    standard = (descriptor(analysis) - MEANS) / DEVIATIONS
    weighted = np.clip(standard, -_BOUND, _BOUND) * _WEIGHTS
    length = float(np.linalg.norm(weighted))
    if length == 0:  # exactly the reference's mean
        weighted, length = _WEIGHTS, float(np.linalg.norm(_WEIGHTS))
    return (weighted / length).astype(np.float32)


def _octaves(frequency: float) -> float:
    return math.log2(max(frequency, 1.0))
