"""True peak: the peak of the signal between the samples."""

import math

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray

from services.analyzer.decode_pass import decode_stream
from tests.unit.services.analyzer.sounds import audio_of, sine

RATE_HZ = 48_000


def _true_peak_dbtp(sound: NDArray[np.float32], rate_hz: int = RATE_HZ) -> float:
    return 20 * math.log10(decode_stream(audio_of(np.atleast_2d(sound), rate_hz)).true_peak)


@pytest.mark.parametrize(
    ("parts", "phase"), [(4, 0.0), (4, 45.0), (6, 60.0), (8, 67.5), (3, 0.0), (5, 10.0)]
)
def test_sines_with_crests_between_samples_have_their_true_peak(parts: int, phase: float) -> None:
    # EBU Tech 3341's signals 15 to 19: tones of a part of the sample rate, -6 dBTP.
    times = np.arange(RATE_HZ * 2)
    tone = 0.5 * np.sin(2 * np.pi * times / parts + math.radians(phase))
    fade = np.minimum(1, np.minimum(times, times[::-1]) / 2_000)
    assert _true_peak_dbtp((tone * fade).astype(np.float32)) == pytest.approx(-6.02, abs=0.1)


@pytest.mark.parametrize("seed", range(6))
def test_it_is_the_peak_of_the_whole_signal_oversampled(seed: int) -> None:
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal(RATE_HZ * 12) * rng.uniform(0.1, 1.0, 12).repeat(RATE_HZ)
    tone = sine(rng.uniform(2_000, 11_000), 12, dbfs=-3, rate_hz=RATE_HZ)
    # Music has less treble than white noise.
    noise = np.convolve(noise, [0.1, 0.2, 0.4, 0.2, 0.1], mode="same")
    sound = np.clip(0.4 * noise + tone * (seed % 2), -1, 1).astype(np.float32)
    whole = np.abs(soxr.resample(sound, RATE_HZ, 8 * RATE_HZ, quality="VHQ")).max()
    assert _true_peak_dbtp(sound) == pytest.approx(20 * math.log10(whole), abs=0.3)


def _limited(seed: int, drive: float, slope: float) -> NDArray[np.float32]:
    """Noise whose spectrum falls by frequency to the power of `slope`, clipped at -0.9 dBFS."""
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft(rng.standard_normal((2, RATE_HZ * 25)), axis=1)
    spectrum /= (np.arange(spectrum.shape[1]) + 500.0) ** slope
    sound = np.fft.irfft(spectrum, axis=1)
    times = np.arange(sound.shape[1])
    fade = np.minimum(1, np.minimum(times, times[::-1]) / 2_000)
    limited = fade * np.clip(drive * sound / sound.std(), -0.9, 0.9)
    return np.asarray(limited, np.float32)


@pytest.mark.parametrize("drive", [0.3, 0.6, 1.2])
@pytest.mark.parametrize("slope", [0.8, 1.0])
@pytest.mark.parametrize("seed", range(2))
def test_limited_music_has_its_true_peak(seed: int, slope: float, drive: float) -> None:
    sound = _limited(seed, drive, slope)
    whole = np.abs(soxr.resample(sound.T, RATE_HZ, 4 * RATE_HZ, quality="VHQ")).max()
    assert _true_peak_dbtp(sound) == pytest.approx(20 * math.log10(whole), abs=0.1)


def test_it_is_never_below_the_largest_sample_of_even_the_shortest_sound() -> None:
    click = np.zeros(RATE_HZ, np.float32)
    click[-1] = 0.5
    assert _true_peak_dbtp(click) == pytest.approx(-6.02, abs=0.01)
    assert _true_peak_dbtp(np.full(3, 0.5, np.float32)) == pytest.approx(-6.02, abs=0.01)
