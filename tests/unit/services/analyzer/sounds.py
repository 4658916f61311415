"""Generated sounds with known properties, and their analysis."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.analyzer.analysis import analysis_of
from services.analyzer.decode.audio import Audio
from services.analyzer.decode_pass import decode_stream
from shared.contracts.analysis import Analysis

Sound = NDArray[np.float32]
RATE_HZ = 22_050
MAJOR, MINOR = (0, 4, 7), (0, 3, 7)


def sine(
    frequency_hz: float, duration_s: float, *, dbfs: float = 0.0, rate_hz: int = RATE_HZ
) -> Sound:
    times = np.arange(round(duration_s * rate_hz)) / rate_hz
    return (10 ** (dbfs / 20) * np.sin(2 * np.pi * frequency_hz * times)).astype(np.float32)


def clicks(bpm: float, duration_s: float = 30.0, *, noise: float = 0.0) -> Sound:
    rng = np.random.default_rng(3)
    sound = noise * rng.standard_normal(round(duration_s * RATE_HZ))
    click = 0.5 * rng.standard_normal(600) * np.exp(-np.arange(600) / 90)
    for beat in np.arange(0.1, duration_s - 0.1, 60 / bpm):
        start = round(beat * RATE_HZ)
        sound[start : start + len(click)] += click
    return sound.astype(np.float32)


def chord(notes: Sequence[float], duration_s: float, *, cents: float = 0.0) -> Sound:
    """Notes as MIDI numbers, each with six falling harmonics."""
    sound = np.zeros(round(duration_s * RATE_HZ), np.float32)
    for note in notes:
        tonic_hz = 440 * 2 ** ((note - 69 + cents / 100) / 12)
        for harmonic in range(1, 7):
            sound += sine(tonic_hz * harmonic, duration_s)[: len(sound)] / harmonic**1.5
    fade = np.minimum(1, np.minimum(np.arange(len(sound)), np.arange(len(sound))[::-1]) / 400)
    return (0.1 * sound * fade).astype(np.float32)


def progression(tonic: int, mode: str, *, cents: float = 0.0) -> Sound:
    """I IV V I with a bass, in a key (tonic 0..11 from C); the dominant of minor is major."""
    triad = MAJOR if mode == "major" else MINOR
    chords = [(0, triad), (5, triad), (7, MAJOR), (0, triad)]
    parts = []
    for root, shape in chords:
        base = 48 + (tonic + root) % 12
        notes = [base - 12, *(base + 12 * (n % 2) + note for n, note in enumerate(shape))]
        parts.append(chord(notes, 1.0, cents=cents))
    return np.concatenate(parts * 2)


def audio_of(sound: Sound, rate_hz: int = RATE_HZ, *, expected_s: float | None = None) -> Audio:
    """An open file with this sound, (channels, n), in uneven blocks."""
    cuts = np.cumsum([1_000, 65_536, 333, *[50_000] * (sound.shape[1] // 50_000)])
    blocks = np.split(sound, [cut for cut in cuts if cut < sound.shape[1]], axis=1)
    return Audio(rate_hz, expected_s, iter(blocks))


def analyze(sound: Sound, rate_hz: int = RATE_HZ, *, expected_s: float | None = None) -> Analysis:
    """The whole analysis of a sound, (n,) or (channels, n)."""
    return analysis_of(
        decode_stream(audio_of(np.atleast_2d(sound), rate_hz, expected_s=expected_s))
    )


def noise(rate_hz: int, duration_s: float = 12.0) -> Sound:
    """White noise, -20 dBFS."""
    rng = np.random.default_rng(2)
    return (0.1 * rng.standard_normal(round(rate_hz * duration_s))).astype(np.float32)
