"""Sounds made of integers and sines, identical on all machines: 16 kHz, one patch long."""

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 16_000
LENGTH = 48_128
Sound = NDArray[np.float32]


def noise(seed: int = 1, length: int = LENGTH) -> NDArray[np.float64]:
    """Uniform noise, -1..1, from a hash of integers."""
    state = np.arange(length, dtype=np.uint64) + np.uint64(seed * 1_000_003)
    for factor in (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D):
        state = (state * np.uint64(factor)) & np.uint64(0xFFFFFFFF)
        state ^= state >> np.uint64(15)
    return state / 2**31 - 1


def sounds() -> dict[str, Sound]:
    """The sounds of the reference vectors, in order."""
    times = np.arange(LENGTH) / RATE_HZ
    melody, drums = np.zeros(LENGTH), np.zeros(LENGTH)
    for step, frequency_hz in enumerate([220, 277, 330, 440, 554, 660, 440, 330, 277, 220]):
        later = np.maximum(0, times - 0.3 * step)
        fall = np.exp(-4 * later)
        melody += (np.sin(6.283185 * frequency_hz * later) * fall * 0.3) * (later > 0)
        melody += (np.sin(12.56637 * frequency_hz * later) * fall**2 * 0.12) * (later > 0)
    for step in range(12):
        later = times - 0.25 * step
        hit = np.sin(377 * later) if step % 2 == 0 else noise() * 0.5
        drums += np.where(later >= 0, hit * np.exp(-25 * np.maximum(0, later)), 0) * 0.5
    made = {
        "melody": melody,
        "drums": drums,
        "noise": 0.2 * noise(2),
        "hush": 0.01 * melody,
        "wall": 0.9 * np.tanh(8 * (melody + drums)),
        "silence": np.zeros(LENGTH),
    }
    return {name: sound.astype(np.float32) for name, sound in made.items()}
