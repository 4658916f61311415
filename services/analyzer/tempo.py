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
_LEVEL_FRAMES = 2_000
"""So many tell the level that the rises are relative to."""
_TEETH = 8
_LEAST_RISE = 2e-3
"""Mean rise of all bands, in decades: below is what windows make of a steady tone."""
_UNLIKE, _HALVED = 0.7, 0.5
"""An off-beat from this share of the beat on speaks against a tempo, an equal one by so much."""
_SMOOTH_S = 0.4
_LEAD = 0.04
"""A rival meter must fit better by this share."""
_WINDOW_S = 12.0
_SAME_OCTAVES = 0.043  # 3%
_CANDIDATES_BPM = np.exp2(np.arange(np.log2(_SLOWEST_BPM), np.log2(_FASTEST_BPM), 1 / 500))
"""A seventh of a percent apart."""
_FEWER_BPM = _CANDIDATES_BPM[::4]
"""Half a percent apart: enough to tell whether parts of a track have the same pulse."""
Envelope = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tempo:
    """Beats a minute (0: no pulse), confidence 0..1, and the octave that fits second best.

    `stability` is the share of overlapping parts of 12 s or more that have the same pulse, 0..1; 1
    where the music is too short to have two.
    """

    bpm: float
    confidence: float
    alternative_bpm: float
    stability: float


_NO_TEMPO = Tempo(0.0, 0.0, 0.0, 0.0)


