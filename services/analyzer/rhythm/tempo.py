"""Tempo: the period at which onsets repeat. Pure.

The autocorrelation of the onset strength envelope is averaged over the multiples of each candidate
period (a comb filter), and weighted by a preference around 120 BPM, as listeners tap (van Noorden
and Moelants 1999; Ellis 2007). Octaves remain ambiguous: the other likely one is returned as well.

A lag is in frames of the envelope, and may be fractional.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.analyzer.rhythm.onsets import MIN_STRENGTH, moving_average

_MIN_BPM, _MAX_BPM = 40.0, 220.0
_PREFERRED_BPM, _PREFERENCE_OCTAVES = 120.0, 0.9
_COMB_TEETH = 8
_OFFBEAT_SHARE, _OFFBEAT_PENALTY = 0.7, 0.5
"""An off-beat lowers a tempo's score from this share of the beat on; an equal one by this much."""
_METER_LEAD = 0.04
"""A period of another meter must fit better by this share."""
_WINDOW_S = 12.0
_SAME_TEMPO_OCTAVES = 0.043  # 3%
_CANDIDATES_BPM = np.exp2(np.arange(np.log2(_MIN_BPM), np.log2(_MAX_BPM), 1 / 500))
"""A seventh of a percent apart."""
_COARSE_CANDIDATES_BPM = _CANDIDATES_BPM[::4]
"""Half a percent apart: enough to see whether parts of a track have the same tempo."""
Envelope = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tempo:
    """The tempo of a track.

    Attributes:
        bpm: beats per minute; 0 without a pulse.
        confidence: 0..1.
        alternative_bpm: half or double the tempo, whichever fits better.
        stability: share of overlapping windows of 12 s or more that have the same tempo, 0..1; 1
            where the music is too short for two windows.
    """

    bpm: float
    confidence: float
    alternative_bpm: float
    stability: float


_NO_TEMPO = Tempo(0.0, 0.0, 0.0, 0.0)


def estimate_tempo(envelope: Envelope, frame_rate_hz: float) -> Tempo:
    """The tempo of a track; where it changes, the one that lasts longest.

    Args:
        envelope: onset strength, (t,).
        frame_rate_hz: its frames per second.
    """
    slowest_lag = 60.0 / _MIN_BPM * frame_rate_hz
    if len(envelope) < 2 * slowest_lag or envelope.max() <= MIN_STRENGTH:
        return _NO_TEMPO
    flat = envelope - moving_average(envelope, round(2 * frame_rate_hz))
    # So that a peak between two lags is as high as one on a lag.
    flat = np.convolve(flat, [0.25, 0.5, 0.25], mode="same")
    correlation = _autocorrelation(flat)
    best_bpm = _best_bpm(correlation, frame_rate_hz)
    windows = _window_autocorrelations(flat, frame_rate_hz)
    window_bpms = [_best_bpm(window, frame_rate_hz, _COARSE_CANDIDATES_BPM) for window in windows]
    in_majority = _largest_group(window_bpms)
    # The whole track's tempo is a minority's, and most windows agree on another: use only these.
    same = sum(_is_same_tempo(bpm, best_bpm) for bpm in window_bpms)
    if 2 * same < len(window_bpms) < 2 * sum(in_majority):
        kept = [window for window, is_in in zip(windows, in_majority, strict=True) if is_in]
        correlation = np.mean(kept, axis=0)
        best_bpm = _best_bpm(correlation, frame_rate_hz)
    if not best_bpm:
        return _NO_TEMPO
    bpm = _refined_bpm(correlation, best_bpm, frame_rate_hz)
    confidence = float(np.clip(_scores(correlation, best_bpm, frame_rate_hz)[0][0], 0, 1))
    octaves = [octave for octave in (bpm / 2, bpm * 2) if 30 <= octave <= 400]
    scores = [_scores(correlation, octave, frame_rate_hz)[1][0] for octave in octaves]
    agreement = [_is_same_tempo(window_bpm, bpm) for window_bpm in window_bpms]
    stability = float(np.mean(agreement)) if agreement else 1.0
    return Tempo(bpm, confidence, octaves[int(np.argmax(scores))], stability)


def _best_bpm(
    correlation: Envelope, frame_rate_hz: float, candidates_bpm: Envelope = _CANDIDATES_BPM
) -> float:
    """The candidate that fits best, in BPM; 0 where none does."""
    _, scores = _scores(correlation, candidates_bpm, frame_rate_hz)
    best = int(np.argmax(scores))
    if scores[best] <= 0:
        return 0.0
    for _ in range(2):
        lag = 60.0 / float(candidates_bpm[best]) * frame_rate_hz
        meter_lag = _better_meter(correlation, lag)
        if meter_lag is None:
            break
        # The new meter's octave is chosen by score, as for all tempi.
        octaves_bpm = 60.0 / meter_lag * frame_rate_hz * np.array([0.5, 1.0, 2.0])
        distances = np.abs(np.log2(candidates_bpm[:, None] / octaves_bpm)).min(axis=1)
        best = int(np.argmax(np.where(distances < _SAME_TEMPO_OCTAVES, scores, -np.inf)))
    return float(candidates_bpm[best])


