"""Tempo: the period at which onsets repeat. Pure.

Onsets are the rises of the log mel spectrum; their autocorrelation is summed over multiples of a
period (a comb) and weighted by a preference around 120 BPM, as listeners tap (van Noorden and
Moelants 1999; Ellis 2007). Octaves remain ambiguous: the rival one is told.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SLOWEST_BPM, _FASTEST_BPM = 40.0, 220.0
_PREFERRED_BPM, _SPREAD_OCTAVES = 120.0, 0.9
_TEETH = 8
_UNLIKE, _HALVED = 0.8, 0.5
"""An off-beat from this share of the beat on speaks against a tempo, an equal one by so much."""
_SMOOTH_S = 0.4
Envelope = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tempo:
    """Beats a minute (0: no pulse), confidence 0..1, and the octave that fits second best."""

    bpm: float
    confidence: float
    alternative_bpm: float


def onset_envelope(mel: NDArray[np.float32]) -> Envelope:
    """How much the spectrum rises, a value a frame, (t,), its slow changes removed."""
    level = np.log10(1.0 + 1e4 * mel / (np.percentile(mel, 99.5) + 1e-12))
    rises = np.maximum(np.diff(level, axis=0, prepend=level[:1]), 0)
    envelope: Envelope = rises.mean(axis=1, dtype=np.float64)
    return envelope


def onset_rate_hz(envelope: Envelope, frames_a_second: float) -> float:
    """Onsets a second: peaks that stand out of their surroundings."""
    if len(envelope) < 3 or envelope.max() <= 1e-6:
        return 0.0
    around = _smooth(envelope, max(3, round(_SMOOTH_S * frames_a_second)))
    peaks = (envelope[1:-1] > envelope[:-2]) & (envelope[1:-1] >= envelope[2:])
    strong = envelope[1:-1] > around[1:-1] * 1.5 + 0.02 * envelope.max()
    return float((peaks & strong).sum() / len(envelope) * frames_a_second)


def _smooth(values: Envelope, width: int) -> Envelope:
    return np.convolve(values, np.ones(width) / width, mode="same")


def estimate_tempo(envelope: Envelope, frames_a_second: float) -> Tempo:
    """The tempo of an onset envelope."""
    slowest = 60.0 / _SLOWEST_BPM * frames_a_second
    if len(envelope) < 2 * slowest or envelope.max() <= 1e-6:
        return Tempo(0.0, 0.0, 0.0)
    flat = envelope - _smooth(envelope, round(2 * frames_a_second))
    # So that a peak between two lags is as high as one on a lag.
    flat = np.convolve(flat, [0.25, 0.5, 0.25], mode="same")
    correlation = _autocorrelation(flat)
    candidates = np.exp2(np.arange(np.log2(_SLOWEST_BPM), np.log2(_FASTEST_BPM), 1 / 500))
    fastest = 60.0 / _FASTEST_BPM * frames_a_second
    comb = _comb(correlation, 60.0 / candidates * frames_a_second, fastest)
    octaves = np.log2(candidates / _PREFERRED_BPM) / _SPREAD_OCTAVES
    score = comb * np.exp(-0.5 * octaves**2)
    best = int(np.argmax(score))
    if score[best] <= 0:
        return Tempo(0.0, 0.0, 0.0)
    bpm = _refined(correlation, float(candidates[best]), frames_a_second)
    confidence = float(np.clip(comb[best], 0, 1))
    rivals = [rate for rate in (bpm / 2, bpm * 2) if 30 <= rate <= 400]
    strengths = [
        float(_comb(correlation, np.array([60.0 / rate * frames_a_second]), fastest)[0])
        * float(np.exp(-0.5 * (np.log2(rate / _PREFERRED_BPM) / _SPREAD_OCTAVES) ** 2))
        for rate in rivals
    ]
    return Tempo(bpm, confidence, rivals[int(np.argmax(strengths))])


def _autocorrelation(values: Envelope) -> Envelope:
    """Normalised to 1 at lag 0, each lag by its number of products."""
    size = len(values)
    padded = 1 << (2 * size - 1).bit_length()
    spectrum = np.fft.rfft(values, padded)
    products = np.fft.irfft(np.abs(spectrum) ** 2, padded)[:size]
    products = products / (size - np.arange(size)).clip(size / 8)
    normalised: Envelope = products / max(float(products[0]), 1e-12)
    return normalised


def _comb(correlation: Envelope, lags: NDArray[np.float64], fastest: float) -> NDArray[np.float64]:
    """How much each lag is the beat: mean correlation at its multiples.

    Where it is the same half-way between them, the beat is twice as fast: a weaker off-beat is
    usual, an equal one is a beat. Not so where twice as fast is beyond `fastest`, a lag.
    """
    on = _at_multiples(correlation, lags, np.arange(1.0, _TEETH + 1))
    between = _at_multiples(correlation, lags, np.arange(0.5, _TEETH))
    alike = np.clip((between / np.maximum(on, 1e-9) - _UNLIKE) / (1 - _UNLIKE), 0, 1)
    can_double = lags / 2 >= fastest
    return on * (1 - _HALVED * alike * can_double)


def _at_multiples(
    correlation: Envelope, lags: NDArray[np.float64], multiples: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mean correlation at multiples of each lag, the first ones counting most, as far as known."""
    reach = len(correlation) * 0.75
    total, weights = np.zeros(len(lags)), np.zeros(len(lags))
    for multiple in multiples:
        places = lags * multiple
        known = places < reach
        weight = known / max(1.0, multiple) ** 0.5
        at = np.interp(np.where(known, places, 0), np.arange(len(correlation)), correlation)
        total += weight * at
        weights += weight
    return total / np.maximum(weights, 1e-12)


def _refined(correlation: Envelope, bpm: float, frames_a_second: float) -> float:
    """A peak many periods away tells the period most exactly."""
    for multiple in (2, 4, 8, 16, 32):
        lag = 60.0 / bpm * frames_a_second * multiple
        reach = max(2, round(lag / multiple / 6))
        low, high = round(lag) - reach, round(lag) + reach + 1
        if high >= len(correlation) * 0.75:
            break
        peak = low + int(np.argmax(correlation[low:high]))
        if peak in (low, high - 1):
            break
        before, at, after = correlation[peak - 1 : peak + 2]
        bend = before - 2 * at + after
        shift = 0.5 * (before - after) / bend if bend < 0 else 0.0
        bpm = 60.0 * frames_a_second * multiple / (peak + float(shift))
    return float(bpm)
