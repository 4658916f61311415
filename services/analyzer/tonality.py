"""Key and tuning, from the peaks of long spectra. Pure.

Key profiles: Albrecht and Shanahan, "The use of large corpora to train a new type of key-finding
algorithm" (Music Perception 2013). A track's mean chroma is correlated with the 24 rotations; keys
that share their notes are told apart by what `home` knows.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import rfft

from services.analyzer.home import at_home
from services.analyzer.roughness import roughness_of
from services.analyzer.spectrum import frames_of, window
from shared.contracts.analysis import PITCH_CLASSES

_FRAME, _HOP, _PORTION = 8_192, 8_192, 64
_LOWEST_HZ, _HIGHEST_HZ = 65.0, 2_100.0
_BASS_HZ = 260.0
_A4_HZ = 440.0
_SURE = 3.0
"""A key is sure that leads by a third."""
_MAJOR = np.array(
    [0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081]
)
_MINOR = np.array(
    [0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052]
)
_ROTATIONS = np.stack([np.roll(profile, n) for profile in (_MAJOR, _MINOR) for n in range(12)])
_STEP_S, _AROUND, _CHANGE = 2.0, 9, 2.5
"""Steps of the keys over time, how many of them are heard together, and what a change costs."""


@dataclass(frozen=True, slots=True)
class Tonality:
    """Key, its confidence 0..1, tuning against A4 = 440 Hz, mean chroma from C up, (12,).

    `second` is the key and mode that fit second best; `changes` the keys over time, as (second,
    key, mode), the first one at 0; `roughness` as `roughness_of` tells.
    """

    key: str
    mode: str
    confidence: float
    tuning_cents: float
    chroma: NDArray[np.float64]
    second: tuple[str, str]
    changes: list[tuple[float, str, str]]
    roughness: float


def tonality_of(sound: NDArray[np.float32], rate_hz: int) -> Tonality:
    """The tonality of mono samples; silence is C major with confidence 0."""
    frequencies, strengths, frame_numbers = _peaks(sound, rate_hz)
    if not len(frequencies):
        return Tonality("C", "major", 0.0, 0.0, np.zeros(12), ("A", "minor"), [], 0.0)
    notes = 12 * np.log2(frequencies / _A4_HZ) + 9  # C is 0
    tuning = _tuning(notes, strengths)
    classes = np.round(notes - tuning).astype(int) % 12
    frames = int(frame_numbers.max()) + 1
    cells = frame_numbers * 12 + classes
    by_frame = np.bincount(cells, strengths, frames * 12).reshape(frames, 12)
    of_bass = np.where(frequencies < _BASS_HZ, strengths, 0.0)
    bass = np.asarray(np.bincount(cells, of_bass, frames * 12), np.float64).reshape(frames, 12)
    sums = by_frame.sum(axis=1, keepdims=True)
    # A frame counts by its level, but a loud one does not drown the others.
    weighted = by_frame / np.maximum(sums, 1e-12) * np.sqrt(sums)
    chroma = weighted.sum(axis=0)
    chroma /= max(chroma.sum(), 1e-12)
    profile_fits = _correlations(chroma)
    fits = profile_fits + at_home(weighted, bass, rate_hz / _HOP)
    order = np.argsort(fits)[::-1]
    best, second = int(order[0]), int(order[1])
    lead = np.clip((fits[best] - fits[second]) * _SURE, 0, 1)
    confidence = float(lead * np.clip(profile_fits[best], 0, 1))
    return Tonality(
        *_named(best), confidence, tuning * 100, chroma, _named(second),
        _changes(weighted, best, rate_hz / _HOP),
        roughness_of(frequencies, strengths, frame_numbers),
    )  # fmt: skip


def _named(number: int) -> tuple[str, str]:
    """Tonic and mode of a rotation."""
    return PITCH_CLASSES[number % 12], "major" if number < 12 else "minor"


def _changes(
    weighted: NDArray[np.float64], main: int, frames_a_second: float
) -> list[tuple[float, str, str]]:
    """Where the key changes for a while: the path through the keys that fits best (Viterbi).

    Each step of 2 s is compared with all keys together with its surroundings; the path pays for
    every change, and more for leaving the track's main key than for coming back to it.
    """
    size = max(1, round(_STEP_S * frames_a_second))
    steps = np.add.reduceat(weighted, np.arange(0, len(weighted), size), axis=0)
    padded = np.pad(steps, ((_AROUND // 2, _AROUND // 2), (0, 0)))
    smooth = sliding_window_view(padded, _AROUND, axis=0).sum(axis=2)
    fits = _correlations(smooth)
    costs = np.full((24, 24), _CHANGE)
    np.fill_diagonal(costs, 0.0)
    costs[:, main] *= 0.5
    total, came = fits[0].copy(), np.zeros((len(fits), 24), np.int64)
    total[main] += _CHANGE / 2
    for step in range(1, len(fits)):
        ways = total[:, None] - costs
        came[step] = ways.argmax(axis=0)
        total = ways.max(axis=0) + fits[step]
    path = [int(total.argmax())]
    for step in range(len(fits) - 1, 0, -1):
        path.append(int(came[step][path[-1]]))
    path.reverse()
    starts = [n for n in range(len(path)) if n == 0 or path[n] != path[n - 1]]
    return [(n * size / frames_a_second, *_named(path[n])) for n in starts]


def _correlations(chroma: NDArray[np.float64]) -> NDArray[np.float64]:
    """How well each rotation fits, -1..1, from (..., 12) to (..., 24)."""
    centred = chroma - chroma.mean(axis=-1, keepdims=True)
    profiles = _ROTATIONS - _ROTATIONS.mean(axis=1, keepdims=True)
    lengths = np.maximum(np.linalg.norm(centred, axis=-1, keepdims=True), 1e-12)
    fits: NDArray[np.float64] = centred @ profiles.T / np.linalg.norm(profiles, axis=1) / lengths
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
    spectra = np.abs(rfft(frames * window(_FRAME), axis=1)[:, low - 1 : high + 2])
    at = spectra[:, 1:-1]
    floor = np.maximum(0.02 * at.max(axis=1, keepdims=True), 1e-4)
    is_peak = (at > spectra[:, :-2]) & (at >= spectra[:, 2:]) & (at > floor)
    rows, columns = np.divmod(np.flatnonzero(is_peak), is_peak.shape[1])  # quicker than nonzero
    flat, places = spectra.ravel(), rows * spectra.shape[1] + columns
    heights = flat[places + 1].astype(np.float64)
    before, top, after = (np.log(flat[places + shift] + np.float32(1e-12)) for shift in (0, 1, 2))
    bend = before - 2 * top + after
    shift = np.where(bend < 0, 0.5 * (before - after) / np.where(bend < 0, bend, -1), 0.0)
    frequencies = (columns + low + shift.astype(np.float64)) * rate_hz / _FRAME
    return frequencies, np.sqrt(heights), rows.astype(np.int64) + first


def _tuning(notes: NDArray[np.float64], strengths: NDArray[np.float64]) -> float:
    """The offset, in semitones, -0.5..0.5, that the peaks have in common: a circular mean."""
    angles = (2 * np.pi * (notes - np.round(notes))).astype(np.float32)  # sines of which are quick
    return float(np.arctan2(strengths @ np.sin(angles), strengths @ np.cos(angles)) / (2 * np.pi))