def _better_meter(correlation: Envelope, lag: float) -> float | None:
    """A lag that relates to this one as 2 to 3 or 3 to 4 and fits better, if there is one.

    Two such periods share every third multiple or so, which is evidence for neither: the multiples
    that only one of them has decide. (The metrical grid of Lerdahl and Jackendoff, "A Generative
    Theory of Tonal Music", 1983: a beat falls on a beat of the next level.) The preference for
    120 BPM is left out, since this is not a question of the octave.
    """
    best, best_lead = None, 0.0
    multiples = np.arange(1.0, 13)
    for own, other in ((2, 3), (3, 2), (3, 4), (4, 3)):
        other_lag = lag * own / other
        own_multiples = multiples[multiples % own > 0]
        other_multiples = multiples[multiples % other > 0]
        score = _mean_at_multiples(correlation, np.array([lag]), own_multiples)[0]
        other_score = _mean_at_multiples(correlation, np.array([other_lag]), other_multiples)[0]
        if other_score - score > max(best_lead, _METER_LEAD * score):
            best, best_lead = other_lag, other_score - score
    return best


def _window_autocorrelations(flat: Envelope, frame_rate_hz: float) -> list[Envelope]:
    """Autocorrelations of overlapping windows: 12 s or more, a dozen at most, two or none."""
    length = round(max(_WINDOW_S * frame_rate_hz, len(flat) / 6))
    if len(flat) < 2 * length:
        return []
    starts = range(0, len(flat) - length + 1, length // 2)
    return [_autocorrelation(flat[start : start + length]) for start in starts]


def _is_same_tempo(bpm: float, other_bpm: float) -> bool:
    """Whether two tempi are the same within 3%, octaves and thirds included; 0 is like none."""
    if not bpm or not other_bpm:
        return False
    octaves = np.log2(bpm / other_bpm * np.array([1, 2, 3, 4, 1 / 2, 1 / 3, 1 / 4]))
    return bool(np.abs(octaves).min() < _SAME_TEMPO_OCTAVES)


def _largest_group(bpms: list[float]) -> list[bool]:
    """Which of these have the tempo that most of them have."""
    votes = [[_is_same_tempo(bpm, other) for other in bpms] for bpm in bpms]
    return max(votes, key=sum, default=[])


def _scores(
    correlation: Envelope, bpm: NDArray[np.float64] | float, frame_rate_hz: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How well each tempo fits, without and with the preference around 120 BPM."""
    bpms = np.atleast_1d(np.asarray(bpm, np.float64))
    comb = _comb(correlation, 60.0 / bpms * frame_rate_hz, 60.0 / _MAX_BPM * frame_rate_hz)
    octaves = np.log2(bpms / _PREFERRED_BPM) / _PREFERENCE_OCTAVES
    return comb, comb * np.exp(-0.5 * octaves**2)


def _autocorrelation(values: Envelope) -> Envelope:
    """The autocorrelation, (t,), 1 at lag 0; each lag is divided by its number of products."""
    size = len(values)
    padded = 1 << (2 * size - 1).bit_length()
    spectrum = np.fft.rfft(values, padded)
    products = np.fft.irfft(np.abs(spectrum) ** 2, padded)[:size]
    products = products / (size - np.arange(size)).clip(size / 8)
    normalised: Envelope = products / max(float(products[0]), 1e-12)
    return normalised


def _comb(correlation: Envelope, lags: NDArray[np.float64], min_lag: float) -> NDArray[np.float64]:
    """How well each lag fits as the beat: the mean correlation at its multiples.

    An off-beat that is weaker than the beat is usual; one that is equal is a beat, and the tempo
    is double. This does not apply where half the lag is below `min_lag`.
    """
    on_beat = _mean_at_multiples(correlation, lags, np.arange(1.0, _COMB_TEETH + 1))
    off_beat = _mean_at_multiples(correlation, lags, np.arange(0.5, _COMB_TEETH))
    ratio = off_beat / np.maximum(on_beat, 1e-9)
    alike = np.clip((ratio - _OFFBEAT_SHARE) / (1 - _OFFBEAT_SHARE), 0, 1)
    can_double = lags / 2 >= min_lag
    return on_beat * (1 - _OFFBEAT_PENALTY * alike * can_double)


def _mean_at_multiples(
    correlation: Envelope, lags: NDArray[np.float64], multiples: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weighted mean of the correlation at multiples of each lag; the first multiples count most.

    Multiples in the last quarter of the correlation are ignored.
    """
    positions = multiples[:, None] * lags
    is_valid = positions < len(correlation) * 0.75
    weights = is_valid / np.sqrt(np.maximum(1.0, multiples))[:, None]
    positions[~is_valid] = 0
    before = positions.astype(np.intp)
    values = correlation[before]
    values += (positions - before) * (correlation[before + 1] - values)
    mean: Envelope = (weights * values).sum(axis=0) / np.maximum(weights.sum(axis=0), 1e-12)
    return mean


def _refined_bpm(correlation: Envelope, bpm: float, frame_rate_hz: float) -> float:
    """The tempo by the peaks of the correlation many periods away, which give it most exactly."""
    for multiple in (2, 4, 8, 16, 32):
        lag = 60.0 / bpm * frame_rate_hz * multiple
        reach = max(2, round(lag / multiple / 6))
        low, high = round(lag) - reach, round(lag) + reach + 1
        if high >= len(correlation) * 0.75:
            break
        peak = low + int(np.argmax(correlation[low:high]))
        if peak in (low, high - 1):
            break
        before, at, after = correlation[peak - 1 : peak + 2]
        curvature = before - 2 * at + after  # of the parabola through the peak
        shift = 0.5 * (before - after) / curvature if curvature < 0 else 0.0
        bpm = 60.0 * frame_rate_hz * multiple / (peak + float(shift))
    return float(bpm)
