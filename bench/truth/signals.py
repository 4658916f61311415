"""The synthetic test signals of EBU Tech 3341 (v4, 2023) and EBU Tech 3342 (v4, 2023). Pure.

Computed from their descriptions: 3341's cases 1 to 6, 9 to 11 and 15 to 23, 3342's 1 to 4. The
others are recordings of programmes (3341's 7 and 8, 3342's 5 and 6) or ask for momentary loudness
(12 to 14), which is not a field of the analysis. Of the short-term loudness only the maximum is.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import firwin, oaconvolve

RATE_HZ = 48_000
_TONE_HZ = 1_000.0
_OVERSAMPLED = 4
_LENGTH_S = 3.0
Samples = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal and the value that it must give.

    Attributes:
        name: the document's number and the case's.
        field: `integrated`, `short_term_max`, `range` or `true_peak`.
        value: in LUFS, LU or dBTP.
        below, above: the tolerance of the document.
        samples: at 48 kHz, shape (n, channels).
    """

    name: str
    field: str
    value: float
    below: float
    above: float
    samples: Samples


def signals() -> list[Signal]:
    """All signals."""
    return [*_integrated(), *_short_term(), *_range(), *_true_peak()]


def _integrated() -> list[Signal]:
    levels: dict[str, list[tuple[float, float]]] = {
        "1": [(-23, 20)],
        "2": [(-33, 20)],
        "3": [(-36, 10), (-23, 60), (-36, 10)],
        "4": [(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)],
        "5": [(-26, 20), (-20, 20.1), (-26, 20)],
    }
    made = [
        Signal(
            f"3341-{case}", "integrated", -33.0 if case == "2" else -23.0, 0.1, 0.1, _tones(parts)
        )
        for case, parts in levels.items()
    ]
    surround = np.stack([_tone(level, 20) for level in (-28, -28, -24, -30, -30)], axis=1)
    return [*made, Signal("3341-6", "integrated", -23.0, 0.1, 0.1, surround)]


def _short_term() -> list[Signal]:
    ninth: list[tuple[float, float]] = [(-20, 1.34), (-30, 1.66)] * 5
    tenth: list[tuple[float, float]] = []
    eleventh: list[tuple[float, float]] = []
    for i in range(20):
        tenth += [(-np.inf, 0.15 * i), (-23, 3), (-np.inf, 1)]
        eleventh += [(-np.inf, 0.15 * i), (-38 + i, 3), (-np.inf, 3 - 0.15 * i)]
    return [
        Signal("3341-9", "short_term_max", -23.0, 0.1, 0.1, _tones(ninth)),
        Signal("3341-10", "short_term_max", -23.0, 0.1, 0.1, _tones(tenth)),
        Signal("3341-11", "short_term_max", -19.0, 0.1, 0.1, _tones(eleventh)),
    ]


def _range() -> list[Signal]:
    levels = {
        ("1", 10.0): (-20, -30), ("2", 5.0): (-20, -15), ("3", 20.0): (-40, -20),
        ("4", 15.0): (-50, -35, -20, -35, -50),
    }  # fmt: skip
    return [
        Signal(f"3342-{case}", "range", value, 1, 1, _tones([(level, 20) for level in parts]))
        for (case, value), parts in levels.items()
    ]


def _true_peak() -> list[Signal]:
    rows = {
        "15": (4, 0.50, 0.0), "16": (4, 0.50, 45.0), "17": (6, 0.50, 60.0), "18": (8, 0.50, 67.5),
        "19": (4, 1.41, 45.0),
    }  # fmt: skip
    steady = [
        Signal(
            f"3341-{case}", "true_peak", 3.0 if case == "19" else -6.0, 0.4, 0.2,
            _stereo(_tapered(_sine(RATE_HZ / part, _LENGTH_S, RATE_HZ, phase) * level)),
        )
        for case, (part, level, phase) in rows.items()
    ]  # fmt: skip
    bursts = [
        Signal(f"3341-{20 + offset}", "true_peak", 0.0, 0.4, 0.2, _stereo(_tapered(_burst(offset))))
        for offset in range(_OVERSAMPLED)
    ]
    return [*steady, *bursts]


def _burst(offset: int) -> Samples:
    """Cases 20 to 23: fs/6 at half scale, in it one period of fs/4 at full scale.

    Computed at four times the rate and low-passed; then every fourth sample is taken, from `offset`
    on, so that the peak is at four different places between two samples.
    """
    rate_hz = _OVERSAMPLED * RATE_HZ
    sound = 0.5 * _sine(RATE_HZ / 6, _LENGTH_S, rate_hz)
    period = _OVERSAMPLED * 4
    # It begins at the end of a period of the long tone, where both are zero.
    start = len(sound) // 2 // (_OVERSAMPLED * 6) * (_OVERSAMPLED * 6)
    sound[start : start + period] = _sine(RATE_HZ / 4, period / rate_hz, rate_hz)
    taps = firwin(511, 0.46 * RATE_HZ, fs=rate_hz, window=("kaiser", 9.0))
    return np.asarray(oaconvolve(sound, taps, mode="same")[offset::_OVERSAMPLED])


def _sine(hz: float, length_s: float, rate_hz: int, phase_deg: float = 0.0) -> Samples:
    t = np.arange(round(length_s * rate_hz)) / rate_hz
    return np.asarray(np.sin(2 * np.pi * hz * t + np.radians(phase_deg)))


def _tapered(sound: Samples, ends_s: float = 0.01) -> Samples:
    ramp = np.linspace(0, 1, round(ends_s * RATE_HZ))
    sound[: len(ramp)] *= ramp
    sound[-len(ramp) :] *= ramp[::-1]
    return sound


def _tone(dbfs: float, length_s: float) -> Samples:
    """A tone of 1 kHz; `dbfs` is its peak's level, as the documents count."""
    return 10 ** (dbfs / 20) * _sine(_TONE_HZ, length_s, RATE_HZ)


def _tones(parts: list[tuple[float, float]]) -> Samples:
    return _stereo(np.concatenate([_tone(level, length_s) for level, length_s in parts]))


def _stereo(sound: Samples) -> Samples:
    return np.stack([sound, sound], axis=1)
