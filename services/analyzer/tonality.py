"""Key and tuning, from the peaks of long spectra. Pure.

Key profiles: Albrecht and Shanahan, "The use of large corpora to train a new type of key-finding
algorithm" (Music Perception 2013). A track's mean chroma is correlated with the 24 rotations.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from services.analyzer.spectrum import frames_of, window
from shared.contracts.analysis import PITCH_CLASSES

_FRAME, _HOP, _PORTION = 8_192, 4_096, 256
_LOWEST_HZ, _HIGHEST_HZ = 65.0, 2_100.0
_A4_HZ = 440.0
_MAJOR = np.array(
    [0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081]
)
_MINOR = np.array(
    [0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052]
)
_ROTATIONS = np.stack([np.roll(profile, n) for profile in (_MAJOR, _MINOR) for n in range(12)])


@dataclass(frozen=True, slots=True)
class Tonality:
    """Key, its confidence 0..1, tuning against A4 = 440 Hz, mean chroma from C up, (12,)."""

    key: str
    mode: str
    confidence: float
    tuning_cents: float
    chroma: NDArray[np.float64]


def tonality_of(sound: NDArray[np.float32], rate_hz: int) -> Tonality:
    """The tonality of mono samples; silence is C major with confidence 0."""
    frequencies, strengths, frame_numbers = _peaks(sound, rate_hz)
    if not len(frequencies):
        return Tonality("C", "major", 0.0, 0.0, np.zeros(12))
    notes = 12 * np.log2(frequencies / _A4_HZ) + 9  # C is 0
    tuning = _tuning(notes, strengths)
    classes = np.round(notes - tuning).astype(int) % 12
    frames = int(frame_numbers.max()) + 1
    by_frame = np.zeros((frames, 12))
    np.add.at(by_frame, (frame_numbers, classes), strengths)
    sums = by_frame.sum(axis=1, keepdims=True)
    # A frame counts by its level, but a loud one does not drown the others.
    chroma = (by_frame / np.maximum(sums, 1e-12) * np.sqrt(sums)).sum(axis=0)
    chroma /= max(chroma.sum(), 1e-12)
    fits = _correlations(chroma)
    order = np.argsort(fits)[::-1]
    best, second = int(order[0]), int(order[1])
    confidence = float(np.clip((fits[best] - fits[second]) * 4, 0, 1) * np.clip(fits[best], 0, 1))
    mode = "major" if best < 12 else "minor"
    return Tonality(PITCH_CLASSES[best % 12], mode, confidence, tuning * 100, chroma)


def _correlations(chroma: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = chroma - chroma.mean()
    profiles = _ROTATIONS - _ROTATIONS.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(profiles, axis=1) * max(float(np.linalg.norm(centred)), 1e-12)
    fits: NDArray[np.float64] = profiles @ centred / norms
    return fits


def _peaks(
    sound: NDArray[np.float32], rate_hz: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Frequencies, strengths and frame numbers of the spectra's peaks, bass to some 2 kHz."""
    frames = frames_of(sound, _FRAME, _HOP)
    low, high = (round(f * _FRAME / rate_hz) for f in (_LOWEST_HZ, _HIGHEST_HZ))
    found = [
        _portion_peaks(frames[start : start + _PORTION], low, high, rate_hz, start)
        for start in range(0, len(frames), _PORTION)
    ]
    frequencies, strengths, numbers = (np.concatenate(c) for c in zip(*found, strict=True))
    return frequencies, strengths, numbers


def _portion_peaks(
    frames: NDArray[np.float32], low: int, high: int, rate_hz: int, first: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    spectra = np.abs(rfft(frames * window(_FRAME), axis=1))[:, low - 1 : high + 2]
    at = spectra[:, 1:-1]
    floor = np.maximum(0.02 * at.max(axis=1, keepdims=True), 1e-4)
    is_peak = (at > spectra[:, :-2]) & (at >= spectra[:, 2:]) & (at > floor)
    rows, columns = np.nonzero(is_peak)
    before, top, after = (
        np.log(spectra[rows, columns + shift].astype(np.float64) + 1e-12) for shift in (0, 1, 2)
    )
    bend = before - 2 * top + after
    shift = np.where(bend < 0, 0.5 * (before - after) / np.where(bend < 0, bend, -1), 0.0)
    frequencies = (columns + low + shift) * rate_hz / _FRAME
    return frequencies, np.sqrt(np.exp(top)), rows.astype(np.int64) + first


def _tuning(notes: NDArray[np.float64], strengths: NDArray[np.float64]) -> float:
    """The offset, in semitones, -0.5..0.5, that the peaks have in common: a circular mean."""
    mean = np.sum(strengths * np.exp(2j * np.pi * notes))
    return float(np.angle(mean) / (2 * np.pi))
