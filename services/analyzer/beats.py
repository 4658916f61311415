"""Beats and bars: where one taps, and a guess where bars begin. Pure.

Beats by dynamic programming over the onset envelope (Ellis, "Beat tracking by dynamic programming",
Journal of New Music Research 2007), with the tempo given. Downbeats are where the bass and the
spectrum change most (Davies and Plumbley, "A spectral difference approach to downbeat extraction
in musical audio", EUSIPCO 2006), among bars of four and three beats.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

_TIGHTNESS = 100.0
_SHORTEST, _LONGEST = 0.8, 1.25
"""How far, in beats, one beat may be from the next."""
_BASS_BANDS = 8
"""Of the mel bands, those below some 300 Hz."""
_DEPTH_DB = 60.0
_METERS = (4, 3)
_FEWEST_BARS = 4
Envelope = NDArray[np.float64]
Frames = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Bars:
    """Beats a bar (0: unknown), which beat is the first downbeat, and confidence 0..1."""

    beats: int
    first: int
    confidence: float


NO_BARS = Bars(0, 0, 0.0)


def beat_frames(envelope: Envelope, bpm: float, frames_a_second: float) -> Frames:
    """The frames that are beats at about this tempo, rising; none without a pulse."""
    if bpm <= 0 or envelope.max(initial=0) <= 1e-6:
        return np.zeros(0, np.int64)
    period = 60.0 / bpm * frames_a_second
    lags = np.arange(max(1, round(_SHORTEST * period)), round(_LONGEST * period) + 1)
    costs = -_TIGHTNESS * np.log(lags / period) ** 2
    onsets = np.convolve(envelope / max(float(envelope.std()), 1e-9), [0.25, 0.5, 0.25], "same")
    total, before = _accumulated(onsets, lags, costs)
    last = len(onsets) - round(period)
    frame = max(0, last) + int(np.argmax(total[max(0, last) :]))
    beats = []
    while frame >= 0:
        beats.append(frame)
        frame = int(before[frame])
    return _trimmed(np.asarray(beats[::-1]), envelope)


def _accumulated(onsets: Envelope, lags: Frames, costs: Envelope) -> tuple[Envelope, Frames]:
    """The best sum of onsets and costs that ends in each frame, and the beat before it.

    No beat is nearer than the shortest lag, so that many frames are done at a time.
    """
    reach = int(lags[-1])
    total = np.concatenate([np.zeros(reach), onsets])  # before the start nothing is gained
    before = np.full(len(onsets), -1, np.int64)
    earlier = sliding_window_view(total, len(lags))[:, ::-1]  # of each frame, nearest first
    step = int(lags[0])
    rows = np.arange(step)
    for start in range(0, len(onsets), step):
        frames = slice(start, min(start + step, len(onsets)))
        sums = earlier[frames] + costs
        best = sums.argmax(axis=1)
        total[frames.start + reach : frames.stop + reach] += sums[rows[: len(sums)], best]
        before[frames] = np.arange(frames.start, frames.stop) - lags[best]
    return total[reach:], np.maximum(before, -1)


def _trimmed(beats: Frames, envelope: Envelope) -> Frames:
    """Without beats at either end where nothing sounds any more."""
    near = np.stack([envelope[np.clip(beats + by, 0, len(envelope) - 1)] for by in (-1, 0, 1)])
    strong = np.flatnonzero(near.max(axis=0) > 0.1 * envelope[beats].mean())
    return beats[strong[0] : strong[-1] + 1] if len(strong) else beats[:0]


def bars_of(level_db: NDArray[np.float32], beats: Frames) -> Bars:
    """A guess at the bars, from mel power in dB, (t, 64), and the frames of beats."""
    if len(beats) < _FEWEST_BARS * max(_METERS):
        return NO_BARS
    level = np.maximum(level_db, level_db.max() - np.float32(_DEPTH_DB))
    sums = np.add.reduceat(level, beats, axis=0)[:-1] / np.diff(beats)[:, None]
    changes = np.abs(np.diff(sums, axis=0, prepend=sums[:1])).mean(axis=1)
    ahead = np.minimum(beats[:-1] + 2, len(level) - 1)
    bass = level[:, :_BASS_BANDS].mean(axis=1)
    rises = np.maximum(bass[ahead] - bass[np.maximum(beats[:-1] - 2, 0)], 0)
    accents = _standard(changes) + _standard(rises)
    found = [
        (_lead(accents, meter, first), meter, first) for meter in _METERS for first in range(meter)
    ]
    lead, meter, first = max(found)
    return Bars(meter, first, float(np.clip(lead / 2, 0, 1)))


def _standard(values: NDArray[np.floating]) -> Envelope:
    return np.asarray((values - values.mean()) / max(float(values.std()), 1e-9), np.float64)


def _lead(accents: Envelope, meter: int, first: int) -> float:
    """By how much the first beats of bars are stressed more than the others."""
    is_first = np.arange(len(accents)) % meter == first
    return float(accents[is_first].mean() - accents[~is_first].mean())
