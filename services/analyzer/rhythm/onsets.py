"""Onsets: the onset strength envelope, which is the flux of the log mel spectrum. Pure."""

import numpy as np
from numpy.typing import NDArray

MIN_STRENGTH = 2e-3
"""Mean rise of all bands in decades: lower values come from the windows of a steady tone."""
_LEVEL_FRAMES = 2_000
"""The level that rises are relative to is taken from about so many frames."""
_SURROUNDINGS_S = 0.4
Envelope = NDArray[np.float64]


def onset_strength(mel: NDArray[np.float32]) -> Envelope:
    """The onset strength envelope: mean rise of the log mel spectrum from frame to frame, (t,).

    Args:
        mel: mel power, (t, 64).
    """
    loud = np.percentile(mel[:: 1 + len(mel) // _LEVEL_FRAMES], 99.5)
    level = mel * np.float32(1e4 / (loud + 1e-12))
    level += 1
    np.log(level, out=level)  # far faster than log10
    rises = np.maximum(level[1:] - level[:-1], 0)
    envelope = np.zeros(len(mel))
    envelope[1:] = rises @ np.full(mel.shape[1], 1 / (mel.shape[1] * np.log(10)), np.float32)
    return envelope


def onset_rate_hz(envelope: Envelope, frame_rate_hz: float) -> float:
    """Onsets per second: peaks of the envelope that stand out of their surroundings.

    Args:
        envelope: onset strength, (t,).
        frame_rate_hz: its frames per second.
    """
    if len(envelope) < 3 or envelope.max() <= MIN_STRENGTH:
        return 0.0
    mean = moving_average(envelope, max(3, round(_SURROUNDINGS_S * frame_rate_hz)))
    is_peak = (envelope[1:-1] > envelope[:-2]) & (envelope[1:-1] >= envelope[2:])
    is_strong = envelope[1:-1] > mean[1:-1] * 1.5 + 0.02 * envelope.max()
    return float((is_peak & is_strong).sum() / len(envelope) * frame_rate_hz)


def moving_average(values: Envelope, width: int) -> Envelope:
    """The mean of so many neighbours of each value, (t,); beyond the ends there are zeros."""
    return np.convolve(values, np.ones(width) / width, mode="same")
