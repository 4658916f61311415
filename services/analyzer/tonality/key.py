"""Key and key changes. Pure.

A track's mean chroma is correlated with the 24 rotations of two key profiles (Albrecht and
Shanahan, "The use of large corpora to train a new type of key-finding algorithm", Music Perception
2013). Relative keys, keys a fifth apart and modes share most of their notes: two rules of harmony
tell them apart. The tonic's triad is the one that sounds longest, and the bass begins with the
tonic. Of generated songs (`make bench-truth`, other seeds) 80% of the keys were right without the
rules, 89% are with them.

Keys are numbered 0..23: 12 major keys from C up, then 12 minor ones.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from services.analyzer.tonality.chroma import HOP, chroma_of, spectral_peaks
from services.analyzer.tonality.roughness import roughness_of
from shared.contracts.analysis import PITCH_CLASSES

_CERTAIN_LEAD = 3.0
"""Scale of the confidence: a key that leads the second one by 1/3 is certain."""
_MAJOR = np.array(
    [0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081]
)
_MINOR = np.array(
    [0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052]
)
_PROFILES = np.stack([np.roll(profile, n) for profile in (_MAJOR, _MINOR) for n in range(12)])
_STEP_S, _WINDOW_STEPS, _CHANGE_COST = 2.0, 9, 2.5
"""Key changes: the key of each step is that of a window of steps, and each change costs."""
_TRIAD_STEP_S, _BEGINNING_S = 1.0, 2.0
_TRIAD_WEIGHT, _BASS_WEIGHT = 0.3, 0.2
"""Weights of the two rules, beside the correlation with the key profiles."""
_FOURTH, _FIFTH = 0.35, 0.5
"""In the profile of a bass: these notes, as shares of the tonic."""
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tonality:
    """The tonality of a track.

    Attributes:
        key: tonic.
        mode: major or minor.
        confidence: 0..1.
        tuning_cents: offset from A4 = 440 Hz, -50..50.
        chroma: mean chroma, from C up, its sum is 1, (12,).
        second: key and mode that fit second best.
        changes: keys over time, as (seconds, key, mode); the first one is at 0.
        roughness: 0..1, by `roughness_of`.
    """

    key: str
    mode: str
    confidence: float
    tuning_cents: float
    chroma: Array
    second: tuple[str, str]
    changes: list[tuple[float, str, str]]
    roughness: float


def estimate_tonality(samples: NDArray[np.float32], rate_hz: int) -> Tonality:
    """The tonality of mono samples, (n,); silence is C major with confidence 0."""
    peaks = spectral_peaks(samples, rate_hz)
    if not len(peaks.frequencies_hz):
        return Tonality("C", "major", 0.0, 0.0, np.zeros(12), ("A", "minor"), [], 0.0)
    chroma = chroma_of(peaks)
    frame_rate_hz = rate_hz / HOP
    mean = chroma.frames.sum(axis=0)
    mean /= max(mean.sum(), 1e-12)
    correlations = _correlations(mean)
    scores = correlations + tonic_evidence(chroma.frames, chroma.bass, frame_rate_hz)
    order = np.argsort(scores)[::-1]
    best, second = int(order[0]), int(order[1])
    lead = np.clip((scores[best] - scores[second]) * _CERTAIN_LEAD, 0, 1)
    key, mode = _name(best)
    return Tonality(
        key=key,
        mode=mode,
        confidence=float(lead * np.clip(correlations[best], 0, 1)),
        tuning_cents=chroma.tuning * 100,
        chroma=mean,
        second=_name(second),
        changes=_key_changes(chroma.frames, best, frame_rate_hz),
        roughness=roughness_of(peaks),
    )


def _name(key: int) -> tuple[str, str]:
    """Tonic and mode of a key."""
    return PITCH_CLASSES[key % 12], "major" if key < 12 else "minor"


def _correlations(chroma: Array) -> Array:
    """Correlation of chroma with each key's profile, -1..1, from (..., 12) to (..., 24)."""
    centred = chroma - chroma.mean(axis=-1, keepdims=True)
    profiles = _PROFILES - _PROFILES.mean(axis=1, keepdims=True)
    lengths = np.maximum(np.linalg.norm(centred, axis=-1, keepdims=True), 1e-12)
    products: Array = centred @ profiles.T / np.linalg.norm(profiles, axis=1) / lengths
    return products


