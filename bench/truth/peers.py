"""The naive peer: librosa, called as its documentation shows it."""

from functools import lru_cache
from pathlib import Path

import librosa
import numpy as np

from shared.contracts.analysis import PITCH_CLASSES

_RATE_HZ = 22_050
# Krumhansl and Kessler, "Tracing the dynamic changes in perceived tonal organization in a spatial
# representation of musical keys" (Psychological Review 89, 1982): what most correlate with.
_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)


@lru_cache(maxsize=1)
def _profiles() -> list[tuple[str, str, np.ndarray]]:
    return [
        (tonic, mode, np.roll(profile, number))
        for mode, profile in (("major", _MAJOR), ("minor", _MINOR))
        for number, tonic in enumerate(PITCH_CLASSES)
    ]


def tempo_and_key(path: Path) -> tuple[float, str, str]:
    """`beat_track`, and `chroma_cqt` correlated with key profiles: BPM, tonic, mode."""
    sound, rate_hz = librosa.load(path, sr=_RATE_HZ)
    tempo, _ = librosa.beat.beat_track(y=sound, sr=rate_hz)
    chroma = librosa.feature.chroma_cqt(y=sound, sr=rate_hz).mean(axis=1)
    fits = [np.corrcoef(chroma, profile)[0, 1] for _, _, profile in _profiles()]
    tonic, mode, _ = _profiles()[int(np.argmax(fits))]
    return float(np.atleast_1d(tempo)[0]), tonic, mode
