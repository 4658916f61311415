"""Beats and downbeats. Pure.

Beats by dynamic programming over the onset strength (Ellis, "Beat tracking by dynamic programming",
Journal of New Music Research 2007), with the tempo given. Downbeats are where the bass and the
spectrum change most (Davies and Plumbley, "A spectral difference approach to downbeat extraction
in musical audio", EUSIPCO 2006), in bars of four or three beats.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

_TIGHTNESS = 100.0
_MIN_INTERVAL, _MAX_INTERVAL = 0.8, 1.25
"""Interval between two beats, in periods of the tempo."""
_BASS_BANDS = 8
"""Mel bands below some 300 Hz."""
_DYNAMIC_RANGE_DB = 60.0
_BEATS_PER_BAR = (4, 3)
_MIN_BARS = 4
Envelope = NDArray[np.float64]
Frames = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Bars:
    """The bars of a track.

    Attributes:
        beats: beats per bar; 0 where it is unknown.
        first_downbeat: index of the first beat that begins a bar.
        confidence: 0..1.
    """

    beats: int
    first_downbeat: int
    confidence: float


_NO_BARS = Bars(0, 0, 0.0)


def track_beats(envelope: Envelope, bpm: float, frame_rate_hz: float) -> Frames:
    """The frames of the beats, rising; none without a pulse.

    Args:
        envelope: onset strength, (t,).
        bpm: tempo, 0 without a pulse.
        frame_rate_hz: frames per second of the envelope.
    """
    if bpm <= 0 or envelope.max(initial=0) <= 1e-6:
        return np.zeros(0, np.int64)
    period = 60.0 / bpm * frame_rate_hz
    lags = np.arange(max(1, round(_MIN_INTERVAL * period)), round(_MAX_INTERVAL * period) + 1)
    penalties = -_TIGHTNESS * np.log(lags / period) ** 2
    onsets = np.convolve(envelope / max(float(envelope.std()), 1e-9), [0.25, 0.5, 0.25], "same")
    scores, previous = _best_paths(onsets, lags, penalties)
    last_period = max(0, len(onsets) - round(period))
    frame = last_period + int(np.argmax(scores[last_period:]))
    beats = []
    while frame >= 0:
        beats.append(frame)
        frame = int(previous[frame])
    return _without_silent_ends(np.asarray(beats[::-1]), envelope)


def _best_paths(onsets: Envelope, lags: Frames, penalties: Envelope) -> tuple[Envelope, Frames]:
    """The best score of a sequence of beats that ends in each frame, and the beat before it.

    No beat is nearer to the next than the shortest lag, so that many frames are computed at once.
    """
    max_lag = int(lags[-1])
    scores = np.concatenate([np.zeros(max_lag), onsets])  # a beat before the start scores 0
    previous = np.full(len(onsets), -1, np.int64)
    earlier = sliding_window_view(scores, len(lags))[:, ::-1]  # of each frame, nearest first
    step = int(lags[0])
    rows = np.arange(step)
    for start in range(0, len(onsets), step):
        frames = slice(start, min(start + step, len(onsets)))
        sums = earlier[frames] + penalties
        best = sums.argmax(axis=1)
        scores[frames.start + max_lag : frames.stop + max_lag] += sums[rows[: len(sums)], best]
        previous[frames] = np.arange(frames.start, frames.stop) - lags[best]
    return scores[max_lag:], np.maximum(previous, -1)


def _without_silent_ends(beats: Frames, envelope: Envelope) -> Frames:
    """The beats without those at either end that have no onset."""
    near = np.stack([envelope[np.clip(beats + by, 0, len(envelope) - 1)] for by in (-1, 0, 1)])
    audible = np.flatnonzero(near.max(axis=0) > 0.1 * envelope[beats].mean())
    return beats[audible[0] : audible[-1] + 1] if len(audible) else beats[:0]


def estimate_bars(mel_db: NDArray[np.float32], beats: Frames) -> Bars:
    """An estimate of the bars; unknown below four bars.

    Args:
        mel_db: mel power in dB, (t, 64).
        beats: frames of the beats.
    """
    if len(beats) < _MIN_BARS * max(_BEATS_PER_BAR):
        return _NO_BARS
    level = np.maximum(mel_db, mel_db.max() - np.float32(_DYNAMIC_RANGE_DB))
    beat_spectra = np.add.reduceat(level, beats, axis=0)[:-1] / np.diff(beats)[:, None]
    changes = np.abs(np.diff(beat_spectra, axis=0, prepend=beat_spectra[:1])).mean(axis=1)
    after = np.minimum(beats[:-1] + 2, len(level) - 1)
    bass = level[:, :_BASS_BANDS].mean(axis=1)
    bass_rises = np.maximum(bass[after] - bass[np.maximum(beats[:-1] - 2, 0)], 0)
    accents = _standardised(changes) + _standardised(bass_rises)
    lead, beats_per_bar, first_downbeat = max(
        (_downbeat_lead(accents, beats_per_bar, first), beats_per_bar, first)
        for beats_per_bar in _BEATS_PER_BAR
        for first in range(beats_per_bar)
    )
    return Bars(beats_per_bar, first_downbeat, float(np.clip(lead / 2, 0, 1)))


def _standardised(values: NDArray[np.floating]) -> Envelope:
    return np.asarray((values - values.mean()) / max(float(values.std()), 1e-9), np.float64)


def _downbeat_lead(accents: Envelope, beats_per_bar: int, first_downbeat: int) -> float:
    """How much more the downbeats are accented than the other beats."""
    is_downbeat = np.arange(len(accents)) % beats_per_bar == first_downbeat
    return float(accents[is_downbeat].mean() - accents[~is_downbeat].mean())