def onset_envelope(mel: NDArray[np.float32]) -> Envelope:
    """How much the spectrum rises, a value a frame, (t,), its slow changes removed."""
    loud = np.percentile(mel[:: 1 + len(mel) // _LEVEL_FRAMES], 99.5)
    level = mel * np.float32(1e4 / (loud + 1e-12))
    level += 1
    np.log(level, out=level)  # far quicker than log10
    rises = np.maximum(level[1:] - level[:-1], 0)
    envelope = np.zeros(len(mel))
    envelope[1:] = rises @ np.full(mel.shape[1], 1 / (mel.shape[1] * np.log(10)), np.float32)
    return envelope


def onset_rate_hz(envelope: Envelope, frames_a_second: float) -> float:
    """Onsets a second: peaks that stand out of their surroundings."""
    if len(envelope) < 3 or envelope.max() <= _LEAST_RISE:
        return 0.0
    around = _smooth(envelope, max(3, round(_SMOOTH_S * frames_a_second)))
    peaks = (envelope[1:-1] > envelope[:-2]) & (envelope[1:-1] >= envelope[2:])
    strong = envelope[1:-1] > around[1:-1] * 1.5 + 0.02 * envelope.max()
    return float((peaks & strong).sum() / len(envelope) * frames_a_second)


def _smooth(values: Envelope, width: int) -> Envelope:
    return np.convolve(values, np.ones(width) / width, mode="same")


def estimate_tempo(envelope: Envelope, frames_a_second: float) -> Tempo:
    """The tempo of an onset envelope; where it changes, the one that lasts longest."""
    slowest = 60.0 / _SLOWEST_BPM * frames_a_second
    if len(envelope) < 2 * slowest or envelope.max() <= _LEAST_RISE:
        return _NO_TEMPO
    flat = envelope - _smooth(envelope, round(2 * frames_a_second))
    # So that a peak between two lags is as high as one on a lag.
    flat = np.convolve(flat, [0.25, 0.5, 0.25], mode="same")
    correlation = _autocorrelation(flat)
    found = _beat(correlation, frames_a_second)
    windows = _windows(flat, frames_a_second)
    beats = [_beat(window, frames_a_second, _FEWER_BPM) for window in windows]
    agreeing = _most_agreeing(beats)
    if 2 * sum(_is_same_pulse(beat, found) for beat in beats) < len(beats) < 2 * sum(agreeing):
        kept = [window for window, agrees in zip(windows, agreeing, strict=True) if agrees]
        correlation = np.mean(kept, axis=0)
        found = _beat(correlation, frames_a_second)
    if not found:
        return _NO_TEMPO
    bpm = _refined(correlation, found, frames_a_second)
    confidence = float(np.clip(_scores(correlation, found, frames_a_second)[0][0], 0, 1))
    rivals = [rate for rate in (bpm / 2, bpm * 2) if 30 <= rate <= 400]
    strengths = [_scores(correlation, rate, frames_a_second)[1][0] for rate in rivals]
    same = [_is_same_pulse(beat, bpm) for beat in beats]
    stability = float(np.mean(same)) if same else 1.0
    return Tempo(bpm, confidence, rivals[int(np.argmax(strengths))], stability)


def _beat(
    correlation: Envelope, frames_a_second: float, candidates_bpm: Envelope = _CANDIDATES_BPM
) -> float:
    """The candidate that fits best, in BPM; 0 where none does."""
    _, score = _scores(correlation, candidates_bpm, frames_a_second)
    best = int(np.argmax(score))
    if score[best] <= 0:
        return 0.0
    for _ in range(2):
        period = 60.0 / float(candidates_bpm[best]) * frames_a_second
        rival = _rival_meter(correlation, period)
        if rival is None:
            break
        near = 60.0 / rival * frames_a_second * np.array([0.5, 1.0, 2.0])
        places = np.abs(np.log2(candidates_bpm[:, None] / near)).min(axis=1) < _SAME_OCTAVES
        best = int(np.argmax(np.where(places, score, -np.inf)))
    return float(candidates_bpm[best])


def _rival_meter(correlation: Envelope, lag: float) -> float | None:
    """A period, in frames, that is to this one as 2 to 3 or 3 to 4 and fits better, if any does.

    Two such periods meet at every third or so of their multiples, which speaks for neither: the
    multiples that one has alone decide (the metrical grid of Lerdahl and Jackendoff, "A Generative
    Theory of Tonal Music", 1983: a beat falls on a beat of the next level). The preference for
    120 BPM has no say, since this is no question of the octave.
    """
    best, lead = None, 0.0
    multiples = np.arange(1.0, 13)
    for own, other in ((2, 3), (3, 2), (3, 4), (4, 3)):
        rival = lag * own / other
        here = _at_multiples(correlation, np.array([lag]), multiples[multiples % own > 0])[0]
        there = _at_multiples(correlation, np.array([rival]), multiples[multiples % other > 0])[0]
        if there - here > max(lead, _LEAD * here):
            best, lead = rival, there - here
    return best


def _windows(flat: Envelope, frames_a_second: float) -> list[Envelope]:
    """Autocorrelations of overlapping parts of 12 s or more, a dozen at most, if there are two."""
    length = round(max(_WINDOW_S * frames_a_second, len(flat) / 6))
    if len(flat) < 2 * length:
        return []
    starts = range(0, len(flat) - length + 1, length // 2)
    return [_autocorrelation(flat[start : start + length]) for start in starts]


def _is_same_pulse(bpm: float, other_bpm: float) -> bool:
    """Within 3%, octaves and thirds of it included; no tempo is like none."""
    if not bpm or not other_bpm:
        return False
    octaves = np.log2(bpm / other_bpm * np.array([1, 2, 3, 4, 1 / 2, 1 / 3, 1 / 4]))
    return bool(np.abs(octaves).min() < _SAME_OCTAVES)


def _most_agreeing(beats: list[float]) -> list[bool]:
    """Which of these have the pulse that most have."""
    votes = [[_is_same_pulse(beat, other) for other in beats] for beat in beats]
    return max(votes, key=sum, default=[])


def _scores(
    correlation: Envelope, bpm: NDArray[np.float64] | float, frames_a_second: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How well each tempo fits; and weighted by how readily one taps it."""
    rates = np.atleast_1d(np.asarray(bpm, np.float64))
    comb = _comb(correlation, 60.0 / rates * frames_a_second, 60.0 / _FASTEST_BPM * frames_a_second)
    octaves = np.log2(rates / _PREFERRED_BPM) / _SPREAD_OCTAVES
    return comb, comb * np.exp(-0.5 * octaves**2)


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
    places = multiples[:, None] * lags
    known = places < len(correlation) * 0.75
    weights = known / np.sqrt(np.maximum(1.0, multiples))[:, None]
    places[~known] = 0
    before = places.astype(np.intp)
    at = correlation[before]
    at += (places - before) * (correlation[before + 1] - at)
    found: Envelope = (weights * at).sum(axis=0) / np.maximum(weights.sum(axis=0), 1e-12)
    return found


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
