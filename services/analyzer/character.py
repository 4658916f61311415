"""Energy and danceability: our own formulas over what was measured. Pure.

They order tracks sensibly and are no perceptual scale. They need no trained model, so every library
has them; what a model hears (`Meaning.energy`) stands beside them.
"""

import math


def energy(*, loudness_lufs: float, onset_rate_hz: float, bright_share: float) -> float:
    """0..1: loud, busy and bright is energetic; silence is 0."""
    if loudness_lufs <= -70:
        return 0.0
    loud = _step(loudness_lufs, middle=-15.0, width=4.0)
    busy = _step(onset_rate_hz, middle=3.0, width=1.5)
    bright = _step(math.sqrt(max(bright_share, 0.0)), middle=0.35, width=0.12)
    return 0.5 * loud + 0.3 * busy + 0.2 * bright


def danceability(*, tempo_bpm: float, tempo_confidence: float, loudness_range_lu: float) -> float:
    """0..1: a clear, steady pulse at a tempo one dances to; no pulse is 0."""
    if tempo_bpm <= 0:
        return 0.0
    octaves = math.log2(tempo_bpm / 120.0)
    fitting = math.exp(-0.5 * (octaves / 0.45) ** 2)
    steady = 1.0 - _step(loudness_range_lu, middle=14.0, width=3.0)
    return min(1.0, tempo_confidence * 1.4) * (0.3 + 0.5 * fitting + 0.2 * steady)


def _step(value: float, *, middle: float, width: float) -> float:
    """Logistic: 0.5 at the middle, 0.73 a width above."""
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, (value - middle) / width))))
