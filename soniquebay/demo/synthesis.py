"""Synthesises the pieces: oscillators, noise, and four styles of arrangement."""

from collections.abc import Callable
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from soniquebay.demo.pieces import DemoTrack

SAMPLE_RATE_HZ = 44_100
_LENGTH_S = 24.0
_A4_HZ = 440.0
_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
# Chords as degrees of the scale. Each piece begins and ends on the tonic, so its key is certain.
_MAJOR, _MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
_PROGRESSIONS = {"major": (0, 3, 4, 0, 5, 3, 4, 0), "minor": (0, 3, 0, 4, 0, 5, 4, 0)}

Samples = NDArray[np.float64]


def synthesize(track: DemoTrack) -> Samples:
    """Samples of the piece, shape (n, 2), at any loudness."""
    return _Arrangement(track).play()


class _Arrangement:
    """A piece on a grid of beats. Every note begins on the grid, so the tempo is exact."""

    def __init__(self, track: DemoTrack) -> None:
        self._track = track
        self._random = np.random.default_rng(track.seed)
        self._beat_s = 60.0 / track.tempo_bpm
        self._bars = max(4, round(_LENGTH_S / (self._beat_s * track.beats_per_bar)))
        length_s = (self._bars * track.beats_per_bar + 2) * self._beat_s
        self._mix = np.zeros((round(length_s * SAMPLE_RATE_HZ), 2))

    def play(self) -> Samples:
        style = {
            "electronic": self._electronic,
            "ambient": self._ambient,
            "waltz": self._waltz,
            "rock": self._rock,
        }[self._track.style]
        for bar in range(self._bars):
            last = bar == self._bars - 1
            progression = _PROGRESSIONS[self._track.mode]
            style(bar, 0 if last else progression[bar % len(progression)])
        return self._mix

    def _hz(self, degree: int, octave: int) -> float:
        """The frequency of a degree of the scale (0: tonic) in an octave (4: the one with A4)."""
        scale = _MAJOR if self._track.mode == "major" else _MINOR
        steps = scale[degree % 7] + 12 * (degree // 7)
        # Harmonic minor: the seventh degree is raised to the leading note.
        if self._track.mode == "minor" and degree % 7 == 6:
            steps += 1
        note = _NAMES.index(self._track.key) + steps
        return float(_A4_HZ * 2.0 ** ((note - 9) / 12 + octave - 4))

    def _add(self, bar: int, beat: float, sound: Samples, gain: float, pan: float = 0.0) -> None:
        start = round((bar * self._track.beats_per_bar + beat) * self._beat_s * SAMPLE_RATE_HZ)
        sound = sound[: len(self._mix) - start]
        angle = (pan + 1) * np.pi / 4
        sides = np.array([np.cos(angle), np.sin(angle)])
        self._mix[start : start + len(sound)] += gain * sound[:, None] * sides

    def _chord(
        self, bar: int, beat: float, degree: int, voice: Callable[[float], Samples], gain: float
    ) -> None:
        for number, third in enumerate((0, 2, 4)):
            self._add(bar, beat, voice(self._hz(degree + third, 4)), gain, (number - 1) * 0.5)

    def _electronic(self, bar: int, degree: int) -> None:
        bar_s = 4 * self._beat_s
        for beat in range(4):
            self._add(bar, beat, kick(), 1.0)
            self._add(bar, beat + 0.5, hat(self._random), 0.18, 0.2)
            bass = tone(self._hz(degree, 2), self._beat_s * 0.4, partials=6, decay_s=0.25)
            self._add(bar, beat + 0.5, bass, 0.45)
        self._add(bar, 1, clap(self._random), 0.3)
        self._add(bar, 3, clap(self._random), 0.3)
        self._chord(bar, 0, degree, partial(pad, length_s=bar_s), 0.13)
        for step in range(8):
            arpeggio = self._hz(degree + (0, 2, 4, 7)[step % 4], 5)
            self._add(bar, step / 2, tone(arpeggio, 0.3, partials=4, decay_s=0.12), 0.14, 0.4)

    def _ambient(self, bar: int, degree: int) -> None:
        self._chord(bar, 0, degree, partial(pad, length_s=4.6 * self._beat_s), 0.3)
        self._add(bar, 0, tone(self._hz(degree, 2), 4 * self._beat_s, partials=2, decay_s=3), 0.3)
        for beat in range(4):
            note = self._hz(degree + (0, 4, 2, 4)[beat], 5)
            self._add(bar, beat, tone(note, 1.6, partials=3, decay_s=0.5), 0.3, (beat - 1.5) / 2)

    def _waltz(self, bar: int, degree: int) -> None:
        self._add(bar, 0, tone(self._hz(degree, 2), 0.9, partials=8, decay_s=0.35), 0.9)
        for beat in (1, 2):
            self._chord(
                bar, beat, degree, partial(tone, length_s=0.5, partials=7, decay_s=0.15), 0.3
            )
        melody = self._random.choice([0, 2, 4, 7])
        note = tone(self._hz(degree + int(melody), 5), 1.2, partials=5, decay_s=0.4)
        self._add(bar, 0, note, 0.35, 0.3)

    def _rock(self, bar: int, degree: int) -> None:
        for beat in (0, 2):
            self._add(bar, beat, kick(), 1.0)
        for beat in (1, 3):
            self._add(bar, beat, snare(self._random), 0.8)
        for step in range(8):
            self._add(bar, step / 2, hat(self._random), 0.2 if step % 2 else 0.3, -0.3)
            bass = tone(self._hz(degree, 2), self._beat_s / 2, partials=8, decay_s=0.4)
            self._add(bar, step / 2, bass, 0.5)
        for beat in (0, 2):
            length_s = 2 * self._beat_s
            voice = partial(guitar, length_s=length_s)
            self._chord(bar, beat, degree, voice, 0.22)


def _time(length_s: float) -> Samples:
    return np.arange(round(length_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ


def _fade_ends(sound: Samples, ends_s: float = 0.004) -> Samples:
    ramp = np.linspace(0, 1, min(len(sound) // 2, round(ends_s * SAMPLE_RATE_HZ)))
    sound = sound.copy()
    sound[: len(ramp)] *= ramp
    sound[len(sound) - len(ramp) :] *= ramp[::-1]
    return sound


@lru_cache(maxsize=64)
def tone(frequency_hz: float, length_s: float, *, partials: int, decay_s: float) -> Samples:
    """A plucked tone: a harmonic series whose high partials decay first."""
    t = _time(length_s)
    series = sum(
        np.sin(2 * np.pi * frequency_hz * n * t) * np.exp(-t * n**0.5 / decay_s) / n**1.3
        for n in range(1, partials + 1)
        if frequency_hz * n < SAMPLE_RATE_HZ / 2.2
    )
    return _fade_ends(np.asarray(series))


@lru_cache(maxsize=64)
def pad(frequency_hz: float, length_s: float) -> Samples:
    """A soft chord voice that swells and fades."""
    t = _time(length_s)
    voices = sum(np.sin(2 * np.pi * frequency_hz * d * t) / n for n, d in ((1, 1.0), (2, 2.002)))
    return np.asarray(voices) * np.sin(np.pi * np.arange(len(t)) / len(t)) ** 0.5


@lru_cache(maxsize=64)
def guitar(frequency_hz: float, length_s: float) -> Samples:
    """A driven string: a harmonic series through a soft clip."""
    plucked = tone(frequency_hz, length_s, partials=10, decay_s=1.2)
    return _fade_ends(np.tanh(2.5 * plucked))


@lru_cache(maxsize=1)
def kick() -> Samples:
    """A sine that falls from 150 to 50 Hz."""
    t = _time(0.22)
    phase = 2 * np.pi * (50 * t + 100 * 0.03 * (1 - np.exp(-t / 0.03)))
    return _fade_ends(np.sin(phase) * np.exp(-t / 0.07), 0.001)


def _noise(random: np.random.Generator, length_s: float, decay_s: float) -> Samples:
    t = _time(length_s)
    return random.standard_normal(len(t)) * np.exp(-t / decay_s)


def hat(random: np.random.Generator) -> Samples:
    """Bright noise, very short."""
    return np.diff(_noise(random, 0.06, 0.015), prepend=0.0) * 0.5


def clap(random: np.random.Generator) -> Samples:
    """Noise, short."""
    return np.diff(_noise(random, 0.15, 0.03), prepend=0.0) * 0.6


def snare(random: np.random.Generator) -> Samples:
    """Noise over a drum's tone."""
    t = _time(0.2)
    return _noise(random, 0.2, 0.05) * 0.4 + np.sin(2 * np.pi * 190 * t) * np.exp(-t / 0.04) * 0.6
