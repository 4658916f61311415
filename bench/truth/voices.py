"""Synthesises single notes of instruments, and single strokes of drums. Pure."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 44_100
Samples = NDArray[np.float64]
Voice = Callable[[float, float], Samples]
"""From a frequency in Hz and a length in s to samples, (n,), about -1..1."""
_HIGHEST_HZ = 9_000.0
"""Partials above this are left out, to save time."""


def _time(length_s: float) -> Samples:
    return np.arange(max(32, round(length_s * RATE_HZ))) / RATE_HZ


def _ends(sound: Samples, attack_s: float, release_s: float) -> Samples:
    """Fade in and out, so that notes do not click."""
    for ends_s, part in ((attack_s, sound), (release_s, sound[::-1])):
        count = min(len(sound) // 2, max(2, round(ends_s * RATE_HZ)))
        part[:count] *= np.linspace(0, 1, count)
    return sound


def _partials(
    hz: float, t: Samples, level: Callable[[int], float], decay: Callable[[int], float],
    stiffness: float = 0.0,
) -> Samples:  # fmt: skip
    """A harmonic series; `stiffness` stretches it as that of a real string."""
    sound = np.zeros(len(t))
    for n in range(1, 25):
        at_hz = hz * n * np.sqrt(1 + stiffness * n * n)
        if at_hz > _HIGHEST_HZ:
            break
        if level(n) > 0.003:
            sound += level(n) * np.sin(2 * np.pi * at_hz * t + n) * np.exp(-t / decay(n))
    return sound


@lru_cache(maxsize=512)
def electric_piano(hz: float, length_s: float) -> Samples:
    """Frequency modulation whose index decays: first a bell, then a sine."""
    t = _time(length_s + 0.15)
    bell = 0.25 * np.sin(2 * np.pi * hz * 14 * t) * np.exp(-t / 0.04) * (hz * 14 < _HIGHEST_HZ)
    body = np.sin(2 * np.pi * hz * t + 1.6 * np.exp(-t / 0.4) * np.sin(2 * np.pi * hz * t))
    return _ends((body + bell) * np.exp(-t / 0.9), 0.003, 0.1)


@lru_cache(maxsize=512)
def piano(hz: float, length_s: float) -> Samples:
    """A struck, stiff string with a knock; high partials and high notes decay faster."""
    t = _time(length_s + 0.12)
    base_s = 1.4 * (220 / hz) ** 0.5
    string = _partials(hz, t, lambda n: n**-1.1, lambda n: base_s / n**0.6, 0.0004)
    knock = np.random.default_rng(round(hz)).standard_normal(len(t)) * np.exp(-t / 0.006)
    return _ends(0.6 * string + 0.08 * knock, 0.002, 0.1)


@lru_cache(maxsize=512)
def plucked(hz: float, length_s: float) -> Samples:
    """An acoustic guitar's string, plucked at a fifth of its length: no fifth partials."""
    t = _time(length_s + 0.05)
    string = _partials(
        hz, t, lambda n: abs(np.sin(np.pi * n / 5)) / n, lambda n: 0.9 / n**0.8, 0.0001
    )
    return _ends(string, 0.002, 0.04)


@lru_cache(maxsize=512)
def driven(hz: float, length_s: float) -> Samples:
    """An electric guitar through a clipping amplifier."""
    t = _time(length_s)
    string = _partials(hz, t, lambda n: 1 / n, lambda n: 2.5 / n**0.4)
    return _ends(np.tanh(4 * string) * np.exp(-t / 3), 0.003, 0.03)


@lru_cache(maxsize=512)
def organ(hz: float, length_s: float) -> Samples:
    """An organ with drawbars: steady, with a tremolo."""
    t = _time(length_s)
    bars = {1: 1.0, 2: 0.8, 3: 0.6, 4: 0.3, 6: 0.2, 8: 0.15}
    pipes = _partials(hz, t, lambda n: bars.get(n, 0.0), lambda _: 1e9)
    return _ends(0.5 * pipes * (1 + 0.15 * np.sin(2 * np.pi * 6 * t)), 0.008, 0.03)