def _key_changes(
    chroma: Array, main_key: int, frame_rate_hz: float
) -> list[tuple[float, str, str]]:
    """Where the key changes for a while, by the best path through the keys (Viterbi).

    Each step of 2 s, with its surroundings, is compared with all keys. The path pays for every
    change, and more for leaving the track's main key than for returning to it.
    """
    size = max(1, round(_STEP_S * frame_rate_hz))
    steps = np.add.reduceat(chroma, np.arange(0, len(chroma), size), axis=0)
    padded = np.pad(steps, ((_WINDOW_STEPS // 2, _WINDOW_STEPS // 2), (0, 0)))
    windows = sliding_window_view(padded, _WINDOW_STEPS, axis=0).sum(axis=2)
    fits = _correlations(windows)
    costs = np.full((24, 24), _CHANGE_COST)
    np.fill_diagonal(costs, 0.0)
    costs[:, main_key] *= 0.5
    scores, previous = fits[0].copy(), np.zeros((len(fits), 24), np.int64)
    scores[main_key] += _CHANGE_COST / 2
    for step in range(1, len(fits)):
        candidates = scores[:, None] - costs
        previous[step] = candidates.argmax(axis=0)
        scores = candidates.max(axis=0) + fits[step]
    path = [int(scores.argmax())]
    for step in range(len(fits) - 1, 0, -1):
        path.append(int(previous[step][path[-1]]))
    path.reverse()
    starts = [n for n in range(len(path)) if n == 0 or path[n] != path[n - 1]]
    return [(n * size / frame_rate_hz, *_name(path[n])) for n in starts]


def _triads() -> Array:
    """The tonic triad of each key, of unit length, (24, 12)."""
    triads = np.zeros((24, 12))
    for root in range(12):
        triads[root, [root, (root + 4) % 12, (root + 7) % 12]] = 1
        triads[12 + root, [root, (root + 3) % 12, (root + 7) % 12]] = 1
    return np.asarray(triads / np.sqrt(3))


def _bass_profiles() -> Array:
    """What the bass plays in a key with each tonic, centred and of unit length, (12, 12)."""
    profiles = np.zeros((12, 12))
    for root in range(12):
        profiles[root, [root, (root + 5) % 12, (root + 7) % 12]] = (1, _FOURTH, _FIFTH)
    profiles -= profiles.mean(axis=1, keepdims=True)
    return np.asarray(profiles / np.linalg.norm(profiles, axis=1, keepdims=True))


_TRIADS, _BASS_PROFILES = _triads(), _bass_profiles()


def tonic_evidence(chroma: Array, bass: Array, frame_rate_hz: float) -> Array:
    """Evidence for each key's tonic by the two rules, about 0..0.5, (24,).

    Args:
        chroma: of each frame, (t, 12), t at least 1.
        bass: chroma of the bass alone, (t, 12).
        frame_rate_hz: frames per second of both.
    """
    triads = _triad_shares(chroma, frame_rate_hz)
    return _TRIAD_WEIGHT * triads + _BASS_WEIGHT * _first_bass(bass, frame_rate_hz)


def _triad_shares(chroma: Array, frame_rate_hz: float) -> Array:
    """The share of the seconds in which each key's triad fits best, (24,)."""
    size = max(1, round(_TRIAD_STEP_S * frame_rate_hz))
    steps = np.add.reduceat(chroma, np.arange(0, len(chroma), size), axis=0)
    best = (steps @ _TRIADS.T).argmax(axis=1)
    return np.bincount(best[steps.any(axis=1)], minlength=24) / len(steps)


def _first_bass(bass: Array, frame_rate_hz: float) -> Array:
    """How well the first two seconds that have a bass fit each tonic, -1..1, (24,)."""
    audible = np.flatnonzero(bass.any(axis=1))
    if not len(audible):
        return np.zeros(24)
    first = int(audible[0])
    frames = max(1, round(_BEGINNING_S * frame_rate_hz))
    beginning = bass[first : first + frames].sum(axis=0)
    beginning = beginning - beginning.mean()
    fits = _BASS_PROFILES @ beginning / max(float(np.linalg.norm(beginning)), 1e-12)
    return np.concatenate([fits, fits])  # the bass does not tell major from minor
