"""The audio vector: what an analysis measured, made comparable. Pure.

Each measured value is standardised by its mean and deviation over reference music
(`reference.py`), bounded, weighted by what it is worth, and the whole is scaled to unit length, so
that the cosine of two vectors tells how alike two tracks sound. Chroma is left out: it tells the
key, and two tracks of one key do not sound alike for that.
"""

import hashlib
import math

import numpy as np
from numpy.typing import NDArray

from services.vectorizer.reference import STATISTICS
from shared.contracts.analysis import CONTRAST_BANDS, MFCC_COUNT
from shared.gateway.client import JSON

MODEL = "soniquebay-descriptor"
# A group's weight counts for all its values together, so that 20 MFCCs don't drown the tempo.
_GROUPS: dict[str, tuple[float, list[str]]] = {
    "timbre": (2.0, [f"mfcc_mean_{n}" for n in range(MFCC_COUNT)]),
    "change": (1.2, [f"mfcc_std_{n}" for n in range(MFCC_COUNT)]),
    "contrast": (1.2, [f"spectral_contrast_{n}" for n in range(CONTRAST_BANDS)]),
    "spectrum": (
        1.2,
        ["centroid", "bandwidth", "rolloff", "flatness", "brightness", "zero_crossings"],
    ),
    "rhythm": (1.2, ["tempo", "tempo_confidence", "onset_rate", "danceability"]),
    "level": (1.0, ["energy", "loudness", "loudness_range", "dynamic_range", "crest"]),
}
NAMES = [name for _, names in _GROUPS.values() for name in names]
"""What the dimensions stand for, in their order."""
DIMENSIONS = len(NAMES)

_BOUND = 4.0
_WEIGHTS = np.concatenate(
    [np.full(len(names), weight / math.sqrt(len(names))) for weight, names in _GROUPS.values()]
)
_MEANS, _DEVIATIONS = np.asarray([STATISTICS[name] for name in NAMES]).T
VERSION = "1." + hashlib.sha256(repr((_GROUPS, STATISTICS, _BOUND)).encode()).hexdigest()[:8]
"""Another one with every change of weights or reference: vectors compare within one only."""


def descriptor(analysis: JSON) -> NDArray[np.float64]:
    """The measured values in one row, shape (62,), in the order of `NAMES`.

    Each is in its own unit, frequencies in octaves; NaN where there is nothing to measure: the
    tempo of music without a pulse.
    """
    values = [
        *analysis["mfccMean"],
        *analysis["mfccStd"],
        *analysis["spectralContrastDb"],
        _octaves(analysis["spectralCentroidHz"]),
        _octaves(analysis["spectralBandwidthHz"]),
        _octaves(analysis["spectralRolloffHz"]),
        math.log10(analysis["spectralFlatness"] + 1e-6),
        analysis["brightness"],
        math.sqrt(analysis["zeroCrossingRate"]),
        _octaves(analysis["tempoBpm"]) if analysis["tempoBpm"] else math.nan,
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
    standard = np.nan_to_num((descriptor(analysis) - _MEANS) / _DEVIATIONS)
    weighted = np.clip(standard, -_BOUND, _BOUND) * _WEIGHTS
    if not weighted.any():  # exactly the reference's mean
        weighted = _WEIGHTS
    unit: NDArray[np.float64] = weighted / np.linalg.norm(weighted)
    return unit.astype(np.float32)


def _octaves(frequency: float) -> float:
    return math.log2(max(frequency, 1.0))