@lru_cache(maxsize=512)
def strings(hz: float, length_s: float) -> Samples:
    """Three detuned, soft saw-tooths that swell, with vibrato."""
    t = _time(length_s + 0.2)
    sound = np.zeros(len(t))
    for detune, rate_hz in ((0.997, 4.9), (1.0, 5.3), (1.003, 5.7)):
        phase = 2 * np.pi * hz * detune * t + 0.25 * np.sin(2 * np.pi * rate_hz * t)
        for n in range(1, 10):
            if hz * n < 6_000:
                sound += np.sin(n * phase + n * detune) / n**1.3
    return _ends(0.3 * sound, 0.12, 0.2)


@lru_cache(maxsize=512)
def reed(hz: float, length_s: float) -> Samples:
    """A clarinet-like tone: mostly odd partials, late vibrato, breath noise."""
    t = _time(length_s)
    vibrato = 0.35 * np.clip(t - 0.15, 0, 0.3) * np.sin(2 * np.pi * 5.5 * t)
    phase = 2 * np.pi * hz * t + vibrato * hz / 55
    tone = sum(np.sin(n * phase) / n**1.2 for n in (1, 2, 3, 5, 7) if hz * n < _HIGHEST_HZ)
    breath = 0.02 * np.random.default_rng(round(hz)).standard_normal(len(t))
    return _ends(np.asarray(tone) * 0.6 + breath, 0.03, 0.05)


@lru_cache(maxsize=512)
def brass(hz: float, length_s: float) -> Samples:
    """A brass instrument: high partials begin later than low ones."""
    t = _time(length_s)
    sound = np.zeros(len(t))
    for n in range(1, 14):
        if hz * n < _HIGHEST_HZ:
            sound += np.sin(2 * np.pi * hz * n * t + n) / n**0.9 * (1 - np.exp(-t / (0.012 * n)))
    return _ends(0.45 * sound, 0.01, 0.05)


@lru_cache(maxsize=512)
def saw_lead(hz: float, length_s: float) -> Samples:
    """A synthesiser's lead: two saw-tooths with a closing filter."""
    t = _time(length_s)
    sound = sum(
        _partials(hz * detune, t, lambda n: 1 / n, lambda n: 2.0 / n**0.7)
        for detune in (0.998, 1.002)
    )
    return _ends(0.4 * np.asarray(sound), 0.006, 0.03)


@lru_cache(maxsize=256)
def finger_bass(hz: float, length_s: float) -> Samples:
    """An electric bass."""
    t = _time(length_s)
    return _ends(_partials(hz, t, lambda n: n**-1.4, lambda n: 0.8 / n**0.5), 0.004, 0.03)


@lru_cache(maxsize=256)
def upright_bass(hz: float, length_s: float) -> Samples:
    """A double bass, plucked: thick, short, with a thud."""
    t = _time(length_s)
    thud = np.random.default_rng(round(hz)).standard_normal(len(t)) * np.exp(-t / 0.008)
    string = _partials(hz, t, lambda n: n**-1.7, lambda n: 0.45 / n**0.4, 0.0002)
    return _ends(string + 0.06 * thud, 0.005, 0.05)


@lru_cache(maxsize=256)
def synth_bass(hz: float, length_s: float) -> Samples:
    """A sub-octave's sine under a filtered saw-tooth."""
    t = _time(length_s)
    saw = _partials(hz, t, lambda n: 1 / n, lambda n: 0.5 / n)
    return _ends(0.6 * saw + 0.6 * np.sin(2 * np.pi * hz * t), 0.004, 0.02)


def _noise(seed: int, t: Samples) -> Samples:
    return np.random.default_rng(seed).standard_normal(len(t))


