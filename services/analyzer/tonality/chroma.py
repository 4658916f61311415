"""Spectral peaks, and from them the tuning and the chroma of each frame. Pure.

Chroma from spectral peaks: Gomez 2006.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from services.analyzer.spectrum.features import frames_of, hann_window

HOP = 8_192
_FRAME, _BATCH = 8_192, 64
_MIN_HZ, _MAX_HZ = 65.0, 2_100.0
_BASS_HZ = 260.0
_A4_HZ = 440.0
Array = NDArray[np.float64]


class SpectralPeaks(NamedTuple):
    """The peaks of all frames' spectra, from 65 Hz to 2.1 kHz, in the order of their frames.

    Attributes:
        frequencies_hz: (p,).
        strengths: square roots of their magnitudes, (p,).
        frames: the frame of each, (p,).
    """

    frequencies_hz: Array
    strengths: Array
    frames: NDArray[np.int64]


class Chroma(NamedTuple):
    """Pitch classes over time, from C up.

    Attributes:
        tuning: offset of the peaks from A4 = 440 Hz, in semitones, -0.5..0.5.
        frames: chroma of each frame, scaled by the root of its level, (t, 12).
        bass: strengths of the pitch classes below 260 Hz, (t, 12).
    """

    tuning: float
    frames: Array
    bass: Array


def chroma_of(peaks: SpectralPeaks) -> Chroma:
    """The chroma of spectral peaks, of which there is at least one."""
    frequencies_hz, strengths, frame_numbers = peaks
    semitones = 12 * np.log2(frequencies_hz / _A4_HZ) + 9  # C is 0
    tuning = _tuning(semitones, strengths)
    pitch_classes = np.round(semitones - tuning).astype(int) % 12
    frames = int(frame_numbers.max()) + 1
    cells = frame_numbers * 12 + pitch_classes
    chroma = np.bincount(cells, strengths, frames * 12).reshape(frames, 12)
    bass_strengths = np.where(frequencies_hz < _BASS_HZ, strengths, 0.0)
    bass = np.asarray(np.bincount(cells, bass_strengths, frames * 12), np.float64)
    sums = chroma.sum(axis=1, keepdims=True)
    # Louder frames count more, but by the root of their level, so that none drowns the others.
    weighted = chroma / np.maximum(sums, 1e-12) * np.sqrt(sums)
    return Chroma(tuning, weighted, bass.reshape(frames, 12))


def spectral_peaks(samples: NDArray[np.float32], rate_hz: int) -> SpectralPeaks:
    """The spectral peaks of mono samples, (n,); none in silence."""
    frames = frames_of(samples, _FRAME, HOP)
    low, high = (round(f * _FRAME / rate_hz) for f in (_MIN_HZ, _MAX_HZ))
    batches = [
        _peaks_of(frames[start : start + _BATCH], low, high, rate_hz, start)
        for start in range(0, len(frames), _BATCH)
    ]
    frequencies, strengths, numbers = (np.concatenate(c) for c in zip(*batches, strict=True))
    return SpectralPeaks(frequencies, strengths, numbers)


def _peaks_of(
    frames: NDArray[np.float32], low: int, high: int, rate_hz: int, first_frame: int
) -> SpectralPeaks:
    """The peaks from bin `low` to `high`; a parabola through three log magnitudes places each."""
    spectra = np.abs(rfft(frames * hann_window(_FRAME), axis=1)[:, low - 1 : high + 2])
    at = spectra[:, 1:-1]
    floor = np.maximum(0.02 * at.max(axis=1, keepdims=True), 1e-4)
    is_peak = (at > spectra[:, :-2]) & (at >= spectra[:, 2:]) & (at > floor)
    rows, columns = np.divmod(np.flatnonzero(is_peak), is_peak.shape[1])  # faster than nonzero
    flat, positions = spectra.ravel(), rows * spectra.shape[1] + columns
    magnitudes = flat[positions + 1].astype(np.float64)
    before, top, after = (
        np.log(flat[positions + shift] + np.float32(1e-12)) for shift in (0, 1, 2)
    )
    curvature = before - 2 * top + after
    is_concave = curvature < 0
    shift = np.where(is_concave, 0.5 * (before - after) / np.where(is_concave, curvature, -1), 0.0)
    frequencies = (columns + low + shift.astype(np.float64)) * rate_hz / _FRAME
    return SpectralPeaks(frequencies, np.sqrt(magnitudes), rows.astype(np.int64) + first_frame)


def _tuning(semitones: Array, strengths: Array) -> float:
    """The peaks' common offset in semitones, -0.5..0.5: a circular mean."""
    # float32: its sines are faster
    angles = (2 * np.pi * (semitones - np.round(semitones))).astype(np.float32)
    return float(np.arctan2(strengths @ np.sin(angles), strengths @ np.cos(angles)) / (2 * np.pi))
