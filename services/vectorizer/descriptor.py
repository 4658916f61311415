"""The descriptor: an audio vector of an analysis' values, where no trained model is used. Pure.

Each value is standardised by its mean and standard deviation over reference music
(`descriptor_reference.py`), limited, and weighted; the whole is scaled to unit length. The cosine
of two descriptors is the similarity of two tracks. Chroma is left out: it describes the key, and
two tracks in one key do not sound alike because of that.
"""

import hashlib
import math

import numpy as np
from numpy.typing import NDArray

from services.vectorizer.descriptor_reference import STATISTICS
from shared.contracts.analysis import CONTRAST_BANDS, MFCC_COUNT
from shared.gateway.vectorization import Measures

MODEL = "soniquebay-descriptor"
# The weight of a group is shared by its values, so that 20 MFCCs don't outweigh the tempo.
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
"""Names of the dimensions, in their order."""
DIMENSIONS = len(NAMES)

_MAX_STANDARDISED = 4.0
_WEIGHTS = np.concatenate(
    [np.full(len(names), weight / math.sqrt(len(names))) for weight, names in _GROUPS.values()]
)
_MEANS, _DEVIATIONS = np.asarray([STATISTICS[name] for name in NAMES]).T
VERSION = (
    "1." + hashlib.sha256(repr((_GROUPS, STATISTICS, _MAX_STANDARDISED)).encode()).hexdigest()[:8]
)
"""Changes with the weights and the reference: only vectors of one version can be compared."""


def measured_values(analysis: Measures) -> NDArray[np.float64]:
    """The values of an analysis in the order of `NAMES`, (62,).

    Each is in its own unit, frequencies in octaves. The tempo of music without a pulse is NaN.
    """
    values = [
        *analysis.mfcc_mean,
        *analysis.mfcc_std,
        *analysis.spectral_contrast_db,
        _octaves(analysis.spectral_centroid_hz),
        _octaves(analysis.spectral_bandwidth_hz),
        _octaves(analysis.spectral_rolloff_hz),
        math.log10(analysis.spectral_flatness + 1e-6),
        analysis.brightness,
        math.sqrt(analysis.zero_crossing_rate),
        _octaves(analysis.tempo_bpm) if analysis.tempo_bpm else math.nan,
        analysis.tempo_confidence,
        analysis.onset_rate_hz,
        analysis.danceability,
        analysis.energy,
        analysis.loudness_lufs,
        analysis.loudness_range_lu,
        analysis.dynamic_range_db,
        analysis.crest_db,
    ]
    return np.asarray(values, dtype=np.float64)


def descriptor(analysis: Measures) -> NDArray[np.float32]:
    """The descriptor of an analysis of the gateway, (62,), of unit length."""
    standardised = np.nan_to_num((measured_values(analysis) - _MEANS) / _DEVIATIONS)
    weighted = np.clip(standardised, -_MAX_STANDARDISED, _MAX_STANDARDISED) * _WEIGHTS
    if not weighted.any():  # exactly the reference's mean, which has no direction
        weighted = _WEIGHTS
    unit: NDArray[np.float64] = weighted / np.linalg.norm(weighted)
    return unit.astype(np.float32)


def _octaves(frequency: float) -> float:
    """Octaves above 1; 0 below."""
    return math.log2(max(frequency, 1.0))