def _falling(t: Samples, from_hz: float, to_hz: float, in_s: float) -> Samples:
    """A sine whose pitch falls, as that of a struck skin."""
    swept = (from_hz - to_hz) * in_s * (1 - np.exp(-t / in_s))
    return np.sin(2 * np.pi * (to_hz * t + swept))


def _metal(t: Samples, base_hz: float) -> Samples:
    """Inharmonic partials of a metal plate."""
    ratios = (1.0, 1.34, 1.79, 2.31, 2.97, 3.61, 4.4)
    return np.asarray(sum(np.sign(np.sin(2 * np.pi * base_hz * r * t)) for r in ratios)) / 7


@lru_cache(maxsize=64)
def drum(name: str, variant: int = 0) -> Samples:
    """One stroke.

    Args:
        name: kick, snare, brush, hat, open, ride, crash, tom, clap, rim, shaker, conga, low_conga,
            bell or tambourine.
        variant: changes the noise, and in four steps the tuning: no two strokes are the same.
    """
    seed = sum(name.encode()) * 7 + variant
    tuned = 2 ** ((variant % 4 - 1.5) / 18)
    long_s = 1.2 if name in {"crash", "ride"} else 0.35
    t = _time(long_s)
    bright = np.diff(_noise(seed, t), prepend=0.0)
    sounds: dict[str, Callable[[], Samples]] = {
        "kick": lambda: (
            _falling(t, 170 * tuned, 48 * tuned, 0.03) * np.exp(-t / 0.09)
            + 0.15 * bright * np.exp(-t / 0.004)
        ),
        "snare": lambda: (
            0.45 * _noise(seed, t) * np.exp(-t / 0.06)
            + 0.7 * _falling(t, 260 * tuned, 185 * tuned, 0.02) * np.exp(-t / 0.05)
        ),
        "brush": lambda: 0.4 * _noise(seed, t) * t / 0.03 * np.exp(1 - t / 0.03),
        "hat": lambda: 0.5 * bright * np.exp(-t / 0.018),
        "open": lambda: 0.45 * (bright + 0.3 * _metal(t, 3_100)) * np.exp(-t / 0.12),
        "ride": lambda: (
            (0.5 * _metal(t, 2_300 * tuned) + 0.15 * bright) * np.exp(-t / 0.35)
            + 0.3 * bright * np.exp(-t / 0.01)
        ),
        "crash": lambda: 0.6 * (bright + 0.4 * _metal(t, 1_900)) * np.exp(-t / 0.45),
        "tom": lambda: _falling(t, 190 * tuned**3, 110 * tuned**3, 0.04) * np.exp(-t / 0.12),
        "clap": lambda: (
            0.6 * bright * sum(np.exp(-np.abs(t - d) / 0.004) for d in (0.0, 0.011, 0.021))
            + 0.4 * bright * np.exp(-t / 0.06)
        ),
        "rim": lambda: (
            0.7 * np.sin(2 * np.pi * 1_700 * tuned * t) * np.exp(-t / 0.008)
            + 0.4 * np.sin(2 * np.pi * 480 * t) * np.exp(-t / 0.015)
        ),
        "shaker": lambda: 0.4 * bright * t / 0.02 * np.exp(1 - t / 0.02),
        "conga": lambda: _falling(t, 340 * tuned, 300 * tuned, 0.02) * np.exp(-t / 0.09),
        "low_conga": lambda: _falling(t, 220 * tuned, 190 * tuned, 0.02) * np.exp(-t / 0.13),
        "bell": lambda: 0.5 * _metal(t, 560 * tuned) * np.exp(-t / 0.1),
        "tambourine": lambda: 0.5 * bright * (np.exp(-t / 0.03) + 0.3 * np.exp(-t / 0.1)),
    }
    return _ends(np.asarray(sounds[name]()), 0.0005, 0.02)
