"""Structure: silence and fades, waveform preview, and section boundaries. Pure.

A hop is 100 ms, h counts hops.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

from shared.contracts.analysis import WAVEFORM_POINTS

_SILENCE_DBFS = -60.0
_HOP_S = 0.1
_FADE_END_DB = 6.0
"""A fade ends where the level is this near to the usual level of the track."""
_MIN_FADE_DB, _MIN_CORRELATION = 15.0, 0.8
"""Least depth of a fade, and least correlation of its level with time."""
_MIN_FADE_S = 1.5
_USUAL_LEVEL_S = 60
"""The usual level is taken from so much of the track, next to the fade."""
_SECTION_STEP_S = 1.0
_KERNEL_STEPS = 12
"""Steps compared on either side of a boundary."""
_MIN_SECTION_S = 8.0
_MIN_DEVIATIONS = 1.0
"""The novelty of a boundary, in standard deviations above its mean."""
_MIN_NOVELTY = 0.05
"""1 would be two halves that are uniform and have nothing in common."""
_COEFFICIENTS = 16
Array = NDArray[np.float64]


def silence(mean_square: Array, duration_s: float) -> tuple[float, float, float]:
    """Seconds of silence at the start and at the end, and the share of silent hops, 0..1.

    Args:
        mean_square: of each hop, (h,).
        duration_s: of the track.
    """
    is_audible = mean_square > 10 ** (_SILENCE_DBFS / 10)
    if not is_audible.any():
        return duration_s, 0.0, 1.0
    first = int(np.argmax(is_audible))
    end = len(is_audible) - int(np.argmax(is_audible[::-1]))
    start_s = first * _HOP_S
    end_s = max(0.0, duration_s - end * _HOP_S)
    return start_s, end_s, float(1 - is_audible.mean())


def waveform(peak: Array) -> list[int]:
    """The waveform preview: 1,000 evenly spaced peaks, 0..255, 255 is full scale.

    Neighbours are equal where the track has fewer than 1,000 hops.

    Args:
        peak: largest absolute sample of each hop, (h,).
    """
    edges = np.linspace(0, len(peak), WAVEFORM_POINTS + 1)
    starts = np.minimum(edges[:-1].astype(int), len(peak) - 1)
    ends = np.maximum(np.ceil(edges[1:]).astype(int), starts + 1)
    # reduceat takes the maximum between consecutive bounds: of start, end, start, end, ... every
    # second one is wanted. The last end is beyond the array, hence the appended zero.
    bounds = np.stack([starts, ends], axis=1).ravel()
    highest = np.maximum.reduceat(np.append(peak, 0.0), bounds)[::2]
    points: list[int] = np.minimum(255, np.round(highest * 255)).astype(int).tolist()
    return points


def fades_s(mean_square: Array) -> tuple[float, float]:
    """Duration of the fade-in and of the fade-out in seconds, 0 where there is none.

    Args:
        mean_square: of each hop, (h,).
    """
    level_db = 10 * np.log10(np.maximum(_smoothed(mean_square), 1e-12))
    audible = np.flatnonzero(mean_square > 10 ** (_SILENCE_DBFS / 10))
    if not len(audible):
        return 0.0, 0.0
    level_db = level_db[audible[0] : audible[-1] + 1]
    return _fade_in_s(level_db), _fade_in_s(level_db[::-1])


def _smoothed(mean_square: Array) -> Array:
    """The mean over half a second, so that single notes do not interrupt a fade."""
    if len(mean_square) < 6:
        return mean_square
    return np.convolve(mean_square, np.full(5, 0.2), mode="same")


def _fade_in_s(level_db: Array) -> float:
    """How long the level rises from its start, if it rises evenly and far enough; else 0."""
    near = level_db[: round(_USUAL_LEVEL_S / _HOP_S)]
    usual_db = float(np.percentile(near, 75))
    length = int(np.argmax(level_db >= usual_db - _FADE_END_DB))
    start_db = level_db[: max(1, length // 10)].mean()
    if length * _HOP_S < _MIN_FADE_S or usual_db - start_db < _MIN_FADE_DB:
        return 0.0
    correlation = float(np.corrcoef(level_db[:length], np.arange(length))[0, 1])
    return length * _HOP_S if correlation > _MIN_CORRELATION else 0.0


def section_boundaries_s(
    mel_db: NDArray[np.float32], frame_rate_hz: float, max_boundaries: int
) -> list[float]:
    """Seconds at which a section begins, rising, without the start of the track.

    Foote's novelty ("Automatic audio segmentation using a measure of audio novelty", ICME 2000):
    the correlation of the self-similarity matrix with a checkerboard kernel along its diagonal.

    Args:
        mel_db: mel power in dB, (t, 64).
        frame_rate_hz: its frames per second.
        max_boundaries: if there are more, the strongest ones are returned.
    """
    size = round(_SECTION_STEP_S * frame_rate_hz)
    count = len(mel_db) // size
    if count < 2 * _KERNEL_STEPS:
        return []
    level_db = mel_db[: count * size].reshape(count, size, -1).mean(axis=1)
    cepstrum = dct(level_db, axis=1, norm="ortho")[:, :_COEFFICIENTS].astype(np.float64)
    novelty = _novelty(_standardised(cepstrum))
    threshold = max(novelty.mean() + _MIN_DEVIATIONS * novelty.std(), _MIN_NOVELTY)
    boundaries: list[int] = []
    for step in np.argsort(novelty)[::-1]:
        if novelty[step] <= threshold or len(boundaries) == max_boundaries:
            break
        if all(abs(step - other) * _SECTION_STEP_S >= _MIN_SECTION_S for other in boundaries):
            boundaries.append(int(step))
    return [step * size / frame_rate_hz for step in sorted(boundaries)]


def _standardised(features: Array) -> Array:
    deviations = np.maximum(features.std(axis=0), 1e-3)
    standardised: Array = (features - features.mean(axis=0)) / deviations
    return standardised


def _novelty(features: Array) -> Array:
    """How much the steps after each step differ from those before it, (steps,).

    Args:
        features: standardised, (steps, coefficients).
    """
    squares = (features**2).sum(axis=1)
    distances = squares[:, None] + squares - 2 * features @ features.T
    similarity = np.exp(-np.maximum(distances, 0) / max(float(distances.mean()), 1e-9))
    steps = np.arange(2 * _KERNEL_STEPS)
    taper = np.exp(-0.5 * ((steps - _KERNEL_STEPS + 0.5) / (0.5 * _KERNEL_STEPS)) ** 2)
    sign = np.where(steps < _KERNEL_STEPS, -1.0, 1.0)
    checkerboard = np.outer(taper * sign, taper * sign) / taper.sum() ** 2
    windows = np.lib.stride_tricks.sliding_window_view(similarity, checkerboard.shape)
    correlation = np.einsum("iiab,ab->i", windows, checkerboard)
    novelty = np.zeros(len(features))
    novelty[_KERNEL_STEPS : _KERNEL_STEPS + len(correlation)] = np.maximum(correlation, 0)
    return novelty
