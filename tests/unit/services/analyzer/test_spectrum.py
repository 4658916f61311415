"""Mel bands and roll-off against their definition, frame by frame."""

import numpy as np
import pytest

from services.analyzer.spectrum.features import FRAME, HOP, hann_window, spectrum_of
from services.analyzer.spectrum.mel import mel_filters

RATE_HZ = 22_050


@pytest.mark.parametrize("seconds", [0.05, 1.0, 30.0])
def test_mel_and_roll_off_are_those_of_each_frames_power(seconds: float) -> None:
    rng = np.random.default_rng(3)
    sound = rng.standard_normal(round(seconds * RATE_HZ)).astype(np.float32) * np.float32(0.1)
    sound = np.convolve(sound, np.ones(4, np.float32) / 4)  # more bass than treble
    found = spectrum_of(sound, RATE_HZ)
    whole = np.pad(sound, (0, max(0, FRAME - len(sound)))).astype(np.float64)
    starts = range(0, len(whole) - FRAME + 1, HOP)
    assert len(found.mel) == len(starts)
    frames = np.stack([whole[start : start + FRAME] for start in starts])
    power = np.abs(np.fft.rfft(frames * hann_window(FRAME))) ** 2
    np.testing.assert_allclose(found.mel, power @ mel_filters(RATE_HZ, FRAME).T, rtol=1e-4)
    shapes = power[:: round(len(power) / len(found.rolloff_hz))]
    running = np.cumsum(shapes, axis=1)
    place = (running < 0.85 * running[:, -1:]).sum(axis=1)
    np.testing.assert_allclose(found.rolloff_hz, place * RATE_HZ / FRAME, atol=RATE_HZ / FRAME)


def test_silence_rolls_off_at_0() -> None:
    assert spectrum_of(np.zeros(RATE_HZ, np.float32), RATE_HZ).rolloff_hz.max() == 0
